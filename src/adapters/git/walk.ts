/** The lstat walk over a folder that untrusted processes have written, and what it refuses. */
import type { Stats } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { foldedPath, pathProblem } from "../../domain/path.ts";

export const FILES_ADDED_MAX = 20_000;
export const FILE_BYTES_MAX = 10_000_000;
export const TOTAL_BYTES_MAX = 50_000_000;

/** One regular file or plain link that was found. */
export interface Found {
  /** Relative to the folder walked. */
  path: string;
  mode: "100644" | "100755" | "120000";
  size: number;
  /** Where a link points. */
  target?: string;
}

/** A path nothing may be done with, and why. */
export interface Refusal {
  path: string;
  why: string;
}

/** What the walk may know of the tree the folder was made from. */
export interface Known {
  /** True for a path that was there before: its name is not the worker's doing. */
  has: (path: string) => boolean;
  count: number;
}

const SPECIAL_BITS = 0o7000;

/**
 * Finds every file below a folder without following a link. Paths in `mounts` are not looked into.
 * Stops early when there are more files than may be added.
 */
export async function walkFolder(
  folder: string,
  mounts: readonly string[],
  known: Known,
): Promise<{ found: Found[]; refused: Refusal[] }> {
  const found: Found[] = [];
  const refused: Refusal[] = [];
  const filesMax = known.count + FILES_ADDED_MAX;
  let folders = 0;
  const isTooMuch = () => found.length > filesMax || folders > filesMax;
  const visit = async (parent: string): Promise<void> => {
    folders += 1;
    if (isTooMuch()) return;
    const names = await readdir(join(folder, parent), { encoding: "buffer" }).catch(
      () => undefined,
    );
    if (names === undefined) {
      refused.push({ path: parent || ".", why: "cannot be read" });
      return;
    }
    for (const bytes of names.sort(Buffer.compare)) {
      const name = bytes.toString("utf8");
      const path = parent === "" ? name : `${parent}/${name}`;
      if (mounts.includes(path)) continue;
      if (!Buffer.from(name).equals(bytes)) {
        refused.push({ path, why: "has a name that is not UTF-8" });
        continue;
      }
      const stats = await lstat(join(folder, path));
      const why = known.has(path) ? undefined : pathProblem(path);
      if (why !== undefined) refused.push({ path, why });
      else if (stats.isDirectory()) await visit(path);
      else await judge(path, stats);
    }
  };
  const judge = async (path: string, stats: Stats): Promise<void> => {
    if (stats.isSymbolicLink()) {
      const target = await readlink(join(folder, path));
      found.push({ path, mode: "120000", size: Buffer.byteLength(target), target });
      return;
    }
    const why = fileProblem(stats);
    if (why !== undefined) refused.push({ path, why });
    else found.push({ path, mode: stats.mode & 0o100 ? "100755" : "100644", size: stats.size });
  };
  await visit("");
  if (isTooMuch()) {
    refused.push({ path: ".", why: `holds more than ${FILES_ADDED_MAX} new files or folders` });
  }
  refused.push(...foldingPairs(found, known));
  return { found, refused };
}

function fileProblem(stats: Stats): string | undefined {
  if (!stats.isFile()) return "is not a regular file";
  if (stats.nlink > 1) return "has more than one hard link";
  if (stats.mode & SPECIAL_BITS) return "has the setuid, setgid or sticky bit";
  return undefined;
}

/** True when a link's target is absolute, lies outside the folder walked, or in a `.git`. */
export function leavesFolder(path: string, target: string): boolean {
  if (target.startsWith("/") || target.includes("\0")) return true;
  const to = normalize(join(dirname(path), target));
  return to === ".." || to.startsWith("../") || pathSegments(to).includes(".git");
}

function pathSegments(path: string): string[] {
  return path.split("/").map(foldedPath);
}

/** Names that are one and the same where case does not count; a pair the base had may stay. */
function foldingPairs(found: Found[], known: Known): Refusal[] {
  const first = new Map<string, string>();
  const refused: Refusal[] = [];
  for (const prefix of new Set(found.flatMap(({ path }) => [...parentsOf(path), path]))) {
    const folded = foldedPath(prefix);
    const other = first.get(folded) ?? prefix;
    first.set(folded, other);
    if (other === prefix || (known.has(other) && known.has(prefix))) continue;
    const [added, present] = known.has(prefix) ? [other, prefix] : [prefix, other];
    refused.push({ path: added, why: `differs from ${present} by case alone` });
  }
  return refused;
}

/** The folders above a path, outermost first. */
export function parentsOf(path: string): string[] {
  const segments = path.split("/");
  return segments.slice(1).map((_, at) => segments.slice(0, at + 1).join("/"));
}
