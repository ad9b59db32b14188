/** Comments of fractal's on issues: how one comes to be owed, and which still are. */
import type { NewEvent } from "../../domain/event.ts";
import type { Note, Question, RunState } from "../../domain/run-state.ts";
import type { TaskId } from "../../domain/task.ts";

/**
 * The event that owes a comment to the issue of a task or question. Record it together with what it
 * tells: from then on it is written at most once, by whichever process gets to it. `key` names the
 * occasion (`fr-x.a1 failed 2`); the same key again owes nothing new.
 */
export function noteOn(id: string, key: string, text: string): NewEvent {
  return { task_id: null, actor: "fractal", event_type: "note.started", id, key, text };
}

/** The comment that tells on its issue how a question was answered, as `bd human respond` does. */
export function responseNote(question: Question, answer: string): NewEvent {
  return noteOn(question.id, `${question.id} response`, `Response: ${answer}`);
}

/**
 * The reasons of failures that are not owed to their issues yet: one a failure, wherever it came
 * from, a rule or a person who dismissed the question.
 */
export function reasonsUnsaid(state: RunState): { id: TaskId; key: string; text: string }[] {
  const unsaid: { id: TaskId; key: string; text: string }[] = [];
  for (const task of state.tasks.values()) {
    if (task.end !== "failed" || task.deleted === true) continue;
    const key = `${task.id} failed ${task.episode}`;
    if (state.notes.has(key)) continue;
    unsaid.push({ id: task.id, key, text: `Failed: ${task.endReason ?? "no reason is known"}` });
  }
  return unsaid;
}

/**
 * The comments that can be written now: those whose issue is in Beads. One that never came there,
 * or was deleted by a person, is owed nothing.
 */
export function notesOwed(state: RunState): Note[] {
  return [...state.notes.values()].filter((note) => {
    if (note.done) return false;
    const task = state.tasks.get(note.id);
    const holder = task ?? state.questions.get(note.id);
    return holder?.mirror !== undefined && task?.deleted !== true;
  });
}

/**
 * How many comments with these words the issue must show for the note to be there: the same words
 * may have been owed, and written, before.
 */
export function sameWordsUpTo(state: RunState, note: Note): number {
  const same = [...state.notes.values()].filter(
    (one) => one.id === note.id && one.text.trim() === note.text.trim(),
  );
  return same.findIndex((one) => one.key === note.key) + 1;
}
