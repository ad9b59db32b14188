/** Merges of the run's branch by a person: what they come to, and which of them are in the journal. */
import type { FactOf, NewEvent, RunEvent } from "../../domain/event.ts";
import { parseInstant } from "../../domain/instant.ts";
import type { RunState } from "../../domain/run-state.ts";

type Merging = FactOf<"run.merged"> & { actor: string };

const DONE: ReadonlySet<Merging["result"]> = new Set(["fast-forward", "merge", "found"]);

/** Carries a merge into the state; what git refused changed nothing. */
export function noteMerged(state: RunState, event: Merging): void {
  if (!DONE.has(event.result)) return;
  const { into, tip, after, actor: by, at } = event;
  state.merged = [...(state.merged ?? []), { into, tip, after, by, atMs: parseInstant(at) }];
}

/** Whether these events tell of just this merge: it may have been left to be written by two. */
export function isTold(events: readonly RunEvent[], merging: Merging): boolean {
  const { into, tip, result, at } = merging;
  return events.some(
    (one) =>
      one.event_type === "run.merged" &&
      one.into === into &&
      one.tip === tip &&
      one.result === result &&
      one.at === at,
  );
}

/** Whether one of these tells that this commit of the run is in that branch. */
export function isKnownIn(
  events: readonly (RunEvent | NewEvent)[],
  into: string,
  tip: string,
): boolean {
  return events.some(
    (one) =>
      one.event_type === "run.merged" &&
      one.into === into &&
      one.tip === tip &&
      DONE.has(one.result),
  );
}
