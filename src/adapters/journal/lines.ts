/** Reads a journal's lines back: each one whole, in its place, chained to the one before. */
import { existsSync, readFileSync } from "node:fs";
import { JOURNAL_VERSION, type RunEvent, runEvent } from "../../domain/event.ts";
import { hashOf } from "./blobs.ts";
import { newerVersion, upgraded } from "./upgrade.ts";

/** What is wrong with a journal file, and on which line (from 1). */
export interface JournalDamage {
  file: string;
  line: number;
  message: string;
  /** The version of a line that is not damaged but newer than this program. */
  newer?: number;
}

/** The good lines of a journal file, up to the first damage. */
export interface JournalLines {
  events: RunEvent[];
  /** Where the lines stop being good. */
  damage?: JournalDamage;
  /**
   * Bytes of the good lines; without damage, what follows is a torn last write: part of a line, or
   * of its lines.
   */
  goodBytes: number;
  /** Bytes of the file. */
  bytes: number;
  /** Of the last good line; empty where there is none. */
  lastHash: string;
}

/** The lines of a file; none where there is no file. Older lines are lifted after their hash is verified. */
export function readLines(file: string): JournalLines {
  if (!existsSync(file)) return { events: [], goodBytes: 0, bytes: 0, lastHash: "" };
  const bytes = readFileSync(file);
  const events: RunEvent[] = [];
  let lastHash = "";
  let at = 0;
  let whole = { count: 0, goodBytes: 0, lastHash: "" };
  const upTo = (damage?: JournalDamage): JournalLines => ({
    events,
    ...(damage === undefined ? {} : { damage }),
    goodBytes: at,
    bytes: bytes.length,
    lastHash,
  });
  for (let line = 1; at < bytes.length; line++) {
    const end = bytes.indexOf(10, at);
    // No line end: the write was cut off and never acknowledged.
    if (end < 0) break;
    const event = parseLine(bytes.toString("utf8", at, end));
    if ("message" in event) return upTo({ file, line, ...event });
    if (event.seq !== events.length) {
      const message = `sequence ${event.seq} where ${events.length} is due`;
      return upTo({ file, line, message });
    }
    if (event.prev !== lastHash) {
      return upTo({ file, line, message: "its `prev` is not the hash of the line before" });
    }
    // Of the bytes, not of the text: damage that is no UTF-8 decodes to something else.
    lastHash = hashOf(bytes.subarray(at, end));
    events.push(event);
    at = end + 1;
    if (event.left === undefined) whole = { count: events.length, goodBytes: at, lastHash };
  }
  // Cut off between two lines of one write, which was never acknowledged either.
  const { count, ...good } = whole;
  events.length = count;
  return { ...upTo(), ...good };
}

/** One event, or why the line is none. */
function parseLine(text: string): RunEvent | { message: string; newer?: number } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { message: "it is not JSON" };
  }
  const newer = newerVersion(value);
  if (newer !== undefined) {
    const message = `it was written by a newer fractal (journal version ${newer}, this one reads up to ${JOURNAL_VERSION})`;
    return { message, newer };
  }
  const parsed = runEvent.safeParse(upgraded(value));
  if (parsed.success) return parsed.data as RunEvent;
  const issue = parsed.error.issues[0];
  return {
    message: `it is not an event of version ${JOURNAL_VERSION}: ${issue?.path.join(".")} ${issue?.message}`,
  };
}
