/**
 * A process that fills the disk below a folder with a journal, and prints what it found: run on a
 * small file system, or with a limit on the size of files.
 */
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DiskTrouble } from "../../../src/adapters/journal/disk-trouble.ts";
import { openJournal, readJournal } from "../../../src/adapters/journal/jsonl.ts";
import type { NewEvent } from "../../../src/domain/event.ts";

// What a limit on files sends; the failed write is told without it as well.
process.on("SIGXFSZ", () => undefined);

const folder = process.argv[2] ?? "";
const note = (reason: string): NewEvent => ({
  task_id: null,
  actor: "fractal",
  event_type: "pass.decided",
  decision: "continue",
  reason,
});

// Room to be made later.
const ballast = join(folder, "ballast");
writeFileSync(ballast, "b".repeat(16_000));
const journal = openJournal(folder, "r");
if ("line" in journal) throw new Error(journal.message);

let trouble: unknown;
let appended = 0;
while (trouble === undefined) {
  try {
    journal.append([note(`${appended}`.padEnd(900, "."))], 0);
    appended += 1;
  } catch (error) {
    trouble = error;
  }
}
let blobTrouble: unknown;
try {
  journal.putBlob("c".repeat(200_000));
} catch (error) {
  blobTrouble = error;
}
const read = readJournal(folder, "r");
const blobs = readdirSync(join(folder, "r", "blobs"), { recursive: true }).map(String);
rmSync(ballast);
const again = openJournal(folder, "r");
let resumed = false;
try {
  if (!("line" in again)) resumed = again.append([note("again")], 0).length === 1;
} catch {
  // Under a limit on the size of files there is never more room.
}
process.stdout.write(
  JSON.stringify({
    appended,
    isDiskTrouble: trouble instanceof DiskTrouble,
    message: (trouble as Error).message,
    isBlobTrouble: blobTrouble instanceof DiskTrouble,
    read: "line" in read ? read : read.length,
    left: blobs.filter((name) => name.includes(".tmp")),
    resumed,
  }),
);
