/** How many tasks are where, and what a task cost: the numbers every view shows. */
import type { RunState, TaskState } from "../domain/run-state.ts";
import type { TaskStatus } from "../domain/task.ts";
import { addCost, addUsage, type CostUsd, NO_USAGE, type Usage } from "../domain/usage.ts";
import { statusOf } from "../rules/status.ts";

export interface Tally {
  /** Tasks that were not split. */
  leaves: number;
  byStatus: Map<TaskStatus, number>;
  /** Leaves that are done without a gating check. */
  unchecked: number;
}

/** Counts the leaves below a task, itself included where it is one. */
export function tallyOf(state: RunState, id = state.rootId): Tally {
  const tally: Tally = { leaves: 0, byStatus: new Map(), unchecked: 0 };
  const open = [id];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const task = state.tasks.get(next);
    if (task === undefined) continue;
    open.push(...task.children);
    if (task.shape === "split") continue;
    const status = statusOf(state, next);
    tally.leaves += 1;
    tally.byStatus.set(status, (tally.byStatus.get(status) ?? 0) + 1);
    if (status === "done" && task.unchecked) tally.unchecked += 1;
  }
  return tally;
}

/** Where finished work stands first, then what a person should look at, then what is to come. */
const ORDER: readonly TaskStatus[] = [
  "done",
  "accepted",
  "failed",
  "needs_human",
  "escalated",
  "running",
  "queued",
  "waiting",
  "paused",
  "cancelled",
];

/** `3 of 8 done, 1 failed, 4 waiting`. */
export function tallyText(tally: Tally): string {
  const parts = ORDER.filter((status) => status !== "done").flatMap((status) => {
    const n = tally.byStatus.get(status) ?? 0;
    return n === 0 ? [] : [`${n} ${status}`];
  });
  const unchecked = tally.unchecked === 0 ? "" : ` (${tally.unchecked} unchecked)`;
  const done = `${tally.byStatus.get("done") ?? 0} of ${tally.leaves} done${unchecked}`;
  return [done, ...parts].join(", ");
}

/** What all attempts at one task cost; unknown as soon as one is. */
export function costOfTask(task: TaskState): CostUsd {
  return task.attempts.reduce<CostUsd>((sum, attempt) => addCost(sum, attempt.costUsd), 0);
}

/** The tokens of all attempts at one task. */
export function usageOfTask(task: TaskState): Usage {
  return task.attempts.reduce((sum, attempt) => addUsage(sum, attempt.usage), NO_USAGE);
}
