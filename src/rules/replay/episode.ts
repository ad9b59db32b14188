/** When a task is tried anew, and what is above it is open again. */
import type { RunState, TaskState } from "../../domain/run-state.ts";

/** Starts a new episode: what was tried before no longer counts against the task. */
export function beginEpisode(task: TaskState, attemptsLeft: number): void {
  task.episode += 1;
  task.attemptsLeft = attemptsLeft;
  task.notBeforeMs = 0;
  task.conflicts = 0;
  task.outages = 0;
  task.guidance = task.guidance.map(({ from, text }) => ({ from, text }));
  delete task.outageSinceMs;
  delete task.end;
  delete task.endReason;
  delete task.pending;
  delete task.route;
  delete task.rollup;
}

/** Opens what had ended again, with its whole ladder. */
export function reopenTask(state: RunState, task: TaskState): void {
  beginEpisode(task, state.limits.attemptsMax);
  task.fixerUsed = false;
  task.repairs = 0;
  reopenAbove(state, task);
}

/** What is above a task that is open again, or new, is no longer done; what is deleted stays so. */
export function reopenAbove(state: RunState, task: TaskState): void {
  noteStructure(state);
  for (let at = task.parent; at !== null; ) {
    const above: TaskState | undefined = state.tasks.get(at);
    if (above === undefined || above.deleted) return;
    if (above.end === "done" || above.end === "failed") {
      delete above.end;
      delete above.endReason;
    }
    delete above.rollup;
    at = above.parent;
  }
}

/** What waits for what, or what is unfinished, has changed. */
export function noteStructure(state: RunState): void {
  state.structureSeq = state.seq;
}
