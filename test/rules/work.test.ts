/** What a task's work is, when a run may be merged, and what may be cleared away. */
import { describe, expect, it } from "vitest";
import { memoryJournal } from "../../src/adapters/journal/memory.ts";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import type { RunState } from "../../src/domain/run-state.ts";
import { openStore } from "../../src/orchestrator/store.ts";
import { taskOf } from "../../src/rules/status.ts";
import { flagMissing, garbageOf, type RunLeft, whyKept } from "../../src/rules/work/garbage.ts";
import { notYet } from "../../src/rules/work/mergeable.ts";
import { isKnownIn, isTold } from "../../src/rules/work/merged.ts";
import { pieceOfAttempt, piecesOf } from "../../src/rules/work/patches.ts";
import { anAttempt, anEvent, aState, aTask, aVerdict } from "../support/builders.ts";
import { aClock, created, runStarted, taken } from "../support/leaf-store.ts";

const state = (over: Parameters<typeof aTask>[1] = {}): RunState =>
  aState({
    tasks: [
      aTask("r", { origin: "root", shape: "split" }),
      aTask("r.a1", {
        parent: "r",
        title: "One",
        end: "done",
        commit: "c1",
        attempts: [anAttempt(1)],
      }),
      aTask("r.a2", { parent: "r", title: "Two", ...over }),
    ],
  });
const failure = { failure: "check-failed", detail: "red", checks: [] } as const;
const rejected = anAttempt(2, {
  outcome: "rejected",
  failure: { ...failure, checks: [] },
  kept: "k2",
  patch: "p2",
  base: "b2",
});

describe("the work of a task", () => {
  const commits = new Map([
    ["s0", []],
    ["c1", ["r.a1 1"]],
    ["c9", ["r.a1 3"]],
    ["x", ["other.a1 1"]],
  ]);
  const events = [
    anEvent(
      { event_type: "task.split", children: [], checks: [], assumptions: [], commit: "s0" },
      { taskId: "r" },
    ),
  ];

  it("is every commit of it and of all below it, in the order of the branch", () => {
    expect(
      piecesOf(state(), events, commits, "r.a1").map(({ from, to, attempt }) => [
        from,
        to,
        attempt,
      ]),
    ).toEqual([
      ["c1^", "c1", 1],
      ["c9^", "c9", 3],
    ]);
    expect(piecesOf(state(), events, commits, "r").map(({ to, task }) => [to, task])).toEqual([
      ["s0", "r"],
      ["c1", "r.a1"],
      ["c9", "r.a1"],
    ]);
  });

  it("is what the last attempt left, where nothing is merged", () => {
    const attempts = [
      anAttempt(1, { outcome: "failed" }),
      rejected,
      anAttempt(3, { outcome: "failed" }),
    ];
    expect(piecesOf(state({ attempts }), events, commits, "r.a2")).toMatchObject([
      { from: "b2", to: "k2", attempt: 2, merged: false, patch: "p2" },
    ]);
    expect(piecesOf(state(), events, commits, "r.a2")).toEqual([]);
    expect(pieceOfAttempt(state({ attempts }), "r.a2", 1)).toEqual([]);
  });
});

describe("a run", () => {
  const done = (over: Partial<Parameters<typeof aTask>[1]> = {}) =>
    aState({ tasks: [aTask("r", { origin: "root", shape: "split", end: "done", ...over })] });
  const rolledUp = (tree: string) => [
    anEvent({ event_type: "task.rolled_up", verdict: aVerdict(), tree }, { taskId: "r" }),
  ];

  it("may be merged when it is done and its branch is as it was checked", () => {
    expect(notYet(done(), rolledUp("t1"), "t1")).toBeUndefined();
    expect(notYet(done(), rolledUp("t1"), "t2")).toContain("changed on its branch since");
    expect(notYet(done({ end: "accepted" }), [], "t2")).toBeUndefined();
    expect(notYet(state(), [], "t1")).toContain("is not done");
  });
});

