/** What follows when a person drops a task: all below it goes too, and who waited for it is asked about. */
import type { NewEvent } from "../domain/event.ts";
import type { RunState, TaskState } from "../domain/run-state.ts";
import type { TaskId } from "../domain/task.ts";
import { descendantsOf } from "./status.ts";

/** The events of dropping a task. */
export function cancelTask(
  state: RunState,
  task: TaskState,
  by: string,
  reason: string,
): NewEvent[] {
  const about = { task_id: task.id, actor: by } as const;
  const events: NewEvent[] = [
    { ...about, event_type: "task.cancelled", by, reason },
    ...cancelBelow(state, task, by, `${task.id} was ${reason}`),
  ];
  if (task.question !== undefined) {
    const question = task.question;
    events.push({ ...about, event_type: "question.closed", question, by, how: "moot" });
  }
  return [...events, ...askDependents(state, task, by)];
}

/** Everything below a task that is not settled is cancelled with it. */
export function cancelBelow(
  state: RunState,
  task: TaskState,
  by: string,
  reason: string,
): NewEvent[] {
  return descendantsOf(state, task.id)
    .filter((one) => one.end === undefined || one.end === "failed")
    .map((one) => ({ task_id: one.id, actor: by, event_type: "task.cancelled", by, reason }));
}

/** One question for each open task that waits for one that will not be done. */
function askDependents(state: RunState, task: TaskState, by: string): NewEvent[] {
  const events: NewEvent[] = [];
  for (const other of state.tasks.values()) {
    const waits = other.dependsOn.includes(task.id) && other.end === undefined;
    if (!waits || other.question !== undefined) continue;
    events.push(
      openQuestion(other, "dropped", {
        title: `"${other.contract.title}" needs ${task.id}, which was dropped. What now?`,
        why: `${task.id} "${task.contract.title}" was dropped by ${by}; nothing satisfies this dependency.`,
        options: ["go on without it", "drop this too"],
        blocks: [other.id],
      }),
    );
  }
  return events;
}

/** A question that a person's own edit makes necessary. */
export function openQuestion(
  task: TaskState,
  kind: "reopened" | "dropped",
  text: { title: string; why: string; options: string[]; blocks: TaskId[] },
): NewEvent {
  return {
    task_id: task.id,
    actor: "fractal",
    event_type: "question.opened",
    question: `${task.id}.q${task.questions.length + 1}`,
    kind,
    tried: "",
    ...text,
  };
}
