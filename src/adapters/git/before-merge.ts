/** What a merge must not touch: files that are in no commit, and the hooks it would run. */
import { lstat, readdir, realpath } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import type { Git } from "./git.ts";
import type { Touched } from "./restore.ts";

/**
 * The files and folders in no commit, ignored ones among them, that lie where the merge adds a file
 * or needs a folder. Git writes over what is ignored, and what it wrote could not be told from
 * what was there.
 */
export async function inTheWay(
  git: Git,
  top: string,
  head: string,
  touched: readonly Touched[],
): Promise<string[]> {
  const added = touched.filter(({ before }) => before === undefined).map(({ path }) => path);
  if (added.length === 0) return [];
  const tracked = new Set(
    head === ""
      ? []
      : (await git(["ls-tree", "-r", "-z", "--name-only", "--full-tree", head])).text.split("\0"),
  );
  const found = new Set<string>();
  for (const path of added) for (const one of await lyingAt(top, path, tracked)) found.add(one);
  return [...found];
}

/** What is in no commit and lies at a path, above it in a folder's place, or below it. */
async function lyingAt(top: string, path: string, tracked: ReadonlySet<string>): Promise<string[]> {
  const parts = path.split("/");
  for (let depth = 1; depth <= parts.length; depth++) {
    const at = parts.slice(0, depth).join("/");
    const stats = await lstat(join(top, at)).catch(() => undefined);
    if (stats === undefined) return [];
    if (stats.isDirectory()) continue;
    // A tracked file whose name becomes a folder goes with the merge.
    return tracked.has(at) ? [] : [at];
  }
  // A folder where a file shall be: what is in it goes, as far as it is tracked.
  const all = { recursive: true, withFileTypes: true } as const;
  const inside = await readdir(join(top, path), all).catch(() => undefined);
  if (inside === undefined) return [path];
  return inside
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(top, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((file) => !tracked.has(file));
}

/**
 * The files among those a merge changes that are hooks of this checkout, or lie beside them: the
 * merge itself would run what it brings. `git` has the user's own settings.
 */
export async function hooksTouched(
  git: Git,
  top: string,
  touched: readonly Touched[],
): Promise<string[]> {
  const { text } = await git(["rev-parse", "--git-path", "hooks"]);
  const places = await hookPlaces(resolve(top, text), await realpath(top), top);
  const within = (path: string, folder: string) =>
    folder === "" || path === folder || path.startsWith(`${folder}/`);
  return touched
    .map(({ path }) => path)
    .filter((path) => places.some((place) => within(path, place) || within(place, path)));
}

/** Paths in the checkout that hooks are at: by their names, and where links lead. */
async function hookPlaces(folder: string, real: string, top: string): Promise<string[]> {
  // husky keeps what is run beside the folder it names to git.
  const folders = basename(folder) === "_" ? [folder, dirname(folder)] : [folder];
  const hooks = await readdir(folder).catch(() => []);
  const named = [...folders, ...hooks.map((name) => join(folder, name))];
  const all = [...named, ...(await Promise.all(named.map(whereItIs)))];
  return all.flatMap((path) =>
    [top, real].flatMap((root) => {
      const inside = relative(root, path).split(sep).join("/");
      return inside.startsWith("../") || inside === ".git" || inside.startsWith(".git/")
        ? []
        : [inside];
    }),
  );
}

/** A path without links, also where its end is not there yet. */
async function whereItIs(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(await whereItIs(above), basename(path));
  }
}
