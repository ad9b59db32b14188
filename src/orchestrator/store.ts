/** The run in this process: records events and keeps the state they amount to. */
import { JOURNAL_VERSION, type NewEvent, type RunEvent } from "../domain/event.ts";
import { renderInstant } from "../domain/instant.ts";
import type { Limits } from "../domain/limits.ts";
import type { Clock, Journal } from "../domain/ports.ts";
import type { RunState } from "../domain/run-state.ts";
import { refusalOf } from "../rules/guard.ts";
import { applyEvent, emptyState } from "../rules/replay.ts";

export interface Store {
  readonly state: RunState;
  readonly journal: Journal;
  /**
   * Writes events, all at once, and carries them into the state. Each is judged by what those
   * before it made: one the table of moves does not allow is replaced by `move.refused` and changes
   * nothing. Throws when the disk does: the run must end.
   */
  record(events: NewEvent[]): void;
  /** Calls the listener with each event after it is on disk, until the returned function is called. */
  listen(listener: (event: RunEvent) => void): () => void;
}

/**
 * Opens the store over a journal; a new journal must get `run.started` as its `first` events, and is
 * begun with these limits: an old one has its own.
 */
export function openStore(
  journal: Journal,
  clock: Clock,
  limits: Limits,
  first: NewEvent[] = [],
): Store {
  if (journal.read().length === 0) {
    journal.append(
      first.map((event) => withLimits(event, limits)),
      clock.now(),
    );
  }
  const events = journal.read();
  const started = events[0];
  if (started?.event_type !== "run.started") throw new Error("a journal starts with run.started");
  const state = emptyState(started);
  for (const event of events) applyEvent(state, event);
  const listeners = new Set<(event: RunEvent) => void>();
  return {
    state,
    journal,
    record(added) {
      const at = clock.now();
      const judged: NewEvent[] = [];
      for (const event of added) {
        const legal = refused(state, event) ?? event;
        // Before it is written: an event that cannot be applied must not stand in the journal.
        applyEvent(state, stamped(state, legal, at));
        judged.push(legal);
      }
      for (const event of journal.append(judged, at)) {
        for (const listener of [...listeners]) listener(event);
      }
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** `run.started` with the limits it is started with: folded anywhere else, it comes to the same. */
function withLimits(event: NewEvent, limits: Limits): NewEvent {
  return event.event_type === "run.started" ? { ...event, limits: { ...limits } } : event;
}

/** The event as the journal is about to write it. */
function stamped(state: RunState, event: NewEvent, at: number): RunEvent {
  const { runId, seq } = state;
  const timestamp = renderInstant(at);
  return { v: JOURNAL_VERSION, seq: seq + 1, run_id: runId, timestamp, prev: "", ...event };
}

/** What is recorded instead of an event that is not allowed. */
function refused(state: RunState, event: NewEvent): NewEvent | undefined {
  const reason = refusalOf(state, event);
  if (reason === undefined) return undefined;
  return {
    task_id: state.tasks.has(event.task_id ?? "") ? event.task_id : null,
    actor: event.actor,
    event_type: "move.refused",
    refused: event.event_type,
    reason,
  };
}
