/** A tracker that shows nothing of the run is another one: not a person who deleted every task. */
import type { Failure } from "../../domain/failure.ts";
import type { TrackedTask } from "../../domain/ports.ts";
import type { RunState } from "../../domain/run-state.ts";

/** True when it shows any task that it is known to hold, or is known to hold none. */
export function isOurs(state: RunState, tracked: readonly TrackedTask[]): boolean {
  const shown = new Set(tracked.map((issue) => issue.id));
  let isKnown = false;
  for (const task of state.tasks.values()) {
    if (task.mirror === undefined || task.deleted) continue;
    if (shown.has(task.id)) return true;
    isKnown = true;
  }
  return !isKnown;
}

/** Why the run does not go on: every task would look deleted, and be dropped. */
export function anotherTracker(state: RunState): Failure {
  const detail = `none of the tasks of run ${state.runId} is in .beads: it is another database, or one made anew. Nothing was changed. Put the old one back and resume, or drop the run: fractal run SPEC --new`;
  return { failure: "tracker-lost", detail };
}
