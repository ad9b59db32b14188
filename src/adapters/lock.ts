/** One controller a repository: a lock the kernel lets go of when the process dies. */
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import type { Failure } from "../domain/failure.ts";
import { sharedFileSystemOf } from "./file-system.ts";

export interface Lock {
  release(): void;
}

/** How long a taker waits for somebody who only looks (`isLockHeld`), which takes microseconds. */
const LOOK_MS = 100;

const lockFile = (gitCommonDir: string) => join(gitCommonDir, "fractal", "lock.db");
/** Of those who merge into one checkout: a run may go on meanwhile. */
const mergeLockFile = (gitDir: string) => join(gitDir, "fractal", "merge-lock.db");

/**
 * Takes the repository's lock, or returns undefined when another process holds it. No pid file, no
 * staleness to judge: an exclusive transaction on a small SQLite file ends with its process.
 *
 * On a file system shared between machines the kernel cannot promise that: a failure, and no way
 * around it. The journal needs no such rule of its own: whoever writes it holds this lock, and a
 * checkout elsewhere with this git folder shares the lock with it.
 */
export function takeLock(
  gitCommonDir: string,
  sharedOf: (folder: string) => string | undefined = sharedFileSystemOf,
): Lock | Failure | undefined {
  const shared = sharedOf(gitCommonDir);
  if (shared !== undefined) {
    const detail = `${gitCommonDir} is on ${shared}, which other machines may write as well: one controller a repository cannot be kept there; work in a clone on a local disk`;
    return { failure: "capability-missing", detail };
  }
  return takeFile(lockFile(gitCommonDir));
}

/** Takes the right to merge into the checkout of this git folder; undefined while another does. */
export function takeMergeLock(gitDir: string): Lock | undefined {
  return takeFile(mergeLockFile(gitDir));
}

/** How long who clears the cache away is waited for: it moves a few folders under its lock. */
const CLEARING_MS = 10_000;

const cacheLockFile = (cache: string) => join(cache, "use.db");

/**
 * Says that this process uses what is kept in a cache, beside others that do. Undefined where the
 * cache is cleared away for too long, or its file system keeps no locks: then nobody clears it.
 */
export function useCache(cache: string): Lock | undefined {
  try {
    return takeFile(cacheLockFile(cache), CLEARING_MS, SHARED);
  } catch {
    return undefined;
  }
}

/** Takes a cache to clear it away; undefined while anybody uses it, or where that cannot be told. */
export function takeCache(cache: string): Lock | undefined {
  try {
    return takeFile(cacheLockFile(cache));
  } catch {
    return undefined;
  }
}

/** Reading within a transaction holds SQLite's shared lock until its end. */
const SHARED = "BEGIN; SELECT count(*) FROM sqlite_master";

function takeFile(
  file: string,
  waitMs = LOOK_MS,
  statements = "BEGIN EXCLUSIVE",
): Lock | undefined {
  mkdirSync(dirname(file), { recursive: true });
  const db = new Database(file, { timeout: waitMs });
  try {
    db.exec(statements);
  } catch (error) {
    db.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  return {
    release() {
      db.exec("ROLLBACK");
      db.close();
    },
  };
}

/** Whether some process holds the lock now. Writes nothing and takes nothing. */
export function isLockHeld(gitCommonDir: string): boolean {
  if (!existsSync(lockFile(gitCommonDir))) return false;
  const db = new Database(lockFile(gitCommonDir), { readonly: true, timeout: 0 });
  try {
    db.prepare("SELECT count(*) FROM sqlite_master").get();
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw error;
  } finally {
    db.close();
  }
}

function isBusy(error: unknown): boolean {
  return (error as { code?: string }).code === "SQLITE_BUSY";
}
