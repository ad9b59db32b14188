/** How much a run still owes: what each of reconcile's moves makes less, so that a run must end. */
import type { Limits } from "../domain/limits.ts";
import type { RunState, TaskState } from "../domain/run-state.ts";
import { CONFLICTS_MAX } from "./retry.ts";
import { ancestorsOf } from "./status.ts";

/** Moves that are still possible without a person, for a task at each depth. */
interface Bounds {
  /** Planned and split into as many children as may be, with all that may follow. */
  split(depth: number): number;
  /** A fresh leaf, with the whole ladder before it. */
  leaf(depth: number): number;
}

/**
 * An upper bound of the moves that all tasks may still make without a person: the measure that falls
 * with every move reconcile decides, once it is carried out. What takes nothing away (an outage, a
 * lease let go) must name a timer, or be a person's doing. A task that waits for an answer owes
 * nothing: the answer gives it moves anew.
 */
export function owedMoves(state: RunState, limits: Limits): number {
  const bounds = boundsOf(limits);
  let owed = 0;
  for (const task of state.tasks.values()) {
    if (task.end !== undefined || task.question !== undefined) continue;
    const depth = Math.min(limits.depthMax, ancestorsOf(state, task.id).length);
    owed += owedBy(task, depth, limits, bounds);
  }
  return owed;
}

function owedBy(task: TaskState, depth: number, limits: Limits, bounds: Bounds): number {
  // Only the question is left to be asked.
  if (task.route === "person") return 1;
  if (task.splitStarted !== undefined) return 1 + bounds.split(depth);
  if (task.shape === "unplanned") return 2 + bounds.split(depth) + bounds.leaf(depth);
  if (task.shape === "split" && task.route === undefined) {
    return rollUps(Math.max(0, limits.repairsMax - task.repairs), depth, bounds, task.rollup);
  }
  return ladder(task, limits, bounds.split(depth));
}

/** Of a split task: roll-ups, each red one with its repair, and a question at the end. */
function rollUps(repairsLeft: number, depth: number, bounds: Bounds, rollup: unknown): number {
  return repairsLeft * (1 + bounds.leaf(depth + 1)) + (rollup === undefined ? 2 : 1);
}

/** Of a leaf: what is left of its attempts and of every rung after them, the question included. */
function ladder(
  task: Pick<TaskState, "attemptsLeft" | "conflicts" | "fixerUsed" | "route" | "pending">,
  limits: Limits,
  split: number,
): number {
  const person = 1;
  const attemptsMax = Math.max(limits.attemptsMax, limits.attemptsAfterGuidance);
  // What is lost after these is the fixer's or a person's.
  const conflicts = Math.max(0, CONFLICTS_MAX - 1 - task.conflicts);
  const fixed = 3 + attemptsMax + split + person + 1;
  if (task.route === "split") return split + person + 1;
  if (task.route === "fixer") return fixed + 1 + conflicts;
  const escalated = (task.fixerUsed ? 0 : fixed + 1) + split + person + 2;
  if (task.pending !== undefined || task.attemptsLeft <= 0) return escalated;
  return 1 + task.attemptsLeft + conflicts + escalated;
}

function boundsOf(limits: Limits): Bounds {
  const fresh = {
    attemptsLeft: Math.max(limits.attemptsMax, limits.attemptsAfterGuidance),
    conflicts: 0,
    fixerUsed: false,
  };
  const splits: number[] = [];
  const bounds: Bounds = {
    split(depth) {
      if (depth >= limits.depthMax) return 0;
      splits[depth] ??=
        limits.childrenMax * (2 + bounds.split(depth + 1) + bounds.leaf(depth + 1)) +
        rollUps(limits.repairsMax, depth, bounds, undefined);
      return splits[depth] ?? 0;
    },
    leaf: (depth) => ladder(fresh, limits, bounds.split(depth)),
  };
  return bounds;
}
