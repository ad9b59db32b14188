/** What a run left on this machine: workspaces in the cache, and processes that work in them. */
import { readdir, readFile, readlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { workspacesOf } from "./quarters.ts";

/** The home of commands without a sandbox: it belongs to the run, not to one attempt. */
const KEPT = new Set(["home"]);

export interface Leftovers {
  /** Absolute paths. */
  workspaces: string[];
  /** Undefined where this system does not tell which processes run. */
  processes: { pid: number; command: string }[] | undefined;
}

/** Looks for them; changes nothing. While the run is at work all of it is in use. */
export async function findLeftovers(runId: string, cache?: string): Promise<Leftovers> {
  const folder = workspacesOf(runId, cache);
  const names = await readdir(folder).catch(() => []);
  return {
    workspaces: names.filter((name) => !KEPT.has(name)).map((name) => join(folder, name)),
    processes: process.platform === "linux" ? await processesIn(folder) : undefined,
  };
}

/** Processes that were started in the folder, and sandboxes that show something of it. */
async function processesIn(folder: string): Promise<{ pid: number; command: string }[]> {
  const isInside = (path: string) => path === folder || path.startsWith(`${folder}/`);
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      // A process that ended meanwhile, or is another user's, shows nothing.
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
      const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      const argv = line.split("\0");
      // What runs in a sandbox is seen from outside by the sandbox around it alone.
      const isSandbox = basename(argv[0] ?? "") === "bwrap" && argv.some(isInside);
      if (!isSandbox && !isInside(cwd)) return [];
      return [{ pid: Number(pid), command: argv.filter((word) => word !== "").join(" ") }];
    }),
  );
  return found.flat();
}
