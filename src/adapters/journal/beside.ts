/**
 * What was done to a run while another process held the lock: left beside its journal, until whoever
 * holds the lock writes it down. One file each, whole or not there.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { runMerged } from "../../domain/event/run.ts";
import type { FactOf, NewEvent } from "../../domain/event.ts";
import { putFile } from "./blobs.ts";

/** The one kind of event that may be left there: nothing follows from it but that it is known. */
export type BesideEvent = NewEvent & FactOf<"run.merged">;

const besideEvent = z.intersection(z.object({ task_id: z.null(), actor: z.string() }), runMerged);

const folderOf = (telemetry: string, runId: string) => join(telemetry, runId, "beside");

/** Leaves an event; on disk before it returns. Throws a DiskTrouble when the disk does. */
export function leaveBeside(telemetry: string, runId: string, event: BesideEvent): void {
  const name = `${event.at.replace(/\D/g, "")}-${process.pid}.json`;
  putFile(join(folderOf(telemetry, runId), name), JSON.stringify(event));
}

/** What was left there, oldest first, each with its file; what is no such event is passed over. */
export function readBeside(
  telemetry: string,
  runId: string,
): { path: string; event: BesideEvent }[] {
  const folder = folderOf(telemetry, runId);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return names.sort().flatMap((name) => {
    const path = join(folder, name);
    const event = parsed(readFileSync(path, "utf8"));
    return event === undefined ? [] : [{ path, event }];
  });
}

/** Forgets one that is in the journal now. */
export function removeBeside(path: string): void {
  rmSync(path, { force: true });
}

function parsed(text: string): BesideEvent | undefined {
  try {
    return besideEvent.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
