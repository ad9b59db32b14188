/** Which move is due: table by table; whole runs are played in reconcile-run.test.ts. */
import { describe, expect, it } from "vitest";
import type { Failure } from "../../src/domain/failure.ts";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import type { Question, TaskState } from "../../src/domain/run-state.ts";
import { desiredMirror } from "../../src/rules/people/mirror.ts";
import { type Action, reconcile, type Snapshot } from "../../src/rules/reconcile.ts";
import {
  anAttempt,
  aQuestion,
  aSnapshot,
  aState,
  aTask,
  aVerdict,
  STARTED_AT,
} from "../support/builders.ts";

const NOW = STARTED_AT + 3_600_000;
const limits = DEFAULT_LIMITS;
const shown = { status: "open", assignee: "" } as const;
const lease = { attempt: 1, role: "worker", fence: 1, holder: "fractal/w", deadlineMs: 0 } as const;
const refused: Failure = { failure: "refused", detail: "no" };
const red: Failure = { failure: "check-failed", detail: "red", checks: [] };

/** The root, already in Beads as it should be. */
const root = (over: Parameters<typeof aTask>[1] = {}) =>
  aTask("r", {
    origin: "root",
    shape: "split",
    mirror: { status: "in_progress", assignee: "" },
    ...over,
  });
const leaf = (id: string, over: Parameters<typeof aTask>[1] = {}) =>
  aTask(id, { parent: "r", mirror: shown, ...over });

function decide(
  tasks: TaskState[],
  over: Partial<Snapshot> & { questions?: Question[]; jobs?: number } = {},
): Action[] {
  const { questions = [], jobs = 2, ...rest } = over;
  const state = aState({ tasks, questions });
  // Nothing is owed to Beads unless a test is about that.
  const snapshot = aSnapshot(state, { mirroring: true, publishing: true, ...rest });
  return reconcile(snapshot, { ...limits, jobs }, NOW);
}

/** With Beads showing what it should: what is left when nothing moves. */
function rest(tasks: TaskState[], over: Parameters<typeof decide>[1] = {}): Action[] {
  const state = aState({ tasks, questions: over.questions ?? [] });
  const shown = tasks.map((task) => {
    const mirror = desiredMirror(state, task.id);
    return { ...task, mirror: { ...mirror, assignee: task.takenBy ?? mirror.assignee } };
  });
  return decide(shown, { mirroring: false, publishing: false, ...over });
}

