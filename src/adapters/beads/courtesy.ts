/** Notices a person's bd, and lets it go first: ours follow one another so closely that it would hardly find a gap. */
import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 40;
/** Shorter is no bd's life: who looks so often has seen each of them. */
const LIFE_MS_MIN = 100;
/**
 * The longest we stand back for one command. bd 1.3.0 tries to get the database for 100 ms and then
 * rests for half a second, so one that waits gets in well before, unless the machine is busy. One
 * that is still there then (`bd events tail --follow`) is not waited for again for a while, each time
 * for twice as long.
 */
const STAND_BACK_MAX_MS = 3_000;
const PAST_MS_MIN = 10_000;
/** How far up a process is looked for among our children: the feed's bd has a shell above it. */
const PARENTS_MAX = 3;

/**
 * Returns what waits while a bd that this process did not start is at work on the database or waits
 * for it. Each bd holds a shared lock on a file beside the database all its life (bd 1.3.0), and
 * Linux lists locks with their holders; where it cannot be known, nobody is waited for.
 */
export function openCourtesy(beadsDir: string): () => Promise<void> {
  const lingering = new Map<number, { pastMs: number; untilMs: number }>();
  return async () => {
    const isPast = (pid: number) => (lingering.get(pid)?.untilMs ?? 0) > performance.now();
    const others = async () => ((await othersAt(beadsDir)) ?? []).filter((pid) => !isPast(pid));
    for (let waitedMs = 0; waitedMs < STAND_BACK_MAX_MS; waitedMs += POLL_MS) {
      if ((await others()).length === 0) return;
      await sleep(POLL_MS);
    }
    for (const pid of await others()) {
      const pastMs = 2 * (lingering.get(pid)?.pastMs ?? PAST_MS_MIN / 2);
      lingering.set(pid, { pastMs, untilMs: performance.now() + pastMs });
    }
  };
}

/** Somebody who looks who is there, from the start until `end`. */
export interface Watch {
  /** Looks for the last time: whether a bd of another may have been there; true where it cannot be known. */
  end(): Promise<boolean>;
}

/**
 * Starts a watch over a database, and has looked once. It goes on beside the work: the kernel lets
 * everybody wait who has a lock while it lists them.
 */
export async function watchOthers(beadsDir: string): Promise<Watch> {
  let hasSeen = false;
  let lookedAt = performance.now();
  const look = async () => {
    const startedAt = performance.now();
    const others = await othersAt(beadsDir);
    // From the beginning of the look before: it may have seen no later than that.
    const isLate = performance.now() - lookedAt >= LIFE_MS_MIN;
    hasSeen ||= isLate || others?.length !== 0;
    lookedAt = startedAt;
  };
  await look();
  const over = new AbortController();
  const watching = (async () => {
    while (!hasSeen && !over.signal.aborted) {
      await sleep(POLL_MS, undefined, { signal: over.signal }).catch(() => undefined);
      await look();
    }
  })();
  return {
    async end() {
      over.abort();
      await watching;
      return hasSeen;
    },
  };
}

/** The processes of others with a bd there; undefined where it cannot be known. */
async function othersAt(beadsDir: string): Promise<number[] | undefined> {
  const inode = inodeOf(join(beadsDir, "embeddeddolt.gate.lock"));
  const locks = await textOf("/proc/locks");
  if (inode === undefined || locks === undefined) return undefined;
  const others: number[] = [];
  for (const pid of holdersOf(inode, locks)) if (!(await isOurs(pid))) others.push(pid);
  return others;
}

/** Process ids in lines such as `5: FLOCK  ADVISORY  READ 32528 fe:00:10135933 0 EOF`. */
export function holdersOf(inode: number, locks: string): number[] {
  const line = new RegExp(`^\\d+: +FLOCK +ADVISORY +READ +(\\d+) +\\S+:${inode} `, "gm");
  return [...locks.matchAll(line)].map(([, pid]) => Number(pid));
}

async function isOurs(pid: number): Promise<boolean> {
  let above = pid;
  for (let level = 0; level < PARENTS_MAX; level++) {
    const status = await textOf(`/proc/${above}/status`);
    const parent = /^PPid:\s+(\d+)$/m.exec(status ?? "")?.[1];
    if (parent === undefined) return false;
    above = Number(parent);
    if (above === process.pid) return true;
  }
  return false;
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/** Undefined where it is not there. */
function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}
