/** Git's locks in the way of a run: its own are waited for, and removed where the git that made them was killed. */
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { GitLocked } from "./git-error.ts";
import { livingGits } from "./living-git.ts";
import type { Moved } from "./moving.ts";

/** Whose locks may be removed, and for how long what somebody has is waited for. */
export interface LockCare {
  /** The git directory that all work trees share. */
  commonDir: string;
  /** The runs whose refs are ours: the caller holds the repository's lock. */
  runIds: readonly string[];
  /** How long a lock of ours that somebody may have is waited for; a minute where it is left out. */
  heldMaxMs?: number;
}

const HELD_MAX_MS = 60_000;
/** Git has the lock of a ref for milliseconds: one that is older was left, or belongs to who is seen. */
const STILL_MS = 2_000;
/** How long a lock that is not ours is waited for before it is told. */
const THEIRS_MAX_MS = 3_000;
const POLL_MS = 200;
/** One update may meet a few locks, each of them once. */
const ROUNDS_MAX = 6;

/**
 * Removes the locks on refs of these runs that a killed git left. A git that outlived its fractal may
 * still be about to rename its lock: while one is alive that works in this repository nothing is
 * removed, and it is waited for. Throws GitLocked when it does not come to an end, and where this
 * system does not tell which processes there are.
 */
export async function freeLocks(o: LockCare): Promise<void> {
  const { heldMaxMs = HELD_MAX_MS } = o;
  const seen = new Map<string, { stamp: string; sinceMs: number }>();
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const locks = locksOn(o);
    if (locks.length === 0) return;
    for (const { path, stamp } of locks) {
      if (seen.get(path)?.stamp !== stamp) seen.set(path, { stamp, sinceMs: waitedMs });
    }
    const paths = locks.map(({ path }) => path);
    const gits = await livingGits(o.commonDir, paths);
    if (gits?.length === 0) {
      for (const { path, stamp, ageMs } of locks) {
        const stillMs = Math.max(ageMs, waitedMs - (seen.get(path)?.sinceMs ?? waitedMs));
        if (stillMs >= STILL_MS && stampOf(path)?.stamp === stamp) rmSync(path, { force: true });
      }
    }
    const isOld = gits === undefined && locks.every(({ ageMs }) => ageMs >= heldMaxMs);
    if (isOld || waitedMs >= heldMaxMs) {
      const left = paths.filter((path) => existsSync(path));
      if (left.length > 0) throw new GitLocked(left, gits);
    }
    await sleep(POLL_MS);
  }
}

/**
 * Moves refs by `update`, which answers also when git refuses. Where a lock is in the way that is
 * ours, it is freed and the move tried again; another's is waited for and then told: GitLocked.
 */
export async function movingRefs(o: LockCare, update: () => Promise<Moved>): Promise<Moved> {
  for (let round = 1; ; round++) {
    const answer = await update();
    const lock = lockNamed(answer, o.commonDir);
    if (lock === undefined) return answer;
    if (round === ROUNDS_MAX) throw new GitLocked([lock], await livingGits(o.commonDir, [lock]));
    if (foldersOf(o).some((folder) => lock.startsWith(`${folder}/`))) await freeLocks(o);
    else await awaitGone([lock], o.commonDir);
  }
}

/** The lock that git says kept it from its work. */
function lockNamed({ exitCode, stderr }: Moved, commonDir: string): string | undefined {
  if (exitCode === 0) return undefined;
  const path = /Unable to create '(.+\.lock)': File exists/.exec(stderr)?.[1];
  return path === undefined ? undefined : resolve(commonDir, path);
}

async function awaitGone(locks: readonly string[], commonDir: string): Promise<void> {
  const left = await locksLeft(locks);
  if (left.length > 0) throw new GitLocked(left, await livingGits(commonDir, left));
}

/** Those of these locks that are there after a while still. */
export async function locksLeft(locks: readonly string[]): Promise<string[]> {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const left = locks.filter((path) => existsSync(path));
    if (left.length === 0 || waitedMs >= THEIRS_MAX_MS) return left;
    await sleep(POLL_MS);
  }
}

/** Where the refs of these runs lie: nobody else has names there. */
function foldersOf({ commonDir, runIds }: LockCare): string[] {
  return runIds.flatMap((id) =>
    [`refs/heads/fractal/${id}`, `refs/fractal/${id}`].map((name) => join(commonDir, name)),
  );
}

function locksOn(o: LockCare): { path: string; stamp: string; ageMs: number }[] {
  return foldersOf(o).flatMap((folder) =>
    namesBelow(folder).flatMap((name) => {
      // No ref may end so.
      const path = join(folder, name);
      const stats = name.endsWith(".lock") ? stampOf(path) : undefined;
      return stats === undefined ? [] : [{ path, ...stats }];
    }),
  );
}

function namesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" });
  } catch {
    return [];
  }
}

/** What tells one lock from the next under the same name; undefined when it is gone. */
function stampOf(path: string): { stamp: string; ageMs: number } | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats?.isFile()) return undefined;
  const { ino, mtimeMs } = stats;
  return { stamp: `${ino} ${mtimeMs}`, ageMs: Date.now() - mtimeMs };
}
