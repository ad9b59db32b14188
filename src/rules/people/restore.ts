/** Brings back what a person dropped: under its id, or under a new one when its issue was deleted. */
import type { NewEvent } from "../../domain/event.ts";
import type { RunState, TaskState } from "../../domain/run-state.ts";
import type { TaskId } from "../../domain/task.ts";

/**
 * The events that bring a dropped task back. A deleted id is never made again: the same contract,
 * with what was said of it, gets a new one, and who waited for the old one waits for that (replay).
 * `taken` has the ids given out in the same breath.
 */
export function restoreTask(
  state: RunState,
  lost: TaskState,
  by: string,
  taken: Set<TaskId> = new Set(),
): NewEvent[] {
  if (lost.end !== "cancelled" || lost.restoredAs !== undefined) return [];
  if (lost.deleted !== true) {
    return [{ task_id: lost.id, actor: by, event_type: "task.unpaused", by }];
  }
  const parent = standingAbove(state, lost);
  const id = freshId(state, parent, taken);
  taken.add(id);
  const about = { task_id: id, actor: by } as const;
  return [
    {
      ...about,
      event_type: "task.created",
      parent,
      key: `${lost.key}-${id.split(".").at(-1)}`,
      origin: lost.origin,
      contract: lost.contract,
      depends_on: lost.dependsOn.filter((on) => state.tasks.get(on)?.end !== "cancelled"),
      leaf: lost.shape === "leaf",
      priority: lost.priority,
      restores: lost.id,
    },
    ...lost.guidance.map(
      ({ from, text }): NewEvent => ({
        ...about,
        event_type: "guidance.given",
        from,
        text,
        attempts: 0,
      }),
    ),
  ];
}

/** The nearest task above it whose issue is still there. */
function standingAbove(state: RunState, lost: TaskState): TaskId {
  for (let at = lost.parent; at !== null; ) {
    const task: TaskState | undefined = state.tasks.get(at);
    if (task === undefined) break;
    if (task.deleted !== true) return at;
    at = task.parent;
  }
  return state.rootId;
}

/** `<parent>.s<n>`: planned children, repairs, questions and a person's have other letters. */
function freshId(state: RunState, parent: TaskId, taken: ReadonlySet<TaskId>): TaskId {
  let number = 1;
  while (state.tasks.has(`${parent}.s${number}`) || taken.has(`${parent}.s${number}`)) number += 1;
  return `${parent}.s${number}`;
}