describe("what may be cleared away", () => {
  const left = (over: Partial<RunLeft> = {}): RunLeft => ({
    runId: "k3f9x2",
    state: state({ attempts: [rejected] }),
    isOpen: false,
    isDamaged: false,
    isNamed: false,
    refs: ["base", "r.a1.1", "r.a2.2"],
    hasBranch: true,
    landed: new Set(["r.a1 1"]),
    hasCommits: true,
    mergedInto: [],
    workspaces: 2,
    journalBytes: 10,
    ...over,
  });
  const plain = { unmerged: false, branches: false, journals: false };
  const going = (run: RunLeft, wanted: Partial<typeof plain> = {}) =>
    garbageOf(run)
      .filter((one) => flagMissing(one, { ...plain, ...wanted }) === undefined)
      .map(({ kind }) => kind);

  it("without flags is what nobody misses", () => {
    expect(going(left())).toEqual(["workspaces", "attempts"]);
  });

  it("is nothing of a run that is open, or whose journal cannot be read", () => {
    expect(garbageOf(left({ isOpen: true }))).toEqual([]);
    expect(whyKept(left({ isOpen: true }))).toBe("it is open");
    expect(garbageOf(left({ isDamaged: true, state: undefined }))).toEqual([]);
  });

  it("is the only copy of unmerged work only where that is said", () => {
    expect(going(left(), { branches: true })).not.toContain("branch");
    expect(going(left(), { branches: true, unmerged: true })).toContain("branch");
    expect(going(left(), { unmerged: true })).toContain("unmerged");
    expect(going(left({ mergedInto: ["refs/heads/main"] }), { branches: true })).toContain(
      "branch",
    );
  });

  it("is no attempt whose work the branch does not have any more", () => {
    const movedBack = left({ landed: new Set(["r.a1 2"]) });
    expect(going(movedBack)).toEqual(["workspaces"]);
    expect(garbageOf(movedBack).find(({ kind }) => kind === "unmerged")?.refs).toContain("r.a1.1");
    expect(going(left({ landed: new Set(), mergedInto: ["refs/heads/main"] }))).not.toContain(
      "attempts",
    );
  });

  it("is nothing of a run whose journal is elsewhere, unless it is named", () => {
    const elsewhere = left({ state: undefined, journalBytes: 0 });
    expect(garbageOf(elsewhere)).toEqual([]);
    expect(whyKept(elsewhere)).toContain("fractal gc k3f9x2");
    expect(whyKept({ ...elsewhere, isNamed: true })).toBeUndefined();
  });

  it("is a journal only where no patch is in it alone", () => {
    expect(going(left(), { journals: true })).toContain("journal");
    const alone = left({ refs: ["base"] });
    expect(going(alone, { journals: true })).not.toContain("journal");
    expect(going(alone, { journals: true, unmerged: true })).toContain("journal");
  });

  it("counts no attempt as merged where the branch is gone and nobody has its work", () => {
    const gone = left({ hasBranch: false, landed: new Set(), hasCommits: false });
    expect(garbageOf(gone).find(({ kind }) => kind === "unmerged")?.refs).toEqual([
      "r.a1.1",
      "r.a2.2",
    ]);
    const unknown = left({ state: undefined, journalBytes: 0, isNamed: true });
    expect(garbageOf(unknown).map(({ kind }) => kind)).toEqual([
      "workspaces",
      "unmerged",
      "branch",
    ]);
  });
});

describe("a merge by a person", () => {
  const merging = {
    task_id: null,
    actor: "una",
    event_type: "run.merged",
    into: "trunk",
    tip: "t1",
    result: "merge",
    before: "b1",
    after: "m1",
    at: "2026-01-05T13:00:00.000Z",
  } as const;

  /** A run whose root is being planned. */
  function aLeasedTask() {
    const clock = aClock();
    const first = [runStarted, created("root", null)];
    const store = openStore(memoryJournal("r"), clock, DEFAULT_LIMITS, first);
    store.record([taken(taskOf(store.state, "root"), "planner")]);
    return { store, clock };
  }

  it("is where the run's branch is from then on; what git refused is not", () => {
    const { store } = aLeasedTask();
    store.record([{ ...merging, result: "conflicts" }]);
    expect(store.state.merged).toBeUndefined();
    store.record([merging]);
    const atMs = Date.UTC(2026, 0, 5, 13, 0, 0);
    expect(store.state.merged).toEqual([
      { into: "trunk", tip: "t1", after: "m1", by: "una", atMs },
    ]);
  });

  it("is nobody's time at work on what was cut off before it", () => {
    const { store, clock } = aLeasedTask();
    const { lastAtMs } = store.state;
    clock.nowMs += 86_400_000;
    store.record([merging]);
    expect(store.state.lastAtMs).toBe(lastAtMs);
    const resumed = { pid: 1, models: {}, contained: true } as const;
    store.record([{ task_id: null, actor: "fractal", event_type: "run.resumed", ...resumed }]);
    expect(store.state.tasks.get("root")?.attempts[0]?.workedMs).toBe(0);
  });

  it("is told once, and known by branch and commit", () => {
    const { store } = aLeasedTask();
    store.record([merging, { ...merging, into: "other", result: "refused" }]);
    const events = store.journal.read();
    expect(isTold(events, merging)).toBe(true);
    expect(isTold(events, { ...merging, at: "2026-01-05T14:00:00.000Z" })).toBe(false);
    expect(isKnownIn(events, "trunk", "t1")).toBe(true);
    expect(isKnownIn(events, "trunk", "t2")).toBe(false);
    expect(isKnownIn(events, "other", "t1")).toBe(false);
  });
});
