/** Puts files back that a merge had begun to write, and only those. */
import { lstat, readFile, readlink, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Git } from "./git.ts";

/** A file that a merge changes, adds or deletes. */
export interface Touched {
  path: string;
  /** Object ids, `undefined` where the file is not there before, or after. */
  before: string | undefined;
  after: string | undefined;
  /** The commit of a submodule before or after: no file of ours. */
  isSubmodule: boolean;
}

/**
 * Makes the files that a merge of `head` to `tree` changes what they are in `head` (nothing, where
 * that is empty). Those that are neither as before nor as the merge makes them are returned, and
 * then nothing is changed at all.
 */
export async function restoreFiles(
  git: Git,
  top: string,
  { head, tree }: { head: string; tree: string },
): Promise<string[]> {
  const back: Touched[] = [];
  const odd: string[] = [];
  for (const one of await touchedBy(git, head, tree)) {
    if (one.isSubmodule) continue;
    const stands = await standing(git, top, one);
    if (stands === "odd") odd.push(one.path);
    else if (stands === "written") back.push(one);
    else if (await isStaged(git, one)) back.push(one);
  }
  if (odd.length > 0) return odd;
  const kept = back.filter(({ before }) => before !== undefined).map(({ path }) => path);
  const added = back.filter(({ before }) => before === undefined).map(({ path }) => path);
  await withPaths(git, ["rm", "--cached", "--quiet", "--force", "--ignore-unmatch"], added);
  for (const path of added) {
    await rm(join(top, path), { force: true });
    await removeEmptyAbove(top, path);
  }
  await withPaths(git, ["checkout", "--quiet", "--force", head], kept);
  return [];
}

async function withPaths(git: Git, args: string[], paths: string[]): Promise<void> {
  if (paths.length === 0) return;
  await git([...args, "--pathspec-from-file=-", "--pathspec-file-nul"], {
    stdin: paths.join("\0"),
    env: { GIT_LITERAL_PATHSPECS: "1", GIT_OPTIONAL_LOCKS: "1" },
  });
}

/** What a merge of `head` (nothing, where that is empty) to `tree` changes. */
export async function touchedBy(git: Git, head: string, tree: string): Promise<Touched[]> {
  const from =
    head === "" ? (await git(["hash-object", "-t", "tree", "--stdin"], { stdin: "" })).text : head;
  const { text } = await git([
    "diff-tree",
    "-r",
    "-z",
    "--raw",
    "--no-renames",
    "--no-abbrev",
    from,
    tree,
  ]);
  const fields = text.split("\0").filter((field) => field !== "");
  const touched: Touched[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [, , before = "", after = ""] = (fields[at] ?? "").split(" ");
    const idOf = (id: string) => (/^0+$/.test(id) ? undefined : id);
    touched.push({
      path: fields[at + 1] ?? "",
      before: idOf(before),
      after: idOf(after),
      isSubmodule: /\b160000\b/.test(fields[at] ?? ""),
    });
  }
  return touched;
}

/** How a file lies there: as before, as the merge (or half of it) wrote it, or as neither. */
async function standing(
  git: Git,
  top: string,
  { path, before, after }: Touched,
): Promise<"before" | "written" | "odd"> {
  const file = join(top, path);
  const stats = await lstat(file).catch(() => undefined);
  // Git takes a file away before it writes it anew.
  if (stats === undefined) return before === undefined ? "before" : "written";
  if (stats.isDirectory()) return before === undefined ? "before" : "odd";
  const isLink = stats.isSymbolicLink();
  const id = isLink
    ? (await git(["hash-object", "--stdin"], { stdin: await readlink(file) })).text
    : (await git(["hash-object", `--path=${path}`, "--stdin"], { stdin: await readFile(file) }))
        .text;
  if (id === before) return "before";
  if (id === after) return "written";
  if (!isLink && (await isHalf(git, file, after))) return "written";
  // Git writes over nothing that is in no commit: it was there before, or came after.
  return before === undefined ? "before" : "odd";
}

/** True for the beginning of what was to be written: whoever wrote it was killed. */
async function isHalf(git: Git, file: string, after: string | undefined): Promise<boolean> {
  if (after === undefined) return false;
  const { bytes } = await git(["cat-file", "blob", after]);
  const there = await readFile(file);
  return there.length < bytes.length && bytes.subarray(0, there.length).equals(there);
}

/** True when the index has the merge's version of it. */
async function isStaged(git: Git, { path, after }: Touched): Promise<boolean> {
  const { text } = await git(["ls-files", "--stage", "-z", "--", path], {
    env: { GIT_LITERAL_PATHSPECS: "1" },
  });
  const id = /^\d+ ([0-9a-f]+) /.exec(text)?.[1];
  return id === after;
}

async function removeEmptyAbove(top: string, path: string): Promise<void> {
  for (let at = dirname(path); at !== "."; at = dirname(at)) {
    try {
      await rmdir(join(top, at));
    } catch {
      return;
    }
  }
}
