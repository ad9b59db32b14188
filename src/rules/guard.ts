/** Keeps the journal to the table of moves: why an event may not be recorded. */
import type { NewEvent } from "../domain/event.ts";
import type { RunState, TaskState } from "../domain/run-state.ts";
import type { TaskId } from "../domain/task.ts";
import { fenceRuleOf, mayMove, moveOf } from "./lifecycle.ts";
import { statusOf } from "./status.ts";

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
  const rule = fenceRuleOf(event.event_type);
  if (rule === undefined || !("fence" in event)) return undefined;
  switch (rule) {
    case "a new fence":
      return event.fence > task.fence ? undefined : `fence ${event.fence} was given out before`;
    case "the fence of its lease":
      if (task.lease === undefined) return "nobody holds it";
      return event.fence === task.lease.fence
        ? undefined
        : `fence ${event.fence} is not the current ${task.lease.fence}`;
  }
}
