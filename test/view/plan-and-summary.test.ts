/** What is said before a run and after it: the plan, the summary, the commands to type next. */
import { describe, expect, it } from "vitest";
import type { Spec } from "../../src/domain/spec.ts";
import { parseSpec } from "../../src/rules/spec/spec.ts";
import { nextCommands } from "../../src/view/next.ts";
import { planJson, renderPlan } from "../../src/view/plan.ts";
import { renderSummary } from "../../src/view/summary.ts";
import { aCheck, anAttempt, aQuestion, aState, aTask, STARTED_AT } from "../support/builders.ts";

const TEXT =
  "---\nchecks: {all: npm test}\n---\n\n# A duration tool\n\n- R1: `parse` reads `1h` as 3600.\n- R2: `format` writes it back.\n- R3: it has help.\n";

function spec(): Spec {
  const parsed = parseSpec("spec.md", TEXT, "h");
  if ("problems" in parsed) throw new Error("the specification of this test is wrong");
  return parsed;
}

const PRICE = { inputUsd: 1, outputUsd: 5, cacheReadUsd: 0.1, cacheWriteUsd: 1 };
const ROLE = { planning: "one" as const, price: PRICE };
const ROLES = { planner: ROLE, worker: ROLE, fixer: ROLE };

const tasks = () => [
  aTask("fr-k", {
    key: "root",
    title: "A duration tool",
    contract: { requirements: ["R1", "R2", "R3"] },
  }),
  aTask("fr-k.a1", {
    key: "parse",
    parent: "fr-k",
    title: "Parse durations",
    assumptions: ["Seconds are whole."],
    contract: {
      requirements: ["R1"],
      files: ["src/parse.mjs"],
      checks: [aCheck("parse", { requirements: ["R1"] })],
    },
  }),
  aTask("fr-k.a2", {
    key: "format",
    parent: "fr-k",
    title: "Format durations",
    dependsOn: ["fr-k.a1"],
    contract: {
      requirements: ["R2"],
      files: ["src/format.mjs"],
      checks: [aCheck("format", { requirements: ["R2"], gates: false })],
    },
  }),
  aTask("fr-k.a3", {
    key: "docs",
    parent: "fr-k",
    title: "Write help",
    shape: "unplanned",
    contract: { kind: "text", size: "M" },
  }),
];

describe("the plan of a specification", () => {
  const source = () => ({ spec: spec(), state: aState({ tasks: tasks() }), roles: ROLES });

  it("shows tree, coverage with what is uncovered, assumptions and forecast", async () => {
    const text = renderPlan(source(), { width: 100, colour: false });
    await expect(`${text}\n`).toMatchFileSnapshot("golden/plan.txt");
  });

  it("calls a forecast without a price unknown, never free", () => {
    const roles = { ...ROLES, worker: { planning: "one" as const, price: undefined } };
    expect(renderPlan({ ...source(), roles }, { width: 100, colour: false })).toMatch(
      /worker: about .*cost unknown/,
    );
    const data = planJson({ ...source(), roles }) as { forecast: { cost_usd: unknown } };
    expect(data.forecast.cost_usd).toBeNull();
  });

  it("names tasks by key as data, as they have no issue yet", () => {
    const data = JSON.parse(JSON.stringify(planJson(source())));
    expect(data.tasks[2]).toMatchObject({ key: "format", parent: "root", depends_on: ["parse"] });
    expect(data.coverage.counts).toEqual({ checked: 1, unchecked: 2, dropped: 0, uncovered: 0 });
  });
});

describe("the summary of a run", () => {
  const now = STARTED_AT + 200_000;

  it("of a finished run tells branch, tasks, coverage, money, who answered and what to type", async () => {
    const done = tasks().map((task) => ({
      ...task,
      shape: "leaf" as const,
      end: "done" as const,
      commit: "c".repeat(40),
      unchecked: task.key === "docs",
      attempts: task.key === "root" ? [] : [anAttempt(1, { outcome: "rejected" }), anAttempt(2)],
    }));
    const state = aState({
      tasks: done,
      models: { planner: "recorded:/r", worker: "recorded:/r" },
      answeredBy: new Map([
        ["claude-haiku-5-5", 5],
        ["written by hand", 2],
      ]),
      stopped: { reason: "done", exitCode: 0 },
    });
    const text = renderSummary(state, spec(), { width: 100, colour: false, now });
    await expect(`${text}\n`).toMatchFileSnapshot("golden/summary-done.txt");
  });

  it("of a run that is held up tells what waits for whom, unknown money and a missing sandbox", async () => {
    const state = aState({
      tasks: tasks().map((task) =>
        task.key === "format"
          ? { ...task, attempts: [anAttempt(1, { costUsd: undefined })] }
          : {
              ...task,
              ...(task.key === "docs" ? { end: "failed" as const, endReason: "gave up" } : {}),
            },
      ),
      questions: [aQuestion("fr-k.a1.q1", "fr-k.a1")],
      contained: false,
      mismatches: 1,
      base: "",
      stopped: { reason: "waits for a person", exitCode: 3 },
    });
    const text = renderSummary(state, spec(), { width: 100, colour: false, now });
    await expect(`${text}\n`).toMatchFileSnapshot("golden/summary-held.txt");
    expect(renderSummary(state, spec(), { width: 100, colour: true, now })).toContain(
      `${String.fromCharCode(27)}[31m  --dangerously-no-sandbox`,
    );
  });
});

describe("the commands to type next", () => {
  const commands = (state: ReturnType<typeof aState>) =>
    nextCommands(state).map(({ command }) => command);

  it("are about the work when it is done", () => {
    const state = aState({
      tasks: [aTask("r", { end: "done", commit: "c".repeat(40) })],
      stopped: { reason: "", exitCode: 0 },
    });
    expect(commands(state)).toEqual([
      "fractal tree",
      "fractal diff k3f9x2",
      "fractal merge k3f9x2",
    ]);
  });

  it("show no branch on which nothing is yet, and take over only what is done", () => {
    const none = aState({ tasks: [aTask("r")], stopped: { reason: "stopped", exitCode: 130 } });
    expect(commands(none)).toEqual(["fractal resume", "fractal tree"]);
    const some = aState({
      tasks: [aTask("r"), aTask("r.a1", { parent: "r", end: "done", commit: "c".repeat(40) })],
      stopped: { reason: "stopped", exitCode: 130 },
    });
    expect(commands(some).at(-1)).toBe("fractal diff k3f9x2");
  });

  it("begin with the answer and with going on while it is not", () => {
    const state = aState({
      tasks: [aTask("r")],
      questions: [aQuestion("r.q1", "r")],
      stopped: { reason: "", exitCode: 3 },
    });
    expect(commands(state).slice(0, 2)).toEqual(["fractal answer", "fractal resume"]);
  });

  it.each([
    [2, /once that is put right/],
    [6, /once that is put right/],
    [130, /^go on where it stopped$/],
  ])("say of a stop with exit %i what going on needs", (exitCode, why) => {
    const state = aState({ tasks: [aTask("r")], stopped: { reason: "x", exitCode } });
    expect(nextCommands(state)[0]).toEqual({
      command: "fractal resume",
      why: expect.stringMatching(why),
    });
  });

  it("do not go on with a run that is going on", () => {
    expect(commands(aState({ tasks: [aTask("r")] }))).not.toContain("fractal resume");
  });
});
