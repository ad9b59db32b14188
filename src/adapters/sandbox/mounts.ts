/** Ignored dependency folders of the checkout that a sandbox shows read-only at their place. */
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { pathProblem } from "../../domain/path.ts";

const USUAL = ["node_modules", ".venv"];

export interface Mount {
  /** On this machine. */
  source: string;
  /** Relative to the top of the repository. */
  at: string;
}

/**
 * Looks for the usual and the named folders at the top of the checkout and in the run's root. A
 * link is not followed: a repository could make it point anywhere.
 */
export async function findMounts(o: {
  checkout: string;
  root: string;
  names: readonly string[];
}): Promise<Mount[]> {
  const names = [...USUAL, ...o.names.map((name) => name.replace(/^(\.\/)+|\/+$/g, ""))];
  const places = new Set(names.flatMap((name) => [name, join(o.root, name)]));
  const mounts: Mount[] = [];
  for (const at of places) {
    if (pathProblem(at) === undefined && (await isPlainFolder(o.checkout, at))) {
      mounts.push({ source: join(o.checkout, at), at });
    }
  }
  return mounts;
}

/** The names of those mounts that lie inside the root, relative to it: not part of the work. */
export function namesInRoot(mounts: readonly Mount[], root: string): string[] {
  const prefix = root === "." ? "" : `${root}/`;
  return mounts
    .filter((mount) => mount.at.startsWith(prefix))
    .map((mount) => mount.at.slice(prefix.length));
}

/** True when a path below a folder is a folder reached without any link. */
async function isPlainFolder(folder: string, path: string): Promise<boolean> {
  return (await plainStats(folder, path))?.isDirectory() ?? false;
}

/** The lstat of a path below a folder; undefined when it is not there or a link is on the way. */
export async function plainStats(folder: string, path: string) {
  const segments = path.split("/");
  for (let length = 1; length < segments.length; length++) {
    const parent = await lstat(join(folder, ...segments.slice(0, length))).catch(() => undefined);
    if (!parent?.isDirectory()) return undefined;
  }
  return lstat(join(folder, path)).catch(() => undefined);
}
