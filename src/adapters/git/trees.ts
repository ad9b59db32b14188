/** Trees as git stores them: read, listed, and made anew with some paths changed. */
import type { Objects } from "./objects.ts";

/** One file, link or submodule of a tree; the path is that of the whole repository. */
export interface TreeEntry {
  path: string;
  mode: string;
  oid: string;
}

/** What becomes of one path; without `oid` it is taken out. */
export interface TreeEdit {
  path: string;
  mode?: "100644" | "100755" | "120000";
  oid?: string;
}

/** One row of a tree object. The name is kept byte for byte, as latin1. */
export interface Row {
  mode: string;
  name: string;
  oid: string;
}

/** The mode of a row that is a tree itself. */
export const FOLDER = "40000";
const LINK = "120000";
/** As many links as Linux follows in one path. */
const LINKS_MAX = 40;

const toBytes = (text: string) => Buffer.from(text, "utf8").toString("latin1");
const toText = (bytes: string) => Buffer.from(bytes, "latin1").toString("utf8");

/** The tree of a commit, or the tree itself. */
export async function treeIdOf(objects: Objects, treeish: string): Promise<string> {
  const { type, bytes } = await objects.read(treeish);
  if (type === "tree") return treeish;
  const tree = /^tree ([0-9a-f]+)\n/.exec(bytes.toString("latin1", 0, 80))?.[1];
  if (type !== "commit" || tree === undefined) throw new Error(`${treeish} is no commit`);
  return tree;
}

/** The rows of a tree. Throws for a name that would lead out of it. */
export async function rowsOf(objects: Objects, tree: string): Promise<Row[]> {
  const { type, bytes } = await objects.read(tree);
  if (type !== "tree") throw new Error(`git object ${tree} is a ${type}, not a tree`);
  const idBytes = objects.format === "sha256" ? 32 : 20;
  const rows: Row[] = [];
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const end = bytes.indexOf(0, space);
    const name = bytes.toString("latin1", space + 1, end);
    if (leadsElsewhere(name)) {
      throw new Error(
        `git tree ${tree} has an entry named ${JSON.stringify(name)}, which git itself would not check out`,
      );
    }
    rows.push({
      mode: bytes.toString("latin1", at, space),
      name,
      oid: bytes.toString("hex", end + 1, end + 1 + idBytes),
    });
    at = end + 1 + idBytes;
  }
  return rows;
}

/** Names that no git writes into a tree: joined to a path they would name something outside of it. */
function leadsElsewhere(name: string): boolean {
  return ["", ".", ".."].includes(name) || name.includes("/") || name.toLowerCase() === ".git";
}

/** Every file below a folder (`.` for all), empty when the folder is not there. */
export async function listTree(
  objects: Objects,
  treeish: string,
  folder: string,
): Promise<TreeEntry[]> {
  let tree = await treeIdOf(objects, treeish);
  for (const name of folder === "." ? [] : folder.split("/")) {
    const row = (await rowsOf(objects, tree)).find((one) => one.name === toBytes(name));
    if (row?.mode !== FOLDER) return [];
    tree = row.oid;
  }
  const entries: TreeEntry[] = [];
  await gather(objects, tree, folder === "." ? "" : `${folder}/`, entries);
  return entries;
}

async function gather(objects: Objects, tree: string, prefix: string, entries: TreeEntry[]) {
  const rows = await rowsOf(objects, tree);
  for (const { mode, name, oid } of rows) {
    const path = prefix + toText(name);
    if (mode === FOLDER) await gather(objects, oid, `${path}/`, entries);
    else entries.push({ path, mode, oid });
  }
}

/** What stands at a path itself, also a link; undefined where nothing does, or a folder. */
export async function entryAt(
  objects: Objects,
  treeish: string,
  path: string,
): Promise<TreeEntry | undefined> {
  let row: Row = { mode: FOLDER, name: "", oid: await treeIdOf(objects, treeish) };
  for (const name of path.split("/")) {
    if (row.mode !== FOLDER) return undefined;
    const next = (await rowsOf(objects, row.oid)).find((one) => one.name === toBytes(name));
    if (next === undefined) return undefined;
    row = next;
  }
  return row.mode === FOLDER ? undefined : { path, mode: row.mode, oid: row.oid };
}

