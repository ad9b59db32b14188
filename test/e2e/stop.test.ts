/** A run may be stopped or killed anywhere and goes on: nothing lost, nothing done or paid twice. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/domain/event.ts";
import { ADD_RIGHT, ADD_WRONG, TINY_MATH, TINY_MATH_PLAN, TWICE_RIGHT } from "./plans.ts";
import { aRig, type Rig, until } from "./rig.ts";

/** Requests in a mailbox that have no reply yet: their names without the ending. */
function unanswered(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder);
  return names
    .filter((name) => name.endsWith(".request.json"))
    .map((name) => name.slice(0, -".request.json".length))
    .filter((name) => !names.includes(`${name}.reply.md`))
    .sort();
}

/** Answers a mailbox as TINY_MATH wants until the run ends. */
async function answerAll(folder: string, ended: Promise<unknown>): Promise<void> {
  let over = false;
  void ended.finally(() => {
    over = true;
  });
  while (!over) {
    for (const name of unanswered(folder)) {
      const request = JSON.parse(readFileSync(join(folder, `${name}.request.json`), "utf8")) as {
        role: string;
        task: string;
        attempt: number;
      };
      writeFileSync(join(folder, `${name}.reply.md`), replyTo(request));
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function replyTo(request: { role: string; task: string; attempt: number }): string {
  if (request.role === "planner") return JSON.stringify(PLAN_ANSWER);
  if (request.task.endsWith("a2") || request.task.includes("twice")) return TWICE_RIGHT;
  return request.attempt === 1 ? ADD_WRONG : ADD_RIGHT;
}

/** TINY_MATH_PLAN as a planner says it, all questions at once. */
const PLAN_ANSWER = {};

type Phase = { name: string; reached: (events: RunEvent[]) => boolean };

const PHASES: Phase[] = [
  { name: "just started", reached: (events) => events.length > 1 },
  {
    name: "the split is being written",
    reached: (events) => events.some((event) => event.event_type === "split.started"),
  },
  {
    name: "a worker is being asked",
    reached: (events) => events.some((event) => event.event_type === "call.started"),
  },
  {
    name: "a worker is at its second attempt",
    reached: (events) =>
      events.some((event) => event.event_type === "lease.taken" && event.attempt === 2),
  },
  {
    name: "one leaf is done",
    reached: (events) => events.some((event) => event.event_type === "task.done"),
  },
  {
    name: "a merge is under way",
    reached: (events) => events.some((event) => event.event_type === "merge.started"),
  },
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
  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    it.each(PHASES)(`by ${signal} when $name, goes on and ends whole`, async ({ reached }) => {
      using rig = aRig();
      const plan = rig.plan(TINY_MATH, { root: TINY_MATH_PLAN });
      const mail = join(rig.dir, "..", "mail");
      const args = ["run", plan, "--model", `mailbox:${mail}`];

      const first = rig.start(args);
      void answerAll(mail, first);
      await until("the phase", () => reached(eventsSoFar(rig)));
      first.kill(signal);
      const { exitCode, all } = await first;
      if (signal === "SIGINT") {
        // It may have come to its end before the signal did.
        expect([0, 130], String(all)).toContain(exitCode);
        if (exitCode === 130) expect(String(all)).toContain("fractal resume");
      }

      const second = rig.start(args);
      void answerAll(mail, second);
      const ended = await second;

      // Finished by the first process, the same command starts a new run: nothing was left to do.
      if (exitCode === 0) return;
      expect(ended.exitCode, String(ended.all)).toBe(0);
      expectWhole(rig);
      const third = await rig.fractal(["resume"], {});
      expect([0, 4]).toContain(third.exitCode);
    });
  }
});
