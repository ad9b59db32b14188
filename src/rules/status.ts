/** Where a task stands, its colour and what it waits for: derived from the state, never stored. */
import type { RunState, TaskState } from "../domain/run-state.ts";
import { type Colour, isSettled, type TaskId, type TaskStatus } from "../domain/task.ts";
import { STATUSES } from "./lifecycle.ts";

/** The task, which must exist. */
export function taskOf(state: RunState, id: TaskId): TaskState {
  const task = state.tasks.get(id);
  if (task === undefined) throw new Error(`no task ${id} in run ${state.runId}`);
  return task;
}

/** The status of a task (design part 4). */
export function statusOf(state: RunState, id: TaskId): TaskStatus {
  const task = taskOf(state, id);
  // A person may also put aside what failed; what is settled stays settled.
  if (task.paused && (task.end === undefined || task.end === "failed")) return "paused";
  if (task.end !== undefined) return task.end;
  if (task.question !== undefined) return "needs_human";
  if (task.lease !== undefined) return "running";
  if (task.shape === "split" && task.route === undefined) return "split";
  if (isEscalated(task)) return "escalated";
  if (task.shape === "leaf" && blockersOf(state, id).length > 0) return "waiting";
  return "queued";
}

/** True when it is not the worker's turn: attempts used up, or a failure waits to be routed. */
export function isEscalated(task: TaskState): boolean {
  return task.route !== undefined || task.pending !== undefined || task.attemptsLeft <= 0;
}

/** The dependencies, its own and its ancestors', that are not yet satisfied. */
export function blockersOf(state: RunState, id: TaskId): TaskId[] {
  const blockers: TaskId[] = [];
  for (let at: TaskId | null = id; at !== null; ) {
    const task: TaskState | undefined = state.tasks.get(at);
    if (task === undefined) break;
    for (const dependency of task.dependsOn) {
      if (task.without?.includes(dependency)) continue;
      if (!isSatisfied(state, dependency)) blockers.push(dependency);
    }
    at = task.parent;
  }
  return blockers;
}

/** A dependency is satisfied when it is done, or a person accepted it. */
function isSatisfied(state: RunState, id: TaskId): boolean {
  const end = state.tasks.get(id)?.end;
  return end === "done" || end === "accepted";
}

/** What holds a task: itself or one above it, and how. */
export interface Hold {
  by: TaskId;
  how: "paused" | "taken" | "deleted" | "cancelled" | "accepted" | "failed" | "unwritten";
}

/**
 * What holds a task, the nearest first: the task or one above it is paused, taken, accepted, dropped
 * or deleted, or the split that made it is not written to its end.
 */
export function holdOf(state: RunState, id: TaskId): Hold | undefined {
  for (let at: TaskId | null = id; at !== null; ) {
    const task: TaskState | undefined = state.tasks.get(at);
    if (task === undefined) return undefined;
    if (at !== id && task.shape !== "split") return { by: at, how: "unwritten" };
    if (task.paused) return { by: at, how: "paused" };
    if (task.takenBy !== undefined) return { by: at, how: "taken" };
    if (task.deleted) return { by: at, how: "deleted" };
    if (task.end === "cancelled" || task.end === "accepted") return { by: at, how: task.end };
    // Given up as a whole: nothing below it goes on by itself.
    if (at !== id && task.end === "failed") return { by: at, how: "failed" };
    at = task.parent;
  }
  return undefined;
}

/** True when something holds the task. */
export function isHeld(state: RunState, id: TaskId): boolean {
  return holdOf(state, id) !== undefined;
}

/**
 * True when what is under way on a task must not count: it ended, is held, waits for an answer, was
 * edited, or became the parent of others while it was worked on.
 */
export function isLost(state: RunState, task: TaskState): boolean {
  if (task.end !== undefined || task.question !== undefined) return true;
  const isLeafWork = task.lease !== undefined && task.lease.role !== "planner";
  if (isLeafWork && task.shape === "split") return true;
  return isOutdated(task) || isHeld(state, task.id);
}

/** True when a person edited the task after the attempt under way was begun. */
export function isOutdated(task: TaskState): boolean {
  const { lease } = task;
  if (lease === undefined) return false;
  return task.attempts.some((one) => one.number === lease.attempt && one.outdated === true);
}

/** True when a split task waits for nothing but its roll-up checks. */
export function mayRollUp(state: RunState, task: TaskState): boolean {
  return areChildrenSettled(state, task) && blockersOf(state, task.id).length === 0;
}

/** True when all children of a split task are settled, so that it may roll up. */
export function areChildrenSettled(state: RunState, task: TaskState): boolean {
  return task.children.every((child) => isSettled(statusOf(state, child)));
}

const RANK: { readonly [C in Colour]: number } = { green: 0, dim: 1, yellow: 2, red: 3 };

/** Its colour: of a split task the worst of its children's, green only when it is done itself. */
export function colourOf(state: RunState, id: TaskId): Colour {
  const { colour } = STATUSES[statusOf(state, id)];
  if (colour !== "of its children") return colour;
  const colours = taskOf(state, id).children.map((child) => colourOf(state, child));
  const worst = colours.reduce<Colour>((a, b) => (RANK[b] > RANK[a] ? b : a), "green");
  // All children green and the roll-up still to come: not green yet.
  return worst === "green" ? "yellow" : worst;
}

/** What a task waits for, in a few words; empty when it waits for nothing. */
export function waitsFor(state: RunState, id: TaskId): string {
  const task = taskOf(state, id);
  if (task.end !== undefined) return "";
  if (task.question !== undefined) return `an answer to ${task.question}`;
  if (task.takenBy !== undefined) return `taken by ${task.takenBy}`;
  if (task.paused) return `fractal unpause ${id}`;
  const blockers = task.shape === "leaf" ? blockersOf(state, id) : [];
  return blockers.length === 0 ? "" : blockers.join(", ");
}

/** The ancestors of a task, nearest first. */
export function ancestorsOf(state: RunState, id: TaskId): TaskState[] {
  const found: TaskState[] = [];
  for (let at = taskOf(state, id).parent; at !== null; ) {
    const task = taskOf(state, at);
    found.push(task);
    at = task.parent;
  }
  return found;
}

/** All tasks below one, depth first. */
export function descendantsOf(state: RunState, id: TaskId): TaskState[] {
  const found: TaskState[] = [];
  const open = [...taskOf(state, id).children].reverse();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const task = taskOf(state, next);
    found.push(task);
    open.push(...[...task.children].reverse());
  }
  return found;
}
