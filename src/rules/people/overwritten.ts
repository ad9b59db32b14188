/** What a person set just before fractal wrote over it: it stands as if it had been seen in time. */
import { type Mirrored, showsSame } from "../../domain/mirrored.ts";
import type { TrackedTask, TrackerLine } from "../../domain/ports.ts";
import type { RunState } from "../../domain/run-state.ts";

/** The issues with what their people had set in place of what was written over it. */
export function asSet(
  shown: TrackedTask[],
  overwritten: ReadonlyMap<string, Mirrored>,
): TrackedTask[] {
  if (overwritten.size === 0) return shown;
  return shown.map((issue) => {
    const theirs = overwritten.get(issue.id);
    const { status, assignee } = issue;
    return theirs === undefined ? issue : { ...issue, ...theirs, now: { status, assignee } };
  });
}

/** Lines that are shown and were never acknowledged: nobody looked what they wrote over. */
export function unheardLines(state: RunState, shown: readonly TrackedTask[]): TrackerLine[] {
  return shown.flatMap((issue) => {
    const { mirror, mirrorPending } = state.tasks.get(issue.id) ?? {};
    if (mirror === undefined || mirrorPending === undefined) return [];
    if (!showsSame(issue, mirrorPending) || showsSame(mirror, mirrorPending)) return [];
    return [{ id: issue.id, ...mirrorPending, was: mirror }];
  });
}
