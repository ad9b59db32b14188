/** Three-way merge of trees without a work tree; `git merge-tree` where both sides changed one file. */
import { type Objects, objectId } from "./objects.ts";
import { FOLDER, type Row, rowsOf, storeTree, treeIdOf } from "./trees.ts";

/** Written into the passing commits below, so that the same merge makes the same objects. */
const NEVER = "fractal <fractal@localhost> 0 +0000";

/**
 * Merges what became of `base` in `ours` and in `theirs`. Where no file was changed by both, git is
 * not started. `marked` is the tree whose files have the marks of conflict.
 */
export async function mergeTrees(
  objects: Objects,
  base: string,
  ours: string,
  theirs: string,
): Promise<{ tree: string } | { conflicts: string[]; marked: string }> {
  const baseTree = await treeIdOf(objects, base);
  const ourTree = await treeIdOf(objects, ours);
  const theirTree = await treeIdOf(objects, theirs);
  if (baseTree === theirTree || ourTree === theirTree) return { tree: ourTree };
  if (baseTree === ourTree) return { tree: theirTree };
  const apart = await mergedApart(objects, baseTree, ourTree, theirTree);
  if (apart !== undefined) return { tree: await storeTree(objects, apart) };

  // git 2.38 finds the base by parents only, so each side is told its parent.
  const start = passingCommit(baseTree, []);
  const startId = objectId(objects.format, Buffer.from(start), "commit");
  const sides = [passingCommit(ourTree, [startId]), passingCommit(theirTree, [startId])];
  // The start first: git checks that the parent of a commit it stores can be read.
  await objects.store("commit", [start, ...sides]);
  const [ourId = "", theirId = ""] = sides.map((side) =>
    objectId(objects.format, Buffer.from(side), "commit"),
  );
  const { exitCode, text: answer } = await objects.git(
    ["merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ourId, theirId],
    { answers: [0, 1] },
  );
  const [tree = "", ...conflicts] = answer.split("\0").filter((field) => field !== "");
  return exitCode === 0 ? { tree } : { conflicts: [...new Set(conflicts)], marked: tree };
}

/**
 * The rows of a folder with what each side changed of it; a side that has no such folder has an
 * empty one. Undefined where both changed one file: that is git's to merge, also where both took it
 * away, as git looks whether it was moved.
 */
async function mergedApart(
  objects: Objects,
  ...trees: [base?: string, ours?: string, theirs?: string]
): Promise<Row[] | undefined> {
  const sides = await Promise.all(
    trees.map(async (tree) => {
      const rows = tree === undefined ? [] : await rowsOf(objects, tree);
      return new Map(rows.map((row) => [row.name, row]));
    }),
  );
  const merged: Row[] = [];
  for (const name of new Set(sides.flatMap((rows) => [...rows.keys()]))) {
    const [base, ours, theirs] = sides.map((rows) => rows.get(name));
    if (isSame(base, theirs) || isSame(base, ours)) {
      const row = isSame(base, theirs) ? ours : theirs;
      if (row !== undefined) merged.push(row);
      continue;
    }
    const rows = [base, ours, theirs];
    if (rows.some((row) => row !== undefined && row.mode !== FOLDER)) return undefined;
    const below = await mergedApart(objects, base?.oid, ours?.oid, theirs?.oid);
    if (below === undefined) return undefined;
    // Git keeps no empty folder.
    if (below.length === 0) continue;
    merged.push({ mode: FOLDER, name, oid: await storeTree(objects, below) });
  }
  return merged;
}

function isSame(one: Row | undefined, other: Row | undefined): boolean {
  return one?.oid === other?.oid && one?.mode === other?.mode;
}

function passingCommit(tree: string, parents: string[]): string {
  const lines = parents.map((parent) => `parent ${parent}\n`).join("");
  return `tree ${tree}\n${lines}author ${NEVER}\ncommitter ${NEVER}\n\nmerge\n`;
}
