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
 * The journal port over a disk. Of a write that a crash cuts off some of its lines are left.
 * `seen` hears of each line that is on disk to stay.
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
  // As adapters/journal/lines.ts does: a last write that is not whole is cut off.
  const isTorn = events.at(-1)?.left !== undefined;
  const whole = isTorn
    ? events.findLastIndex((event) => event.left === undefined) + 1
    : events.length;
  events.length = whole;
  lines.length = whole;
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
          ...(index + 1 < added.length ? { left: added.length - index - 1 } : {}),
        };
        return JSON.stringify({ ...envelope, ...event });
      });
      // As they are read back: what JSON does not hold is lost.
      const stamped = written.map((line) => JSON.parse(line) as RunEvent);
      if (faults.crashes()) {
        lines.push(...written.slice(0, faults.chance(written.length)));
        crash();
      }
      lines.push(...written);
      events.push(...stamped);
      for (const event of stamped) seen(event);
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
