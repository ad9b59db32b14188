/** The user's checkout as a merge into it finds it: branch, head, changes, and what is under way there. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { userGit } from "./git.ts";

export interface Checkout {
  /** The top folder of the work tree. */
  top: string;
  /** Of this work tree alone: each of several has its own. */
  gitDir: string;
  /** What all work trees share: branches, objects. */
  commonDir: string;
  /** The short name of its branch; undefined on a detached HEAD. */
  branch: string | undefined;
  /** The commit of HEAD; undefined on an unborn branch. */
  head: string | undefined;
  /** Tracked files with changes that are in no commit. */
  changed: string[];
  /** `merge`, `rebase`, `cherry-pick`, `revert` or `bisect` that is under way. */
  underWay: string | undefined;
}

const UNDER_WAY: readonly (readonly [file: string, what: string])[] = [
  ["MERGE_HEAD", "merge"],
  ["rebase-merge", "rebase"],
  ["rebase-apply", "rebase"],
  ["CHERRY_PICK_HEAD", "cherry-pick"],
  ["REVERT_HEAD", "revert"],
  ["BISECT_LOG", "bisect"],
];

/** Looks at the checkout around a folder; changes nothing. Throws where there is none. */
export async function readCheckout(folder: string): Promise<Checkout> {
  const git = userGit(folder);
  const where = ["--git-dir", "--git-common-dir", "--show-toplevel"];
  const { text } = await git(["rev-parse", "--path-format=absolute", ...where]);
  const [gitDir = "", commonDir = "", top = ""] = text.split("\n");
  const branch = await git(["symbolic-ref", "--quiet", "--short", "HEAD"], { answers: [0, 1] });
  const head = await headOf(folder);
  const status = await userGit(top)([
    ...["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=no"],
    "--ignore-submodules=dirty",
  ]);
  const changed = status.text.split("\0").filter((line) => line !== "");
  const underWay = UNDER_WAY.find(([file]) => existsSync(join(gitDir, file)))?.[1];
  return {
    top,
    gitDir,
    commonDir,
    branch: branch.text === "" ? undefined : branch.text,
    head: head === "" ? undefined : head,
    changed: changed.map((line) => line.slice(3)),
    underWay,
  };
}

/** The commit of HEAD, empty on an unborn branch. */
export async function headOf(folder: string): Promise<string> {
  const { text } = await userGit(folder)(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], {
    answers: [0, 1],
  });
  return text;
}

/** Whether a commit is in the history of another; false too where one of them is not there. */
export async function isWithin(folder: string, commit: string, of: string): Promise<boolean> {
  const { exitCode } = await userGit(folder)(["merge-base", "--is-ancestor", commit, of], {
    answers: [0, 1, 128],
  });
  return exitCode === 0;
}
