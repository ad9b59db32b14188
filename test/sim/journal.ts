/** A journal on a disk that survives its process, and that a crash may cut off in the middle of a write. */
import { hashOf } from "../../src/adapters/journal/blobs.ts";
import { JOURNAL_VERSION, type RunEvent } from "../../src/domain/event.ts";
import { renderInstant } from "../../src/domain/instant.ts";
import type { Journal } from "../../src/domain/ports.ts";
import { Crash, type Faults } from "./faults.ts";

/** What is left of a run when its process is gone. */
export interface Disk {
  readonly lines: string[];
  readonly blobs: Map<string, string>;
}

export function emptyDisk(): Disk {
  return { lines: [], blobs: new Map() };
}

/** The process that writes: it may die at any write, and then nothing more is written by it. */
export interface Writer {
  readonly isAlive: boolean;
  die(): void;
}

/**
 * The journal port over a disk. Of a batch that a crash cuts off a beginning of whole lines is
 * left: a torn line is healed at the next start. `seen` hears of each line that is on disk.
 */
export function simulatedJournal(
  runId: string,
  disk: Disk,
  writer: Writer,
  faults: Faults,
  seen: (event: RunEvent) => void,
): Journal {
  const { lines, blobs } = disk;
  const events = lines.map((line) => JSON.parse(line) as RunEvent);
  const crash = (): never => {
    writer.die();
    throw new Crash("killed");
  };
  const alive = () => {
    if (!writer.isAlive) throw new Crash("killed before");
  };
  return {
    runId,
    read: () => events,
    append(added, at) {
      alive();
      const written = added.map((event, index): string => {
        const envelope = {
          v: JOURNAL_VERSION,
          seq: events.length + index,
          run_id: runId,
          timestamp: renderInstant(at),
          prev: "",
        };
        return JSON.stringify({ ...envelope, ...event });
      });
      // As they are read back: what JSON does not hold is lost.
      const stamped = written.map((line) => JSON.parse(line) as RunEvent);
      const write = (count: number) => {
        for (const [index, line] of written.slice(0, count).entries()) {
          lines.push(line);
          seen(stamped[index] as RunEvent);
        }
        events.push(...stamped.slice(0, count));
      };
      if (faults.crashes()) {
        write(faults.chance(stamped.length));
        crash();
      }
      write(stamped.length);
      if (faults.crashes()) crash();
      return stamped;
    },
    putBlob(text) {
      alive();
      const hash = hashOf(text);
      if (blobs.has(hash)) return hash;
      if (faults.crashes()) crash();
      blobs.set(hash, text);
      if (faults.crashes()) crash();
      return hash;
    },
    getBlob: (hash) => blobs.get(hash),
  };
}
