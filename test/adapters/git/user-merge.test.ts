/** Merging into the user's branch on real repositories: whole or not at all, also when it was cut off. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readCheckout } from "../../../src/adapters/git/checkout.ts";
import { mergeIntoCheckout, recoverMerge } from "../../../src/adapters/git/user-merge.ts";
import { GIT_VARIABLES, only } from "../../../src/domain/environment.ts";
import { deadlyGit, hasStrace } from "../../support/deadly-git.ts";
import { report } from "../../support/report.ts";
import { IS_DEEP } from "../../support/seed.ts";

// Many short processes: slow on a busy machine, never stuck.
vi.setConfig({ testTimeout: 60_000 });

let home: string;
let checkout: string;
/** The commit to be merged: a.txt changed, new/b.txt added, gone.txt deleted. */
let tip: string;
let base: string;

function git(...args: string[]): string {
  return execFileSync("git", args, {
    cwd: checkout,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trimEnd();
}

function put(files: Record<string, string>, instead: string[] = []): void {
  for (const path of instead) rmSync(join(checkout, path), { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(checkout, path)), { recursive: true });
    writeFileSync(join(checkout, path), content);
  }
}

function commit(message: string): string {
  git("add", "--all");
  git("commit", "-qm", message);
  return git("rev-parse", "HEAD");
}

const LONG = `${"line\n".repeat(200)}`;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "fractal-merge-"));
  checkout = join(home, "checkout");
  mkdirSync(checkout);
  git("init", "-q", "--initial-branch=trunk");
  git("config", "user.name", "Una");
  git("config", "user.email", "una@example.org");
  put({ "a.txt": LONG, "gone.txt": "gone\n", "mine.txt": "mine\n" });
  base = commit("first");
  git("switch", "-q", "-c", "work");
  put({ "a.txt": `${LONG}more\n`, "new/b.txt": "b\nb\nb\n" });
  rmSync(join(checkout, "gone.txt"));
  tip = commit("work");
  git("switch", "-q", "trunk");
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const merge = async (over: { commits?: boolean; isUnrelated?: boolean } = {}) =>
  mergeIntoCheckout(await readCheckout(checkout), {
    commit: tip,
    message: "Merge fractal run r1: Work",
    commits: false,
    isUnrelated: false,
    env: { ...only(process.env, [...GIT_VARIABLES]), GIT_MARK: "given" },
    ...over,
  });

/** All that a merge may not leave changed when it did not happen. */
const standing = () => ({
  head: git("rev-parse", "HEAD"),
  status: git("status", "--porcelain"),
  files: ["a.txt", "gone.txt", "mine.txt", "new/b.txt"].map((path) =>
    statSync(join(checkout, path), { throwIfNoEntry: false })?.isFile()
      ? readFileSync(join(checkout, path), "utf8")
      : null,
  ),
  merging: existsSync(join(checkout, ".git/MERGE_HEAD")),
  intent: existsSync(join(checkout, ".git/fractal/merge.json")),
});

