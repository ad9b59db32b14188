/** What can be known about a folder before anything is written: repository, head, changes, version. */
import { access, constants } from "node:fs/promises";
import { userGit } from "./git.ts";

export interface FolderSurvey {
  /** `2.39.5`; undefined when git is not installed. */
  gitVersion: string | undefined;
  /** False below 2.38, where `merge-tree` cannot write. */
  gitUsable: boolean;
  repository: RepositorySurvey | undefined;
  /** Git's own words when it will not work with a repository that seems to be there. */
  refusal: string | undefined;
}

export interface RepositorySurvey {
  /** The top folder of the work tree; undefined in a bare repository, and in `.git`. */
  top: string | undefined;
  commonDir: string;
  /** The commit of HEAD; undefined on an unborn branch. */
  head: string | undefined;
  /** Paths with changes that are in no commit, new files included, relative to the top. */
  uncommitted: string[];
  /** True when a branch named `fractal` keeps `fractal/<run>/main` from being made. */
  nameTaken: boolean;
  /** The folder, of the work tree's and git's own, that cannot be written to; undefined when both can. */
  readOnly: string | undefined;
}

const OLDEST = [2, 38];

/** Looks at a folder; changes nothing. */
export async function surveyFolder(folder: string): Promise<FolderSurvey> {
  const gitVersion = await versionOfGit(folder);
  const gitUsable = gitVersion !== undefined && isRecent(gitVersion);
  if (!gitUsable) return { gitVersion, gitUsable, repository: undefined, refusal: undefined };
  const git = userGit(folder);
  const where = await git(
    ["rev-parse", "--path-format=absolute", "--git-common-dir", "--is-inside-work-tree"],
    { answers: [0, 128] },
  );
  if (where.exitCode !== 0) {
    const isNone = where.stderr.includes("not a git repository");
    return {
      gitVersion,
      gitUsable,
      repository: undefined,
      refusal: isNone ? undefined : where.stderr,
    };
  }
  const [commonDir = "", inside] = where.text.split("\n");
  const top = inside === "true" ? (await git(["rev-parse", "--show-toplevel"])).text : undefined;
  const head = await git(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], {
    answers: [0, 1],
  });
  const branch = await git(["rev-parse", "--verify", "--quiet", "refs/heads/fractal"], {
    answers: [0, 1],
  });
  return {
    gitVersion,
    gitUsable,
    refusal: undefined,
    repository: {
      top,
      commonDir,
      head: head.text === "" ? undefined : head.text,
      uncommitted: top === undefined ? [] : await uncommittedIn(top),
      nameTaken: branch.text !== "",
      readOnly: await readOnlyOf([top ?? commonDir, commonDir]),
    },
  };
}

async function readOnlyOf(folders: string[]): Promise<string | undefined> {
  for (const folder of folders) {
    try {
      await access(folder, constants.W_OK);
    } catch {
      return folder;
    }
  }
  return undefined;
}

/** Makes a folder a git repository, as `git init` there would. */
export async function initRepository(folder: string): Promise<void> {
  await userGit(folder)(["init", "--quiet"]);
}

/** The git directory all work trees share, and how its objects are named. Throws where there is none. */
export async function locateRepository(
  folder: string,
): Promise<{ commonDir: string; format: string }> {
  const found = await userGit(folder)([
    ...["rev-parse", "--path-format=absolute", "--git-common-dir", "--show-object-format"],
  ]);
  const [commonDir = "", format = "sha1"] = found.text.split("\n");
  return { commonDir, format };
}

async function versionOfGit(folder: string): Promise<string | undefined> {
  try {
    const { text } = await userGit(folder)(["--version"]);
    return /\d+(\.\d+)+/.exec(text)?.[0];
  } catch {
    return undefined;
  }
}

function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldMajor = 0, oldMinor = 0] = OLDEST;
  return major > oldMajor || (major === oldMajor && minor >= oldMinor);
}

async function uncommittedIn(top: string): Promise<string[]> {
  const { text } = await userGit(top)([
    ...["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal"],
    "--ignore-submodules=dirty",
  ]);
  return text
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => line.slice(3));
}
