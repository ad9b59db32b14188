/** Why a task does or does not run: the cause that is named, and that it is reconcile's own. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import type { Question, RunState, TaskState } from "../../src/domain/run-state.ts";
import { reconcile } from "../../src/rules/reconcile.ts";
import { whyOf } from "../../src/rules/why.ts";
import { renderWhy, whyJson } from "../../src/view/why.ts";
import { anAttempt, aQuestion, aState, aTask, STARTED_AT } from "../support/builders.ts";
import { runsOf } from "../support/runs.ts";
import { chanceOf, toyRun } from "../support/toy-run.ts";

const NOW = STARTED_AT + 600_000;
const leaf = (id: string, over: Parameters<typeof aTask>[1] = {}) =>
  aTask(id, { parent: "r", title: `The ${id}`, ...over });
const root = (over: Parameters<typeof aTask>[1] = {}) =>
  aTask("r", { origin: "root", title: "All", ...over });
const lease = {
  attempt: 1,
  role: "worker",
  fence: 1,
  holder: "fractal/w",
  deadlineMs: NOW,
} as const;

const explain = (state: RunState, id: string) =>
  whyOf({ state, busy: new Map(), resting: new Map() }, id, DEFAULT_LIMITS, NOW);

function said(
  id: string,
  tasks: TaskState[],
  o: { questions?: Question[]; live?: boolean; jobs?: number } = {},
): string {
  const { questions = [], live = true, jobs } = o;
  const state = aState({ tasks: [root(), ...tasks], questions, ...(jobs ? { jobs } : {}) });
  return renderWhy(explain(state, id), state, { now: NOW, live });
}

const attempts = [anAttempt(1, { startedAt: NOW - 35_000 })];

describe("why", () => {
  it.each<[string, string, TaskState[]]>([
    [
      "t (The t) is under way: the worker is at attempt 1 since 12:09:25 UTC (35 s).",
      "fractal pause t",
      [leaf("t", { lease, attempts })],
    ],
    [
      "t (The t) waits for d; d is under way: the worker is at attempt 1 since 12:09:25 UTC (35 s).",
      "That ends by itself.",
      [leaf("d", { lease, attempts }), leaf("t", { dependsOn: ["d"] })],
    ],
    [
      "t (The t) waits for d; d failed: enough.",
      "bd update d --status open",
      [leaf("d", { end: "failed", endReason: "enough" }), leaf("t", { dependsOn: ["d"] })],
    ],
    [
      "t (The t) is held, for p above it is paused by ann; p is paused by ann.",
      "fractal unpause p",
      [leaf("p", { paused: true, pausedBy: "ann" }), aTask("t", { parent: "p", title: "The t" })],
    ],
    ["t (The t) is paused.", "fractal unpause t", [leaf("t", { paused: true })]],
    ["t (The t) is taken by bob.", "--assignee", [leaf("t", { takenBy: "bob" })]],
    [
      "t (The t) is tried again at 12:10:08 UTC, in 8 s after 3 outages in a row.",
      "Nothing need be done.",
      [leaf("t", { notBeforeMs: NOW + 8_000, outages: 3, outageSinceMs: NOW })],
    ],
    [
      "t (The t) waits for a.ts, which is kept for o since its merges conflicted twice",
      "",
      [
        leaf("o", { conflicts: 2, lease, attempts, contract: { files: ["a.ts"] } }),
        leaf("t", { contract: { files: ["a.ts"] } }),
      ],
    ],
    [
      "t (The t) is done, merged as abc, without a check that gates.",
      "bd reopen t",
      [leaf("t", { end: "done", commit: "abc", unchecked: true })],
    ],
    [
      "t (The t) was dropped: no longer wanted (ann).",
      "bd undefer t",
      [leaf("t", { end: "cancelled", endReason: "no longer wanted (ann)" })],
    ],
    [
      "t (The t) is closed by a person, unchecked: accepted by ann.",
      "bd reopen t",
      [leaf("t", { end: "accepted", endReason: "accepted by ann" })],
    ],
    [
      "t (The t) may start now: it is to be worked on when a slot is free, and 2 tasks go before it, a first (critical path 2, priority 3).",
      "bd update t --priority 0",
      [leaf("a", { priority: 0 }), leaf("b"), leaf("t", { priority: 3 })],
    ],
    [
      "t (The t) may start now: it is to be planned when a slot is free, and it is the next in turn",
      "",
      [leaf("a"), leaf("t", { shape: "unplanned" })],
    ],
    [
      "t (The t) is about to be asked about.",
      "Nothing need be done.",
      [leaf("d", { dependsOn: ["t"] }), leaf("t", { dependsOn: ["d"] })],
    ],
  ])("%s", (text, change, tasks) => {
    expect(said("t", tasks).replace(/\n/g, " ")).toContain(text);
    expect(said("t", tasks)).toContain(change);
    expect(said("t", tasks)).not.toContain("\n");
  });

  it("names the question that is open, and how it is answered", () => {
    const questions = [aQuestion("t.q1", "t", { title: "Which\none?" })];
    const text = said("t", [leaf("t")], { questions });
    expect(text).toContain('t (The t) waits for a person: t.q1 asks "Which one?".');
    expect(text).toContain('fractal answer t.q1 "…"');
  });

  it("follows what waits to the root cause, through parts and what only a person can move", () => {
    const questions = [aQuestion("p.b.q1", "p.b", { title: "Red or blue?" })];
    const tasks = [
      leaf("p"),
      aTask("p.a", { parent: "p", lease, attempts }),
      aTask("p.b", { parent: "p" }),
      leaf("d", { dependsOn: ["p"] }),
      leaf("t", { dependsOn: ["d"] }),
    ];
    const text = said("t", tasks, { questions });
    expect(text).toContain(
      't (The t) waits for d; d waits for p; p is split, and 2 of its 2 parts are still to be settled: p.a, p.b; p.b waits for a person: p.b.q1 asks "Red or blue?".',
    );
  });

  it("tells how many slots there are where that is known, and that nobody is at work", () => {
    expect(said("t", [leaf("t")], { jobs: 4 })).toContain("when one of the 4 slots is free");
    const resting = said("t", [leaf("t")], { live: false });
    expect(resting).toContain("no run is at work");
    expect(resting).toContain("fractal resume");
  });

  it("is the same as data", () => {
    const tasks = [root(), leaf("d", { lease, attempts }), leaf("t", { dependsOn: ["d"] })];
    const state = aState({ tasks });
    expect(whyJson(explain(state, "t"), state, { now: NOW, live: true })).toMatchObject({
      id: "t",
      status: "waiting",
      cause: "waiting",
      may_start: false,
      links: [
        { id: "t", kind: "waiting", on: ["d"] },
        { id: "d", kind: "under-way" },
      ],
    });
  });

  it("says that a task may start exactly where reconcile with free slots would start it", async () => {
    let started = 0;
    let kept = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
        const chance = chanceOf(seed);
        const run = toyRun(chance, { jobs: 2 });
        const { state } = run.store;
        for (let pass = 0; pass < 300; pass++) {
          const now = run.clock.nowMs;
          if (chance(6) === 0) someoneHolds(state, chance);
          const snapshot = run.snapshot();
          const free = { ...run.limits, jobs: 10_000 };
          const moved = new Set(
            reconcile(snapshot, free, now).flatMap((one) => ("task" in one ? [one.task] : [])),
          );
          for (const id of state.tasks.keys()) {
            const why = whyOf(snapshot, id, run.limits, now);
            expect({ id, pass, may: why.mayStart }).toEqual({ id, pass, may: moved.has(id) });
            // A cause is always reached, and put into words.
            expect(renderWhy(why, state, { now, live: true })).toMatch(/^\S.*\.( .*)?$/);
            if (why.mayStart) started += 1;
            else kept += 1;
          }
          const actions = reconcile(snapshot, run.limits, now);
          if (actions.some((action) => action.kind === "stop")) return;
          for (const action of actions) await run.start(action);
          for (const id of [...run.busy.keys()]) if (chance(2) === 0) await run.finish(id);
        }
      }),
      runsOf(40),
    );
    // Of each there are about 180.
    expect(Math.min(started, kept)).toBeGreaterThan(50);
  });
});

/** A person pauses, or takes, a task nobody works on. */
function someoneHolds(state: RunState, chance: (below: number) => number): void {
  const free = [...state.tasks.values()].filter((task) => task.lease === undefined);
  const task = free[chance(Math.max(1, free.length))];
  if (task === undefined || task.parent === null) return;
  if (chance(2) === 0) task.paused = !task.paused;
  else if (task.takenBy === undefined) task.takenBy = "bob";
  else delete task.takenBy;
}
