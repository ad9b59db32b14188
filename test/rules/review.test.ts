/** When a person must look at a whole subtree, and what the answer changes there. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Failure } from "../../src/domain/failure.ts";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import type { Attempt, Question, TaskState } from "../../src/domain/run-state.ts";
import { reconcile } from "../../src/rules/reconcile.ts";
import { reviewAbove, reviewsDue, triedBelow } from "../../src/rules/review.ts";
import { reservedFiles } from "../../src/rules/schedule.ts";
import { colourOf, statusOf, taskOf } from "../../src/rules/status.ts";
import {
  anAttempt,
  aQuestion,
  aSnapshot,
  aState,
  aTask,
  aVerdict,
  STARTED_AT,
} from "../support/builders.ts";
import { runsOf } from "../support/runs.ts";
import { chanceOf, toyRun } from "../support/toy-run.ts";

const limits = DEFAULT_LIMITS;
const HOUR = limits.reviewQuietMs;
const NOW = STARTED_AT + 10 * HOUR;
const shown = { status: "open", assignee: "" } as const;

const failed = (count: number, over: Partial<Attempt> = {}): Attempt[] =>
  Array.from({ length: count }, (_, at) =>
    anAttempt(at + 1, {
      outcome: "rejected",
      failure: { failure: "check-failed", detail: `red ${at + 1}`, checks: ["works"] },
      ...over,
    }),
  );

/** r → p → the leaves a and b, and the leaf c beside p. */
function aTree(over: {
  a?: Parameters<typeof aTask>[1];
  b?: Parameters<typeof aTask>[1];
  c?: Parameters<typeof aTask>[1];
  p?: Parameters<typeof aTask>[1];
  questions?: Question[];
}) {
  const { questions = [] } = over;
  const tasks: TaskState[] = [
    aTask("r", { origin: "root" }),
    aTask("p", { parent: "r", ...over.p }),
    aTask("a", { parent: "p", mirror: shown, ...over.a }),
    aTask("b", { parent: "p", mirror: shown, ...over.b }),
    aTask("c", { parent: "r", mirror: shown, ...over.c }),
  ];
  return aState({ tasks, questions });
}

type Tree = Parameters<typeof aTree>[0];
const due = (over: Tree, now = NOW, busy = new Map<string, unknown>()) =>
  [...reviewsDue(aTree(over), limits, now, busy)].map(([id]) => id);
const aReview = (about: string) => aQuestion("p.q1", about, { kind: "review", blocks: [] });

