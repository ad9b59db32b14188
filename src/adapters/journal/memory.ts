/** A Journal in memory: for planning without a run, and for tests of the core. */
import { JOURNAL_VERSION, type RunEvent } from "../../domain/event.ts";
import { renderInstant } from "../../domain/instant.ts";
import type { Journal } from "../../domain/ports.ts";
import { hashOf } from "./blobs.ts";

export function memoryJournal(runId: string): Journal {
  const events: RunEvent[] = [];
  const blobs = new Map<string, string>();
  return {
    runId,
    read: () => events,
    append(added, at) {
      const stamped = added.map(
        (event, index) =>
          ({
            v: JOURNAL_VERSION,
            seq: events.length + index,
            run_id: runId,
            timestamp: renderInstant(at),
            prev: "",
            ...event,
          }) as RunEvent,
      );
      events.push(...stamped);
      return stamped;
    },
    putBlob(text) {
      const hash = hashOf(text);
      blobs.set(hash, text);
      return hash;
    },
    getBlob: (hash) => blobs.get(hash),
  };
}
