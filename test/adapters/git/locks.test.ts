/** Locks that git left or has: a run's own are healed, those of a living git are waited for, a person's stay. */
import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { GitLocked } from "../../../src/adapters/git/git-error.ts";
import { listKept, removeRefs } from "../../../src/adapters/git/kept.ts";
import { freeLocks } from "../../../src/adapters/git/locks.ts";
import { openRepository } from "../../../src/adapters/git/repository.ts";
import { deadlyGit, hasStrace } from "../../support/deadly-git.ts";
import { report } from "../../support/report.ts";
import { IS_DEEP } from "../../support/seed.ts";

// Many short processes: slow on a busy machine, never stuck.
vi.setConfig({ testTimeout: 60_000 });

const BRANCH = "refs/heads/fractal/r1/main";
const isLinux = process.platform === "linux";
if (!isLinux)
  process.stderr.write("only Linux tells which processes run: no lock is healed here\n");

let home: string;
let checkout: string;
let commonDir: string;
/** Three commits in a row. */
let commits: [string, string, string];
const alive: Holder[] = [];

function git(...args: string[]): string {
  return execFileSync("git", args, {
    cwd: checkout,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trimEnd();
}

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "fractal-locks-"));
  checkout = join(home, "checkout");
  commonDir = join(checkout, ".git");
  mkdirSync(checkout);
  git("init", "-q", "--initial-branch=trunk");
  git("config", "user.name", "Una");
  git("config", "user.email", "una@example.org");
  const made = ["one", "two", "three"].map((message) => {
    git("commit", "-q", "--allow-empty", "-m", message);
    return git("rev-parse", "HEAD");
  });
  commits = made as typeof commits;
});
afterEach(async () => {
  for (const holder of alive.splice(0)) await holder.kill();
  rmSync(home, { recursive: true, force: true });
});

const open = () => openRepository({ checkout, runId: "r1", root: "." });
const lockOf = (ref: string) => join(commonDir, `${ref}.lock`);
const tip = (ref = BRANCH) => git("rev-parse", ref);

/** A lock as it lies there when whoever made it is long gone. */
function leave(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "");
  utimesSync(path, new Date(0), new Date(0));
}

interface Holder {
  pid: number;
  /** Lets it finish its move. */
  commit(): Promise<void>;
  /** Stops it for good; what it locked stays locked. */
  kill(): Promise<void>;
}

