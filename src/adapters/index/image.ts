/**
 * The index as a file: written whole beside its place and moved there, read whole. SQLite never
 * opens it, so there is no side file, no lock and no half state: deleting it at any moment, also
 * while it is read or written, costs making it again and nothing else.
 */
import { createHash } from "node:crypto";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

/** Bytes of the SHA-256 behind the pages: whatever else happened to the file shows by it. */
const SEAL_BYTES = 32;

/** The database in the file; undefined when there is none, or it is not whole and as written. */
export function readImage(file: string): Buffer | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    return undefined;
  }
  if (bytes.length <= SEAL_BYTES) return undefined;
  const image = bytes.subarray(0, -SEAL_BYTES);
  return sealOf(image).equals(bytes.subarray(-SEAL_BYTES)) ? image : undefined;
}

/** Best effort: where nothing can be written, the index is made again next time. */
export function writeImage(file: string, image: Buffer): void {
  const folder = dirname(file);
  const prefix = `${basename(file)}.`;
  const temp = join(folder, `${prefix}${process.pid}`);
  try {
    mkdirSync(folder, { recursive: true });
    // Left by a process that was killed. One at work whose file goes tries again another time.
    for (const name of readdirSync(folder)) {
      if (name.startsWith(prefix)) rmSync(join(folder, name), { force: true });
    }
    writeFileSync(temp, image);
    appendFileSync(temp, sealOf(image));
    renameSync(temp, file);
  } catch {
    removeIfThere(temp);
  }
}

function removeIfThere(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Where the disk takes nothing there is nothing to remove.
  }
}

function sealOf(image: Buffer): Buffer {
  return createHash("sha256").update(image).digest();
}
