/** The Journal port: one line an event, chained by hash, fsynced before it is believed. */
import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { JOURNAL_VERSION, type NewEvent, type RunEvent, runEvent } from "../../domain/event.ts";
import { renderInstant } from "../../domain/instant.ts";
import type { Journal } from "../../domain/ports.ts";
import { hashOf, makeFolder, readBlob, syncFolder, writeAll, writeBlob } from "./blobs.ts";
import { DiskTrouble } from "./disk-trouble.ts";

/** What is wrong with a journal file, and on which line (from 1). */
export interface JournalDamage {
  file: string;
  line: number;
  message: string;
}

interface Parsed {
  events: RunEvent[];
  /** Bytes of the good lines; what follows is a torn last line. */
  goodBytes: number;
  lastHash: string;
}

/** Where a run's journal lies. */
export function journalPath(telemetry: string, runId: string): string {
  return join(telemetry, runId, "events.jsonl");
}

/**
 * The events of a run, for reading only: a torn last line is left out, a bad line elsewhere, a
 * broken chain or a newer version is damage.
 */
export function readJournal(telemetry: string, runId: string): RunEvent[] | JournalDamage {
  const parsed = parseJournal(journalPath(telemetry, runId));
  return "events" in parsed ? parsed.events : parsed;
}

/** A blob of a run, for reading only. */
export function readRunBlob(telemetry: string, runId: string, hash: string): string | undefined {
  return readBlob(join(telemetry, runId, "blobs"), hash);
}

/**
 * Opens a run's journal for writing, making it when it is not there. A torn last line is cut off.
 * The caller holds the repository's lock: there is one writer.
 */
export function openJournal(telemetry: string, runId: string): Journal | JournalDamage {
  const file = journalPath(telemetry, runId);
  const folder = join(telemetry, runId);
  const blobs = join(folder, "blobs");
  let handle: number;
  try {
    makeFolder(blobs);
    handle = openSync(file, "a");
    syncFolder(folder);
  } catch (error) {
    throw DiskTrouble.of(file, error);
  }
  const parsed = parseJournal(file);
  if (!("events" in parsed)) {
    closeSync(handle);
    return parsed;
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

/** Best effort: the next start cuts a torn line as well. */
function cutBack(handle: number, bytes: number): void {
  try {
    ftruncateSync(handle, bytes);
  } catch {
    // The first trouble is the one to report.
  }
}

function parseJournal(file: string): Parsed | JournalDamage {
  if (!existsSync(file)) return { events: [], goodBytes: 0, lastHash: "" };
  const bytes = readFileSync(file);
  const events: RunEvent[] = [];
  let lastHash = "";
  let at = 0;
  for (let line = 1; at < bytes.length; line++) {
    const end = bytes.indexOf(10, at);
    // No line end: the write was cut off and never acknowledged.
    if (end < 0) break;
    const event = parseLine(bytes.toString("utf8", at, end));
    if (typeof event === "string") return { file, line, message: event };
    if (event.seq !== events.length) {
      return { file, line, message: `sequence ${event.seq} where ${events.length} is due` };
    }
    if (event.prev !== lastHash) {
      return { file, line, message: "its `prev` is not the hash of the line before" };
    }
    // Of the bytes, not of the text: damage that is no UTF-8 decodes to something else.
    lastHash = hashOf(bytes.subarray(at, end));
    events.push(event);
    at = end + 1;
  }
  return { events, goodBytes: at, lastHash };
}

/** One event, or why the line is none. */
function parseLine(text: string): RunEvent | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "it is not JSON";
  }
  const version = (value as { v?: unknown } | null)?.v;
  if (typeof version === "number" && version > JOURNAL_VERSION) {
    return `it was written by a newer fractal (journal version ${version}, this one reads ${JOURNAL_VERSION})`;
  }
  const parsed = runEvent.safeParse(value);
  if (parsed.success) return parsed.data as RunEvent;
  const issue = parsed.error.issues[0];
  return `it is not an event of version ${JOURNAL_VERSION}: ${issue?.path.join(".")} ${issue?.message}`;
}
