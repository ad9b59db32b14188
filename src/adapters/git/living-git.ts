/** Which processes may have a lock of git's: a git that is at work in this repository, and whoever has the file open. */
import { readdir, readFile, readlink } from "node:fs/promises";
import { basename, join, resolve, sep } from "node:path";

export interface LivingGit {
  pid: number;
  /** `git fetch`, or a program's name: the rest of a command line may hold a key. */
  command: string;
}

/**
 * Git closes a lock long before it renames it, so an open file alone tells too little. These only
 * read, and live long: our own readers, a log in a pager, what watches files.
 */
const READING = new Set([
  ...["cat-file", "hash-object", "log", "show", "diff", "diff-tree", "blame", "grep", "shortlog"],
  ...["rev-list", "ls-files", "ls-tree", "fsmonitor--daemon", "daemon", "credential-cache--daemon"],
]);

/** Options of git itself whose value is the next word. */
const WITH_VALUE = new Set(["-c", "-C", "--git-dir", "--work-tree", "--namespace", "--exec-path"]);

/** What one process shows of itself; an undefined part is kept from us. */
interface Shown {
  pid: number;
  name: string;
  argv: string[];
  cwd: string | undefined;
  gitDir: string | undefined;
  open: readonly string[];
}

/**
 * The living processes that may have one of these locks, or be about to rename it. `commonDir` is the
 * git directory, `locks` are files below it. Undefined where this system does not tell.
 */
export async function livingGits(
  commonDir: string,
  locks: readonly string[],
): Promise<LivingGit[] | undefined> {
  if (process.platform !== "linux") return undefined;
  const places = [commonDir, ...(await workTreesOf(commonDir))];
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(pids.map((pid) => look(Number(pid))));
  return all
    .filter((one) => one !== undefined)
    .filter((one) => one.open.some((path) => locks.includes(path)) || mayMove(one, places))
    .map((one) => ({ pid: one.pid, command: commandOf(one) }));
}

/** True for a git that may move refs here; one that does not show where it works may be here. */
function mayMove({ name, argv, cwd, gitDir }: Shown, places: readonly string[]): boolean {
  const isGit = [name, basename(argv[0] ?? "")].some((word) => /^git(-.*)?$/.test(word));
  if (!isGit || READING.has(verbOf(argv) ?? "")) return false;
  if (cwd === undefined) return true;
  const named = [
    cwd,
    gitDir ?? cwd,
    ...argv.map((word) => resolve(cwd, word.replace(/^--[\w-]+=/, ""))),
  ];
  return named.some((path) =>
    places.some((place) => path === place || path.startsWith(place + sep)),
  );
}

function commandOf({ name, argv }: Shown): string {
  const program = basename(argv[0] ?? name);
  return program === "git" ? `git ${verbOf(argv) ?? ""}`.trim() : program;
}

/** `update-ref` of `git -c a=b update-ref …`; `git` may be run by a shell, as a script of that name. */
function verbOf(argv: readonly string[]): string | undefined {
  const from = argv.findIndex((word) => basename(word) === "git") + 1;
  return argv.slice(from).find((word, at, words) => {
    return !word.startsWith("-") && !WITH_VALUE.has(words[at - 1] ?? "");
  });
}

/** Undefined for a process that has ended, or is at its end: it does nothing any more. */
async function look(pid: number): Promise<Shown | undefined> {
  if (pid === process.pid) return undefined;
  const folder = `/proc/${pid}`;
  const line = await textOf(join(folder, "cmdline"));
  if (line === "") return undefined;
  const environ = (await textOf(join(folder, "environ"))).split("\0");
  const fds = await readdir(join(folder, "fd")).catch(() => []);
  return {
    pid,
    name: (await textOf(join(folder, "comm"))).trim(),
    argv: line.split("\0").slice(0, -1),
    cwd: await readlink(join(folder, "cwd")).catch(() => undefined),
    gitDir: environ.find((one) => one.startsWith("GIT_DIR="))?.slice("GIT_DIR=".length),
    open: await Promise.all(fds.map((fd) => readlink(join(folder, "fd", fd)).catch(() => ""))),
  };
}

/** The top folders of all work trees of a repository. */
async function workTreesOf(commonDir: string): Promise<string[]> {
  const others = await readdir(join(commonDir, "worktrees")).catch(() => []);
  const files = others.map((name) => textOf(join(commonDir, "worktrees", name, "gitdir")));
  const tops = (await Promise.all(files)).map((text) => resolve(text.trim(), ".."));
  return basename(commonDir) === ".git" ? [resolve(commonDir, ".."), ...tops] : tops;
}

async function textOf(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
