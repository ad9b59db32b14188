/** A run's journal opened for writing by a command: with what was left beside it while another had the lock. */
import type { RunEvent } from "../domain/event.ts";
import { DEFAULT_LIMITS } from "../domain/limits.ts";
import { openStore, type Store } from "../orchestrator/store.ts";
import { isTold } from "../rules/work/merged.ts";
import type { Refusal } from "./exit.ts";
import { refuseDamaged, telemetryOf } from "./find-run.ts";
import { scrubbedJournal, scrubbedStore } from "./scrubbed.ts";
import type { Secrets } from "./secrets.ts";
import { machine } from "./wire.ts";

/** The store of a run that has begun. The caller holds the repository's lock. */
export function openRunStore(top: string, runId: string, secrets: Secrets): Store | Refusal {
  const opened = machine.openJournal(telemetryOf(top), runId);
  if ("line" in opened) return refuseDamaged(opened);
  const journal = scrubbedJournal(opened, secrets);
  const clock = machine.steadyClock(journal.read());
  const store = scrubbedStore(openStore(journal, clock, DEFAULT_LIMITS), secrets);
  takeUpBeside(store, top);
  return store;
}

/** Journals what was left beside it, each once. The caller holds the repository's lock. */
export function takeUpBeside(store: Store, top: string): void {
  for (const { path, event } of machine.readBeside(telemetryOf(top), store.state.runId)) {
    const told: readonly RunEvent[] = store.journal.read();
    if (!isTold(told, event)) store.record([event]);
    machine.removeBeside(path);
  }
}
