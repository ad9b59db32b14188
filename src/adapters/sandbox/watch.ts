/** Watches what a command takes of this machine while it runs, where the kernel sets no limit for us. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { lstat, readdir, statfs } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { bytesText, type Ceilings } from "./limits.ts";

const MIB = 1024 * 1024;
const POLL_MS = 100;
/** The share of time that may go into looking. */
const EFFORT = 1 / 20;
/** Less of the disk taken by anyone since the last look into the workspace: no need for another. */
const DISK_STEP_BYTES = 64 * MIB;
const DISK_STEP_FILES = 5_000;
/** Looked into again after this time in any case: not every disk tells at once what is taken. */
const DISK_LOOK_MS = 2_000;
/** What a command must have taken to be the one that is ended when the disk is nearly full. */
const DISK_SHARE_BYTES = 256 * MIB;
const BLOCK_BYTES = 512;
const SLASH = Buffer.from("/");

/** What was seen of the processes below one. */
interface Tree {
  pids: number[];
  memoryBytes: number;
}

/**
 * Looks at the process `pid`, all below it and the folder it writes, and calls `stop` once, with the
 * reason in words, when they take more than the ceilings. What it returns ends the watch.
 */
export function watchProcess(
  o: { pid: number; folder: string; ceilings: Ceilings },
  stop: (why: string) => void,
): () => void {
  const ended = new AbortController();
  const { ceilings } = o;
  const look = async () => {
    const judgeDisk = await diskJudge(o.folder, ceilings);
    for (let restMs = POLL_MS; ; ) {
      await sleep(restMs, undefined, { signal: ended.signal, ref: false });
      const startedAt = performance.now();
      const tree = treeBelow(o.pid);
      const why =
        tree.memoryBytes > ceilings.memoryBytesMax
          ? `all its processes together may use ${bytesText(ceilings.memoryBytesMax)} of memory, and they used more`
          : await judgeDisk(tree.pids);
      if (why !== undefined) return stop(why);
      restMs = Math.max(POLL_MS, (performance.now() - startedAt) / EFFORT);
    }
  };
  look().catch((error: Error) => {
    // A machine that cannot be looked at any more is not one to go on working on.
    if (!ended.signal.aborted)
      stop(`what it takes of the machine cannot be seen: ${error.message}`);
  });
  return () => ended.abort();
}

/** The process and all below it; what ends meanwhile counts nothing. Linux only, elsewhere empty. */
export function treeBelow(pid: number): Tree {
  const tree: Tree = { pids: [], memoryBytes: 0 };
  const queue = [pid];
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    try {
      const status = readFileSync(`/proc/${at}/status`, "latin1");
      for (const thread of readdirSync(`/proc/${at}/task`)) {
        const children = readFileSync(`/proc/${at}/task/${thread}/children`, "latin1");
        queue.push(...children.split(" ").filter(Boolean).map(Number));
      }
      tree.pids.push(at);
      for (const [, kib] of status.matchAll(/^Rss(?:Anon|Shmem):\s*(\d+) kB$/gm)) {
        tree.memoryBytes += Number(kib) * 1024;
      }
    } catch {
      // It has ended.
    }
  }
  return tree;
}

/** Judges the folder now and then: at once when the disk fills, else seldom. */
async function diskJudge(folder: string, ceilings: Ceilings) {
  const atStart = await freeOf(folder);
  let last = { ...atStart, atMs: performance.now(), tookMs: 0 };
  return async (pids: number[]): Promise<string | undefined> => {
    const free = await freeOf(folder);
    const nowMs = performance.now();
    const isDue =
      last.bytes - free.bytes >= Math.min(DISK_STEP_BYTES, ceilings.diskBytesMax / 4) ||
      last.files - free.files >= Math.min(DISK_STEP_FILES, ceilings.filesMax / 4) ||
      nowMs - last.atMs >= Math.max(DISK_LOOK_MS, last.tookMs / EFFORT);
    if (!isDue) return undefined;
    const taken = await takenBelow(folder, ceilings.filesMax);
    const bytes = taken.bytes + unlinkedBytes(pids, folder);
    last = { ...free, atMs: nowMs, tookMs: performance.now() - nowMs };
    if (taken.files > ceilings.filesMax) {
      return `the workspace may hold ${ceilings.filesMax} files and folders, and it made more`;
    }
    if (bytes > ceilings.diskBytesMax) {
      return `the workspace may hold ${bytesText(ceilings.diskBytesMax)}, and it wrote more`;
    }
    if (taken.hidden !== undefined) return taken.hidden;
    const isNearlyFull = free.bytes < ceilings.diskFreeBytesMin;
    if (isNearlyFull && atStart.bytes - free.bytes > DISK_SHARE_BYTES) {
      return `the disk is nearly full (${bytesText(free.bytes)} left), and it was filling it`;
    }
    return undefined;
  };
}

async function freeOf(folder: string): Promise<{ bytes: number; files: number }> {
  const { bavail, bsize, ffree } = await statfs(folder);
  return { bytes: bavail * bsize, files: ffree };
}

/** What a folder holds. Untrusted processes write it meanwhile: nothing is opened but folders. */
async function takenBelow(folder: string, filesMax: number) {
  const taken = { bytes: 0, files: 0, hidden: undefined as string | undefined };
  // As bytes: a name need not be text.
  const folders = [Buffer.from(folder)];
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    const parent = at;
    try {
      const entries = await readdir(parent, { withFileTypes: true, encoding: "buffer" });
      taken.files += entries.length;
      if (taken.files > filesMax) break;
      const sizes = entries.map(async (entry) => {
        const path = Buffer.concat([parent, SLASH, entry.name]);
        if (entry.isDirectory()) folders.push(path);
        return (await lstat(path).catch(() => undefined))?.blocks ?? 0;
      });
      for (const size of sizes) taken.bytes += (await size) * BLOCK_BYTES;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENAMETOOLONG") {
        taken.hidden = "its folders are nested deeper than can be looked into";
      }
    }
  }
  return taken;
}

/** Files on the folder's disk that processes hold open though they are in no folder any more. */
function unlinkedBytes(pids: number[], folder: string): number {
  const { dev } = statSync(folder);
  const blocks = new Map<number, number>();
  for (const pid of pids) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        const stats = statSync(`/proc/${pid}/fd/${fd}`, { throwIfNoEntry: false });
        if (stats?.isFile() && stats.nlink === 0 && stats.dev === dev) {
          blocks.set(stats.ino, stats.blocks);
        }
      }
    } catch {
      // It has ended.
    }
  }
  return [...blocks.values()].reduce((sum, one) => sum + one * BLOCK_BYTES, 0);
}
