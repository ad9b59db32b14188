/** What the cache keeps for all runs of this user: when each thing was used last, and clearing away what nobody uses. */
import { randomUUID } from "node:crypto";
import { existsSync, lstatSync, readdirSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Cached, CachedKind } from "../../domain/cached.ts";
import { takeCache } from "../lock.ts";
import { removeTree } from "./remove.ts";

/** The folder of each kind, below the cache's base. */
const FOLDERS: { readonly [K in CachedKind]: string } = {
  packages: "installed",
  copies: "copies",
  workspaces: "workspaces",
};

/** What is being cleared away; a process that is killed meanwhile leaves it to the next. */
const TOSSED = "tossed";

const markOf = (base: string, path: string) =>
  join(base, "used", `${basename(dirname(path))}-${basename(path)}`);

/** Notes that what lies at a path below the base is used now. */
export async function noteUse(base: string, path: string): Promise<void> {
  try {
    await mkdir(join(base, "used"), { recursive: true, mode: 0o700 });
    const mark = await open(markOf(base, path), "w", 0o600);
    const now = new Date();
    await mark.utimes(now, now).finally(() => mark.close());
  } catch {
    // A cache that cannot be written is not cleared away either.
  }
}

/** Forgets when that was used last: it is gone. */
export async function forgetUse(base: string, path: string): Promise<void> {
  await rm(markOf(base, path), { force: true });
}

/** All that is kept. What was never marked was used when it was made, by an older fractal. */
export function listCached(base: string): Cached[] {
  return (Object.keys(FOLDERS) as CachedKind[]).flatMap((kind) => {
    const folder = join(base, FOLDERS[kind]);
    return namesIn(folder).flatMap((name): Cached[] => {
      const path = join(folder, name);
      const lastUsedMs = lastUsedOf(base, path);
      return lastUsedMs === undefined ? [] : [{ kind, path, lastUsedMs }];
    });
  });
}

/**
 * Clears these away, but for what was used after `beforeMs`; undefined while any run of this user is
 * at work, which may use them. Under the lock they are only moved: a run that begins waits for that.
 */
export async function removeCached(
  base: string,
  paths: readonly string[],
  beforeMs: number,
): Promise<string[] | undefined> {
  const lock = takeCache(base);
  if (lock === undefined) return undefined;
  const tossed = join(base, TOSSED);
  const gone: string[] = [];
  try {
    await mkdir(tossed, { recursive: true, mode: 0o700 });
    for (const path of paths) {
      const lastUsedMs = lastUsedOf(base, path);
      if (lastUsedMs === undefined || lastUsedMs > beforeMs) continue;
      await rename(path, join(tossed, randomUUID()));
      await forgetUse(base, path);
      gone.push(path);
    }
  } finally {
    lock.release();
  }
  await removeTree(tossed);
  return gone;
}

/** Whether some run of this user may be using the cache now. */
export function isCacheUsed(base: string): boolean {
  if (!existsSync(base)) return false;
  const lock = takeCache(base);
  lock?.release();
  return lock === undefined;
}

/** Milliseconds since 1970; undefined where there is nothing. */
function lastUsedOf(base: string, path: string): number | undefined {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return undefined;
  const mark = lstatSync(markOf(base, path), { throwIfNoEntry: false });
  return mark?.mtimeMs ?? Math.max(there.mtimeMs, there.ctimeMs);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
