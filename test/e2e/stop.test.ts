/** A run may be stopped or killed anywhere and goes on: nothing lost, nothing done or paid twice. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/domain/event.ts";
import { aMailbox, type Letter } from "./mailbox.ts";
import { ADD_RIGHT, ADD_WRONG, TINY_MATH, TINY_MATH_PLAN, TWICE_RIGHT } from "./plans.ts";
import { aRig, type Rig, until } from "./rig.ts";

function replyTo(request: Letter): string {
  if (request.role === "planner") return JSON.stringify(PLAN_ANSWER);
  if (request.task.endsWith("a2") || request.task.includes("twice")) return TWICE_RIGHT;
  return request.attempt === 1 ? ADD_WRONG : ADD_RIGHT;
}

/** TINY_MATH_PLAN as a planner says it, all questions at once. */
const PLAN_ANSWER = {
  size: TINY_MATH_PLAN.size,
  decision: TINY_MATH_PLAN.decision,
  reason: TINY_MATH_PLAN.reason,
  parts: TINY_MATH_PLAN.parts.map(({ risks: _, ...part }) => part),
  owners: TINY_MATH_PLAN.ownership,
  interfaces: TINY_MATH_PLAN.interfaces,
  dependencies: TINY_MATH_PLAN.dependencies,
  calls: TINY_MATH_PLAN.acceptance.flatMap(({ example, ...rest }) =>
    example.kind === "call"
      ? [
          {
            ...rest,
            file: example.file,
            name: example.name,
            args_json: JSON.stringify(example.args),
            value_json: JSON.stringify(example.value),
          },
        ]
      : [],
  ),
  commands: [],
  requests: [],
  acknowledgements: [],
  questions: [],
  risks: [],
};

interface Phase {
  name: string;
  signals: NodeJS.Signals[];
  reached: (events: RunEvent[]) => boolean;
}

const asked = (role: string) => (events: RunEvent[]) =>
  events.some((event) => event.event_type === "call.started" && event.role === role);
const seen = (type: RunEvent["event_type"]) => (events: RunEvent[]) =>
  events.some((event) => event.event_type === type);

const PHASES: Phase[] = [
  { name: "the planner is asked", signals: ["SIGINT", "SIGKILL"], reached: asked("planner") },
  { name: "a split is written", signals: ["SIGINT", "SIGKILL"], reached: seen("split.started") },
  { name: "a worker is asked", signals: ["SIGINT"], reached: asked("worker") },
  {
    name: "a worker tries again",
    signals: ["SIGKILL"],
    reached: (events) =>
      events.some((event) => event.event_type === "lease.taken" && event.attempt === 2),
  },
  { name: "a merge is under way", signals: ["SIGKILL"], reached: seen("merge.started") },
  { name: "a leaf is done", signals: ["SIGINT"], reached: seen("task.done") },
];

function eventsSoFar(rig: Rig): RunEvent[] {
  const folder = join(rig.dir, "telemetry");
  const run = existsSync(folder) ? readdirSync(folder)[0] : undefined;
  if (run === undefined || !existsSync(join(folder, run, "events.jsonl"))) return [];
  const lines = readFileSync(join(folder, run, "events.jsonl"), "utf8").split("\n");
  // The last one may be half written.
  return lines.slice(0, -1).map((line) => JSON.parse(line) as RunEvent);
}

/** What must be true of a finished TINY_MATH run, however often it was cut off. */
function expectWhole(rig: Rig): void {
  const events = rig.events();
  expect(rig.runs()).toHaveLength(1);
  expect(rig.onBranch("lib/add.mjs")).toContain("a + b");
  expect(rig.onBranch("lib/twice.mjs")).toContain("add(n, n)");
  const done = events.filter((event) => event.event_type === "task.done");
  expect(new Set(done.map((event) => event.task_id)).size).toBe(done.length);
  const answered = events.filter((event) => event.event_type === "call.answered");
  const calls = answered.map((event) => `${event.task_id}.${event.attempt}.${event.turn}`);
  expect(new Set(calls).size, "a stored answer was paid for again").toBe(calls.length);
  const run = rig.runs()[0];
  const merged = rig.git(
    "log",
    "--format=%(trailers:key=Fractal-Task,valueonly)",
    `fractal/${run}/main`,
  );
  const tasks = merged.split("\n").filter((line) => line !== "");
  expect(new Set(tasks).size, merged).toBe(tasks.length);
  const issues = JSON.parse(rig.bd("list", "--all", "--limit", "0", "--json")) as {
    status: string;
  }[];
  expect(issues.map((issue) => issue.status)).toEqual(["closed", "closed", "closed"]);
}

describe("a run that is cut off", () => {
  const cuts = PHASES.flatMap(({ name, signals, reached }) =>
    signals.map((signal) => ({ name, signal, reached })),
  );
  it.each(cuts)("by $signal when $name, goes on and ends whole", async ({ signal, reached }) => {
    using rig = aRig();
    rig.write({ "spec.md": TINY_MATH });
    const args = ["run", "spec.md", "--model", aMailbox(rig).model];

    const first = rig.start(args);
    // Answered only once the phase is reached: the cut comes where it is meant to.
    aMailbox(rig).serve(
      (letter) => (reached(eventsSoFar(rig)) ? undefined : replyTo(letter)),
      first,
    );
    await until("the phase", () => reached(eventsSoFar(rig)));
    first.kill(signal);
    const { exitCode, all } = await first;
    if (signal === "SIGINT") {
      expect(exitCode, String(all)).toBe(130);
      expect(String(all)).toContain("fractal resume");
    }

    const second = rig.start(args);
    aMailbox(rig).serve(replyTo, second);
    const ended = await second;
    expect(ended.exitCode, String(ended.all)).toBe(0);
    expectWhole(rig);
  });

  it("after the first line of its journal goes on and ends whole", async () => {
    using rig = aRig();
    rig.write({ "spec.md": TINY_MATH });
    const args = ["run", "spec.md", "--model", aMailbox(rig).model];
    const first = rig.start(args);
    await until("its first lines", () => eventsSoFar(rig).length > 1);
    first.kill("SIGKILL");
    await first;
    const [run = ""] = rig.runs();
    const journal = join(rig.dir, "telemetry", run, "events.jsonl");
    const [line] = readFileSync(journal, "utf8").split("\n");
    writeFileSync(journal, `${line}\n`);

    const second = rig.start(args);
    aMailbox(rig).serve(replyTo, second);
    const { exitCode, all } = await second;

    expect(exitCode, String(all)).toBe(0);
    expectWhole(rig);
  });
});
