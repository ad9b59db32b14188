/** What a run left on this machine: workspaces in the cache, and processes that work in them. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { TOSSED, workspacesOf } from "./quarters.ts";
import { removeTree } from "./remove.ts";
import { type Survivor, survivorsIn } from "./survivors.ts";

export interface Leftovers {
  /** Absolute paths. */
  workspaces: string[];
  /** Undefined where this system does not tell which processes run. */
  processes: Survivor[] | undefined;
}

/** Looks for them; changes nothing. While the run is at work all of it is in use. */
export async function findLeftovers(runId: string, cache?: string): Promise<Leftovers> {
  const folder = workspacesOf(runId, cache);
  const names = await readdir(folder).catch(() => []);
  return {
    workspaces: names.filter((name) => !name.startsWith(TOSSED)).map((name) => join(folder, name)),
    processes: process.platform === "linux" ? await survivorsIn(folder) : undefined,
  };
}

/** Removes the workspaces that a run left. */
export function removeWorkspaces(runId: string, cache?: string): Promise<void> {
  return removeTree(workspacesOf(runId, cache));
}
