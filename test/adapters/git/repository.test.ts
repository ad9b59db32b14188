/** The Repository port on real repositories: plumbing that leaves everything of the user's alone. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openRepository } from "../../../src/adapters/git/repository.ts";
import { scrubbedRepository } from "../../../src/cli/scrubbed.ts";
import { openSecrets } from "../../../src/cli/secrets.ts";
import { isFailure } from "../../../src/domain/failure.ts";
import { drawer } from "../../support/secret-formats.ts";

// Many short processes: slow on a busy machine, never stuck.
vi.setConfig({ testTimeout: 60_000 });

let home: string;
let checkout: string;

function git(...args: string[]): string {
  const config = ["user.name=Una", "user.email=una@example.org", "init.defaultBranch=trunk"];
  return execFileSync("git", [...config.flatMap((each) => ["-c", each]), ...args], {
    cwd: checkout,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trimEnd();
}

function put(folder: string, files: Record<string, string | Buffer>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

function emptyFolder(name: string): string {
  const folder = join(home, name);
  mkdirSync(folder);
  return folder;
}

/** Everything of the user's that must be the same before and after. */
function usersOwn(): Record<string, string> {
  const files = readdirSync(checkout, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.startsWith(join(checkout, ".git")));
  return {
    ...Object.fromEntries(files.map((path) => [path, readFileSync(path, "hex")])),
    index: readFileSync(join(checkout, ".git/index"), "hex"),
    config: readFileSync(join(checkout, ".git/config"), "utf8"),
    HEAD: readFileSync(join(checkout, ".git/HEAD"), "utf8"),
    branches: git("for-each-ref", "refs/heads/trunk", "refs/heads/other", "refs/tags"),
    status: git("status", "--porcelain"),
  };
}

const open = (root = ".", mounts: string[] = []) =>
  openRepository({ checkout, runId: "r1", root, mounts });

async function opened(root = ".", mounts: string[] = []) {
  const repository = await open(root, mounts);
  const head = await repository.startBranch({ base: git("rev-parse", "HEAD") });
  return { repository, head };
}

/** Checks out, lets `work` change the folder, and collects. */
async function worked(
  work: (folder: string) => void,
  { root = ".", mounts = [] as string[] } = {},
) {
  const { repository, head } = await opened(root, mounts);
  const folder = emptyFolder("ws");
  await repository.checkout(head, folder);
  work(folder);
  return { repository, head, folder, result: await repository.collect(folder, head) };
}

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "fractal-git-"));
  checkout = join(home, "checkout");
  mkdirSync(checkout);
  git("init", "-q");
  put(checkout, { "a.txt": "one\ntwo\nthree\n", "lib/b.txt": "b\n", "run.sh": "#!/bin/sh\n" });
  chmodSync(join(checkout, "run.sh"), 0o755);
  symlinkSync("lib/b.txt", join(checkout, "link"));
  git("add", ".");
  git("commit", "-qm", "first");
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

