/** Reads and writes git objects in few calls: listings, blobs in batches, trees by an own index. */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Git } from "./git.ts";

/** One file, link or submodule of a tree; the path is that of the whole repository. */
export interface TreeEntry {
  path: string;
  mode: "100644" | "100755" | "120000" | "160000";
  oid: string;
  /** Bytes; 0 for a submodule. */
  size: number;
}

/** What becomes of one path; without `oid` it is taken out. */
export interface TreeEdit {
  path: string;
  mode?: "100644" | "100755" | "120000";
  oid?: string;
}

export interface Objects {
  git: Git;
  /** A folder for index files and bytes on their way in. */
  scratch: string;
  /** `sha1` or `sha256`, as the repository was made. */
  format: string;
}

const BATCH_BYTES_MAX = 32_000_000;

/** The id git gives a blob or other object of these bytes. */
export function objectId(format: string, bytes: Uint8Array, type = "blob"): string {
  return createHash(format).update(`${type} ${bytes.byteLength}\0`).update(bytes).digest("hex");
}

/** Every file below a folder (`.` for all), empty when the folder is not there. */
export async function listTree(git: Git, treeish: string, folder: string): Promise<TreeEntry[]> {
  const below = folder === "." ? [] : ["--", `${folder}/`];
  const { text } = await git(["ls-tree", "-r", "-l", "-z", "--full-tree", treeish, ...below]);
  return text
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => {
      const tab = line.indexOf("\t");
      const [mode = "", , oid = "", size = ""] = line.slice(0, tab).split(/ +/);
      const path = line.slice(tab + 1);
      return { path, mode: mode as TreeEntry["mode"], oid, size: Number(size) || 0 };
    });
}

/** Hands over the bytes of each entry, in order, holding no more than a batch in memory. */
export async function readBlobs<Entry extends { oid: string; size: number }>(
  git: Git,
  entries: Entry[],
  use: (entry: Entry, bytes: Buffer) => Promise<void>,
): Promise<void> {
  for (let next = 0; next < entries.length; ) {
    const first = next;
    let batchBytes = 0;
    do batchBytes += entries[next++]?.size ?? 0;
    while (next < entries.length && batchBytes + (entries[next]?.size ?? 0) < BATCH_BYTES_MAX);
    const batch = entries.slice(first, next);
    const { bytes } = await git(["cat-file", "--batch"], {
      stdin: batch.map((entry) => `${entry.oid}\n`).join(""),
    });
    let at = 0;
    for (const entry of batch) {
      const lineEnd = bytes.indexOf(10, at);
      const header = bytes.toString("latin1", at, lineEnd).split(" ");
      if (header[1] !== "blob") throw new Error(`git object ${entry.oid} is ${header[1]}`);
      const start = lineEnd + 1;
      const end = start + Number(header[2]);
      await use(entry, bytes.subarray(start, end));
      at = end + 1;
    }
  }
}

/** Stores files by their absolute paths, bytes unchanged; returns the ids in order. */
export async function storeFiles(git: Git, paths: string[], type = "blob"): Promise<string[]> {
  if (paths.length === 0) return [];
  const { text } = await git(["hash-object", "-w", "-t", type, "--no-filters", "--stdin-paths"], {
    stdin: paths.map((path) => `${path}\n`).join(""),
  });
  return text.split("\n");
}

/** Stores texts or bytes in one call; returns the ids in order. */
export async function storeBytes(
  { git, scratch }: Objects,
  contents: (string | Uint8Array)[],
  type = "blob",
): Promise<string[]> {
  if (contents.length === 0) return [];
  const folder = join(scratch, randomUUID());
  await mkdir(folder, { recursive: true });
  try {
    const paths = contents.map((_, at) => join(folder, String(at)));
    await Promise.all(contents.map((content, at) => writeFile(paths[at] ?? "", content)));
    return await storeFiles(git, paths, type);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The tree a treeish becomes with these edits, by an index of its own. */
export async function editTree(
  { git, scratch, format }: Objects,
  treeish: string,
  edits: TreeEdit[],
): Promise<string> {
  const gone = "0".repeat(format === "sha256" ? 64 : 40);
  const removals = edits.filter((edit) => edit.oid === undefined);
  const additions = edits.filter((edit) => edit.oid !== undefined);
  const lines = [
    ...removals.map((edit) => `0 ${gone}\t${edit.path}\0`),
    ...additions.map((edit) => `${edit.mode} ${edit.oid}\t${edit.path}\0`),
  ];
  const index = join(scratch, `${randomUUID()}.index`);
  const env = { GIT_INDEX_FILE: index };
  await mkdir(scratch, { recursive: true });
  try {
    await git(["read-tree", treeish], { env });
    if (lines.length > 0) {
      await git(["update-index", "-z", "--add", "--remove", "--replace", "--index-info"], {
        env,
        stdin: lines.join(""),
      });
    }
    return (await git(["write-tree"], { env })).text;
  } finally {
    await rm(index, { force: true });
    await rm(`${index}.lock`, { force: true });
  }
}