/** A real git that has locked a ref for a move, and closed the file. */
async function holding(ref: string, to: string, from: string, cwd = commonDir): Promise<Holder> {
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(
    "git",
    ["update-ref", "--stdin"],
    { cwd, env: { PATH: process.env["PATH"] }, stdio: ["pipe", "pipe", "ignore"] },
  );
  const ended = once(child, "exit");
  child.stdin.write(`start\nupdate ${ref} ${to} ${from}\nprepare\n`);
  for (let said = ""; !said.includes("prepare: ok"); )
    said += String((await once(child.stdout, "data"))[0]);
  const holder: Holder = {
    pid: child.pid ?? 0,
    async commit() {
      child.stdin.end("commit\n");
      expect((await ended)[0]).toBe(0);
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
  alive.push(holder);
  return holder;
}

describe.skipIf(!isLinux)("a lock on a ref of the run", () => {
  it("that a killed git left is removed, and the ref moves on", async () => {
    const repository = await open();
    await repository.startBranch({ base: commits[0] });
    const holder = await holding(BRANCH, commits[1], commits[0]);
    await holder.kill();
    expect(existsSync(lockOf(BRANCH))).toBe(true);
    await (await open()).freeLocks();
    expect(existsSync(lockOf(BRANCH))).toBe(false);
    expect(await repository.advance(commits[0], commits[2])).toBe(true);
    expect(tip()).toBe(commits[2]);
  });

  it("is healed also where it is met while the run is at work, on its branch and on what is kept", async () => {
    const repository = await open();
    await repository.startBranch({ base: commits[0] });
    leave(lockOf(BRANCH));
    leave(lockOf("refs/fractal/r1/fr-r1.a1.1"));
    expect(await repository.advance(commits[0], commits[1])).toBe(true);
    await repository.keep("fr-r1.a1.1", commits[1]);
    expect(tip("refs/fractal/r1/fr-r1.a1.1")).toBe(commits[1]);
    leave(lockOf("refs/fractal/r1/fr-r1.a1.1"));
    await removeRefs(checkout, await listKept(checkout));
    expect(git("for-each-ref", "refs/fractal", "refs/heads/fractal")).toBe("");
  });

  it("of a git that is alive is waited for: its move stands, and nothing is taken from it", async () => {
    const repository = await open();
    await repository.startBranch({ base: commits[0] });
    const holder = await holding(BRANCH, commits[1], commits[0]);
    // Old enough to be taken for left, if age were all.
    utimesSync(lockOf(BRANCH), new Date(0), new Date(0));
    const moved = repository.advance(commits[0], commits[2]);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(existsSync(lockOf(BRANCH))).toBe(true);
    await holder.commit();
    // Whoever was there first has moved it: the compare and swap says no.
    expect(await moved).toBe(false);
    expect(tip()).toBe(commits[1]);
  });

  it("of a git that stays is told with its process, and is left", async () => {
    git("update-ref", BRANCH, commits[0]);
    const holder = await holding(BRANCH, commits[1], commits[0]);
    utimesSync(lockOf(BRANCH), new Date(0), new Date(0));
    const freed = freeLocks({ commonDir, runIds: ["r1"], heldMaxMs: 400 });
    await expect(freed).rejects.toThrow(`${lockOf(BRANCH)}, which process ${holder.pid} (git`);
    expect(existsSync(lockOf(BRANCH))).toBe(true);
    await holder.commit();
    expect(tip()).toBe(commits[1]);
  });

  it.each([
    ["the checkout", () => checkout],
    ["a folder in it", () => join(checkout, "below")],
    ["another work tree", () => join(home, "tree")],
  ])("of a git that works from %s is nobody's to remove", async (_, cwd) => {
    await (await open()).startBranch({ base: commits[0] });
    mkdirSync(join(checkout, "below"));
    git("worktree", "add", "-q", "--detach", join(home, "tree"));
    await holding(BRANCH, commits[1], commits[0], cwd());
    utimesSync(lockOf(BRANCH), new Date(0), new Date(0));
    const freed = freeLocks({ commonDir, runIds: ["r1"], heldMaxMs: 400 });
    await expect(freed).rejects.toThrow(GitLocked);
    expect(existsSync(lockOf(BRANCH))).toBe(true);
  });

  it("that somebody has open is nobody's to remove, whatever the program is called", async () => {
    leave(lockOf(BRANCH));
    const holder = spawn("sh", ["-c", `exec 3<'${lockOf(BRANCH)}'; echo; exec sleep 60`]);
    await once(holder.stdout, "data");
    try {
      const freed = freeLocks({ commonDir, runIds: ["r1"], heldMaxMs: 400 });
      await expect(freed).rejects.toThrow(`process ${holder.pid} `);
      expect(existsSync(lockOf(BRANCH))).toBe(true);
    } finally {
      holder.kill();
    }
  });

  it("is removed though a git is at work in another repository, and one here only reads", async () => {
    const repository = await open();
    await repository.startBranch({ base: commits[0] });
    const other = join(home, "other");
    execFileSync("git", ["clone", "-q", checkout, other]);
    await holding("refs/heads/x", commits[0], "0".repeat(40), other);
    const reader = spawn("git", ["cat-file", "--batch"], { cwd: commonDir });
    leave(lockOf(BRANCH));
    await freeLocks({ commonDir, runIds: ["r1"] });
    reader.kill();
    expect(existsSync(lockOf(BRANCH))).toBe(false);
  });

  it("that is a moment old is looked at twice before it is removed", async () => {
    leave(lockOf(BRANCH));
    utimesSync(lockOf(BRANCH), new Date(), new Date());
    const freed = freeLocks({ commonDir, runIds: ["r1"] });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(existsSync(lockOf(BRANCH))).toBe(true);
    await freed;
    expect(existsSync(lockOf(BRANCH))).toBe(false);
  });
});

describe("a lock that is not of the run", () => {
  it.each([
    "index.lock",
    "HEAD.lock",
    "packed-refs.lock",
    "refs/heads/trunk.lock",
    "refs/heads/fractal/other/main.lock",
    "refs/fractal/other/base.lock",
    "refs/heads/fractal.lock",
  ])("is never removed: %s", async (name) => {
    const repository = await open();
    leave(join(commonDir, name));
    await repository.freeLocks();
    await repository.startBranch({ base: commits[0] });
    await repository.keep("fr-r1.a1.1", commits[1]);
    expect(await repository.advance(commits[0], commits[1])).toBe(true);
    expect(existsSync(join(commonDir, name))).toBe(true);
  });

  it("is named where it is in the way, and nothing is lost", async () => {
    const repository = await open();
    await repository.startBranch({ base: commits[0] });
    const packed = join(commonDir, "packed-refs.lock");
    leave(packed);
    const before = git("for-each-ref");
    const removed = removeRefs(checkout, await listKept(checkout));
    await expect(removed).rejects.toThrow(new GitLocked([packed]).message);
    expect(git("for-each-ref")).toBe(before);
    expect(existsSync(packed)).toBe(true);
    rmSync(packed);
    await removeRefs(checkout, await listKept(checkout));

    await repository.startBranch({ base: commits[0] });
    git("symbolic-ref", "HEAD", BRANCH);
    leave(join(commonDir, "HEAD.lock"));
    const moved = repository.advance(commits[0], commits[1]);
    await expect(moved).rejects.toMatchObject({ paths: [join(commonDir, "HEAD.lock")] });
    expect(tip()).toBe(commits[0]);
    rmSync(join(commonDir, "HEAD.lock"));
    expect(await repository.advance(commits[0], commits[1])).toBe(true);
  });
});

if (!hasStrace) process.stderr.write("no strace: git is not killed while it moves a ref\n");

describe.skipIf(!hasStrace || !isLinux)("a git that is killed while it moves a ref", () => {
  const CALLS = IS_DEEP
    ? "openat,write,rename,unlink,unlinkat,mkdir,link,close,fsync,fdatasync,rmdir"
    : "rename,unlink,fsync";
  const POINTS_MAX = 500;

  const MOVES: [string, (repository: Awaited<ReturnType<typeof open>>) => Promise<unknown>][] = [
    ["forward on the branch", (repository) => repository.advance(commits[0], commits[1])],
    ["to what is kept", (repository) => repository.keep("fr-r1.a1.1", commits[1])],
    ["away", async () => removeRefs(checkout, await listKept(checkout))],
  ];

  it.each(MOVES)(
    "%s leaves what the next process heals, wherever that was",
    async (what, move) => {
      let points = 0;
      let left = 0;
      for (let n = 1; n <= POINTS_MAX; n += 1) {
        git("update-ref", "refs/fractal/r1/base", commits[0]);
        git("update-ref", BRANCH, commits[0]);
        git("update-ref", "-d", "refs/fractal/r1/fr-r1.a1.1");
        const raised = deadlyGit(home, "update-ref", CALLS, n);
        const died = await open()
          .then(move)
          .then(
            () => false,
            () => true,
          );
        raised();
        if (!died) break;
        points += 1;
        const locks = globSync("**/*.lock", { cwd: commonDir });
        if (locks.length > 0) left += 1;
        for (const name of locks) {
          // A person's: told by the next, and removed by the person.
          if (name === "packed-refs.lock") rmSync(join(commonDir, name));
          else utimesSync(join(commonDir, name), new Date(0), new Date(0));
        }
        const next = await open();
        await next.freeLocks();
        expect(globSync("**/*.lock", { cwd: commonDir }), `killed at ${n}`).toEqual([]);
        await next.startBranch({ base: commits[0] });
        expect([commits[0], commits[1]], `killed at ${n}`).toContain(tip());
        expect(await next.advance(tip(), commits[2]), `killed at ${n}`).toBe(true);
        await next.keep("fr-r1.a1.1", commits[2]);
        git("fsck", "--strict");
      }
      expect(points).toBeGreaterThan(0);
      expect(left).toBeGreaterThan(0);
      const counted = { count: points, passed: points, details: { "left a lock": left } };
      report({ suite: "git-locks", what: `kills of git while it moves a ref ${what}`, ...counted });
    },
    1_200_000,
  );
});