describe("a run's branch", () => {
  it("starts at the base and leaves the user's branch, index and files as they are", async () => {
    put(checkout, { "a.txt": "edited\n", "new.txt": "untracked\n", "staged.txt": "staged\n" });
    git("add", "staged.txt");
    git("branch", "other");
    const before = usersOwn();
    const { repository, head } = await opened();
    const folder = emptyFolder("ws");
    await repository.checkout(head, folder);
    put(folder, { "c.txt": "c\n" });
    const result = await repository.collect(folder, head);
    if (isFailure(result)) throw new Error(result.detail);
    const commit = await repository.commit(result.tree, [head], "work\n\nFractal-Task: r1.a 1\n");
    await repository.keep("r1.a.1", commit);
    await repository.merge(head, head, commit);
    await repository.write(head, [{ path: "d.txt", text: "d\n" }]);
    expect(await repository.advance(head, commit)).toBe(true);
    expect(usersOwn()).toEqual(before);
    expect(git("rev-parse", "fractal/r1/main")).toBe(commit);
    expect(git("rev-parse", "refs/fractal/r1/r1.a.1")).toBe(commit);
    expect(git("fsck", "--strict", "--no-dangling")).toBe("");
  });

  it("starts on an unborn branch with a first commit of the empty tree", async () => {
    rmSync(checkout, { recursive: true });
    mkdirSync(checkout);
    git("init", "-q");
    const repository = await open();
    const head = await repository.startBranch({ base: "" });
    expect(git("rev-list", "--count", head)).toBe("1");
    expect(await repository.listFiles(head)).toEqual([]);
    const tree = await repository.write(head, [{ path: "src/a.ts", text: "1\n" }]);
    expect(await repository.readFile(tree, "src/a.ts")).toBe("1\n");
    expect(git("symbolic-ref", "HEAD")).toBe("refs/heads/trunk");
  });

  it("stays where it is when it is started again", async () => {
    const { repository, head } = await opened();
    const next = await repository.commit(await repository.treeOf(head), [head], "next\n");
    await repository.advance(head, next);
    expect(await repository.startBranch({ base: head })).toBe(next);
  });

  it("is started without what a killed process left on its way in", async () => {
    const left = join(checkout, ".git/fractal/plumbing/scratch/r1/half");
    mkdirSync(left, { recursive: true });
    await open();
    expect(readdirSync(dirname(left))).toEqual(["half"]);
    await opened();
    expect(() => readdirSync(dirname(left))).toThrow("ENOENT");
  });

  it("moves for one of two that advance it from the same commit", async () => {
    const { repository, head } = await opened();
    const tree = await repository.treeOf(head);
    const commits = await Promise.all(
      ["x", "y", "z"].map((name) => repository.commit(tree, [head], `${name}\n`)),
    );
    const moved = await Promise.all(commits.map((commit) => repository.advance(head, commit)));
    expect(moved.filter((each) => each)).toHaveLength(1);
    expect(await repository.head()).toBe(commits[moved.indexOf(true)]);
  });

  it("finds a merged commit by its trailer, and only by a trailer", async () => {
    const { repository, head } = await opened();
    const tree = await repository.treeOf(head);
    const first = await repository.commit(tree, [head], "one\n\nFractal-Task: fr-1.a1 2\n");
    const second = await repository.commit(
      tree,
      [first],
      "says Fractal-Task: fr-1.a2 1\n\nFractal-Task: fr-1.a9 1\n\nFractal-Task: fr-1.a3 1\n",
    );
    await repository.advance(head, second);
    expect(await repository.findMerged("fr-1.a1", 2)).toBe(first);
    expect(await repository.findMerged("fr-1.a3", 1)).toBe(second);
    expect(await repository.findMerged("fr-1.a1", 22)).toBeUndefined();
    expect(await repository.findMerged("fr-1xa1", 2)).toBeUndefined();
    expect(await repository.findMerged("fr-1.a2", 1)).toBeUndefined();
    expect(await repository.findMerged("fr-1.a9", 1)).toBeUndefined();
  });
});

