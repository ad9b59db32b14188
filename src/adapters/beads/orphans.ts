/** Commands of bd that a killed fractal left at work: they write after it is dead. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 50;
/** As long as a write may take (`bd.ts`): what is still there then will not come to an end. */
const WAIT_MAX_MS = 120_000;

/**
 * Waits until no command that an earlier fractal gave to this database is at work any more. Only who
 * holds the repository's lock may ask: else they are those of a controller that lives. A write that
 * came later than the first look would be taken for a person's. Linux alone tells which they are.
 */
export async function awaitOrphans(beadsDir: string, waitMaxMs = WAIT_MAX_MS): Promise<void> {
  for (let waitedMs = 0; waitedMs < waitMaxMs; waitedMs += POLL_MS) {
    if (!hasOrphans(beadsDir)) return;
    await sleep(POLL_MS);
  }
}

/** By their environment, which `bdEnvironment` made: a person's own bd has another. */
function hasOrphans(beadsDir: string): boolean {
  return namesIn("/proc").some((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    const has = textOf(`/proc/${pid}/environ`).split("\0");
    if (!has.includes(`BEADS_DIR=${beadsDir}`) || !has.includes("BD_JSON_ENVELOPE=1")) return false;
    // The feed writes nothing, and ends by itself.
    return !textOf(`/proc/${pid}/cmdline`).split("\0").includes("events");
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Empty for a process that has ended, or is another user's. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
