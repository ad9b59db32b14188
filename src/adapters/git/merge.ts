/** Three-way merge of trees by `git merge-tree`, without a work tree. */
import { type Objects, objectId } from "./objects.ts";
import { treeIdOf } from "./trees.ts";

/** Written into the passing commits below, so that the same merge makes the same objects. */
const NEVER = "fractal <fractal@localhost> 0 +0000";

/**
 * Merges what became of `base` in `ours` and in `theirs`. Where one side changed nothing the other
 * is the answer and git is not asked. `marked` is the tree whose files have the marks of conflict.
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

function passingCommit(tree: string, parents: string[]): string {
  const lines = parents.map((parent) => `parent ${parent}\n`).join("");
  return `tree ${tree}\n${lines}author ${NEVER}\ncommitter ${NEVER}\n\nmerge\n`;
}