describe("the move that is due", () => {
  it.each([
    ["a task that is to be planned", { shape: "unplanned" }, { kind: "plan", mustSplit: false }],
    [
      "an interrupted split",
      { splitStarted: { plan: "p", episode: 1 } },
      { kind: "plan", mustSplit: false },
    ],
    ["a leaf", {}, { kind: "attempt" }],
    ["a leaf whose attempts failed alike", { attemptsLeft: 0 }, { kind: "route", to: "fixer" }],
    ["one on its way to the fixer", { attemptsLeft: 0, route: "fixer" }, { kind: "fix" }],
    [
      "one that is too big",
      { pending: { failure: "context-overflow", detail: "" } },
      { kind: "route", to: "split" },
    ],
    ["one to be split", { route: "split" }, { kind: "plan", mustSplit: true }],
    [
      "one that asks",
      { pending: { failure: "worker-asks", detail: "?", options: [] } },
      { kind: "ask", question: "asks" },
    ],
    [
      "one whose help is used up",
      { attemptsLeft: 0, fixerUsed: true },
      { kind: "ask", question: "stuck" },
    ],
    [
      "one without a valid plan",
      { shape: "unplanned", route: "person", attemptsLeft: 0 },
      { kind: "ask", question: "plan" },
    ],
  ] as const)("of %s", (_, over, action) => {
    const [first] = decide([root(), leaf("t", over as never)]);
    expect(first).toMatchObject({ task: "t", ...action });
  });

  it("of a leaf that failed in different ways is to ask the router", () => {
    const attempts = [red, refused].map((failure, at) => anAttempt(at + 1, { failure }));
    const [first] = decide([root(), leaf("t", { attemptsLeft: 0, attempts })]);
    expect(first).toMatchObject({ kind: "route", to: "router" });
  });

  it.each([
    ["children settled", [{ end: "done" }, { end: "accepted" }, { end: "cancelled" }], true],
    ["a child under way", [{ end: "done" }, { lease }], false],
    ["a child failed", [{ end: "done" }, { end: "failed" }], false],
  ] as const)("of a split task is to roll up when it has %s", (_, ends, rollsUp) => {
    const tasks = [root(), ...ends.map((end, at) => leaf(`t${at}`, end as never))];
    const kinds = decide(tasks).map((action) => action.kind);
    expect(kinds.includes("roll-up")).toBe(rollsUp);
  });

  it("of a split task that rolled up red, with its repairs used up, is a question", () => {
    const rollup = aVerdict({ passed: false, reason: "it does not add up" });
    const actions = decide([root({ rollup }), leaf("t", { end: "done" })]);
    expect(actions).toMatchObject([
      { kind: "ask", question: "rollup", reason: "it does not add up" },
    ]);
  });

  it("of what waits for something dropped is a question, unless a person said to go on without", () => {
    const dropped = leaf("x", { end: "cancelled" });
    const [asks] = decide([root(), dropped, leaf("t", { dependsOn: ["x"] })]);
    expect(asks).toEqual({ kind: "ask", task: "t", question: "dropped", reason: "x" });
    const [goes] = decide([root(), dropped, leaf("t", { dependsOn: ["x"], without: ["x"] })]);
    expect(goes).toMatchObject({ kind: "attempt", task: "t" });
  });

  it("of a split task whose green roll-up was not taken is to roll up again, not a question", () => {
    const tasks = [root({ children: ["t"], rollup: aVerdict() }), leaf("t", { end: "done" })];
    expect(decide(tasks)[0]).toMatchObject({ kind: "roll-up", task: "r" });
  });

  it("of a roll-up that met trouble outside waits, and is given up when it stays", () => {
    const tasks = [root({ children: ["t"] }), leaf("t", { end: "done" })];
    const since = (sinceMs: number) =>
      rest(tasks, { resting: new Map([["r", { untilMs: NOW + 5_000, sinceMs }]]) });
    expect(since(NOW - 1_000)).toMatchObject([{ kind: "wait", untilMs: NOW + 5_000 }]);
    expect(since(NOW - limits.outageMs)).toMatchObject([{ kind: "stop", exitCode: 6 }]);
  });

  it("is to give up when the questions are used up", () => {
    const questions = ["t.q1", "t.q2", "t.q3"];
    const [first] = decide([root(), leaf("t", { attemptsLeft: 0, fixerUsed: true, questions })]);
    expect(first).toMatchObject({ kind: "give-up", task: "t" });
  });

  it.each([
    ["what it depends on is not done", [leaf("d", { lease }), leaf("t", { dependsOn: ["d"] })]],
    ["it is under way", [leaf("t", { lease })]],
    ["a question about it is open", [leaf("t", { question: "t.q1" })]],
    ["it is paused", [leaf("t", { paused: true })]],
    ["somebody took it", [leaf("t", { takenBy: "bob" })]],
    ["it must wait after an outage", [leaf("t", { notBeforeMs: NOW + 1 })]],
    [
      "what is above it is paused",
      [leaf("p", { paused: true, shape: "split" }), aTask("t", { parent: "p" })],
    ],
  ])("is none while %s", (_, tasks) => {
    const moved = decide([root(), ...tasks]).filter(
      (action) => "task" in action && action.task === "t",
    );
    expect(moved).toEqual([]);
  });

  it("is to plan although a dependency is not done, and to work only then", () => {
    const d = leaf("d", { lease });
    const plan = decide([root(), d, leaf("t", { shape: "unplanned", dependsOn: ["d"] })]);
    expect(plan).toMatchObject([{ kind: "plan", task: "t" }]);
    expect(decide([root(), d, leaf("t", { dependsOn: ["d"] })])).toEqual([]);
  });

  it("is to plan alone when only the plan is wanted", () => {
    const tasks = [root(), leaf("t"), leaf("u", { shape: "unplanned" })];
    expect(decide(tasks, { planOnly: true })).toMatchObject([{ kind: "plan", task: "u" }]);
  });
});

describe("the slots", () => {
  const leaves = ["a", "b", "c", "d"].map((id) => leaf(id));
  const plans = ["w", "x", "y", "z"].map((id) => leaf(id, { shape: "unplanned" }));
  const count = (actions: Action[], kind: Action["kind"]) =>
    actions.filter((action) => action.kind === kind).length;

  it("are as many as there are jobs, for leaves and for plans", () => {
    const actions = decide([root(), ...leaves, ...plans], { jobs: 3 });
    expect(count(actions, "attempt")).toBe(3);
    expect(count(actions, "plan")).toBe(3);
  });

  it("are those that are free", () => {
    const busy = new Map([
      ["a", "leaf"],
      ["b", "roll-up"],
      ["w", "plan"],
    ] as const);
    const actions = decide([root(), ...leaves, ...plans], { jobs: 3, busy });
    expect(count(actions, "attempt")).toBe(1);
    expect(count(actions, "plan")).toBe(2);
  });

  it("of leaves are not taken by plans, nor the other way", () => {
    const busyPlans = new Map(plans.map((task) => [task.id, "plan" as const]));
    expect(count(decide([root(), ...leaves, ...plans], { busy: busyPlans }), "attempt")).toBe(2);
    const busyLeaves = new Map(leaves.map((task) => [task.id, "leaf" as const]));
    expect(count(decide([root(), ...leaves, ...plans], { busy: busyLeaves }), "plan")).toBe(2);
  });

  it("are not needed to route by rules, to ask or to give up: that takes no time", () => {
    const busy = new Map(plans.map((task) => [task.id, "plan" as const]));
    const stuck = leaf("s", { attemptsLeft: 0 });
    const lost = leaf("l", { attemptsLeft: 0, fixerUsed: true });
    const actions = decide([root(), stuck, lost, ...plans], { jobs: 1, busy });
    expect(actions.map((action) => action.kind).sort()).toEqual(["ask", "route"]);
  });
});