describe("a merge into the user's branch", () => {
  it("is a fast-forward where their branch has not moved", async () => {
    expect(await merge()).toEqual({
      kind: "merged",
      how: "fast-forward",
      before: base,
      after: tip,
    });
    expect(git("rev-parse", "trunk")).toBe(tip);
    expect(standing()).toMatchObject({ status: "", merging: false, intent: false });
  });

  it("is a merge commit of their own where it has, or where one is asked for", async () => {
    put({ "mine.txt": "changed\n" });
    const before = commit("mine");
    const merged = await merge();
    expect(merged).toMatchObject({ kind: "merged", how: "merge", before });
    expect(git("log", "-1", "--format=%an %s %P")).toBe(
      `Una Merge fractal run r1: Work ${before} ${tip}`,
    );
    git("reset", "-q", "--hard", base);
    expect(await merge({ commits: true })).toMatchObject({ kind: "merged", how: "merge" });
  });

  it("says so where it is done already", async () => {
    await merge();
    expect(await merge()).toEqual({ kind: "already", before: tip, after: tip });
  });

  it("changes nothing at all where both changed the same lines", async () => {
    put({ "a.txt": `${LONG}mine\n` });
    commit("mine");
    const before = standing();
    expect(await merge()).toEqual({ kind: "conflicts", paths: ["a.txt"] });
    expect(standing()).toEqual(before);
  });

  it("runs the user's hooks, and changes nothing where one says no", async () => {
    put({ "mine.txt": "changed\n" });
    commit("mine");
    const hook = join(checkout, ".git/hooks/pre-merge-commit");
    writeFileSync(hook, "#!/bin/sh\necho not on a Friday >&2\nexit 1\n");
    chmodSync(hook, 0o755);
    const before = standing();
    const merged = await merge();
    expect(merged).toMatchObject({ kind: "refused" });
    expect(JSON.stringify(merged)).toContain("not on a Friday");
    expect(standing()).toEqual(before);
    rmSync(hook);
    expect(await merge()).toMatchObject({ kind: "merged" });
  });

  describe.each([
    ["untracked", ""],
    ["ignored", "new\nnew/b.txt\n"],
  ])("leaves alone what is %s and in the way:", (_, ignored) => {
    it.each([
      ["a file of another content", "new/b.txt", "mine, not committed\n"],
      ["an empty file", "new/b.txt", ""],
      ["the beginning of what is added", "new/b.txt", "b\n"],
      ["just what is added", "new/b.txt", "b\nb\nb\n"],
      ["a file where a folder is needed", "new", "a file\n"],
      ["a file in a folder where a file is added", "new/b.txt/mine.txt", "mine\n"],
    ])("%s", async (_what, path, content) => {
      writeFileSync(join(checkout, ".git/info/exclude"), ignored);
      put({ [path]: content });
      for (const commits of [false, true]) {
        const before = standing();
        expect(await merge({ commits })).toEqual({ kind: "in-the-way", paths: [path] });
        expect(await recoverMerge(await readCheckout(checkout))).toEqual({ kind: "none" });
        expect(readFileSync(join(checkout, path), "utf8")).toBe(content);
        expect(standing()).toEqual(before);
      }
    });

    it("a link to a folder elsewhere", async () => {
      writeFileSync(join(checkout, ".git/info/exclude"), ignored);
      mkdirSync(join(home, "elsewhere"));
      symlinkSync(join(home, "elsewhere"), join(checkout, "new"));
      expect(await merge()).toEqual({ kind: "in-the-way", paths: ["new"] });
      expect(lstatSync(join(checkout, "new")).isSymbolicLink()).toBe(true);
    });
  });

  it("may make a folder of a tracked file, and a file of a folder of tracked ones", async () => {
    git("switch", "-q", "work");
    put({ "mine/c.txt": "c\n" }, ["mine.txt"]);
    tip = commit("turned");
    git("switch", "-q", "trunk");
    expect(await merge()).toMatchObject({ kind: "merged" });
    git("switch", "-q", "work");
    rmSync(join(checkout, "mine"), { recursive: true });
    rmSync(join(checkout, "gone.txt"), { force: true });
    put({ mine: "a file\n", "a.txt/x": "x\n" }, ["a.txt"]);
    tip = commit("turned again");
    git("switch", "-q", "trunk");
    expect(await merge()).toMatchObject({ kind: "merged" });
    expect(standing()).toMatchObject({ status: "" });
  });

  describe("does not run hooks that it brings:", () => {
    const HOOK = '#!/bin/sh\necho ran > "$(git rev-parse --git-dir)/ran"\n';
    const ran = () => existsSync(join(checkout, ".git/ran"));
    /** The branch adds an executable file. */
    const brings = (path: string) => {
      git("switch", "-q", "work");
      put({ [path]: HOOK });
      chmodSync(join(checkout, path), 0o755);
      tip = commit("a hook");
      git("switch", "-q", "trunk");
    };

    it.each([
      ["in the folder named to git", "scripts/hooks/post-merge", "scripts/hooks"],
      ["in a folder named by its whole path", "scripts/hooks/post-merge", "{top}/scripts/hooks"],
      ["beside husky's", ".husky/post-merge", ".husky/_"],
      ["in the place of what leads there", "scripts", "scripts/hooks"],
    ])("%s", async (_, path, hooksPath) => {
      git("config", "core.hooksPath", hooksPath.replace("{top}", checkout));
      brings(path);
      const before = standing();
      expect(await merge()).toEqual({ kind: "hooks", paths: [path] });
      expect(standing()).toEqual(before);
      expect(ran()).toBe(false);
    });

    it("behind a link in .git/hooks", async () => {
      put({ "tools/after.sh": "#!/bin/sh\n" });
      chmodSync(join(checkout, "tools/after.sh"), 0o755);
      commit("mine");
      symlinkSync("../../tools/after.sh", join(checkout, ".git/hooks/post-merge"));
      git("switch", "-q", "work");
      git("merge", "-q", "trunk");
      brings("tools/after.sh");
      expect(await merge()).toEqual({ kind: "hooks", paths: ["tools/after.sh"] });
      expect(ran()).toBe(false);
    });

    it("but runs those it leaves as they are", async () => {
      put({ "scripts/hooks/post-merge": HOOK });
      chmodSync(join(checkout, "scripts/hooks/post-merge"), 0o755);
      commit("mine");
      git("config", "core.hooksPath", "scripts/hooks");
      expect(await merge()).toMatchObject({ kind: "merged" });
      expect(ran()).toBe(true);
    });
  });

  it("gives the user's hooks the environment it was given, and no other", async () => {
    const hook = join(checkout, ".git/hooks/post-merge");
    writeFileSync(hook, '#!/bin/sh\nenv > "$(git rev-parse --git-dir)/seen"\n');
    chmodSync(hook, 0o755);
    vi.stubEnv("OPENAI_API_KEY", "sk-of-the-user");
    expect(await merge().finally(() => vi.unstubAllEnvs())).toMatchObject({ kind: "merged" });
    const seen = readFileSync(join(checkout, ".git/seen"), "utf8");
    expect(seen).toContain("GIT_MARK=given");
    expect(seen).not.toContain("OPENAI_API_KEY");
  });

  it("fills a branch that has no commit yet, and joins histories that began apart", async () => {
    git("switch", "-q", "--orphan", "fresh");
    expect(await merge()).toMatchObject({ kind: "merged", how: "fast-forward", before: "" });
    expect(git("rev-parse", "fresh")).toBe(tip);
    git("switch", "-q", "--orphan", "apart");
    put({ "own.txt": "own\n" });
    const own = commit("own");
    expect(await merge()).toMatchObject({ kind: "refused" });
    expect(standing().head).toBe(own);
    expect(await merge({ isUnrelated: true })).toMatchObject({ kind: "merged", how: "merge" });
    expect(readFileSync(join(checkout, "own.txt"), "utf8")).toBe("own\n");
  });

  it("leaves files alone that lie where there is no commit yet", async () => {
    git("switch", "-q", "--orphan", "fresh");
    put({ "a.txt": "mine\n" });
    expect(await merge()).toEqual({ kind: "in-the-way", paths: ["a.txt"] });
    expect(readFileSync(join(checkout, "a.txt"), "utf8")).toBe("mine\n");
  });
});

