/** The Journal port: one line an event, chained by hash, fsynced before it is believed. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { JOURNAL_VERSION, type NewEvent, type RunEvent, runEvent } from "../../domain/event.ts";
import { renderInstant } from "../../domain/instant.ts";
import type { Journal } from "../../domain/ports.ts";
import {
  hashOf,
  makeFolder,
  readBlob,
  removeDrafts,
  syncFolder,
  writeAll,
  writeBlob,
} from "./blobs.ts";
import { DiskTrouble } from "./disk-trouble.ts";
import { type JournalDamage, readLines } from "./lines.ts";

/** Where a run's journal lies. */
export function journalPath(telemetry: string, runId: string): string {
  return join(telemetry, runId, "events.jsonl");
}

/**
 * The events of a run, for reading only: a torn last write is left out, a bad line elsewhere, a
 * broken chain or a newer version is damage.
 */
export function readJournal(telemetry: string, runId: string): RunEvent[] | JournalDamage {
  const parsed = readLines(journalPath(telemetry, runId));
  return parsed.damage ?? parsed.events;
}

/** A blob of a run, for reading only. */
export function readRunBlob(telemetry: string, runId: string, hash: string): string | undefined {
  return readBlob(join(telemetry, runId, "blobs"), hash);
}

/** Removes what runs left half written that were killed before their first line. */
function removeUnbegun(telemetry: string): void {
  for (const runId of readdirSync(telemetry)) {
    const journal = journalPath(telemetry, runId);
    if (existsSync(journal) && statSync(journal).size === 0)
      removeDrafts(join(telemetry, runId, "blobs"));
  }
}

/**
 * Opens a run's journal for writing, making it when it is not there. A torn last write is cut off, and
 * what any run left half written that never came to its first line is removed.
 * The caller holds the repository's lock: there is one writer.
 */
export function openJournal(telemetry: string, runId: string): Journal | JournalDamage {
  const file = journalPath(telemetry, runId);
  const folder = join(telemetry, runId);
  const blobs = join(folder, "blobs");
  let handle: number;
  try {
    makeFolder(blobs);
    removeDrafts(blobs);
    removeUnbegun(telemetry);
    handle = openSync(file, "a");
    syncFolder(folder);
  } catch (error) {
    throw DiskTrouble.of(file, error);
  }
  const parsed = readLines(file);
  if (parsed.damage !== undefined) {
    closeSync(handle);
    return parsed.damage;
  }
  ftruncateSync(handle, parsed.goodBytes);
  const { events } = parsed;
  let { lastHash, goodBytes } = parsed;
  let trouble: DiskTrouble | undefined;

  const append = (added: NewEvent[], at: number): RunEvent[] => {
    // What the disk did with the last write is not known for sure: nothing may follow it.
    if (trouble !== undefined) throw trouble;
    if (added.length === 0) return [];
    const stamped: RunEvent[] = [];
    let text = "";
    let prev = lastHash;
    for (const event of added) {
      const { task_id, actor, ...fact } = event;
      const envelope = {
        v: JOURNAL_VERSION,
        seq: events.length + stamped.length,
        run_id: runId,
        task_id,
        timestamp: renderInstant(at),
        actor,
        prev,
        ...leftAfter(stamped.length, added.length),
      };
      const line = JSON.stringify({ ...envelope, ...fact });
      // What could not be read back must never stand in the file.
      runEvent.parse({ ...envelope, ...fact });
      prev = hashOf(line);
      stamped.push({ ...envelope, ...fact } as RunEvent);
      text += `${line}\n`;
    }
    const bytes = Buffer.from(text);
    try {
      writeAll(handle, bytes);
      fsyncSync(handle);
    } catch (error) {
      cutBack(handle, goodBytes);
      trouble = DiskTrouble.of(file, error);
      throw trouble;
    }
    lastHash = prev;
    goodBytes += bytes.length;
    events.push(...stamped);
    return stamped;
  };
  return {
    runId,
    read: () => events,
    append,
    putBlob: (text) => writeBlob(blobs, text),
    getBlob: (hash) => readBlob(blobs, hash),
  };
}

/** What a line says of the lines after it in its write; nothing where it is the last. */
function leftAfter(index: number, count: number): { left?: number } {
  return index + 1 < count ? { left: count - index - 1 } : {};
}

/** Best effort: the next start cuts a torn line as well. */
function cutBack(handle: number, bytes: number): void {
  try {
    ftruncateSync(handle, bytes);
  } catch {
    // The first trouble is the one to report.
  }
}