describe("checkout and collect", () => {
  it("give back the tree they started from when nothing was changed", async () => {
    const { repository, head, result, folder } = await worked(() => {});
    expect(result).toEqual({ tree: await repository.treeOf(head), changes: [] });
    expect(lstatSync(join(folder, "run.sh")).mode & 0o111).toBe(0o111);
    expect(readlinkSync(join(folder, "link"))).toBe("lib/b.txt");
  });

  it("let others be heard while many files are written", async () => {
    const { repository, head } = await worked(() => {});
    const many = Array.from({ length: 1_000 }, (_, at) => ({ path: `m/${at}`, text: `${at}\n` }));
    const commit = await repository.commit(await repository.write(head, many), [head], "many\n");
    // Read once: from then on the contents are in memory, and nothing is waited for.
    await repository.checkout(commit, emptyFolder("first"));
    const folder = emptyFolder("second");
    const seen = new Set<number>();
    let isDone = false;
    const look = () => {
      if (isDone) return;
      seen.add(readdirSync(folder, { recursive: true }).length);
      setImmediate(look);
    };
    look();
    await repository.checkout(commit, folder);
    isDone = true;
    const all = readdirSync(folder, { recursive: true }).length;
    expect(all).toBeGreaterThan(1_000);
    expect([...seen].filter((count) => count > 100 && count < 1_000)).not.toEqual([]);
  });

  it("keep the executable bit, empty files, binary files, unusual names and bytes as they are", async () => {
    const binary = Buffer.from([0, 255, 13, 10, 0, 1]);
    const { repository, result } = await worked((folder) => {
      put(folder, {
        "empty.txt": "",
        "data.bin": binary,
        "crlf.txt": "a\r\nb\r\n",
        'odd/"quo\'te" ünïcode $x.txt': "x\n",
        "tool.sh": "#!/bin/sh\n",
      });
      chmodSync(join(folder, "tool.sh"), 0o700);
    });
    if (isFailure(result)) throw new Error(result.detail);
    const again = emptyFolder("again");
    const commit = await repository.commit(result.tree, [], "x\n");
    await repository.checkout(commit, again);
    expect(readFileSync(join(again, "data.bin"))).toEqual(binary);
    expect(readFileSync(join(again, "crlf.txt"), "utf8")).toBe("a\r\nb\r\n");
    expect(readFileSync(join(again, "empty.txt"), "utf8")).toBe("");
    expect(readFileSync(join(again, 'odd/"quo\'te" ünïcode $x.txt'), "utf8")).toBe("x\n");
    expect(lstatSync(join(again, "tool.sh")).mode & 0o111).toBe(0o111);
    expect(lstatSync(join(again, "crlf.txt")).mode & 0o111).toBe(0);
    expect(await repository.readFile(result.tree, "data.bin")).toBeUndefined();
    expect(await repository.readLegible(result.tree, "crlf.txt")).toBe("a\r\nb\r\n");
    expect(await repository.readLegible(result.tree, "none.txt")).toBeUndefined();
    expect(await repository.readFile(result.tree, "empty.txt")).toBe("");
  });

  it.each([
    ["a byte that is no text", (text: string) => Buffer.from(`x\xff\n${text}`, "latin1")],
    ["a zero", (text: string) => Buffer.from(`x\0\n${text}`)],
    ["letters of two bytes", (text: string) => Buffer.from(`x\n${text}`, "utf16le")],
  ])("look through a file with %s for secrets", async (_, bytesOf) => {
    const key = `ghp_${drawer(8)(36)}`;
    const { repository, head, result, folder } = await worked((inside) =>
      put(inside, { "data.bin": bytesOf(key) }),
    );
    if (isFailure(result)) throw new Error(result.detail);
    expect(await repository.readFile(result.tree, "data.bin")).toBeUndefined();
    expect(await repository.readLegible(result.tree, "data.bin")).toContain(`\n${key}`);
    const entering = await scrubbedRepository(repository, openSecrets({})).collect(folder, head);
    expect(entering).toMatchObject({ failure: "holds-secret", paths: ["data.bin"] });
    expect(JSON.stringify(entering)).toContain("- data.bin:2 github-token");
  });

  it("list what was added, changed and deleted with its lines", async () => {
    const { result } = await worked((folder) => {
      put(folder, { "a.txt": "one\n2\nthree\nfour\n", "n/c.txt": "c\n" });
      rmSync(join(folder, "run.sh"));
      rmSync(join(folder, "lib"), { recursive: true });
      put(folder, { lib: "now a file\n" });
    });
    if (isFailure(result)) throw new Error(result.detail);
    expect(result.changes.sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { path: "a.txt", kind: "changed", linesAdded: 2, linesDeleted: 1 },
      { path: "lib", kind: "added", linesAdded: 1, linesDeleted: 0 },
      { path: "lib/b.txt", kind: "deleted", linesAdded: 0, linesDeleted: 1 },
      { path: "n/c.txt", kind: "added", linesAdded: 1, linesDeleted: 0 },
      { path: "run.sh", kind: "deleted", linesAdded: 0, linesDeleted: 1 },
    ]);
  });

  it("confine a run to its root: paths are relative to it and the rest of the tree stays", async () => {
    const { repository, head, folder, result } = await worked(
      (folder) => put(folder, { "c.txt": "c\n" }),
      { root: "lib" },
    );
    expect(readdirSync(folder).sort()).toEqual(["b.txt", "c.txt"]);
    if (isFailure(result)) throw new Error(result.detail);
    expect(result.changes.map((change) => change.path)).toEqual(["c.txt"]);
    expect(git("ls-tree", "-r", "--name-only", result.tree).split("\n")).toEqual([
      "a.txt",
      "lib/b.txt",
      "lib/c.txt",
      "link",
      "run.sh",
    ]);
    expect(await repository.readFile(result.tree, "c.txt")).toBe("c\n");
    expect(await repository.listFiles(result.tree)).toEqual(["b.txt", "c.txt"]);
    expect(await repository.diff(head, result.tree)).toContain("+++ b/c.txt");
    const elsewhere = await open("not/there");
    expect(await elsewhere.listFiles(head)).toEqual([]);
    expect(await elsewhere.readFile(head, "a.txt")).toBeUndefined();
  });

  it("take files in that ignore rules leave out, and leave mount points out", async () => {
    put(checkout, { ".gitignore": "*.db\nnode_modules\n" });
    git("add", ".");
    git("commit", "-qm", "ignore");
    const { result } = await worked(
      (folder) => put(folder, { "x.db": "data\n", "node_modules/m/index.js": "1\n" }),
      { mounts: ["node_modules"] },
    );
    if (isFailure(result)) throw new Error(result.detail);
    expect(result.changes.map((change) => change.path)).toEqual(["x.db"]);
  });

  it("keep submodules, and links of the base that leave the root, when they are not touched", async () => {
    symlinkSync("/etc/hostname", join(checkout, "outside"));
    git("add", "outside");
    git("update-index", "--add", "--cacheinfo", `160000,${git("rev-parse", "HEAD")},sub`);
    git("commit", "-qm", "odd");
    const { repository, head, result } = await worked((folder) => put(folder, { "a.txt": "x\n" }));
    if (isFailure(result)) throw new Error(result.detail);
    expect(result.changes.map((change) => change.path)).toEqual(["a.txt"]);
    expect(git("ls-tree", result.tree, "sub", "outside")).toBe(
      git("ls-tree", head, "sub", "outside"),
    );
    expect(await repository.readFile(head, "outside")).toBeUndefined();
  });

  it("run nothing that the repository configures: filters, hooks, drivers, fsmonitor", async () => {
    const canary = join(home, "canary");
    const script = join(home, "script");
    put(home, { script: `#!/bin/sh\necho "$0 $*" >> ${canary}\ncat\n` });
    chmodSync(script, 0o755);
    put(checkout, { ".gitattributes": "* filter=evil diff=evil merge=evil text eol=crlf ident\n" });
    git("add", ".");
    git("commit", "-qm", "attributes");
    for (const key of [
      "filter.evil.clean",
      "filter.evil.smudge",
      "filter.evil.process",
      "diff.evil.command",
      "diff.evil.textconv",
      "merge.evil.driver",
      "core.fsmonitor",
      "gpg.program",
    ]) {
      git("config", key, script);
    }
    put(checkout, { ".git/info/attributes": "* filter=evil diff=evil merge=evil\n" });
    git("config", "commit.gpgSign", "true");
    git("config", "log.showSignature", "true");
    for (const hook of ["reference-transaction", "post-checkout", "post-index-change"]) {
      put(checkout, { [`.git/hooks/${hook}`]: readFileSync(script) });
      chmodSync(join(checkout, ".git/hooks", hook), 0o755);
    }
    rmSync(canary, { force: true });
    const { repository, head, folder, result } = await worked((folder) =>
      put(folder, { "a.txt": "uno\ntwo\nthree\n", "lib/b.txt": "$Id$\n" }),
    );
    if (isFailure(result)) throw new Error(result.detail);
    expect(readFileSync(join(folder, "run.sh"), "utf8")).toBe("#!/bin/sh\n");
    await repository.diff(head, result.tree);
    const other = await repository.write(head, [{ path: "a.txt", text: "one\ntwo\ntres\n" }]);
    await repository.merge(head, result.tree, other);
    const commit = await repository.commit(result.tree, [head], "x\n\nFractal-Task: t 1\n");
    await repository.advance(head, commit);
    expect(await repository.findMerged("t", 1)).toBe(commit);
    expect(() => readFileSync(canary)).toThrow("ENOENT");
  });

  it("hold in a repository that names objects by SHA-256", async () => {
    rmSync(checkout, { recursive: true });
    mkdirSync(checkout);
    git("init", "-q", "--object-format=sha256");
    put(checkout, { "a.txt": "a\n" });
    git("add", ".");
    git("commit", "-qm", "first");
    const { repository, head, result } = await worked((folder) => {
      put(folder, { "b.txt": "b\n" });
      rmSync(join(folder, "a.txt"));
    });
    if (isFailure(result)) throw new Error(result.detail);
    expect(result.tree).toHaveLength(64);
    expect(await repository.listFiles(result.tree)).toEqual(["b.txt"]);
    const other = await repository.write(head, [{ path: "c.txt", text: "c\n" }]);
    expect(await repository.merge(head, result.tree, other)).toHaveProperty("tree");
  });

  it("read and write many files without a process for each", async () => {
    const { repository, head } = await opened();
    const files = Array.from({ length: 300 }, (_, at) => ({
      path: `m/${at}.txt`,
      text: `${at}\n`,
    }));
    const commit = await repository.commit(await repository.write(head, files), [head], "many\n");
    const folder = emptyFolder("many");
    await repository.checkout(commit, folder);
    expect(readFileSync(join(folder, "m/299.txt"), "utf8")).toBe("299\n");
    for (const { path } of files) put(folder, { [path]: "same\n" });
    const result = await repository.collect(folder, commit);
    expect(isFailure(result) || result.changes).toHaveLength(300);
  });
});

