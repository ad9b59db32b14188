/** Which tasks go first: critical path, then priority, then age. */
import type { RunState, TaskState } from "../domain/run-state.ts";
import type { TaskId } from "../domain/task.ts";
import { covers } from "./plan/plan-order.ts";
import { CONFLICTS_RESERVING } from "./retry.ts";
import { reviewAbove } from "./review.ts";
import { blockersOf, isHeld } from "./status.ts";

/**
 * For each task that has not ended, the length of the longest chain of unfinished tasks that begins
 * with its own work: a leaf's, or a parent's roll-up. A task has two moments: what waits for it, or
 * for one it is part of, begins after its end; its children begin after its beginning and end before
 * its end. Iterative, each edge seen once; a cycle, which only a person's edit can make, counts as
 * if it were cut.
 */
export function criticalPathOf(state: RunState): Map<TaskId, number> {
  const open = [...state.tasks.values()].filter((task) => task.end === undefined);
  const index = new Map(open.map((task, at) => [task.id, at]));
  const next = momentsAfter(open, index);
  const length = new Int32Array(next.length).fill(-1);
  const onPath = new Uint8Array(next.length);
  for (let start = 0; start < next.length; start += 2) {
    const stack = [start];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      // A moment that was entered before comes up again, negated, when all after it are known.
      if (at < 0) {
        const moment = ~at;
        onPath[moment] = 0;
        length[moment] = longestOf(next[moment], length) + (moment % 2);
        continue;
      }
      // On the path already: a cycle, cut here.
      if (length[at] !== -1 || onPath[at] === 1) continue;
      onPath[at] = 1;
      stack.push(~at);
      for (const after of next[at] ?? []) {
        if (length[after] === -1) stack.push(after);
      }
    }
  }
  return new Map(open.map((task, at) => [task.id, length[2 * at + 1] ?? 0]));
}

/** The critical path of every open task, and the longest of them. */
interface Paths {
  path: ReadonlyMap<TaskId, number>;
  longest: number;
}

const known = new WeakMap<RunState, Paths & { structureSeq: number }>();

/**
 * The critical path, worked out anew only when what waits for what has changed: what is done takes
 * nothing from what is before it, for that has ended already.
 */
export function knownCriticalPath(state: RunState): Paths {
  const last = known.get(state);
  if (last?.structureSeq === state.structureSeq) return last;
  const path = criticalPathOf(state);
  let longest = 0;
  for (const length of path.values()) longest = Math.max(longest, length);
  const found = { structureSeq: state.structureSeq, path, longest };
  known.set(state, found);
  return found;
}

/**
 * For each moment (2i is the beginning of the i-th task, 2i + 1 its end) those that come after it.
 * What a task goes on without is not before it.
 */
export function momentsAfter(
  open: readonly TaskState[],
  index: ReadonlyMap<TaskId, number>,
): number[][] {
  const next = open.map((_, at) => [[2 * at + 1], []] as [number[], number[]]);
  for (const [at, task] of open.entries()) {
    for (const dependency of task.dependsOn) {
      const before = task.without?.includes(dependency) ? undefined : index.get(dependency);
      if (before !== undefined) next[before]?.[1].push(2 * at);
    }
    const parent = task.parent === null ? undefined : index.get(task.parent);
    if (parent === undefined) continue;
    next[parent]?.[0].push(2 * at);
    next[at]?.[1].push(2 * parent + 1);
  }
  return next.flat();
}

function longestOf(moments: readonly number[] | undefined, length: Int32Array): number {
  let longest = 0;
  for (const moment of moments ?? []) longest = Math.max(longest, length[moment] ?? 0);
  return longest;
}

/** What is due, in the order in which it should start; stable, whatever order it comes in. */
export function inOrder<Due extends { task: TaskState }>(
  due: readonly Due[],
  path: ReadonlyMap<TaskId, number>,
): Due[] {
  return due
    .map((one) => ({ one, length: path.get(one.task.id) ?? 0 }))
    .sort(
      (a, b) =>
        b.length - a.length ||
        a.one.task.priority - b.one.task.priority ||
        a.one.task.createdSeq - b.one.task.createdSeq,
    )
    .map(({ one }) => one);
}

/**
 * The files kept for a task whose merges conflicted twice: nobody else who declares one of them
 * starts until it ends. Of two such tasks the older keeps them; one that must wait itself keeps none, nor one
 * that was split meanwhile: its children do the work.
 */
export function reservedFiles(state: RunState): Map<string, TaskId> {
  const keepers = [...state.tasks.values()]
    .filter((task) => task.end === undefined && task.shape === "leaf")
    .filter((task) => task.conflicts >= CONFLICTS_RESERVING)
    .filter((task) => task.question === undefined && !isHeld(state, task.id))
    .filter((task) => blockersOf(state, task.id).length === 0)
    .filter((task) => reviewAbove(state, task.id) === undefined)
    .sort((a, b) => a.createdSeq - b.createdSeq);
  const reserved = new Map<string, TaskId>();
  for (const task of keepers) {
    for (const file of task.contract.files) {
      if (!reserved.has(file)) reserved.set(file, task.id);
    }
  }
  return reserved;
}

/** The files that leaves at work now may write, each with the leaf: nobody else begins with them. */
export function filesInHand(
  state: RunState,
  busy: ReadonlyMap<TaskId, "leaf" | "plan" | "roll-up">,
): Map<string, TaskId> {
  const inHand = new Map<string, TaskId>();
  for (const task of state.tasks.values()) {
    const role = task.lease?.role;
    const isAtWork = role === "worker" || role === "fixer" || busy.get(task.id) === "leaf";
    if (isAtWork) for (const file of task.contract.files) inHand.set(file, task.id);
  }
  return inHand;
}

/** Who has one of these files or folders, and which; undefined where all of them are free. */
export function holderOf(
  task: TaskState,
  held: ReadonlyMap<string, TaskId>,
): { file: string; owner: TaskId } | undefined {
  for (const file of task.contract.files) {
    const exact = held.get(file);
    if (exact !== undefined && exact !== task.id) return { file, owner: exact };
    for (const [other, owner] of held) {
      if (owner !== task.id && (covers(other, file) || covers(file, other))) return { file, owner };
    }
  }
  return undefined;
}
