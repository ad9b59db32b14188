/** A person holds a task and all below it back, or lets it go on. */
import type { NewEvent } from "../../domain/event.ts";
import type { Mirrored } from "../../domain/mirrored.ts";
import type { RunState, TaskState } from "../../domain/run-state.ts";
import { holdOf, statusOf } from "../status.ts";
import { desiredMirror } from "./mirror.ts";

/** Why a task cannot be paused or unpaused; undefined when it can. */
export function pauseProblem(
  state: RunState,
  task: TaskState,
  kind: "pause" | "unpause",
): { what: string; next: string[] } | undefined {
  const { id } = task;
  const status = statusOf(state, id);
  if (kind === "pause") {
    const isOver = status === "done" || status === "accepted" || status === "cancelled";
    if (!isOver && status !== "paused") return undefined;
    return { what: `${id} is ${status} already`, next: [`fractal why ${id}`] };
  }
  if (status === "paused") return undefined;
  const hold = holdOf(state, id);
  // What is wanted is plain; it is another task that must be named.
  const next =
    hold?.how === "paused" ? [`fractal unpause ${hold.by}   # holds it`] : [`fractal why ${id}`];
  return { what: `${id} is not paused: it is ${status}`, next };
}

/** The event of holding it back, or of letting it go on. */
export function pauseEvent(task: TaskState, kind: "pause" | "unpause", by: string): NewEvent {
  const event_type = kind === "pause" ? "task.paused" : "task.unpaused";
  return { task_id: task.id, actor: by, event_type, by };
}

/** The status that shows in Beads what a person asks for, until the controller has followed it. */
export function statusAsked(
  state: RunState,
  task: TaskState,
  kind: "cancel" | "pause" | "unpause",
): Mirrored["status"] {
  if (kind !== "unpause") return "deferred";
  const freed = { ...task, paused: false };
  const tasks = new Map(state.tasks).set(task.id, freed);
  const { status } = desiredMirror({ ...state, tasks }, task.id);
  return status;
}
