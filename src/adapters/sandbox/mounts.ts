/** Ignored dependency folders of the checkout that a sandbox shows read-only at their place. */
import { lstat, mkdir, rm, stat, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathProblem } from "../../domain/path.ts";
import type { Quarters } from "./quarters.ts";

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

/** Folders of the machine that a sandbox shows at the same place; what is no folder is left out. */
export async function findToolFolders(paths: readonly string[]): Promise<string[]> {
  const folders: string[] = [];
  for (const path of paths) {
    if ((await stat(path).catch(() => undefined))?.isDirectory()) folders.push(path);
  }
  return folders;
}

/** The names of those mounts that lie inside the root, relative to it: not part of the work. */
export function namesInRoot(mounts: readonly Mount[], root: string): string[] {
  const prefix = root === "." ? "" : `${root}/`;
  return mounts
    .filter((mount) => mount.at.startsWith(prefix))
    .map((mount) => mount.at.slice(prefix.length));
}

/** Puts a link to each mount where `placeOf` says, for sandboxes that bind nothing. */
export async function showAsLinks(
  folder: string,
  mounts: readonly Mount[],
  placeOf: (mount: Mount) => string | undefined,
): Promise<void> {
  for (const mount of mounts) {
    const at = placeOf(mount);
    if (at === undefined) continue;
    await mkdir(dirname(join(folder, at)), { recursive: true });
    await symlink(mount.source, join(folder, at));
  }
}

/** Installed packages as a link in the workspace, for sandboxes that bind nothing. */
export function installedAsLinks(installed: Quarters["installed"]): Quarters["installed"] {
  return {
    ...installed,
    async show(key, folder, path) {
      await installed.show(key, folder, path);
      const one = installed.shownIn(folder).find((each) => each.path === path);
      if (one === undefined) return;
      await rm(join(folder, path), { recursive: true, force: true });
      await symlink(one.source, join(folder, path));
    },
  };
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
  return lstat(join(folder, path), { bigint: true }).catch(() => undefined);
}
