/** What work is found for each role, how urgent it is, what is recorded of it, and how soon it is looked at. */
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import type { RoleWork, TaskState } from "../../src/domain/run-state.ts";
import { detectWork, newsOf } from "../../src/rules/detect.ts";
import { paceOf } from "../../src/rules/pace.ts";
import { reconcile, type Snapshot } from "../../src/rules/reconcile.ts";
import {
  aCheck,
  anAttempt,
  aQuestion,
  aSnapshot,
  aState,
  aTask,
  STARTED_AT,
} from "../support/builders.ts";

const NOW = STARTED_AT + 60_000;
const shown = { status: "open", assignee: "" } as const;
const root = (over: Parameters<typeof aTask>[1] = {}) =>
  aTask("r", { origin: "root", shape: "split", changedAtMs: NOW, ...over });
const leaf = (id: string, over: Parameters<typeof aTask>[1] = {}) =>
  aTask(id, {
    parent: "r",
    mirror: shown,
    changedAtMs: NOW,
    contract: { checks: [aCheck()] },
    ...over,
  });
const lease = { attempt: 1, role: "worker", fence: 1, holder: "f", deadlineMs: 0 } as const;

function look(tasks: TaskState[], over: Partial<Snapshot> & { jobs?: number; open?: string } = {}) {
  const { jobs = 2, open, ...rest } = over;
  const questions = open === undefined ? [] : [aQuestion(`${open}.q1`, open, { mirror: shown })];
  const state = aState({ tasks: [root(), ...tasks], questions });
  const snapshot = aSnapshot(state, { mirroring: true, publishing: true, ...rest });
  const limits = { ...DEFAULT_LIMITS, jobs };
  const work = detectWork(snapshot, limits, NOW);
  const actions = reconcile(snapshot, limits, NOW, work);
  const pace = paceOf(work.detections, actions, snapshot.busy.size);
  return { detections: work.detections, actions, pace };
}

const roles = (tasks: TaskState[], over: Parameters<typeof look>[1] = {}) =>
  look(tasks, over).detections.map(({ role }) => role);
const urgencyOf = (tasks: TaskState[], over: Parameters<typeof look>[1] = {}) =>
  Math.max(0, ...look(tasks, over).detections.map(({ urgency }) => urgency));

it("is to be planned though it needs what nobody allows, where nothing is carried out", () => {
  const needy = leaf("t", { shape: "unplanned", contract: { needs: ["install"] } });
  const due = (planOnly: boolean) => look([needy], { planOnly }).actions.map(({ kind }) => kind);
  expect(due(false)).toContain("ask");
  expect(due(true)).toContain("plan");
});

describe("the work of a role", () => {
  it.each<[string, TaskState[], string[]]>([
    ["planner: what is not planned", [leaf("t", { shape: "unplanned" })], ["planner"]],
    ["planner: what is to be split", [leaf("t", { route: "split" })], ["planner"]],
    ["worker: a leaf with nothing before it", [leaf("t")], ["worker"]],
    ["worker: a leaf it holds", [leaf("t", { lease })], ["worker"]],
    ["fixer: what was sent to it", [leaf("t", { attemptsLeft: 0, route: "fixer" })], ["fixer"]],
    [
      "router: what failed in different ways",
      [
        leaf("t", {
          attemptsLeft: 0,
          attempts: [
            anAttempt(1, { failure: { failure: "check-failed", detail: "", checks: [] } }),
            anAttempt(2, { failure: { failure: "refused", detail: "" } }),
          ],
        }),
      ],
      ["router"],
    ],
    [
      "reviewer, beside the worker: a leaf without a check that gates",
      [leaf("t", { contract: { checks: [aCheck("says", { gates: false })] } })],
      ["worker", "reviewer"],
    ],
    [
      "code: what needs neither model nor person: routing, asking, rolling up",
      [leaf("t", { attemptsLeft: 0 }), leaf("u", { attemptsLeft: 0, fixerUsed: true })],
      ["code"],
    ],
    ["nobody: all is done", [leaf("t", { end: "done" })], ["code"]],
    ["nobody: held", [leaf("t", { paused: true }), leaf("u", { takenBy: "bob" })], []],
    ["nobody: resting", [leaf("t", { notBeforeMs: NOW + 1 })], []],
  ])("%s", (_, tasks, found) => {
    expect(roles(tasks)).toEqual(found);
  });

  it("human: an open question, and the task it is about is nobody else's", () => {
    expect(roles([leaf("t")], { open: "t" })).toEqual(["human"]);
  });

  it("is all that is started: reconcile moves nothing that was not found", () => {
    const tasks = [leaf("t"), leaf("p", { shape: "unplanned" }), leaf("s", { attemptsLeft: 0 })];
    const { detections, actions } = look(tasks);
    const found = detections.flatMap(({ due }) => due.map(({ move }) => move));
    const moved = actions.flatMap((action) => ("task" in action ? [action] : []));
    expect(moved.length).toBe(3);
    for (const move of moved) expect(found).toContainEqual(move);
  });
});

