/** Merges a run's branch into the branch the user is on: by their own git, whole or not at all. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { hooksTouched, inTheWay } from "./before-merge.ts";
import { type Checkout, headOf, isWithin } from "./checkout.ts";
import { type Git, ownGit, userGit } from "./git.ts";
import { locksLeft } from "./locks.ts";
import { restoreFiles, touchedBy } from "./restore.ts";

/** What came of a merge. Unless it is `merged` nothing was changed, or all but `left` was put back. */
export type Merged =
  /** `after` is the commit the user's branch is at now; `before` is empty on an unborn branch. */
  | { kind: "merged"; how: "fast-forward" | "merge"; before: string; after: string }
  | { kind: "already"; before: string; after: string }
  | { kind: "conflicts"; paths: string[] }
  /** These lie in no commit where the merge writes, or are hooks it changes and then runs. */
  | { kind: "in-the-way" | "hooks"; paths: string[] }
  /** Another git is at work in the checkout, or was killed there: these are its locks. */
  | { kind: "locked"; paths: string[] }
  /** The user's git, or a hook of theirs, said no. `left`: what could not be put back yet. */
  | { kind: "refused"; said: string; left?: string[] };

/**
 * What became of a merge that was cut off. `stuck`: a person must look at these paths first;
 * `locked`: a git is at work there still, or was killed.
 */
export type Recovered =
  | { kind: "none" | "finished" | "undone" }
  | { kind: "stuck"; why: string; paths: string[] }
  | { kind: "locked"; paths: string[] };

const intent = z.object({
  /** The commit to be merged, the head before, and the tree it shall lead to. */
  commit: z.string(),
  head: z.string(),
  tree: z.string(),
});
type Intent = z.infer<typeof intent>;

const intentFile = ({ gitDir }: Checkout) => join(gitDir, "fractal", "merge.json");

/**
 * Merges `commit` into HEAD as `git merge` does, with the user's settings and hooks: fast-forward
 * where that is possible and `commits` does not ask for a commit. `isUnrelated`: the run began with
 * nothing, so its history may have no commit in common with theirs. One at a time for a checkout
 * (`takeMergeLock`), after `recoverMerge`. `env` is the environment of git and of those hooks.
 */
export async function mergeIntoCheckout(
  checkout: Checkout,
  o: {
    commit: string;
    message: string;
    commits: boolean;
    isUnrelated: boolean;
    env: Record<string, string>;
  },
): Promise<Merged> {
  const { top, head: before = "" } = checkout;
  if (before !== "" && (await isWithin(top, o.commit, before))) {
    return { kind: "already", before, after: before };
  }
  const unrelated = o.isUnrelated && before !== "" ? ["--allow-unrelated-histories"] : [];
  const foreseen = await treeOfMerge(userGit(top), before, o.commit, unrelated);
  if (typeof foreseen !== "string") return foreseen;
  const own = ownGit(top, o.env);
  const touched = await touchedBy(userGit(top), before, foreseen);
  const lying = await inTheWay(userGit(top), top, before, touched);
  if (lying.length > 0) return { kind: "in-the-way", paths: lying };
  const hooks = await hooksTouched(own, top, touched);
  if (hooks.length > 0) return { kind: "hooks", paths: hooks };
  // Told before anything is begun.
  const locks = await locksLeft(locksOf(checkout));
  if (locks.length > 0) return { kind: "locked", paths: locks };
  writeIntent(checkout, { commit: o.commit, head: before, tree: foreseen });
  const ff = o.commits && before !== "" ? ["--no-ff"] : [];
  const flags = ["--quiet", "--no-edit", "--no-autostash", ...ff, ...unrelated];
  const ended = await endOf(own, ["merge", ...flags, "-m", o.message, o.commit]);
  const after = await headOf(top);
  if (ended.isDone && after !== "" && (await isWithin(top, o.commit, after))) {
    forgetIntent(checkout);
    return { kind: "merged", how: after === o.commit ? "fast-forward" : "merge", before, after };
  }
  const recovered = await recoverMerge(checkout);
  const left = "paths" in recovered ? { left: recovered.paths } : {};
  return { kind: "refused", said: ended.said, ...left };
}