describe("Beads", () => {
  it("is given what it does not have, and shown what it should show", () => {
    const tasks = [root(), leaf("new"), leaf("failed", { end: "failed" })];
    delete (tasks[1] as TaskState).mirror;
    const actions = decide(tasks, { mirroring: false, publishing: false });
    expect(actions).toContainEqual({ kind: "publish", ids: ["new"] });
    expect(actions).toContainEqual({
      kind: "mirror",
      lines: [{ id: "failed", status: "blocked", assignee: "" }],
    });
  });

  it("is left alone while it is being written, and until it is to be tried again", () => {
    const tasks = [root(), leaf("t", { end: "failed" })];
    const owed = (over: Partial<Snapshot>) =>
      decide(tasks, { publishing: false, mirroring: false, ...over }).some(
        (one) => one.kind === "mirror",
      );
    expect(owed({})).toBe(true);
    expect(owed({ mirroring: true })).toBe(false);
    expect(owed({ trackerRetryAt: NOW + 1 })).toBe(false);
    expect(owed({ trackerRetryAt: NOW })).toBe(true);
  });

  it("is told in batches while work is under way, a second apart, and at once when there is none", () => {
    const tasks = [root(), leaf("t", { end: "failed" })];
    const owed = (mirroredAt: number, busy: Snapshot["busy"]) =>
      decide(tasks, { busy, mirroring: false, publishing: false, mirroredAt }).some(
        (one) => one.kind === "mirror",
      );
    const work = new Map([["x", "leaf"]] as const);
    expect([owed(NOW - 999, work), owed(NOW - 1_000, work)]).toEqual([false, true]);
    expect(owed(NOW, new Map())).toBe(true);
  });

  it("is told at once of ten things, whatever is under way", () => {
    const owed = (count: number) => {
      const tasks = Array.from({ length: count }, (_, i) => leaf(`t${i}`, { end: "failed" }));
      const busy = new Map([["x", "leaf"]] as const);
      const over = { busy, mirroring: false, publishing: false, mirroredAt: NOW };
      return decide([root(), ...tasks], over).some((one) => one.kind === "mirror");
    };
    expect([owed(9), owed(10)]).toEqual([false, true]);
  });

  it("names when it is tried again, rather than ending with lines owed", () => {
    const actions = decide([root({ end: "done" })], {
      mirroring: false,
      mirroredAt: 0,
      publishing: false,
      trackerRetryAt: NOW + 5_000,
    });
    expect(actions).toMatchObject([{ kind: "wait", untilMs: NOW + 5_000 }]);
  });
});

describe("the terminal", () => {
  const questions = [
    aQuestion("t.q1", "t", { mirror: shown }),
    aQuestion("u.q1", "u", { mirror: shown }),
  ];
  const tasks = [root(), leaf("t"), leaf("u")];

  it("shows one open question at a time, to a person who is there", () => {
    expect(decide(tasks, { questions, humanPresent: true })).toEqual([
      { kind: "prompt", question: "t.q1" },
    ]);
    expect(decide(tasks, { questions, humanPresent: true, prompting: "t.q1" })).toEqual([]);
  });

  it("goes on to the next when one was skipped, and never asks nobody", () => {
    const skipped = new Set(["t.q1"]);
    expect(decide(tasks, { questions, humanPresent: true, skipped })).toEqual([
      { kind: "prompt", question: "u.q1" },
    ]);
    expect(decide(tasks, { questions })).toEqual([]);
  });
});

