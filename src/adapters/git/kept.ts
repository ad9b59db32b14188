/** What git keeps of all runs: their branches and the refs of their attempts; and taking them away. */
import { cleanGit } from "./git.ts";
import { GitError } from "./git-error.ts";
import { movingRefs } from "./locks.ts";
import { locateRepository } from "./survey.ts";

/** One ref of a run. */
export interface KeptRef {
  runId: string;
  /** `fractal/<run>/main` is `branch`; of an attempt `<task>.<number>`; the commit it began at `base`. */
  name: string;
  /** In full: `refs/fractal/…`. */
  ref: string;
  commit: string;
  /** When the commit was made, ms since 1970. */
  atMs: number;
}

/** Every ref that runs made. */
export async function listKept(checkout: string): Promise<KeptRef[]> {
  const git = cleanGit((await locateRepository(checkout)).commonDir);
  const { text } = await git([
    ...["for-each-ref", "--format=%(refname)%00%(objectname)%00%(committerdate:unix)"],
    ...["refs/fractal/", "refs/heads/fractal/"],
  ]);
  return linesOf(text).flatMap((line): KeptRef[] => {
    const [ref = "", commit = "", seconds] = line.split("\0");
    const atMs = Number(seconds) * 1000;
    const branch = /^refs\/heads\/fractal\/([^/]+)\/main$/.exec(ref)?.[1];
    if (branch !== undefined) return [{ runId: branch, name: "branch", ref, commit, atMs }];
    const [, runId, name] = /^refs\/fractal\/([^/]+)\/(.+)$/.exec(ref) ?? [];
    return runId === undefined || name === undefined ? [] : [{ runId, name, ref, commit, atMs }];
  });
}

/** The names of the branches and tags that are not of runs and have this commit. */
export async function elsewhere(checkout: string, commit: string): Promise<string[]> {
  const git = cleanGit((await locateRepository(checkout)).commonDir);
  const { text } = await git([
    ...["for-each-ref", "--format=%(refname)", `--contains=${commit}`],
    ...["refs/heads/", "refs/remotes/", "refs/tags/"],
  ]);
  return linesOf(text).filter((ref) => !ref.startsWith("refs/heads/fractal/"));
}

/** Bytes in git that only these refs hold: no branch and no tag of another name does. */
export async function bytesOnlyIn(checkout: string, refs: readonly KeptRef[]): Promise<number> {
  if (refs.length === 0) return 0;
  const git = cleanGit((await locateRepository(checkout)).commonDir);
  const leave = new Set(refs.map(({ ref }) => ref));
  const all = await git(["for-each-ref", "--format=%(refname)", "refs/heads/", "refs/tags/"]);
  const others = linesOf(all.text).filter((ref) => !leave.has(ref));
  const { text } = await git(["rev-list", "--disk-usage", "--objects", "--stdin"], {
    stdin: [...refs.map(({ ref }) => ref), ...others.map((ref) => `^${ref}`), ""].join("\n"),
  });
  return Number(text) || 0;
}

/**
 * Takes refs away, all or none; one that was moved meanwhile keeps them all. For the holder of the
 * repository's lock: what a killed git left on refs of these runs is removed first.
 */
export async function removeRefs(checkout: string, refs: readonly KeptRef[]): Promise<void> {
  if (refs.length === 0) return;
  const { commonDir } = await locateRepository(checkout);
  const git = cleanGit(commonDir);
  const stdin = refs.map(({ ref, commit }) => `delete ${ref}\0${commit}\0`).join("");
  const runIds = [...new Set(refs.map(({ runId }) => runId))];
  const { exitCode, stderr } = await movingRefs({ commonDir, runIds }, () =>
    git(["update-ref", "-z", "--stdin"], { stdin, answers: [0, 1, 128] }),
  );
  if (exitCode !== 0) throw new GitError("refs cannot be removed", stderr);
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