/** How git ended; killed in the middle it has not. */
async function endOf(git: Git, args: string[]): Promise<{ isDone: boolean; said: string }> {
  try {
    const { exitCode, text, stderr } = await git(args, { answers: [0, 1, 2, 128] });
    const said = [stderr, text].filter((part) => part.trim() !== "").join("\n");
    return { isDone: exitCode === 0, said };
  } catch (error) {
    return { isDone: false, said: error instanceof Error ? error.message : String(error) };
  }
}

/** The tree the merge leads to, before anything is touched. */
async function treeOfMerge(
  git: Git,
  head: string,
  commit: string,
  unrelated: string[],
): Promise<string | Merged> {
  if (head === "") return (await git(["rev-parse", `${commit}^{tree}`])).text;
  const { exitCode, text, stderr } = await git(
    [
      "merge-tree",
      "--write-tree",
      "--name-only",
      "--no-messages",
      "-z",
      ...unrelated,
      head,
      commit,
    ],
    { answers: [0, 1, 128] },
  );
  const [tree = "", ...paths] = text.split("\0").filter((field) => field !== "");
  if (exitCode === 0) return tree;
  if (exitCode === 1) return { kind: "conflicts", paths: [...new Set(paths)] };
  return { kind: "refused", said: stderr };
}

/**
 * Recognises a merge of ours that was cut off: finished when HEAD has it, else undone. Files that
 * are neither as before nor as the merge makes them are left alone, and told.
 */
export async function recoverMerge(checkout: Checkout): Promise<Recovered> {
  const begun = readIntent(checkout);
  if (begun === undefined) return { kind: "none" };
  const { top, gitDir } = checkout;
  // The git of a fractal that was killed goes on alone.
  const locks = await locksLeft(locksOf(checkout));
  if (locks.length > 0) return { kind: "locked", paths: locks };
  const git = userGit(top);
  const head = await headOf(top);
  const isMerging = mergeHeadOf(gitDir) === begun.commit;
  if (head !== begun.head) {
    // Committed, but cut off before git forgot what it was merging.
    if (isMerging && (await isWithin(top, begun.commit, head))) await git(["merge", "--quit"]);
    forgetIntent(checkout);
    return { kind: "finished" };
  }
  if (isMerging) {
    const { exitCode, stderr } = await git(["merge", "--abort"], { answers: [0, 1, 128] });
    if (exitCode !== 0) return { kind: "stuck", why: stderr, paths: [] };
  }
  const odd = await restoreFiles(git, top, begun);
  if (odd.length > 0) {
    const why = "a merge was cut off, and these files were changed since";
    return { kind: "stuck", why, paths: odd };
  }
  forgetIntent(checkout);
  return { kind: "undone" };
}

/** The locks under which git moves files, index and branch: a person's, which are never removed. */
function locksOf({ gitDir, commonDir, branch }: Checkout): string[] {
  return [
    ...["index.lock", "HEAD.lock", "ORIG_HEAD.lock"].map((name) => join(gitDir, name)),
    ...(branch === undefined ? [] : [join(commonDir, "refs/heads", `${branch}.lock`)]),
    join(commonDir, "packed-refs.lock"),
  ];
}

function mergeHeadOf(gitDir: string): string | undefined {
  const file = join(gitDir, "MERGE_HEAD");
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
}

function readIntent(checkout: Checkout): Intent | undefined {
  const file = intentFile(checkout);
  if (!existsSync(file)) return undefined;
  try {
    return intent.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    // Cut off while it was written: nothing was begun before it was whole.
    rmSync(file, { force: true });
    return undefined;
  }
}

/** On disk before git is started. */
function writeIntent(checkout: Checkout, begun: Intent): void {
  mkdirSync(join(checkout.gitDir, "fractal"), { recursive: true });
  const file = openSync(intentFile(checkout), "w");
  try {
    writeSync(file, JSON.stringify(begun));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function forgetIntent(checkout: Checkout): void {
  rmSync(intentFile(checkout), { force: true });
}
