/** One controller a repository: a lock the kernel lets go of when the process dies. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";

export interface Lock {
  release(): void;
}

/**
 * Takes the repository's lock, or returns undefined when another process holds it. No pid file, no
 * staleness to judge: an exclusive transaction on a small SQLite file ends with its process.
 */
export function takeLock(gitCommonDir: string): Lock | undefined {
  const folder = join(gitCommonDir, "fractal");
  mkdirSync(folder, { recursive: true });
  const db = new Database(join(folder, "lock.db"), { timeout: 0 });
  try {
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    db.close();
    if ((error as { code?: string }).code === "SQLITE_BUSY") return undefined;
    throw error;
  }
  return {
    release() {
      db.exec("ROLLBACK");
      db.close();
    },
  };
}