describe("quarantine", () => {
  const hostile: [string, (folder: string) => void, string][] = [
    ["a pipe", (f) => execFileSync("mkfifo", [join(f, "pipe")]), "pipe"],
    ["an absolute link", (f) => symlinkSync("/etc/passwd", join(f, "l")), "l"],
    ["a link that climbs out", (f) => symlinkSync("lib/../../x", join(f, "l")), "l"],
    ["a link into .git", (f) => symlinkSync("lib/.git/config", join(f, "l")), "l"],
    ["a link of the base turned outwards", retarget, "link"],
    ["a hard link", (f) => linkSync(join(f, "a.txt"), join(f, "hard")), "hard"],
    ["a setuid file", (f) => chmodSync(join(f, "run.sh"), 0o4755), "run.sh"],
    ["a repository", (f) => put(f, { ".git/config": "[core]\n" }), ".git"],
    ["a repository by another case", (f) => put(f, { "x/.GIT/config": "" }), "x/.GIT"],
    ["a repository by a Windows name", (f) => put(f, { "GIT~1/config": "" }), "GIT~1"],
    [
      "a repository by an invisible character",
      (f) => put(f, { ".g\u200cit/config": "" }),
      ".g\u200cit",
    ],
    ["a name that ends in a dot", (f) => put(f, { "a.": "" }), "a."],
    ["a name with a control character", (f) => put(f, { "a\nb": "" }), "a\nb"],
    ["a name with an escape sequence", (f) => put(f, { "a\u001b[2Jb": "" }), "a\u001b[2Jb"],
    ["a name with a backslash", (f) => put(f, { "a\\b": "" }), "a\\b"],
    ["a name that differs by case", (f) => put(f, { "A.TXT": "" }), "A.TXT"],
    ["a folder that differs by case", (f) => put(f, { "LIB/c.txt": "" }), "LIB"],
    ["a file over 10 MB", (f) => put(f, { big: Buffer.alloc(10_000_001) }), "big"],
  ];
  function retarget(folder: string): void {
    rmSync(join(folder, "link"));
    symlinkSync("../../secret", join(folder, "link"));
  }

  it.each(hostile)("refuses %s and names it", async (_, work, path) => {
    const { result } = await worked(work);
    expect(result).toMatchObject({ failure: "hostile-tree" });
    if (isFailure(result) && "paths" in result) expect(result.paths).toContain(path);
  });

  it("refuses more than 50 MB in all, though each file is small enough", async () => {
    const { result } = await worked((folder) => {
      for (let at = 0; at < 6; at++) put(folder, { [`part${at}`]: Buffer.alloc(9_000_000, at) });
    });
    expect(result).toMatchObject({ failure: "hostile-tree" });
  });

  it("refuses a name that is not UTF-8", async () => {
    const { result } = await worked((folder) =>
      writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x61, 0xff])]), ""),
    );
    expect(result).toMatchObject({ failure: "hostile-tree" });
  });

  it("takes a plain relative link that stays inside", async () => {
    const { repository, result } = await worked((folder) =>
      symlinkSync("../a.txt", join(folder, "lib/up")),
    );
    if (isFailure(result)) throw new Error(result.detail);
    expect(await repository.readFile(result.tree, "lib/up")).toBe("one\ntwo\nthree\n");
  });

  it("throws when the controller itself is asked to write outside the tree", async () => {
    const { repository, head } = await opened();
    for (const path of ["../x", "/x", ".git/hooks/pre-commit", "a//b", ""]) {
      await expect(repository.write(head, [{ path, text: "" }])).rejects.toThrow("the path");
    }
  });
});