/** The file at a path, through links that stay in the tree; undefined where there is none. */
export async function findFile(
  objects: Objects,
  treeish: string,
  path: string,
): Promise<TreeEntry | undefined> {
  const top = await treeIdOf(objects, treeish);
  let rest = path.split("/");
  const above: { tree: string; name: string }[] = [];
  let tree = top;
  for (let links = 0; ; ) {
    const name = rest.shift();
    if (name === undefined) return undefined;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      const parent = above.pop();
      if (parent === undefined) return undefined;
      tree = parent.tree;
      continue;
    }
    const row = (await rowsOf(objects, tree)).find((one) => one.name === toBytes(name));
    if (row === undefined) return undefined;
    if (row.mode === FOLDER) {
      above.push({ tree, name });
      tree = row.oid;
    } else if (row.mode === LINK) {
      links += 1;
      const target = (await objects.read(row.oid)).bytes.toString("utf8");
      if (links > LINKS_MAX || target.startsWith("/")) return undefined;
      rest = [...target.split("/"), ...rest];
    } else if (rest.length === 0) {
      return { path: [...above.map((one) => one.name), name].join("/"), ...row };
    } else return undefined;
  }
}

/**
 * The tree a treeish becomes with these edits. What is added replaces what stands in its way; a
 * folder that is left empty is gone.
 */
export async function editTree(
  objects: Objects,
  treeish: string,
  edits: TreeEdit[],
): Promise<string> {
  const tree = await treeIdOf(objects, treeish);
  const steps = edits.map((edit) => ({ ...edit, names: toBytes(edit.path).split("/") }));
  return (await edited(objects, tree, steps)) ?? (await storeTree(objects, []));
}

type Step = TreeEdit & { names: string[] };

/** Undefined when nothing is left. */
async function edited(
  objects: Objects,
  tree: string | undefined,
  steps: Step[],
): Promise<string | undefined> {
  const rows = new Map<string, Row>();
  for (const row of tree === undefined ? [] : await rowsOf(objects, tree)) rows.set(row.name, row);
  const byName = new Map<string, Step[]>();
  for (const step of steps) {
    const [name = "", ...names] = step.names;
    const same = byName.get(name);
    if (same === undefined) byName.set(name, [{ ...step, names }]);
    else same.push({ ...step, names });
  }
  for (const [name, here] of byName) {
    const row = await changedRow(objects, rows.get(name), name, here);
    if (row === undefined) rows.delete(name);
    else rows.set(name, row);
  }
  if (rows.size === 0) return undefined;
  return await storeTree(objects, [...rows.values()]);
}

async function changedRow(
  objects: Objects,
  before: Row | undefined,
  name: string,
  steps: Step[],
): Promise<Row | undefined> {
  const added = steps.find((step) => step.names.length === 0 && step.oid !== undefined);
  const below = steps.filter((step) => step.names.length > 0);
  const isFilled = below.some((step) => step.oid !== undefined);
  if (added?.oid !== undefined && added.mode !== undefined && !isFilled) {
    return { mode: added.mode, name, oid: added.oid };
  }
  if (before?.mode !== FOLDER && !isFilled) {
    return steps.length > below.length ? undefined : before;
  }
  const tree = before?.mode === FOLDER ? before.oid : undefined;
  const oid = await edited(objects, tree, below);
  return oid === undefined ? undefined : { mode: FOLDER, name, oid };
}

/** Stores rows as one tree, in git's order: by bytes, a folder's name as if it ended in a slash. */
export async function storeTree(objects: Objects, rows: Row[]): Promise<string> {
  const key = ({ mode, name }: Row) => (mode === FOLDER ? `${name}/` : name);
  const sorted = rows.sort((a, b) => (key(a) < key(b) ? -1 : 1));
  const bytes = Buffer.concat(
    sorted.flatMap(({ mode, name, oid }) => [
      Buffer.from(`${mode} ${name}\0`, "latin1"),
      Buffer.from(oid, "hex"),
    ]),
  );
  return (await objects.store("tree", [bytes]))[0] ?? "";
}
