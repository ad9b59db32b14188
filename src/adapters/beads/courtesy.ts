/** Lets a person's bd go first: ours follow one another so closely that it would hardly find a gap. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 25;
/**
 * The longest we stand back for. bd 1.3.0 tries to get the database for 100 ms and then rests for
 * half a second, so one that waits gets in well before; one that works for longer is waited for by
 * bd itself.
 */
const STAND_BACK_MAX_MS = 3_000;

/**
 * Waits while a bd that is not one of `own` is at work on the database or waits for it. Each bd
 * holds a shared lock on a file beside the database all its life (bd 1.3.0), and Linux lists locks
 * with their holders; where it cannot be known, nobody is waited for.
 */
export async function standBack(beadsDir: string, own: ReadonlySet<number>): Promise<void> {
  let inode: number | undefined;
  try {
    inode = statSync(join(beadsDir, "embeddeddolt.gate.lock")).ino;
  } catch {
    return;
  }
  for (let waitedMs = 0; waitedMs < STAND_BACK_MAX_MS; waitedMs += POLL_MS) {
    if (holdersOf(inode, locks()).every((pid) => own.has(pid))) return;
    await sleep(POLL_MS);
  }
}

function locks(): string {
  try {
    return readFileSync("/proc/locks", "utf8");
  } catch {
    return "";
  }
}

/** Process ids in lines such as `5: FLOCK  ADVISORY  READ 32528 fe:00:10135933 0 EOF`. */
export function holdersOf(inode: number, text: string): number[] {
  const line = new RegExp(`^\\d+: +FLOCK +ADVISORY +READ +(\\d+) +\\S+:${inode} `, "gm");
  return [...text.matchAll(line)].map(([, pid]) => Number(pid));
}