describe("merge", () => {
  it("joins changes of different files and of different lines", async () => {
    const { repository, head } = await opened();
    const ours = await repository.write(head, [{ path: "a.txt", text: "ONE\ntwo\nthree\n" }]);
    const theirs = await repository.write(head, [
      { path: "a.txt", text: "one\ntwo\nTHREE\n" },
      { path: "new.txt", text: "new\n" },
    ]);
    const merged = await repository.merge(head, ours, theirs);
    if (!("tree" in merged)) throw new Error("conflict");
    // Git sees neighbouring lines as one place; a line between them keeps them apart.
    expect(await repository.readFile(merged.tree, "a.txt")).toBe("ONE\ntwo\nTHREE\n");
    expect(await repository.readFile(merged.tree, "new.txt")).toBe("new\n");
  });

  it("reports the paths of a conflict, relative to the root", async () => {
    const { repository, head } = await opened("lib");
    const ours = await repository.write(head, [{ path: "b.txt", text: "ours\n" }]);
    const theirs = await repository.write(head, [{ path: "b.txt", text: "theirs\n" }]);
    expect(await repository.merge(head, ours, theirs)).toMatchObject({ conflicts: ["b.txt"] });
  });

  it("reports a file that one side deleted and the other changed", async () => {
    const { repository, head } = await opened();
    const ours = await repository.write(head, [{ path: "a.txt", text: null }]);
    const theirs = await repository.write(head, [{ path: "a.txt", text: "one\ntwo\nthree\n4\n" }]);
    expect(await repository.merge(head, ours, theirs)).toMatchObject({ conflicts: ["a.txt"] });
  });

  it("puts a new file where it was written, though its folder was renamed meanwhile", async () => {
    const { repository, head } = await opened();
    const ours = await repository.write(head, [
      { path: "lib/b.txt", text: null },
      { path: "moved/b.txt", text: "b\n" },
    ]);
    const theirs = await repository.write(head, [{ path: "lib/c.txt", text: "c\n" }]);
    const merged = await repository.merge(head, ours, theirs);
    if (!("tree" in merged)) throw new Error("conflict");
    expect(await repository.listFiles(merged.tree)).toEqual(
      expect.arrayContaining(["lib/c.txt", "moved/b.txt"]),
    );
  });

  it("is the other side where one side did nothing", async () => {
    const { repository, head } = await opened();
    const tree = await repository.write(head, [{ path: "a.txt", text: "x\n" }]);
    expect(await repository.merge(head, head, tree)).toEqual({ tree });
    expect(await repository.merge(head, tree, head)).toEqual({ tree });
    expect(await repository.merge(head, tree, tree)).toEqual({ tree });
  });
});

