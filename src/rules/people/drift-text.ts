/** What a person changed of a task's words, edges and priority in Beads. */

import type { QuestionKind } from "../../domain/event/question.ts";
import type { NewEvent } from "../../domain/event.ts";
import type { TrackedTask } from "../../domain/ports.ts";
import type { Described, RunState, TaskState } from "../../domain/run-state.ts";
import type { TaskId } from "../../domain/task.ts";
import { askEdited } from "./cancel.ts";
import { personOf } from "./drift-question.ts";
import { answerEvents } from "./said.ts";

/** The events that follow an edit; none while the issue reads as it was last known. */
export function driftOfText(state: RunState, task: TaskState, issue: TrackedTask): NewEvent[] {
  const edit = editedTexts(task.described, issue);
  // Edges to what is not in Beads, not yet or not any more, cannot be seen there.
  const isShown = (id: TaskId) => {
    const on = state.tasks.get(id);
    return on?.mirror !== undefined && on.deleted !== true;
  };
  const unseen = task.dependsOn.filter((id) => !isShown(id));
  const dependsOn = [...unseen, ...issue.dependsOn.filter(isShown)];
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
  const edited = Object.keys(edit ?? {});
  const kind = isEdgeChange && what.length === 1 ? "edges" : "edited";
  return [
    { ...about, event_type: "drift.seen", kind, detail: `edited: ${what.join(", ")}` },
    {
      ...about,
      event_type: "task.edited",
      by,
      ...edit,
      ...(isEdgeChange ? { depends_on: dependsOn } : {}),
      ...(isPriorityChange ? { priority: issue.priority } : {}),
    },
    ...(edited.length === 0 ? [] : whatEditSays(state, task, by, edited)),
  ];
}

/** Questions that a new text of the task answers. */
const ANSWERED_BY_EDIT = new Set<QuestionKind>([
  "stuck",
  "asks",
  "plan",
  "checks",
  "reopened",
  "dropped",
  "rollup",
  "review",
  "flaky",
  "needs",
]);

/** A new text is the answer that its task waits for; of what is done it makes one ask. */
function whatEditSays(
  state: RunState,
  task: TaskState,
  by: string,
  edited: readonly string[],
): NewEvent[] {
  const question = state.questions.get(task.question ?? "");
  if (question === undefined) return task.end === "done" ? [askEdited(state, task, by)] : [];
  const waiting = [...state.tasks.values()].filter((one) => one.question === question.id);
  // What others wait for as well is not said by the text of one.
  if (!ANSWERED_BY_EDIT.has(question.kind) || waiting.length > 1) return [];
  const text = `the task itself says it now: its ${edited.join(" and ")} was edited`;
  return answerEvents(state, question, { by, text, isTold: false });
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
