/** How urgent work is, 0–10: derived anew at every look, never stored in Beads. */
import type { Question, RunState, TaskState } from "../domain/run-state.ts";

const URGENCY_MAX = 10;
/** One more for each ten minutes in which nothing happened to a task, two at most. */
const AGE_MS = 600_000;
const AGE_MAX = 2;
const HOUR_MS = 3_600_000;

/** What the tasks of one look share. */
export interface Measure {
  /** Length of the critical path of each open task, and the longest of them. */
  path: ReadonlyMap<string, number>;
  longest: number;
  now: number;
}

/**
 * Of a task: 2 for being work at all; up to 3 for its share of the longest critical path; 3 for
 * priority 0, 2 for 1, 1 for 2; 1 for each ten minutes nothing happened to it, at most 2; 1 when an
 * answer of a person waits to be used.
 */
export function urgencyOfTask(task: TaskState, { path, longest, now }: Measure): number {
  const share = longest === 0 ? 0 : Math.round((3 * (path.get(task.id) ?? 0)) / longest);
  const first = Math.max(0, 3 - task.priority);
  const age = Math.min(AGE_MAX, Math.floor(Math.max(0, now - task.changedAtMs) / AGE_MS));
  const answered = hasUnusedAnswer(task) ? 1 : 0;
  return Math.min(URGENCY_MAX, 2 + share + first + age + answered);
}

/** An episode begun by a person's answer or reopening, and nothing tried in it yet. */
function hasUnusedAnswer(task: TaskState): boolean {
  return task.episode > 1 && !task.attempts.some((one) => one.episode === task.episode);
}

/**
 * Of an open question: 10 when nothing moves without its answer; else 5, one more for each task that
 * waits for it by name, at most 3, and one more after an hour.
 */
export function urgencyOfQuestion(
  state: RunState,
  question: Question,
  moves: boolean,
  now: number,
): number {
  if (!moves) return URGENCY_MAX;
  const asked = new Set(question.blocks);
  const held = [...state.tasks.values()].filter(
    (task) => task.end === undefined && task.dependsOn.some((id) => asked.has(id)),
  );
  const age = now - question.openedAt >= HOUR_MS ? 1 : 0;
  return Math.min(URGENCY_MAX, 5 + Math.min(3, held.length) + age);
}