describe("a person must look at a subtree", () => {
  it("when more than ten attempts below it failed and nothing was merged there for an hour", () => {
    expect(due({ a: { attempts: failed(6) }, b: { attempts: failed(5) } })).toEqual(["p"]);
    expect(due({ a: { attempts: failed(5) }, b: { attempts: failed(5) } })).toEqual([]);
    const merged = { end: "done", doneAtMs: NOW - HOUR + 1 } as const;
    expect(due({ a: { attempts: failed(11) }, b: merged })).toEqual([]);
    expect(due({ a: { attempts: failed(11) }, b: { ...merged, doneAtMs: NOW - HOUR } })).toEqual([
      "p",
    ]);
  });

  it("of the nearest such task alone; what fails in two places is for the one above both", () => {
    expect(due({ a: { attempts: failed(20) } })).toEqual(["p"]);
    expect(due({ a: { attempts: failed(6) }, c: { attempts: failed(6) } })).toEqual(["r"]);
    expect(due({ a: { attempts: failed(11) }, c: { attempts: failed(11) } })).toEqual(["p", "r"]);
  });

  it("not while it is asked already, nor again from above, nor for what was answered", () => {
    const asked = { a: { attempts: failed(30) }, questions: [aReview("p")] };
    expect(due(asked)).toEqual([]);
    const answered = { reviewedAtMs: NOW - 2 * HOUR };
    expect(due({ a: { attempts: failed(30) }, p: answered })).toEqual([]);
    const since = failed(11, { endedAt: NOW - 90 * 60_000 });
    expect(due({ a: { attempts: since }, p: answered })).toEqual(["p"]);
    const justNow = { reviewedAtMs: NOW - HOUR + 1 };
    expect(due({ a: { attempts: failed(11, { endedAt: NOW }) }, p: justNow })).toEqual([]);
  });

  it("not for outages, keys and stops, which are no failures of the work", () => {
    const stopped = failed(30, { failure: { failure: "cancelled", detail: "held" } });
    const key = failed(30, { failure: { failure: "credentials-missing", detail: "401" } });
    expect(due({ a: { attempts: stopped }, b: { attempts: key } })).toEqual([]);
  });

  it("not for an hour in which no process was at work", () => {
    const state = aTree({ a: { attempts: failed(11) } });
    state.processSinceMs = NOW - HOUR + 1;
    expect(reviewsDue(state, limits, NOW, new Map()).size).toBe(0);
    expect(reviewsDue(state, limits, NOW + 1, new Map()).size).toBe(1);
  });

  it("at once when nothing there can move any more, and not while something can", () => {
    const soon = STARTED_AT + 700_000;
    const gone = { end: "failed", attempts: failed(11) } as const;
    const waits = { dependsOn: ["a"] };
    expect(due({ a: gone, b: waits }, soon)).toEqual(["p"]);
    expect(due({ a: gone, b: waits, p: { end: "accepted" } }, soon)).toEqual([]);
    const moves: Tree["b"][] = [
      {},
      { dependsOn: ["c"] },
      { dependsOn: ["a"], without: ["a"] },
      { paused: true, dependsOn: ["a"] },
      { takenBy: "ann", dependsOn: ["a"] },
      { shape: "unplanned", dependsOn: ["a"] },
    ];
    for (const b of moves) expect(due({ a: gone, b }, soon), JSON.stringify(b)).toEqual([]);
    const asked = { a: gone, b: waits, questions: [aQuestion("b.q1", "b")] };
    expect(due(asked, soon)).toEqual([]);
    expect(due({ a: gone, b: waits }, soon, new Map([["b", "leaf"]]))).toEqual([]);
  });
});

describe("a subtree in which much failed and all is settled in the end", () => {
  it("is nobody's to look at: it rolls up", () => {
    const done = { end: "done", doneAtMs: NOW - 2 * HOUR } as const;
    expect(due({ a: { attempts: failed(20), ...done }, b: done })).toEqual([]);
    expect(due({ a: { attempts: failed(20), ...done } })).toEqual(["p"]);
    // Nor from above, while its roll-up is still to come.
    const rest = { b: done, c: done };
    expect(due({ a: { attempts: failed(20), ...done }, ...rest })).toEqual([]);
  });

  it("takes back the question that was asked while the last of it was under way", () => {
    const done = { end: "done", doneAtMs: NOW } as const;
    const asked = (over: Tree, about = "p") => {
      const state = aTree({ a: { attempts: failed(20), ...done }, ...over });
      state.questions.set("q", { ...aReview(about), id: "q" });
      taskOf(state, about).question = "q";
      const snapshot = aSnapshot(state, { mirroring: true, publishing: true });
      return reconcile(snapshot, limits, NOW).filter((one) => one.kind === "withdraw");
    };
    const reason = "all below it is settled";
    const withdraw = { kind: "withdraw", question: "q", reason };
    expect(asked({ b: done })).toEqual([withdraw]);
    expect(asked({ b: done, c: done }, "r")).toEqual([withdraw]);
    expect(asked({ b: { end: "failed" } })).toEqual([]);
    expect(asked({})).toEqual([]);
  });
});