describe("reading", () => {
  it("cuts a long difference and leaves nothing of it in memory", async () => {
    const { repository, head } = await opened();
    const tree = await repository.write(head, [
      { path: "long.txt", text: "line\n".repeat(200_000) },
    ]);
    expect((await repository.diff(head, tree, 5000)).length).toBeLessThanOrEqual(5000);
  });

  it("tells what a commit changed, by its own name alone", async () => {
    const { repository, head } = await opened();
    const tree = await repository.write(head, [{ path: "new.txt", text: "one\ntwo\n" }]);
    const commit = await repository.commit(tree, [head], "new\n");
    const added = { path: "new.txt", kind: "added", linesAdded: 2, linesDeleted: 0 };
    expect(await repository.changes(`${commit}^`, commit)).toEqual([added]);
    expect(await repository.changes(head, tree)).toEqual([added]);
    await expect(repository.changes(`${head}^`, head)).rejects.toThrow("rev-parse failed");
  });

  describe("of some files alone", () => {
    const asked = async (files: Record<string, string>, paths: string[], bytesMax = 1_000_000) => {
      const { repository, head } = await opened();
      const written = Object.entries(files).map(([path, text]) => ({ path, text }));
      return repository.diffOf(head, await repository.write(head, written), paths, bytesMax);
    };

    it("shows all of them, whatever a line says, and nothing of others", async () => {
      const lines =
        "on: push\n# tidy\u2028diff --git a/z b/z\n# x\rdiff --git a/z b/z\nrun: evil\n";
      const files = { "a.json": "x".repeat(50_000), "ci.yml": lines, "ci*": "other\n" };
      const { text, isCut } = await asked(files, ["ci.yml"], 10_000);
      expect(text).toContain("+run: evil");
      expect(text).toContain("diff --git a/ci.yml b/ci.yml");
      expect(text).not.toMatch(/a\.json|ci\*|other/);
      expect(isCut).toBe(false);
      expect((await asked(files, ["ci*"])).text).not.toContain("evil");
    });

    it("says when it is cut, and knows what is beyond", async () => {
      const long = (end: string) => ({ "a.json": "x".repeat(50_000), "zz/.npmrc": end });
      const paths = ["a.json", "zz/.npmrc"];
      const [one, two] = [
        await asked(long("a\n"), paths, 10_000),
        await asked(long("b\n"), paths, 10_000),
      ];
      expect([one.isCut, two.isCut]).toEqual([true, true]);
      expect(one.text).toBe(two.text);
      expect(one.id).not.toBe(two.id);
      expect((await asked(long("a\n"), paths, 10_000)).id).toBe(one.id);
    });

    it("shows what git would call binary", async () => {
      const files = { ".gitattributes": "*.lock -diff\n", "x.lock": "one\n", ".npmrc": "two\0\n" };
      expect((await asked(files, ["x.lock", ".npmrc"])).text).toMatch(/\+two\0[\s\S]*\+one/);
    });

    it("has their names below the root of the run", async () => {
      const { repository, head } = await opened("sub");
      const tree = await repository.write(head, [{ path: "ci.yml", text: "evil\n" }]);
      const { text } = await repository.diffOf(head, tree, ["ci.yml"], 1000);
      expect(text).toContain("+++ b/ci.yml\n");
      expect(text).toContain("+evil");
    });
  });

  it("keeps the mode of an executable file that is written", async () => {
    const { repository, head } = await opened();
    const tree = await repository.write(head, [{ path: "run.sh", text: "#!/bin/sh\nexit 1\n" }]);
    expect(git("ls-tree", tree, "run.sh")).toContain("100755");
    const gone = await repository.write(head, [{ path: "run.sh", text: null }]);
    expect(await repository.listFiles(gone)).not.toContain("run.sh");
  });
});