describe("a merge that was cut off", () => {
  /** What fractal writes before it starts git. */
  const begun = (head = base) => {
    mkdirSync(join(checkout, ".git/fractal"), { recursive: true });
    const tree = git("rev-parse", `${tip}^{tree}`);
    writeFileSync(
      join(checkout, ".git/fractal/merge.json"),
      JSON.stringify({ commit: tip, head, tree }),
    );
  };
  const recover = async () => recoverMerge(await readCheckout(checkout));

  it.each([
    ["before git began", () => undefined],
    ["when one file was written", () => put({ "a.txt": `${LONG}more\n` })],
    ["in the middle of a file", () => put({ "a.txt": "line\nli" })],
    ["when a file was taken away to be written anew", () => rmSync(join(checkout, "a.txt"))],
    [
      "when a file was added and another deleted",
      () => {
        put({ "new/b.txt": "b\nb\nb\n" });
        rmSync(join(checkout, "gone.txt"));
      },
    ],
    ["in the middle of a new file", () => put({ "new/b.txt": "b\n" })],
    [
      "when all was written but the branch not moved",
      () => void git("read-tree", "-m", "-u", base, tip),
    ],
    ["before it was committed", () => void git("merge", "-q", "--no-commit", "--no-ff", tip)],
  ])("%s is put back as it was, and then merged", async (_, cutOff) => {
    const before = standing();
    begun();
    cutOff();
    expect(await recover()).toEqual({ kind: "undone" });
    expect(standing()).toEqual(before);
    expect(existsSync(join(checkout, "new"))).toBe(false);
    expect(await recover()).toEqual({ kind: "none" });
    expect(await merge()).toMatchObject({ kind: "merged", after: tip });
  });

  it("after the branch was moved is found to be finished", async () => {
    begun();
    git("merge", "-q", tip);
    expect(await recover()).toEqual({ kind: "finished" });
    expect(standing()).toMatchObject({ head: tip, status: "", intent: false });
  });

  it("keeps what a person wrote since: that file is told, and nothing is put back", async () => {
    begun();
    put({ "new/b.txt": "b\nb\nb\n", "a.txt": "something of mine\n" });
    const before = standing();
    expect(await recover()).toMatchObject({ kind: "stuck", paths: ["a.txt"] });
    expect(standing()).toEqual(before);
  });

  it("leaves changes alone that have nothing to do with it", async () => {
    begun();
    put({ "a.txt": `${LONG}more\n`, "mine.txt": "edited since\n" });
    expect(await recover()).toEqual({ kind: "undone" });
    expect(git("status", "--porcelain").trim()).toBe("M mine.txt");
  });

  it("waits for a git that is still at work, and tells a lock that nobody holds", async () => {
    begun();
    const lock = join(checkout, ".git/index.lock");
    writeFileSync(lock, "");
    setTimeout(() => rmSync(lock), 300);
    expect(await recover()).toEqual({ kind: "undone" });
    begun();
    writeFileSync(lock, "");
    expect(await recover()).toEqual({ kind: "locked", paths: [lock] });
    expect(existsSync(lock)).toBe(true);
  });
});

