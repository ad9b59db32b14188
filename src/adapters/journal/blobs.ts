/** Texts by their SHA-256, on disk before anything names them. */
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { DiskTrouble } from "./disk-trouble.ts";

/** How the name of a blob ends while it is being written. */
const DRAFT = ".tmp";

/** Hex SHA-256 of a text, or of its bytes. */
export function hashOf(text: string | Uint8Array): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Writes a blob unless it is there whole: temp, fsync, rename, fsync of the folder. Returns its hash. */
export function writeBlob(folder: string, text: string): string {
  const hash = hashOf(text);
  if (readBlob(folder, hash) !== undefined) return hash;
  putFile(join(folder, hash.slice(0, 2), hash), text);
  return hash;
}

/** Writes a new file so that it is there whole or not at all, also after a power cut. */
export function putFile(path: string, text: string): void {
  try {
    makeFolder(dirname(path));
    const temp = `${path}.${process.pid}${DRAFT}`;
    writeWhole(temp, text);
    renameSync(temp, path);
    syncFolder(dirname(path));
  } catch (error) {
    throw DiskTrouble.of(path, error);
  }
}

/** Whether the text of that hash is there, and is that text. */
export function stateOfBlob(folder: string, hash: string): "whole" | "missing" | "damaged" {
  if (!existsSync(join(folder, hash.slice(0, 2), hash))) return "missing";
  return readBlob(folder, hash) === undefined ? "damaged" : "whole";
}

/** Removes blobs that a process which was killed left half written. */
export function removeDrafts(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (name.endsWith(DRAFT)) rmSync(join(folder, name));
  }
}

/** The blob's text, or undefined when there is none or it does not match its name. */
export function readBlob(folder: string, hash: string): string | undefined {
  if (!/^[0-9a-f]{64}$/.test(hash)) return undefined;
  const path = join(folder, hash.slice(0, 2), hash);
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, "utf8");
  return hashOf(text) === hash ? text : undefined;
}

/** Writes and fsyncs a new file. A full disk gives a short write and no error: the count is checked. */
function writeWhole(path: string, text: string): void {
  const bytes = Buffer.from(text);
  const file = openSync(path, "w");
  try {
    writeAll(file, bytes);
    fsyncSync(file);
  } catch (error) {
    // On a full disk half a blob must not keep the room that could be made.
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

/** Writes all bytes at the end of an open file, or throws. */
export function writeAll(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    const count = writeSync(file, bytes, at);
    if (count === 0) throw new Error("ENOSPC: short write, no space left");
    at += count;
  }
}

/** Makes a folder and those above it, each durable in the one that holds it. */
export function makeFolder(folder: string): void {
  let first: string | undefined;
  try {
    first = mkdirSync(folder, { recursive: true });
  } catch (error) {
    // Of a disk that takes nothing it says "no such file"; made one by one, it says why.
    if (!existsSync(dirname(folder))) makeFolder(dirname(folder));
    mkdirSync(folder);
    throw error;
  }
  if (first === undefined) return;
  const top = resolve(first);
  for (let at = resolve(folder); at.length >= top.length; at = dirname(at)) syncFolder(dirname(at));
}

/** Makes a rename in this folder durable. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
