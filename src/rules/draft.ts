/** A state that may be changed without changing the one it was made of: what events would come to. */
import { JOURNAL_VERSION, type NewEvent, type RunEvent } from "../domain/event.ts";
import { renderInstant } from "../domain/instant.ts";
import type { RunState } from "../domain/run-state.ts";
import { copyLedger } from "./money/ledger.ts";
import { applyEvent } from "./replay.ts";

/** A draft of a run, and the events that were carried into it. */
export interface Draft {
  /** The state as the events so far would leave it; the original while there are none. */
  readonly state: RunState;
  readonly events: readonly NewEvent[];
  follow(events: readonly NewEvent[]): void;
}

/** Copies no more than what events about people's edits change in place, and only when there are any. */
export function draftOf(original: RunState): Draft {
  let state = original;
  const events: NewEvent[] = [];
  return {
    get state() {
      return state;
    },
    events,
    follow(added) {
      if (added.length === 0) return;
      if (state === original) state = copyOf(original);
      for (const event of added) {
        applyEvent(state, stamped(state, event));
        events.push(event);
      }
    },
  };
}

function stamped(state: RunState, event: NewEvent): RunEvent {
  const { runId, seq, startedAt } = state;
  const timestamp = renderInstant(startedAt);
  return { v: JOURNAL_VERSION, seq: seq + 1, run_id: runId, timestamp, prev: "", ...event };
}

function copyOf(state: RunState): RunState {
  const tasks = [...state.tasks].map(([id, task]) => {
    const { children, guidance, questions } = task;
    const lists = { children: [...children], guidance: [...guidance], questions: [...questions] };
    return [id, { ...task, ...lists }] as const;
  });
  const questions = [...state.questions].map(([id, one]) => [id, { ...one }] as const);
  return {
    ...state,
    tasks: new Map(tasks),
    questions: new Map(questions),
    notes: new Map(state.notes),
    ledger: copyLedger(state.ledger),
  };
}
