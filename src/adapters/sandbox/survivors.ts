/** Processes that outlived the fractal that started them in a run's workspaces. */
import { readdir, readFile, readlink } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 10;
const END_MAX_MS = 5_000;

export interface Survivor {
  pid: number;
  command: string;
}

/** Processes that were started below the folder, and sandboxes that show something of it. */
export async function survivorsIn(folder: string): Promise<Survivor[]> {
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

/**
 * Ends them, and waits until they are gone. bubblewrap dies with its parent, but for a moment at its
 * start: the half of it that is killed then leaves the other half waiting for ever. Without a
 * sandbox whatever left its process group lives on. Only Linux tells which they are.
 */
export async function endSurvivors(folder: string): Promise<void> {
  if (process.platform !== "linux") return;
  for (let waitedMs = 0; waitedMs < END_MAX_MS; waitedMs += POLL_MS) {
    const survivors = await survivorsIn(folder);
    if (survivors.length === 0) return;
    for (const { pid } of survivors) kill(pid);
    await sleep(POLL_MS);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
