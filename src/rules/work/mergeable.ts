/** Whether a run's branch may be merged: the run is done, and the branch is as it was checked. */
import type { RunEvent } from "../../domain/event.ts";
import type { RunState } from "../../domain/run-state.ts";
import { statusOf } from "../status.ts";

/** Why not yet, in words that follow `run k3f9x2 `; undefined where nothing is in the way. */
export function notYet(
  state: RunState,
  events: readonly RunEvent[],
  tipTree: string,
): string | undefined {
  const root = statusOf(state, state.rootId);
  if (root !== "done" && root !== "accepted") return `is not done: its root is ${root}`;
  const last = events.findLast(
    (event) => event.event_type === "task.rolled_up" && event.task_id === state.rootId,
  );
  // What a person accepted was not checked as a whole.
  if (root === "accepted" || last?.event_type !== "task.rolled_up") return undefined;
  if (last.tree === tipTree) return undefined;
  return "was changed on its branch since it was checked";
}