if (!hasStrace) process.stderr.write("no strace: git is not killed in the middle of a merge\n");

describe.skipIf(!hasStrace)("a git that is killed in the middle of a merge", () => {
  /** What it changes files, index and branch by; in full, everything it does to the disk. */
  const calls = IS_DEEP
    ? "openat,write,rename,unlink,unlinkat,mkdir,link,close"
    : "rename,unlink,unlinkat,mkdir";
  const POINTS_MAX = 400;

  it.each([
    ["a fast-forward", false],
    ["a merge commit", true],
  ])(
    "leaves what the next one puts right, wherever that was (%s)",
    async (_, commits) => {
      let points = 0;
      for (let n = 1; n <= POINTS_MAX; n += IS_DEEP ? 1 : 2) {
        git("reset", "-q", "--hard", base);
        const before = standing();
        const alive = deadlyGit(home, '"merge --quiet"', calls, n);
        const merged = await merge({ commits }).finally(alive);
        if (merged.kind === "merged") break;
        points += 1;
        expect(merged.kind, `killed at ${n}`).toBe("refused");
        // A lock that the dead left is told; a person takes it away.
        if (merged.kind === "refused") for (const path of merged.left ?? []) rmSync(path);
        const recovered = await recoverMerge(await readCheckout(checkout));
        expect(["none", "undone", "finished"], `killed at ${n}`).toContain(recovered.kind);
        const now = standing();
        if (now.head === base) expect(now, `killed at ${n}`).toEqual(before);
        else expect(now, `killed at ${n}`).toMatchObject({ status: "", merging: false });
        const again = await merge({ commits });
        expect(["merged", "already"], JSON.stringify(again)).toContain(again.kind);
        expect(git("status", "--porcelain"), `killed at ${n}`).toBe("");
        expect(readFileSync(join(checkout, "new/b.txt"), "utf8")).toBe("b\nb\nb\n");
      }
      expect(points).toBeGreaterThan(3);
      const what = `kills of git in the middle of ${commits ? "a merge commit" : "a fast-forward"}`;
      report({ suite: "user-merge", what, count: points, passed: points });
    },
    1_200_000,
  );
});
