/** A run's journal and blobs as they lie on disk, for looking only: what is bad is told, not refused. */
import { join, relative } from "node:path";
import type { RunEvent } from "../../domain/event.ts";
import { stateOfBlob } from "./blobs.ts";
import { journalPath } from "./jsonl.ts";
import { type JournalDamage, readLines } from "./lines.ts";

export interface JournalInspection {
  /** `telemetry/<run>/events.jsonl`. */
  file: string;
  /** The good lines, up to the damage if there is any. */
  events: RunEvent[];
  damage?: JournalDamage;
  /** Bytes of a last line that was never finished. */
  tornBytes: number;
}

/** Reads all of a run's journal; `file` is relative to `top`, the folder that holds `telemetry`. */
export function inspectJournal(top: string, telemetry: string, runId: string): JournalInspection {
  const path = journalPath(telemetry, runId);
  const { events, damage, goodBytes, bytes } = readLines(path);
  return {
    file: relative(top, path),
    events,
    ...(damage === undefined ? {} : { damage }),
    tornBytes: damage === undefined ? bytes - goodBytes : 0,
  };
}

/** The blobs of these hashes that cannot be read back, and why. */
export function inspectBlobs(
  telemetry: string,
  runId: string,
  hashes: Iterable<string>,
): Map<string, "missing" | "damaged"> {
  const folder = join(telemetry, runId, "blobs");
  const bad = new Map<string, "missing" | "damaged">();
  for (const hash of new Set(hashes)) {
    const state = stateOfBlob(folder, hash);
    if (state !== "whole") bad.set(hash, state);
  }
  return bad;
}