describe("while a person is asked about a subtree", () => {
  const state = aTree({
    a: { attempts: failed(11), attemptsLeft: 1 },
    b: { contract: { files: ["f"] }, conflicts: 2 },
    c: { contract: { files: ["f"] } },
    questions: [aReview("p")],
  });

  it("nothing in it begins, the rest goes on, and statuses there are what they were", () => {
    const snapshot = aSnapshot(state, { mirroring: true, publishing: true });
    const actions = reconcile(snapshot, { ...limits, jobs: 9 }, NOW);
    expect(actions).toEqual([{ kind: "attempt", task: "c" }]);
    expect(["p", "a", "b"].map((id) => statusOf(state, id))).toEqual([
      "needs_human",
      "queued",
      "queued",
    ]);
    expect(colourOf(state, "p")).toBe("red");
    expect(["a", "p", "c"].map((id) => reviewAbove(state, id))).toEqual([
      "p",
      undefined,
      undefined,
    ]);
  });

  it("what is kept for a task in it is free for others", () => {
    expect(reservedFiles(state)).toEqual(new Map());
  });

  it("nothing in it begins in the pass that asks, either", () => {
    const asking = aTree({ a: { attempts: failed(11) } });
    const snapshot = aSnapshot(asking, { mirroring: true, publishing: true });
    const actions = reconcile(snapshot, { ...limits, jobs: 9 }, NOW);
    expect(actions.map((one) => [one.kind, "task" in one && one.task])).toEqual([
      ["ask", "p"],
      ["attempt", "c"],
    ]);
  });
});

it("the summary of what was tried counts by class and kind, adds up the cost and quotes the last verdicts", () => {
  const red = aVerdict({ passed: false, reason: 'Check "works" failed:\n1 is not 2' });
  const asks: Failure = { failure: "worker-asks", detail: "which?", options: [] };
  const state = aTree({
    a: { title: "Add", attempts: failed(4, { verdict: red }) },
    b: { attempts: failed(2, { failure: asks }), end: "failed" },
  });
  expect(triedBelow(state, taskOf(state, "p")).split("\n")).toEqual([
    "0 of 2 tasks below it are settled.",
    "6 of 6 attempts failed: 4 task, 2 unclear (4 check-failed, 2 worker-asks).",
    "6 calls, 27000 tokens, $0.0060, by anthropic:claude-haiku-5-5.",
    'a "Add", queued, failed 4×; last: Check "works" failed: 1 is not 2',
    'b "b", failed, failed 2×; last: which?',
  ]);
  for (const attempt of taskOf(state, "a").attempts) attempt.costUsd = undefined;
  expect(triedBelow(state, taskOf(state, "p"))).toContain("unknown cost");
});

describe("whole runs by chance", () => {
  it("ask about a task once at a time, begin and ask nothing below it, and still end", async () => {
    const { numRuns } = runsOf(60);
    // Reviews that were asked, and looks at which work below an open one could have begun.
    const seen = { reviews: 0, held: 0 };
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
        const chance = chanceOf(seed);
        const over = { jobs: 3, reviewFailuresMax: 2, reviewQuietMs: 60_000, attemptsMax: 6 };
        // Plans come out well and work seldom does, so that there is something to look at.
        const run = toyRun(chance, over, undefined, { plan: 90, work: 20, parts: 5 });
        const { state } = run.store;
        for (let pass = 0; pass < 4_000; pass++) {
          const actions = reconcile(run.snapshot(), run.limits, run.clock.nowMs);
          const open = [...state.questions.values()].filter((one) => one.state === "open");
          const about = open.filter((one) => one.kind === "review").map((one) => one.about);
          // Of a task only once; above one that is open already, other failures may be asked about.
          expect(new Set(about).size).toBe(about.length);
          for (const { id } of state.tasks.values()) {
            if (reviewAbove(state, id) !== undefined && statusOf(state, id) === "queued")
              seen.held += 1;
          }
          for (const action of actions) {
            if (action.kind === "ask" && action.question === "review") seen.reviews += 1;
            if ("task" in action) expect(reviewAbove(state, action.task)).toBeUndefined();
          }
          if (actions.some((action) => action.kind === "stop")) {
            const question = open[0];
            if (question === undefined) return;
            const by = { task_id: question.about, actor: "ann", question: question.id, by: "ann" };
            run.store.record([
              chance(6) === 0
                ? { ...by, event_type: "question.closed", how: "dismissed" }
                : { ...by, event_type: "question.answered", text: "so" },
            ]);
            continue;
          }
          for (const action of actions) await run.start(action);
          for (const id of [...run.busy.keys()]) if (chance(2) === 0) await run.finish(id);
        }
        throw new Error("the run does not end");
      }),
      { numRuns },
    );
    // About two a run; with hardly any the sentence would be true of nothing.
    expect(seen.reviews).toBeGreaterThan(numRuns);
    expect(seen.held).toBeGreaterThan(numRuns);
  });
});
