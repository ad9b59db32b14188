/** The words of answers that code acts on, and what they are about. */
import type { RunState, TaskState } from "../../domain/run-state.ts";
import type { TaskId } from "../../domain/task.ts";

/** Of what was edited after it was done. */
export const KEEP = "keep it as it is";
/** Of a dependency that was dropped. */
export const RESTORE = "restore it";
export const DROP_TOO = "drop this task too";
export const WITHOUT = "go on without it";
/** Of what something else keeps writing over. */
export const LEAVE = "leave it as Beads shows it";
export const WRITE = "write it again";

export const wantsKeep = (answer: string): boolean => /^\s*(keep|leave)\b/i.test(answer);
/** Nothing but a plain yes is one. */
export const wantsYes = (answer: string): boolean => /^(yes|y)\s*[.!]?$/i.test(answer.trim());
export const wantsRestore = (answer: string): boolean => /^\s*restore\b/i.test(answer);
export const wantsDrop = (answer: string): boolean =>
  /^\s*drop (this|the) task\b|^\s*drop too\b/i.test(answer);

/** An option of a question about a cycle. */
export const notWaiting = (task: TaskId, on: TaskId): string => `${task} does not wait for ${on}`;

/** The edge that an answer takes out of a cycle, where it names one. */
export function edgeIn(answer: string): { task: TaskId; on: TaskId } | undefined {
  const [, task, on] =
    /^\s*(\S+) does not wait for (\S+)\s*$/i.exec(answer.replace(/(?<![.\s])[.\s]+$/, "")) ?? [];
  return task === undefined || on === undefined ? undefined : { task, on };
}

/** The dependencies of a task that were dropped, and that nobody said to go on without. */
export function droppedOf(state: RunState, task: TaskState): TaskId[] {
  return task.dependsOn.filter(
    (id) => state.tasks.get(id)?.end === "cancelled" && task.without?.includes(id) !== true,
  );
}
