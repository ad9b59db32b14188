/** The run in this process: records events and keeps the state they amount to. */
import type { NewEvent, RunEvent } from "../domain/event.ts";
import type { Limits } from "../domain/limits.ts";
import type { Clock, Journal } from "../domain/ports.ts";
import type { RunState } from "../domain/run-state.ts";
import { refusalOf } from "../rules/lifecycle.ts";
import { applyEvent, emptyState } from "../rules/replay.ts";

export interface Store {
  readonly state: RunState;
  readonly journal: Journal;
  /**
   * Writes events and carries them into the state. An event the table of moves does not allow is
   * replaced by `move.refused` and changes nothing. Throws when the disk does.
   */
  record(events: NewEvent[]): void;
  /** Called with each event after it is on disk. */
  listen(listener: (event: RunEvent) => void): void;
}

/** Opens the store over a journal; a new journal must get `run.started` as its `first` events. */
export function openStore(
  journal: Journal,
  clock: Clock,
  limits: Limits,
  first: NewEvent[] = [],
): Store {
  if (journal.read().length === 0) journal.append(first, clock.now());
  const events = journal.read();
  const started = events[0];
  if (started?.event_type !== "run.started") throw new Error("a journal starts with run.started");
  const state = emptyState(started);
  for (const event of events) applyEvent(state, event, limits);
  const listeners: ((event: RunEvent) => void)[] = [];
  return {
    state,
    journal,
    record(added) {
      const at = clock.now();
      const legal = added.map((event) => (isLegal(state, event) ? event : refused(state, event)));
      for (const event of journal.append(legal, at)) {
        applyEvent(state, event, limits);
        for (const listener of listeners) listener(event);
      }
    },
    listen: (listener) => listeners.push(listener),
  };
}

const isLegal = (state: RunState, event: NewEvent) => refusalOf(state, event) === undefined;

function refused(state: RunState, event: NewEvent): NewEvent {
  return {
    task_id: state.tasks.has(event.task_id ?? "") ? event.task_id : null,
    actor: event.actor,
    event_type: "move.refused",
    refused: event.event_type,
    reason: refusalOf(state, event) ?? "",
  };
}
