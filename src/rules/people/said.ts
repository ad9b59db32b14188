/** What follows when a person answers a question: the answer, and what it says is to be done. */
import type { NewEvent } from "../../domain/event.ts";
import type { Question, RunState, TaskState } from "../../domain/run-state.ts";
import type { TaskId } from "../../domain/task.ts";
import { answeredEvents } from "../money/budget-answer.ts";
import { askDependents, dropTask } from "./cancel.ts";
import { responseNote } from "./notes.ts";
import { restoreTask } from "./restore.ts";
import { droppedOf, wantsDrop, wantsRestore } from "./wanted.ts";

/**
 * The events of an answer, for every way in which it may come. `isTold` when the question's issue
 * shows the words already, as after `bd human respond`.
 */
export function answerEvents(
  state: RunState,
  question: Question,
  answer: { by: string; text: string; isTold: boolean },
): NewEvent[] {
  const { by, text, isTold } = answer;
  return [
    ...answeredEvents(state, question, by, text),
    ...(isTold ? [] : [responseNote(question, text)]),
    ...carriedOut(state, question, by, text),
  ];
}

/** What an answer changes of other tasks, or of the tree; the rest is in how it is replayed. */
function carriedOut(state: RunState, question: Question, by: string, text: string): NewEvent[] {
  const task = state.tasks.get(question.about ?? "");
  if (question.kind !== "dropped" || task === undefined || task.end !== undefined) return [];
  if (wantsDrop(text)) {
    const events = dropTask(state, task, by, "dropped with what it needs");
    return [...events, ...askDependents(state, events)];
  }
  return wantsRestore(text) ? restoreAll(state, task, by) : [];
}

function restoreAll(state: RunState, task: TaskState, by: string): NewEvent[] {
  const events: NewEvent[] = [];
  const taken = new Set<TaskId>();
  for (const id of droppedOf(state, task)) {
    const lost = state.tasks.get(id);
    if (lost !== undefined) events.push(...restoreTask(state, lost, by, taken));
  }
  return events;
}
