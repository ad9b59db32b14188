/** What a person's word restores, and what ends an episode: over runs in which chance answers. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RunState, TaskState } from "../../src/domain/run-state.ts";
import { reconcile } from "../../src/rules/reconcile.ts";
import { replay } from "../../src/rules/replay.ts";
import { statusOf } from "../../src/rules/status.ts";
import { runsOf } from "../support/runs.ts";
import { type Chance, chanceOf, type ToyRun, toyRun } from "../support/toy-run.ts";

const waitingFor = (state: RunState, question: string) =>
  [...state.tasks.values()].filter((task) => task.question === question);

/** One thing a person says when the run rests; false when there is nothing left to say. */
function say(run: ToyRun, chance: Chance, reopened: Set<string>): boolean {
  const { state } = run.store;
  const open = [...state.questions.values()].filter((one) => one.state === "open");
  const question = open[chance(Math.max(1, open.length))];
  if (question === undefined) return reopenOne(run, chance, reopened);
  const about = { task_id: question.about, actor: "ann", question: question.id, by: "ann" };
  const tasks = waitingFor(state, question.id);
  const before = structuredClone(tasks);
  const isDismissed = chance(4) === 0;
  run.store.record([
    isDismissed
      ? { ...about, event_type: "question.closed", how: "dismissed" }
      : { ...about, event_type: "question.answered", text: "like this" },
  ]);
  for (const [at, task] of tasks.entries()) {
    const was = before[at] as TaskState;
    expect(task.question).toBeUndefined();
    if (isDismissed) {
      expect(statusOf(state, task.id)).toBe("failed");
      continue;
    }
    // What is left of the ladder, at least two attempts; the fixer's turn does not come again.
    expect(task.attemptsLeft).toBe(Math.max(2, was.attemptsLeft));
    expect(task.fixerUsed).toBe(was.fixerUsed);
    expect(task.episode).toBe(was.episode + 1);
    expect([task.end, task.pending, task.route]).toEqual([undefined, undefined, undefined]);
    expect(task.guidance.at(-1)?.text).toContain("like this");
  }
  return true;
}

/** A person opens what failed, once each: all of the ladder is there again. */
function reopenOne(run: ToyRun, chance: Chance, reopened: Set<string>): boolean {
  const failed = [...run.store.state.tasks.values()].filter(
    (task) => task.end === "failed" && !reopened.has(task.id),
  );
  const task = failed[chance(Math.max(1, failed.length))];
  if (task === undefined) return false;
  reopened.add(task.id);
  const { episode } = task;
  run.store.record([{ task_id: task.id, actor: "ann", event_type: "task.reopened", by: "ann" }]);
  expect(task).toMatchObject({
    attemptsLeft: run.limits.attemptsMax,
    fixerUsed: false,
    repairs: 0,
    episode: episode + 1,
  });
  return true;
}

describe("episodes", () => {
  it("begin with an answer or a reopening, end as the design says, and never ask too much", async () => {
    const reasons = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
        const chance = chanceOf(seed);
        const run = toyRun(chance, { jobs: 3 });
        const { state } = run.store;
        const reopened = new Set<string>();
        for (let pass = 0; pass < 4_000; pass++) {
          const actions = reconcile(run.snapshot(), run.limits, run.clock.nowMs);
          const open = [...state.questions.values()].filter((one) => one.state === "open");
          expect(new Set(open.map((one) => one.about)).size).toBe(open.length);
          for (const task of state.tasks.values()) {
            expect(task.questions.length).toBeLessThanOrEqual(3);
            if (task.end === "failed") reasons.add(kindOf(task));
            // Between two words of a person: the ladder, and the attempts after the fixer.
            const since = task.attempts.filter(
              (one) => one.episode === task.episode && one.role === "worker" && one.failure,
            );
            const costly = since.filter((one) => COSTLY.has(one.failure?.failure ?? ""));
            expect(costly.length).toBeLessThanOrEqual(3 + 2);
          }
          if (actions.some((action) => action.kind === "stop")) {
            if (!say(run, chance, reopened)) {
              expect(replay(run.store.journal.read())).toEqual(state);
              return;
            }
            continue;
          }
          for (const action of actions) await run.start(action);
          for (const id of [...run.busy.keys()]) if (chance(2) === 0) await run.finish(id);
        }
        throw new Error("the run does not end");
      }),
      // So many that each way to fail is met, however chance goes.
      runsOf(300),
    );
    expect([...reasons].sort()).toEqual(["dismissed", "questions"]);
  });
});

const COSTLY = new Set([
  "check-failed",
  "out-of-scope",
  "answer-unusable",
  "refused",
  "context-overflow",
]);

/** What a task failed by: nothing else may fail one. */
function kindOf({ endReason = "" }: TaskState): string {
  if (/^its question \S+ was dismissed by ann$/.test(endReason)) return "dismissed";
  if (/^3 questions used up: /.test(endReason)) return "questions";
  return endReason;
}
