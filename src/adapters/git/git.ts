/** Runs the git command with nothing of the user's around it, and hands back bytes. */
import { execa } from "execa";
import { GIT_VARIABLES, only } from "../../domain/environment.ts";
import { GitError, verbIn } from "./git-error.ts";
import { type OpenCommand, type OpenGit, openGit } from "./open-git.ts";

export interface GitCall {
  stdin?: string | Uint8Array;
  env?: Record<string, string>;
  /** Exit codes that are an answer; any other throws. 0 when left out. */
  answers?: number[];
  /** Output beyond this is cut, not an error. */
  bytesMax?: number;
}

export interface GitAnswer {
  exitCode: number;
  bytes: Buffer;
  /** The output as text, without its last newline. */
  text: string;
  stderr: string;
}

/** One git command; throws when git does not answer. */
export type Git = (args: string[], call?: GitCall) => Promise<GitAnswer>;

/** The fixed committer: the work is fractal's until a person merges it. */
export const IDENTITY = { name: "fractal", email: "fractal@localhost" };

const CLEAN_ENV = {
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_ATTR_NOSYSTEM: "1",
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_NO_LAZY_FETCH: "1",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_TERMINAL_PROMPT: "0",
  GIT_LITERAL_PATHSPECS: "1",
  GIT_AUTHOR_NAME: IDENTITY.name,
  GIT_AUTHOR_EMAIL: IDENTITY.email,
  GIT_COMMITTER_NAME: IDENTITY.name,
  GIT_COMMITTER_EMAIL: IDENTITY.email,
  HOME: "/nonexistent",
  LC_ALL: "C",
};

/** Nothing configured may run a program, rename behind our back or rewrite what is in a file. */
const CLEAN_CONFIG = [
  "core.hooksPath=/dev/null",
  "core.attributesFile=/dev/null",
  "core.fsmonitor=false",
  "core.untrackedCache=false",
  "core.splitIndex=false",
  "core.sparseCheckout=false",
  "core.autocrlf=false",
  "core.quotePath=false",
  "core.logAllRefUpdates=false",
  // Objects are on disk before a ref that needs them moves.
  "core.fsync=objects,reference",
  "gc.auto=0",
  "maintenance.auto=false",
  // A new file stays where it was put, also when its folder was renamed meanwhile.
  "merge.directoryRenames=false",
  "diff.renames=false",
].flatMap((setting) => ["-c", setting]);

/** A git that works on one git directory and reads no configuration but that directory's own. */
export function cleanGit(gitDir: string, env: Record<string, string> = {}): Git {
  return (args, call = {}) =>
    runGit([...CLEAN_CONFIG, ...args], {
      ...call,
      cwd: gitDir,
      env: { ...CLEAN_ENV, GIT_DIR: gitDir, ...env, ...call.env },
      inherit: ["PATH"],
    });
}

/** `git cat-file`, open for `contents ID` and `info NAME`. */
export function cleanReader(gitDir: string, env: Record<string, string> = {}): OpenGit {
  const args = ["cat-file", "--buffer", "--batch-command"];
  return cleanOpenGit(gitDir, args, env, { flush: "flush\n" });
}

/** Trees that `git diff-tree` is given before it is started anew: it keeps those it has read. */
const COMPARED_MAX = 500;

/** `git diff-tree`, open for `TREE TREE`; a line that is no id comes back as it is. */
export function cleanComparer(gitDir: string, env: Record<string, string> = {}): OpenGit {
  const shown = ["--raw", "--numstat", "--no-renames", "--no-ext-diff", "--no-textconv"];
  const args = ["diff-tree", "-r", "-z", ...shown, "--stdin"];
  return cleanOpenGit(gitDir, args, env, { asksMax: COMPARED_MAX });
}

/** A ref is not moved often: while none is, no git is seen to be at work in the repository. */
const MOVER_IDLE_MS = 500;

/** `git update-ref`, open for transactions. It ends when one is refused, with what was in the way. */
export function cleanMover(gitDir: string): OpenGit {
  return cleanOpenGit(gitDir, ["update-ref", "--stdin"], {}, { idleMs: MOVER_IDLE_MS });
}

/** `git hash-object`, open for paths of files to store. */
export function cleanWriter(
  gitDir: string,
  type: "blob" | "tree" | "commit",
  env: Record<string, string> = {},
): OpenGit {
  const args = ["hash-object", "-w", "-t", type, "--no-filters", "--stdin-paths"];
  return cleanOpenGit(gitDir, args, env);
}

function cleanOpenGit(
  gitDir: string,
  args: string[],
  env: Record<string, string>,
  more: Pick<OpenCommand, "flush" | "asksMax" | "idleMs"> = {},
): OpenGit {
  return openGit({
    args: [...CLEAN_CONFIG, ...args],
    cwd: gitDir,
    env: { ...only(process.env, ["PATH"]), ...CLEAN_ENV, GIT_DIR: gitDir, ...env },
    ...more,
  });
}

/** A git as the user has it, for questions about the user's own folder; it still runs no hook. */
export function userGit(folder: string): Git {
  return (args, call = {}) =>
    runGit(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", ...args], {
      ...call,
      cwd: folder,
      env: { GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0", LC_ALL: "C", ...call.env },
      inherit: GIT_VARIABLES,
    });
}

/**
 * A git that is the user's own: their settings, identity and hooks. For what they asked it to do.
 * `inherited` is the environment of it and of its hooks: without keys.
 */
export function ownGit(folder: string, inherited: Readonly<Record<string, string>>): Git {
  return (args, call = {}) =>
    runGit(args, {
      ...call,
      cwd: folder,
      env: { ...inherited, GIT_TERMINAL_PROMPT: "0", GIT_MERGE_AUTOEDIT: "no", ...call.env },
      inherit: [],
    });
}

async function runGit(
  args: string[],
  call: GitCall & { cwd: string; env: Record<string, string>; inherit: readonly string[] },
): Promise<GitAnswer> {
  const { exitCode, stdout, stderr, isMaxBuffer, shortMessage } = await execa("git", args, {
    cwd: call.cwd,
    // Its own process group: Ctrl-C in the terminal is for fractal, which still needs the answer.
    detached: true,
    env: { ...only(process.env, call.inherit), ...call.env },
    extendEnv: false,
    encoding: "buffer",
    stripFinalNewline: false,
    reject: false,
    ...(call.stdin === undefined ? { stdin: "ignore" } : { input: call.stdin }),
    maxBuffer: { stdout: call.bytesMax ?? 2 ** 31, stderr: 1_000_000 },
  });
  const bytes = Buffer.from(stdout.buffer, stdout.byteOffset, stdout.byteLength);
  const said = Buffer.from(stderr).toString("utf8").trim();
  const cut = isMaxBuffer === true && call.bytesMax !== undefined;
  const code = cut ? 0 : exitCode;
  if (code === undefined || !(call.answers ?? [0]).includes(code)) {
    throw new GitError(`git ${verbIn(args)} failed (${code ?? shortMessage})`, said, code);
  }
  return {
    exitCode: code,
    bytes,
    get text() {
      return bytes.toString("utf8").replace(/\n$/, "");
    },
    stderr: said,
  };
}