describe("the end", () => {
  const question = (about: string) => [aQuestion(`${about}.q1`, about, { mirror: shown })];
  const failed = leaf("f", { end: "failed" });
  const paused = leaf("p", { paused: true });
  const taken = leaf("b", { takenBy: "bob" });
  const lost = [leaf("l", { dependsOn: ["nowhere"] })];
  const asks = leaf("t");

  it.each([
    ["the root is done", [root({ end: "done" }), leaf("t", { end: "done" })], [], 0],
    ["a person accepted the root", [root({ end: "accepted" }), failed], [], 0],
    ["a question is open", [root(), asks], question("t"), 3],
    ["a question is open and a task failed", [root(), asks, failed], question("t"), 3],
    ["a task failed", [root(), failed], [], 1],
    ["a task failed and another is paused", [root(), failed, paused], [], 1],
    ["only a paused task holds it", [root(), paused], [], 3],
    ["only a taken task holds it", [root(), taken], [], 3],
    ["work waits for what never comes", [root(), ...lost], [], 1],
    [
      "the root was cancelled",
      [root({ end: "cancelled" }), leaf("t", { end: "cancelled" })],
      [],
      1,
    ],
    [
      "a task was paused and then accepted, and another failed to come",
      [root(), leaf("a", { paused: true, end: "accepted" }), ...lost],
      [],
      1,
    ],
  ] as const)("when %s", (_, tasks, questions, exitCode) => {
    const actions = rest([...tasks], { questions: [...questions] });
    expect(actions).toMatchObject([{ kind: "stop", exitCode }]);
  });

  it("is not yet while anything is under way, being written, or asked in the terminal", () => {
    const tasks = [root(), failed];
    for (const over of [
      { busy: new Map([["t", "leaf"]] as const) },
      { mirroring: true },
      { publishing: true },
      { prompting: "t.q1" },
    ]) {
      expect(rest(tasks, over)).toEqual([]);
    }
  });

  it.each([
    [{ failure: "credentials-missing", detail: "set KEY" }, 4],
    [{ failure: "config-unusable", detail: "no model" }, 2],
    [{ failure: "sandbox-unavailable", detail: "no bwrap" }, 6],
  ] as const)("comes at once with trouble no task can escape: %j", (fatal, exitCode) => {
    expect(rest([root(), leaf("t")], { fatal })).toEqual([
      { kind: "stop", exitCode, reason: fatal.detail },
    ]);
    const busy = new Map([["t", "leaf"]] as const);
    expect(rest([root(), leaf("t")], { fatal, busy })).toEqual([]);
  });

  describe("with everything out of reach", () => {
    const away = (sinceMs: number) =>
      leaf("t", { notBeforeMs: NOW + 60_000, outages: 5, outageSinceMs: NOW - sinceMs });

    it("is named by the next try, until ten minutes have passed", () => {
      expect(rest([root(), away(limits.outageMs - 1)])).toMatchObject([
        { kind: "wait", untilMs: NOW + 60_000 },
      ]);
      expect(rest([root(), away(limits.outageMs)])).toMatchObject([{ kind: "stop", exitCode: 6 }]);
    });

    it("is not yet while something else can be done", () => {
      expect(rest([root(), away(limits.outageMs), leaf("u")])).toMatchObject([
        { kind: "attempt", task: "u" },
        { kind: "wait", untilMs: NOW + 60_000 },
      ]);
    });

    it("is that of everything: one that failed just now, or Beads, is tried on", () => {
      const { outageMs } = limits;
      const justNow = leaf("u", { notBeforeMs: NOW + 90_000, outageSinceMs: NOW - 1 });
      const resumed = leaf("u", { notBeforeMs: NOW + 90_000 });
      for (const other of [justNow, resumed]) {
        expect(rest([root(), away(outageMs), other])).toMatchObject([{ kind: "wait" }]);
      }
      const beads = (sinceMs: number) =>
        decide([root(), leaf("f", { end: "failed" })], {
          mirroring: false,
          publishing: false,
          trackerRetryAt: NOW + 5_000,
          trackerDownSince: NOW - sinceMs,
        });
      expect(beads(outageMs - 1)).toMatchObject([{ kind: "wait", untilMs: NOW + 5_000 }]);
      expect(beads(outageMs)).toMatchObject([{ kind: "stop", exitCode: 6 }]);
    });

    it("counts for nothing on a task that is held, and before an open question", () => {
      const held = leaf("h", { paused: true, notBeforeMs: NOW + 1, outageSinceMs: 0 });
      expect(rest([root(), held])).toMatchObject([{ kind: "stop", exitCode: 3 }]);
      const tasks = [root(), away(limits.outageMs), leaf("t2")];
      expect(rest(tasks, { questions: question("t2") })).toMatchObject([{ exitCode: 6 }]);
    });

    it("waits for the first of several tries", () => {
      const sooner = leaf("u", { notBeforeMs: NOW + 10_000, outageSinceMs: NOW - 1 });
      expect(rest([root(), away(1), sooner])).toMatchObject([{ untilMs: NOW + 10_000 }]);
    });
  });

  it("of planning is green when nothing is left to plan, and waits for a person when one is asked", () => {
    const planned = [root(), leaf("t")];
    expect(rest(planned, { planOnly: true })).toMatchObject([{ kind: "stop", exitCode: 0 }]);
    expect(rest(planned, { planOnly: true, questions: question("t") })).toMatchObject([
      { kind: "stop", exitCode: 3 },
    ]);
  });
});
