/** A disk of a few kilobytes that a test may fill, make larger, or write-protect. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmdirSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface SmallDisk {
  resize(kilobytes: number): void;
  /** Kilobytes that are taken. */
  usedKb(): number;
  protect(isReadOnly: boolean): void;
  unmount(): void;
}

/** A file system in memory, mounted on this folder. */
export function mountDisk(folder: string, kilobytes: number): SmallDisk {
  mount("-t", "tmpfs", "-o", `size=${kilobytes}k,mode=755`, "fractal-test", folder);
  return {
    resize: (size) => mount("-o", `remount,size=${size}k`, folder),
    usedKb: () => {
      const { blocks, bfree, bsize } = statfsSync(folder);
      return ((blocks - bfree) * bsize) / 1024;
    },
    protect: (isReadOnly) => mount("-o", `remount,${isReadOnly ? "ro" : "rw"}`, folder),
    unmount: () => run("umount", "--lazy", folder),
  };
}

/** False, with a printed reason, where this user may not mount anything. */
export function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "fractal-mount-"));
  try {
    mountDisk(folder, 64).unmount();
    return true;
  } catch (error) {
    process.stderr.write(`skipped: no small disk can be mounted here: ${String(error)}\n`);
    return false;
  } finally {
    rmdirSync(folder);
  }
}

function mount(...args: string[]): void {
  run("mount", ...args);
}

function run(command: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command}: ${error?.message ?? stderr.trim()}`);
}