describe("urgency", () => {
  it.each([
    ["0", 0, 8],
    ["1", 1, 7],
    ["2", 2, 6],
    ["4", 4, 5],
  ])("of a leaf of priority %s, on a path of two of two, is %i + …", (_, priority, urgency) => {
    expect(urgencyOf([leaf("t", { priority })])).toBe(urgency);
  });

  it("grows with the share of the critical path, with age, and with an unused answer", () => {
    const chain = [leaf("x"), leaf("y", { dependsOn: ["x"] }), leaf("z", { dependsOn: ["y"] })];
    const of = (id: string, over: Parameters<typeof aTask>[1] = {}) => {
      const { detections } = look([...chain, leaf("t", over)]);
      return detections.flatMap(({ due }) => due).find(({ task }) => task.id === id)?.urgency;
    };
    expect([of("x"), of("t")]).toEqual([6, 5]);
    expect(of("t", { changedAtMs: NOW - 600_000 })).toBe(6);
    expect(of("t", { changedAtMs: NOW - 86_400_000 })).toBe(7);
    expect(of("t", { episode: 2 })).toBe(6);
  });

  it("of a question is 10 when nothing moves without an answer, and less while the rest goes on", () => {
    expect(urgencyOf([leaf("t")], { open: "t" })).toBe(10);
    const rest = [leaf("t"), leaf("u", { dependsOn: ["t"] }), leaf("v")];
    const { detections } = look(rest, { open: "t" });
    expect(detections.find(({ role }) => role === "human")?.urgency).toBe(6);
  });

  it("never leaves 0 to 10", () => {
    const old = { changedAtMs: 0, priority: 0, episode: 3 };
    expect(urgencyOf([leaf("t", old), leaf("u", { ...old, dependsOn: ["t"] })])).toBe(10);
  });
});

describe("the pause", () => {
  const busy = new Map([
    ["a", "leaf"],
    ["b", "leaf"],
  ] as const);
  const under = [leaf("a", { lease }), leaf("b", { lease })];
  it.each<[string, number, TaskState[], Parameters<typeof look>[1]]>([
    ["urgent work waits for a slot", 1_000, [...under, leaf("t", { priority: 0 })], { busy }],
    ["nothing moves without an answer", 1_000, [leaf("t")], { open: "t" }],
    ["work waits that is not urgent", 5_000, [...under, leaf("t", { priority: 4 })], { busy }],
    ["urgent work was just started", 5_000, [leaf("t", { priority: 0 })], {}],
    ["work is under way", 5_000, under, { busy }],
    ["nothing is to be done", 10_000, [leaf("t", { paused: true })], { keeps: true }],
  ])("is, when %s, %i ms", (_, pauseMs, tasks, over) => {
    expect(look(tasks, over).pace.pauseMs).toBe(pauseMs);
  });

  it("ends with the timer that is named, whatever else goes on", () => {
    const { actions } = look([...under, leaf("t", { notBeforeMs: NOW + 700 })], { busy });
    expect(actions).toEqual([{ kind: "wait", untilMs: NOW + 700, reason: "waiting to try again" }]);
  });
});

describe("what is decided", () => {
  it.each<[string, object, TaskState[], Parameters<typeof look>[1]]>([
    ["to go on", { decision: "continue", reason: "attempt t" }, [leaf("t")], {}],
    [
      "to pause for a timer",
      { decision: "pause", reason: "waiting to try again" },
      [leaf("t", { notBeforeMs: NOW + 700 })],
      { mirroring: false, publishing: false },
    ],
    [
      "to stay up",
      { decision: "pause", reason: "1 paused or taken; stays up for new work" },
      [leaf("t", { paused: true, mirror: { status: "deferred", assignee: "" } })],
      { keeps: true, mirroring: false, publishing: false },
    ],
    [
      "to stop",
      { decision: "stop", reason: "1 paused or taken" },
      [leaf("t", { paused: true, mirror: { status: "deferred", assignee: "" } })],
      { mirroring: false, publishing: false },
    ],
  ])("%s, with its reason", (_, decision, tasks, over) => {
    const known = root({ mirror: { status: "in_progress", assignee: "" } });
    const state = aState({ tasks: [known, ...tasks] });
    const snapshot = aSnapshot(state, { mirroring: true, publishing: true, ...over });
    const work = detectWork(snapshot, DEFAULT_LIMITS, NOW);
    const actions = reconcile(snapshot, DEFAULT_LIMITS, NOW, work);
    expect(paceOf(work.detections, actions, 0)).toMatchObject(decision);
  });

  it("is nothing new while what is under way goes on", () => {
    const { pace } = look([leaf("t", { lease })], { busy: new Map([["t", "leaf"]]) });
    expect(pace.reason).toBeUndefined();
  });
});

describe("what is recorded of the work", () => {
  const found = (count: number, over: Partial<TaskState> = {}) =>
    look(Array.from({ length: count }, (_, at) => leaf(`t${at}`, over))).detections;
  const known = (count: number, urgency = 6) =>
    new Map<string, RoleWork>([["worker", { role: "worker", count, urgency, why: "", atMs: 0 }]]);
  const counts = (last: Map<string, RoleWork>, count: number) =>
    newsOf(last, found(count)).map((one) => one.count);

  it("is the first of it, and when there is none any more", () => {
    expect(newsOf(new Map(), found(1))).toMatchObject([{ role: "worker", count: 1, urgency: 6 }]);
    const none = newsOf(known(1), []);
    expect(none).toEqual([{ role: "worker", count: 0, urgency: 0, why: "nothing to do" }]);
    expect(newsOf(new Map(), [])).toEqual([]);
  });

  it("is twice as much or half as much, and not what lies between", () => {
    expect(counts(known(4), 8)).toEqual([8]);
    expect(counts(known(4), 2)).toEqual([2]);
    for (const count of [3, 4, 5, 7]) expect(counts(known(4), count)).toEqual([]);
  });

  it("is an urgency of three more or less", () => {
    expect(newsOf(known(4, 6), found(4, { priority: 0 }))).toEqual([]);
    expect(newsOf(known(4, 5), found(4, { priority: 0 }))).toMatchObject([{ urgency: 8 }]);
  });
});
