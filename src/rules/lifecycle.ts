/** The one table of allowed status changes, and the guard that keeps the journal to it. */
import type { NewEvent } from "../domain/event.ts";
import type { RunState, TaskState } from "../domain/run-state.ts";
import type { TaskId, TaskStatus } from "../domain/task.ts";
import { statusOf } from "./status.ts";

/** What can happen to a task, as far as its status is concerned. */
export const MOVES = [
  "leased",
  "released",
  "rejected",
  "split",
  "sized",
  "done",
  "failed",
  "routed",
  "guided",
  "asked",
  "accepted",
  "cancelled",
  "paused",
  "unpaused",
  "reopened",
] as const;
export type Move = (typeof MOVES)[number];

const ANY_OPEN: readonly TaskStatus[] = [
  "queued",
  "waiting",
  "running",
  "escalated",
  "needs_human",
  "failed",
  "split",
  "paused",
];

/**
 * From which statuses each move is legal. Where it leads is derived from the facts (status.ts), so
 * the table says only what may happen, once: `released` of a task nobody holds cannot.
 */
const FROM: { readonly [M in Move]: readonly TaskStatus[] } = {
  // A waiting task may be planned: planning does not wait for dependencies, leaves do (reconcile).
  leased: ["queued", "waiting", "escalated", "split"],
  released: [...ANY_OPEN, "done", "accepted", "cancelled"],
  rejected: ["running", "paused", "needs_human", "failed", "accepted", "cancelled"],
  split: ["running"],
  sized: ["running"],
  // What was merged is done, also when it was put aside, or asked about, in that very moment.
  done: ["running", "split", "paused", "needs_human"],
  failed: ["queued", "waiting", "running", "escalated", "needs_human", "split"],
  routed: ["queued", "waiting", "running", "escalated"],
  // Said after its end, it is heard when the task is reopened.
  guided: [...ANY_OPEN, "done", "accepted", "cancelled"],
  // Not from needs_human: at most one open question a task.
  asked: ["queued", "waiting", "running", "escalated", "split", "paused"],
  // Not from done: what is merged and checked is more than accepted.
  accepted: [...ANY_OPEN, "cancelled"],
  cancelled: ANY_OPEN,
  paused: ["queued", "waiting", "running", "escalated", "needs_human", "failed", "split"],
  unpaused: ["paused", "cancelled"],
  reopened: ["done", "accepted", "failed", "cancelled"],
};

/** Whether a move is legal for a task in this status. */
export function mayMove(status: TaskStatus, move: Move): boolean {
  return FROM[move].includes(status);
}

/** The move an event is, or undefined when it moves no status. */
export function moveOf(event: NewEvent): Move | undefined {
  switch (event.event_type) {
    case "lease.taken":
      return "leased";
    case "lease.released":
      return "released";
    case "attempt.ended":
      return event.outcome === "succeeded" ? undefined : "rejected";
    case "task.split":
      return "split";
    case "task.sized":
      return "sized";
    case "task.done":
      return "done";
    case "task.failed":
      return "failed";
    case "escalation.routed":
      return "routed";
    case "guidance.given":
      return "guided";
    case "question.opened":
      return event.task_id === null ? undefined : "asked";
    case "task.accepted":
      return "accepted";
    case "task.cancelled":
      return "cancelled";
    case "task.paused":
      return "paused";
    case "task.unpaused":
      return "unpaused";
    case "task.reopened":
      return "reopened";
    default:
      return undefined;
  }
}

/** Why this event may not be recorded, or undefined when it may. */
export function refusalOf(state: RunState, event: NewEvent): string | undefined {
  if (event.task_id === null) return undefined;
  if (event.event_type === "task.created") return refusalOfNew(state, event.task_id, event.parent);
  const task = state.tasks.get(event.task_id);
  if (task === undefined) return `no task ${event.task_id}`;
  const move = moveOf(event);
  const status = statusOf(state, event.task_id);
  if (move !== undefined && !mayMove(status, move)) return `${move} is not a move from ${status}`;
  return refusalOfFence(task, event);
}

function refusalOfNew(state: RunState, id: TaskId, parent: TaskId | null): string | undefined {
  if (state.tasks.has(id)) return `there is a task ${id} already`;
  return parent === null || state.tasks.has(parent) ? undefined : `no task ${parent}`;
}

/** A fence is new when it is taken, and from then on only its holder's word counts. */
function refusalOfFence(task: TaskState, event: NewEvent): string | undefined {
  switch (event.event_type) {
    case "lease.taken":
      return event.fence > task.fence ? undefined : `fence ${event.fence} was given out before`;
    case "lease.renewed":
    case "lease.released":
    case "attempt.ended":
    case "merge.started":
      if (task.lease === undefined) return "nobody holds it";
      return event.fence === task.lease.fence
        ? undefined
        : `fence ${event.fence} is not the current ${task.lease.fence}`;
    default:
      return undefined;
  }
}
