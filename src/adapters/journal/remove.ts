/** How big a run's journal is with its blobs, and taking it away. */
import { lstatSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { syncFolder } from "./blobs.ts";

/** Bytes of all files below a folder, or of the one file it is; 0 where it is not there. */
export function folderBytes(folder: string): number {
  const itself = lstatSync(folder, { throwIfNoEntry: false });
  let total = itself?.isFile() ? itself.size : 0;
  for (const entry of readdirIn(folder)) {
    if (entry.isFile()) total += statSync(join(entry.parentPath, entry.name)).size;
  }
  return total;
}

function readdirIn(folder: string) {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch {
    return [];
  }
}

/** Removes journal and blobs of a run; the lines last, so that what is left half done is seen. */
export function removeJournal(telemetry: string, runId: string): void {
  const folder = join(telemetry, runId);
  for (const entry of readdirSync(folder)) {
    if (entry !== "events.jsonl") rmSync(join(folder, entry), { recursive: true, force: true });
  }
  rmSync(folder, { recursive: true, force: true });
  syncFolder(telemetry);
}
