/** What a person changed of a task's words, edges and priority in Beads. */
import type { NewEvent } from "../domain/event.ts";
import type { TrackedTask } from "../domain/ports.ts";
import type { Described, RunState, TaskState } from "../domain/run-state.ts";
import { personOf } from "./drift-question.ts";

/** The events that follow an edit; none while the issue reads as it was last known. */
export function driftOfText(state: RunState, task: TaskState, issue: TrackedTask): NewEvent[] {
  const edit = editedTexts(task.described, issue);
  const dependsOn = issue.dependsOn.filter((id) => state.tasks.has(id));
  const isEdgeChange = !isSameSet(dependsOn, task.dependsOn);
  const isPriorityChange = issue.priority !== task.priority;
  const what = [
    ...Object.keys(edit ?? {}),
    ...(isEdgeChange ? ["dependencies"] : []),
    ...(isPriorityChange ? ["priority"] : []),
  ];
  if (what.length === 0) return [];
  const by = personOf(issue);
  const about = { task_id: task.id, actor: by } as const;
  return [
    { ...about, event_type: "drift.seen", kind: "edited", detail: `edited: ${what.join(", ")}` },
    {
      ...about,
      event_type: "task.edited",
      by,
      ...edit,
      ...(isEdgeChange ? { depends_on: dependsOn } : {}),
      ...(isPriorityChange ? { priority: issue.priority } : {}),
    },
  ];
}

/** The texts that now read otherwise, white space at their ends aside; undefined when none does. */
export function editedTexts(was: Described, issue: TrackedTask): Partial<Described> | undefined {
  const edit: Partial<Described> = {};
  if (issue.title.trim() !== was.title.trim()) edit.title = issue.title;
  if (issue.description.trim() !== was.description.trim()) edit.description = issue.description;
  if (issue.acceptance.trim() !== was.acceptance.trim()) edit.acceptance = issue.acceptance;
  return Object.keys(edit).length === 0 ? undefined : edit;
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value) => b.includes(value));
}
