/** Turns a folder a worker has written into edits of a tree, after quarantine. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Failure } from "../../domain/failure.ts";
import type { Objects } from "./objects.ts";
import { listTree, type TreeEdit } from "./trees.ts";
import {
  FILE_BYTES_MAX,
  type Found,
  leavesFolder,
  parentsOf,
  type Refusal,
  TOTAL_BYTES_MAX,
  walkFolder,
} from "./walk.ts";

const PARALLEL_READS = 16;
const REFUSALS_SHOWN = 20;

/**
 * The edits that make `treeish` hold exactly what the folder holds below `root`: submodules and
 * mount points stay as they were. Hostile content is a failure that lists the paths.
 */
export async function collectEdits(
  objects: Objects,
  o: { folder: string; treeish: string; root: string; mounts: readonly string[] },
): Promise<TreeEdit[] | Failure> {
  const prefix = o.root === "." ? "" : `${o.root}/`;
  const isMount = (path: string) =>
    o.mounts.some((mount) => path === mount || path.startsWith(`${mount}/`));
  const base = new Map(
    (await listTree(objects, o.treeish, o.root))
      .map((entry) => ({ ...entry, path: entry.path.slice(prefix.length) }))
      .filter((entry) => isVisible(entry) && !isMount(entry.path))
      .map((entry) => [entry.path, entry]),
  );
  const parents = new Set([...base.keys()].flatMap(parentsOf));
  const { found, refused } = await walkFolder(o.folder, o.mounts, {
    has: (path) => base.has(path) || parents.has(path),
    count: base.size,
  });
  if (refused.length > 0) return hostileTree(refused);

  const changed = await changedFiles(objects, o.folder, found, base);
  const unwelcome = [...strayLinks(changed), ...oversized(changed)];
  if (unwelcome.length > 0) return hostileTree(unwelcome);

  const unreadable = changed.filter((file) => file.oid === "");
  if (unreadable.length > 0) {
    return hostileTree(unreadable.map(({ path }) => ({ path, why: "cannot be read" })));
  }

  const files = changed.filter((file) => file.target === undefined);
  const links = changed.filter((file) => file.target !== undefined);
  const fileIds = await objects.storeFiles(files.map((file) => join(o.folder, file.path)));
  const moved = files.filter((file, at) => file.oid !== fileIds[at]);
  if (moved.length > 0) {
    return hostileTree(moved.map(({ path }) => ({ path, why: "changed while it was read" })));
  }
  const linkIds = await objects.store(
    "blob",
    links.map((link) => link.target ?? ""),
  );
  const kept = new Set(found.map((file) => file.path));
  return [
    ...[...base.keys()].filter((path) => !kept.has(path)).map((path) => ({ path: prefix + path })),
    ...files.map((file) => ({ path: prefix + file.path, mode: file.mode, oid: file.oid })),
    ...links.map((link, at) => {
      const oid = linkIds[at];
      return { path: prefix + link.path, mode: link.mode, ...(oid === undefined ? {} : { oid }) };
    }),
  ];
}

/** True for what a workspace can show: files and links with names that are text. */
export function isVisible(entry: { mode: string; path: string }): boolean {
  return entry.mode !== "160000" && !entry.path.includes("\uFFFD");
}

type Changed = Found & { oid: string };

/** The files that are not as the base has them; ids are computed here, so that most need no git. */
async function changedFiles(
  objects: Objects,
  folder: string,
  found: Found[],
  base: ReadonlyMap<string, { mode: string; oid: string }>,
): Promise<Changed[]> {
  const changed: Changed[] = [];
  const queue = found.entries();
  const work = async () => {
    for (const [at, file] of queue) {
      const before = base.get(file.path);
      const isTooBig =
        file.size > FILE_BYTES_MAX &&
        (before === undefined || file.size !== (await objects.sizeOf(before.oid)));
      // Refused by its size in a moment: reading it would only cost memory and time.
      const oid = isTooBig ? "" : await idOf(objects.format, folder, file);
      if (before?.oid !== oid || before.mode !== file.mode) changed[at] = { ...file, oid };
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_READS }, work));
  return changed.filter((file) => file !== undefined);
}

async function idOf(format: string, folder: string, file: Found): Promise<string> {
  const hash = createHash(format).update(`blob ${file.size}\0`);
  if (file.target !== undefined) return hash.update(file.target).digest("hex");
  // Neither a link nor a pipe put in its place meanwhile is followed or waited for.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(join(folder, file.path), flags).catch(() => undefined);
  if (handle === undefined) return "";
  try {
    return hash.update(await handle.readFile()).digest("hex");
  } finally {
    await handle.close();
  }
}

/** A link that was in the base stays as it is, wherever it points; a new one must stay inside. */
function strayLinks(changed: Changed[]): Refusal[] {
  return changed.flatMap(({ path, target }) =>
    target !== undefined && leavesFolder(path, target)
      ? [{ path, why: `is a link that leaves the folder (to ${shown(target)})` }]
      : [],
  );
}

function oversized(changed: Changed[]): Refusal[] {
  const total = changed.reduce((sum, file) => sum + file.size, 0);
  const big = changed
    .filter((file) => file.size > FILE_BYTES_MAX)
    .map(({ path }) => ({ path, why: `is larger than ${FILE_BYTES_MAX / 1e6} MB` }));
  if (big.length > 0 || total <= TOTAL_BYTES_MAX) return big;
  return [{ path: ".", why: `holds more than ${TOTAL_BYTES_MAX / 1e6} MB of changed files` }];
}

function hostileTree(refused: Refusal[]): Failure {
  const lines = refused.slice(0, REFUSALS_SHOWN).map(({ path, why }) => `${shown(path)} ${why}`);
  const rest = refused.length - lines.length;
  if (rest > 0) lines.push(`and ${rest} more`);
  return {
    failure: "hostile-tree",
    detail: `These files cannot be taken over:\n${lines.join("\n")}`,
    paths: refused.slice(0, REFUSALS_SHOWN).map(({ path }) => path),
  };
}

/** A name that can be printed, whatever is in it. */
function shown(path: string): string {
  return JSON.stringify(path).slice(1, -1);
}
