/** What git holds of one run, for looking only: the commits of its branch and the refs it keeps. */
import { cleanGit } from "./git.ts";
import { locateRepository } from "./survey.ts";

export interface RunBranch {
  /** The commits that the branch has beyond its base, with their `Fractal-Task` trailers. */
  commits: Map<string, string[]>;
  /** The branch's tip; undefined when there is no branch. */
  tip: string | undefined;
  /** What is kept under refs/fractal/<run>/, by the name below that: `base`, `<task>.<attempt>`. */
  refs: Map<string, string>;
}

/** Reads a run's branch and refs. Throws where there is no repository: see `surveyFolder`. */
export async function readRunBranch(checkout: string, runId: string): Promise<RunBranch> {
  const { commonDir } = await locateRepository(checkout);
  const git = cleanGit(commonDir);
  const folder = `refs/fractal/${runId}/`;
  const listed = await git(["for-each-ref", "--format=%(refname) %(objectname)", folder]);
  const refs = new Map(
    linesOf(listed.text).map((line) => {
      const [name = "", commit = ""] = line.split(" ");
      return [name.slice(folder.length), commit];
    }),
  );
  const ref = `refs/heads/fractal/${runId}/main`;
  const found = await git(["rev-parse", "--verify", "--quiet", ref], { answers: [0, 1] });
  if (found.text === "") return { commits: new Map(), tip: undefined, refs };
  const base = refs.get("base");
  const { text } = await git([
    ...["rev-list", "--no-commit-header", "--reverse"],
    "--format=%H%x00%(trailers:key=Fractal-Task,valueonly,unfold,separator=%x00)",
    ...[ref, ...(base === undefined ? [] : [`^${base}`])],
  ]);
  const commits = new Map(
    linesOf(text).map((line) => {
      const [commit = "", ...trailers] = line.split("\0");
      return [commit, trailers.map((one) => one.trim()).filter((one) => one !== "")];
    }),
  );
  return { commits, tip: found.text, refs };
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
