/** Folders that a hostile worker may leave, and trees that a hostile repository may hold: rejected or neutral, and nothing of the host is run, read or changed. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { openRepository } from "../../../src/adapters/git/repository.ts";
import { removeTree } from "../../../src/adapters/sandbox/remove.ts";
import { isFailure } from "../../../src/domain/failure.ts";
import { tryAll } from "../../destruction/trials.ts";
import { IS_DEEP } from "../../support/seed.ts";

// Many short processes: slow on a busy machine, never stuck.
vi.setConfig({ testTimeout: 600_000 });

const home = mkdtempSync(join(tmpdir(), "fractal-hostile-"));
afterAll(() => removeTree(home));
const isRoot = process.getuid?.() === 0;

interface Hostile {
  name: string;
  /** What is done to a fresh checkout of the base. */
  work(folder: string): void;
  /** `refused` names this path; `neutral` changes exactly these. */
  expected: { refused: string } | { neutral: string[] };
  /** Too slow for every run of the suite. */
  slow?: boolean;
  /** Why it cannot be made here. */
  unless?: string | false;
}

const put = (folder: string, path: string, content: string | Buffer = "x\n") => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
};
const refused = (name: string, path: string, work: (folder: string) => void): Hostile => ({
  name,
  work,
  expected: { refused: path },
});
const neutral = (name: string, paths: string[], work: (folder: string) => void): Hostile => ({
  name,
  work,
  expected: { neutral: paths },
});
const link = (name: string, target: string, at = "l"): Hostile =>
  refused(name, at, (folder) => symlinkSync(target, join(folder, at)));
const named = (name: string, path: string, at = path): Hostile =>
  refused(name, at, (folder) => put(folder, path));
/** A program that tells the host it was run. */
const evil = () => `sh ${join(home, "fire.sh")}`;
const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: "pipe" });

const HOSTILE: Hostile[] = [
  link("a link to a file of the host", "/etc/passwd"),
  link("a link to the host's root", "/"),
  link("a link that climbs out", "../../outside"),
  link("a link that climbs out by a folder", "lib/../../outside"),
  link("a link that climbs out from below", "../../outside", "lib/l"),
  link("a link to the folder above", ".."),
  link("a link into a repository", "lib/.git/config"),
  link("a link into a repository by another case", "lib/.GiT/config"),
  link("a link into the processes", "/proc/self/environ"),
  link("a link of the base turned outwards, in place", "../outside/secret", "l2"),
  refused("a link of the base turned outwards", "link", (f) => {
    rmSync(join(f, "link"));
    symlinkSync("../../outside/secret", join(f, "link"));
  }),
  refused("a folder turned into a link outwards", "lib", (f) => {
    rmSync(join(f, "lib"), { recursive: true });
    symlinkSync(join(home, "outside"), join(f, "lib"));
  }),
  neutral("a link to itself", ["loop"], (f) => symlinkSync("loop", join(f, "loop"))),
  neutral("two links to each other", ["a", "b"], (f) => {
    symlinkSync("b", join(f, "a"));
    symlinkSync("a", join(f, "b"));
  }),
  neutral("a link to nothing that stays inside", ["l"], (f) =>
    symlinkSync("not/there", join(f, "l")),
  ),
  neutral("a link to the folder itself", ["l"], (f) => symlinkSync(".", join(f, "l"))),
  refused("a hard link within", "hard", (f) => linkSync(join(f, "a.txt"), join(f, "hard"))),
  refused("a hard link to a file of the host", "hard", (f) =>
    linkSync(join(home, "outside/secret"), join(f, "hard")),
  ),
  refused("a pipe", "pipe", (f) => run("mkfifo", join(f, "pipe"))),
  refused("a pipe in place of a file", "a.txt", (f) => {
    rmSync(join(f, "a.txt"));
    run("mkfifo", join(f, "a.txt"));
  }),
  refused("a socket", "socket", (f) => {
    const listen =
      "require('net').createServer().listen(process.argv[1], () => process.kill(process.pid))";
    try {
      // Ended by force, so that its file stays.
      run(
        process.execPath,
        "-e",
        listen.replace("process.pid", "process.pid, 'SIGKILL'"),
        join(f, "socket"),
      );
    } catch {
      // As meant.
    }
  }),
  {
    ...refused("a device", "null", (f) => run("mknod", join(f, "null"), "c", "1", "3")),
    unless: !isRoot && "only root can make a device",
  },
  {
    ...refused("a disk", "disk", (f) => run("mknod", join(f, "disk"), "b", "7", "0")),
    unless: !isRoot && "only root can make a device",
  },
  refused("a setuid file", "run.sh", (f) => chmodSync(join(f, "run.sh"), 0o4755)),
  refused("a setgid file", "run.sh", (f) => chmodSync(join(f, "run.sh"), 0o2755)),
  refused("a sticky file", "run.sh", (f) => chmodSync(join(f, "run.sh"), 0o1755)),
  isRoot
    ? neutral("a file that forbids to be read", ["a.txt"], (f) => {
        put(f, "a.txt", "changed\n");
        chmodSync(join(f, "a.txt"), 0);
      })
    : refused("a file that forbids to be read", "a.txt", (f) => {
        put(f, "a.txt", "changed\n");
        chmodSync(join(f, "a.txt"), 0);
      }),
  isRoot
    ? neutral("a folder that forbids to be read", ["dark/x"], (f) => {
        put(f, "dark/x");
        chmodSync(join(f, "dark"), 0);
      })
    : refused("a folder that forbids to be read", "dark", (f) => {
        put(f, "dark/x");
        chmodSync(join(f, "dark"), 0);
      }),
  refused("a repository", ".git", (f) => {
    run("git", "init", "-q", f);
    run("git", "-C", f, "config", "core.fsmonitor", evil());
    run("git", "-C", f, "config", "core.hooksPath", join(f, "hooks"));
    for (const hook of ["post-checkout", "pre-commit", "fsmonitor-watchman"]) {
      put(f, `.git/hooks/${hook}`, `#!/bin/sh\n${evil()}\n`);
      chmodSync(join(f, ".git/hooks", hook), 0o755);
    }
  }),
  refused("a repository within", "lib/.git", (f) => run("git", "init", "-q", join(f, "lib"))),
  named("a repository elsewhere, named by a file", ".git"),
  named("a repository within, named by a file", "lib/.git"),
  refused("a link named .git", ".git", (f) => symlinkSync("lib", join(f, ".git"))),
  refused("an empty folder named .git", ".git", (f) => mkdirSync(join(f, ".git"))),
  named("a repository by another case", ".Git/config", ".Git"),
  named("a repository by a Windows name", "GIT~1/config", "GIT~1"),
  named("a repository by a stream", ".git::$INDEX_ALLOCATION/config", ".git::$INDEX_ALLOCATION"),
  named("a repository by a stream of a name", "x/.git:a"),
  named("a repository by an invisible character", ".g\u200cit/config", ".g\u200cit"),
  named("a repository by a soft hyphen", ".gi\u00adt/config", ".gi\u00adt"),
  named("a repository by a byte order mark", "\ufeff.git/config", "\ufeff.git"),
  named("a repository by a dot behind", ".git./config", ".git."),
  named("a repository by a space behind", ".git /config", ".git "),
  named("a name that ends in a dot", "a."),
  named("a name that ends in a space", "a "),
  named("a name with a line end", "a\nb"),
  named("a name with a carriage return", "a\r"),
  named("a name with an escape sequence", "a\u001b[2Jb"),
  named("a name with a backspace", "a\bb"),
  named("a name that turns the text around", "a\u202etxt.exe"),
  named("a name with a line separator", "a\u2028b"),
  named("a name with a backslash", "a\\b"),
  named("a name like a drive", "C:evil"),
  refused("a name that is not UTF-8", "a\ufffd", (f) =>
    writeFileSync(Buffer.concat([Buffer.from(`${f}/a`), Buffer.from([0xff])]), ""),
  ),
  refused("a folder name that is not UTF-8", "d\ufffd(", (f) =>
    mkdirSync(Buffer.concat([Buffer.from(`${f}/d`), Buffer.from([0xc3, 0x28])])),
  ),
  named("a name that differs by case", "A.TXT"),
  named("a folder that differs by case", "LIB/c.txt", "LIB"),
  refused("two new names that differ by case", "n/b", (f) => {
    put(f, "n/B");
    put(f, "n/b");
  }),
  refused("two new names that differ by how a letter is composed", "\u00e9", (f) => {
    put(f, "\u00e9");
    put(f, "e\u0301");
  }),
  neutral("names that only look alike", ["\u0430.txt", "\uff41.txt"], (f) => {
    put(f, "\u0430.txt");
    put(f, "\uff41.txt");
  }),
  neutral("names that are options", ["--upload-pack=x", "-rf"], (f) => {
    put(f, "-rf");
    put(f, "--upload-pack=x");
  }),
  neutral("names that a shell would read", ["$(touch x)", "; rm -rf ~", "`id`"], (f) => {
    for (const name of ["$(touch x)", "; rm -rf ~", "`id`"]) put(f, name);
  }),
  neutral("a name that is a pathspec", [":(top)*"], (f) => put(f, ":(top)*")),
  neutral("a name in quotes", ['"a"'], (f) => put(f, '"a"')),
  refused(
    "a path that is too long",
    Array.from({ length: 5 }, () => "d".repeat(99)).join("/"),
    (f) => put(f, `${Array.from({ length: 5 }, () => "d".repeat(99)).join("/")}/x`),
  ),
  {
    name: "folders nested deeper than a path can be",
    // Step by step: no path names the innermost.
    work: (f) =>
      run(
        "perl",
        "-e",
        "chdir $ARGV[0]; for (1..300) { mkdir q(d) x 20; chdir q(d) x 20 or die }",
        f,
      ),
    expected: { refused: Array.from({ length: 20 }, () => "d".repeat(20)).join("/") },
  },
  refused("a file over 10 MB", "big", (f) => put(f, "big", Buffer.alloc(10_000_001))),
  refused("a file of a terabyte that takes no space", "sparse", (f) => {
    put(f, "sparse", "");
    truncateSync(join(f, "sparse"), 1e12);
  }),
  refused("a base file grown to a terabyte", "a.txt", (f) => truncateSync(join(f, "a.txt"), 1e12)),
  refused("more than 50 MB in all", ".", (f) => {
    for (let at = 0; at < 6; at++) put(f, `part${at}`, Buffer.alloc(9_000_000, at));
  }),
  {
    ...refused("more than 20,000 files", ".", (f) => {
      for (let at = 0; at <= 20_001; at++) writeFileSync(join(f, String(at)), "");
    }),
    slow: true,
  },
  {
    ...refused("more than 20,000 empty folders", ".", (f) => {
      for (let at = 0; at <= 20_003; at++) mkdirSync(join(f, String(at)));
    }),
    slow: true,
  },
  neutral("attributes with filters that run programs", [".gitattributes", "z.txt"], (f) => {
    put(f, ".gitattributes", "* filter=evil diff=evil merge=evil text eol=crlf ident\n");
    put(f, "z.txt", "$Id$\n");
  }),
  neutral("attributes that leave a file out of what is exported", [".gitattributes"], (f) =>
    put(f, ".gitattributes", "* export-ignore export-subst working-tree-encoding=UTF-16\n"),
  ),
  neutral("a list of submodules that runs programs", [".gitmodules"], (f) =>
    put(
      f,
      ".gitmodules",
      `[submodule "x"]\n\tpath = lib\n\turl = --upload-pack=${evil()}\n\tupdate = !${evil()}\n`,
    ),
  ),
  neutral("rules that ignore everything", [".gitignore", "z.db"], (f) => {
    put(f, ".gitignore", "*\n");
    put(f, "z.db");
  }),
  neutral(
    "a configuration that would be one in a repository",
    ["config", "hooks/post-checkout"],
    (f) => {
      put(f, "config", `[core]\n\tfsmonitor = ${evil()}\n`);
      put(f, "hooks/post-checkout", `#!/bin/sh\n${evil()}\n`);
    },
  ),
  refused("the layout of a bare repository with one inside", "sub/.git", (f) => {
    run("git", "init", "-q", "--bare", join(f, "bare"));
    run("git", "init", "-q", join(f, "sub"));
  }),
  neutral("an empty folder", [], (f) => mkdirSync(join(f, "empty"))),
  neutral("a file in place of a folder", ["lib", "lib/b.txt"], (f) => {
    rmSync(join(f, "lib"), { recursive: true });
    put(f, "lib");
  }),
  neutral("everything deleted", ["a.txt", "lib/b.txt", "link", "run.sh"], (f) => {
    for (const name of readdirSync(f)) rmSync(join(f, name), { recursive: true });
  }),
  neutral("a time of change in the far future", ["a.txt"], (f) => {
    put(f, "a.txt", "changed\n");
    run("touch", "-d", "2100-01-01", join(f, "a.txt"));
  }),
  neutral("a change that keeps size and time", ["a.txt"], (f) => {
    run(
      "sh",
      "-c",
      `cd "$1"; touch -r a.txt ../stamp; printf 'TWO\\n' > a.txt; touch -r ../stamp a.txt`,
      "sh",
      f,
    );
  }),
];

/** Trees as no git writes them, in a repository as somebody may hand it over. */
const BASES: { name: string; entries: [mode: string, name: string, of: "blob" | "tree"][] }[] = [
  { name: "a folder named ..", entries: [["40000", "..", "tree"]] },
  { name: "a file named ..", entries: [["100644", "..", "blob"]] },
  { name: "a file with a slash in its name", entries: [["100644", "../fired", "blob"]] },
  { name: "an absolute name", entries: [["100644", "/tmp/fired", "blob"]] },
  { name: "a repository", entries: [["40000", ".git", "tree"]] },
  { name: "a repository by another case", entries: [["40000", ".GIT", "tree"]] },
  { name: "a name that is empty", entries: [["100644", "", "blob"]] },
  {
    name: "a link and a folder of one name",
    entries: [
      ["120000", "d", "blob"],
      ["40000", "d", "tree"],
    ],
  },
];

const canary = join(home, "canary");

/** A checkout that is armed: whatever runs one of its programs fires the canary. */
const armed = join(home, "armed");
beforeAll(() => {
  mkdirSync(armed);
  writeFileSync(join(home, "fire.sh"), `#!/bin/sh\necho "$0 $*" >> ${canary}\ncat\n`, {
    mode: 0o755,
  });
  const git = gitIn(armed);
  git("init", "-q");
  put(armed, "a.txt", "one\n");
  put(armed, "lib/b.txt", "b\n");
  put(armed, "run.sh", "#!/bin/sh\n");
  chmodSync(join(armed, "run.sh"), 0o755);
  symlinkSync("lib/b.txt", join(armed, "link"));
  git("add", ".");
  git("commit", "-qm", "first");
  for (const key of ["filter.evil.clean", "filter.evil.smudge", "filter.evil.process"]) {
    git("config", key, evil());
  }
  for (const key of ["diff.evil.textconv", "merge.evil.driver", "core.fsmonitor", "core.pager"]) {
    git("config", key, evil());
  }
  for (const hook of ["reference-transaction", "post-checkout", "post-index-change"]) {
    put(armed, `.git/hooks/${hook}`, `#!/bin/sh\n${evil()}\n`);
    chmodSync(join(armed, ".git/hooks", hook), 0o755);
  }
});

function gitIn(checkout: string) {
  const config = ["user.name=Una", "user.email=una@example.org", "init.defaultBranch=trunk"];
  const options = config.flatMap((each) => ["-c", each]);
  return (...args: string[]) =>
    execFileSync("git", [...options, "-C", checkout, ...args], {
      encoding: "utf8",
      stdio: ["pipe", "pipe", "ignore"],
    }).trimEnd();
}

let made = 0;

/** A copy of it, in a place of its own. */
function armedCheckout() {
  made += 1;
  const place = join(home, String(made));
  const checkout = join(place, "checkout");
  mkdirSync(place);
  cpSync(armed, checkout, { recursive: true, verbatimSymlinks: true });
  return { place, checkout, git: gitIn(checkout) };
}

/** A folder beside all workspaces that nothing may change, and a secret nothing may take. */
const outside = join(home, "outside");
put(outside, "secret", `secret-${process.pid}\n`);
const untouched = () =>
  expect([readdirSync(outside), readFileSync(join(outside, "secret"), "utf8")]).toEqual([
    ["secret"],
    `secret-${process.pid}\n`,
  ]);

it("are rejected or neutral, and the host's canary never fires", async () => {
  const cases = HOSTILE.filter((one) => {
    if (one.unless) process.stderr.write(`left out: ${one.name}: ${one.unless}\n`);
    return !one.unless && (IS_DEEP || !one.slow);
  });
  await tryAll({
    file: "test/adapters/git/hostile-trees.test.ts",
    project: "unit",
    suite: "hostile-trees",
    what: "a folder left by a hostile worker: rejected with its path, or taken as what it is; nothing of the host is run or changed",
    cases,
    nameOf: (one) => one.name,
    parallel: 1,
    attempt: async ({ work, expected }) => {
      const { place, checkout, git } = armedCheckout();
      const repository = await openRepository({ checkout, runId: "r", root: "." });
      const head = await repository.startBranch({ base: git("rev-parse", "HEAD") });
      const folder = join(place, "ws");
      mkdirSync(folder);
      await repository.checkout(head, folder);
      work(folder);
      rmSync(canary, { force: true });

      const result = await repository.collect(folder, head);

      if (isFailure(result)) {
        expect({ ...result, detail: undefined }).toMatchObject({
          failure: "hostile-tree",
          paths: "refused" in expected ? expect.arrayContaining([expected.refused]) : undefined,
        });
      } else {
        expect(expected).toHaveProperty("neutral");
        if ("neutral" in expected) {
          expect(result.changes.map(({ path }) => path).sort()).toEqual(
            [...expected.neutral].sort(),
          );
        }
        // It is used for all that a result is used for.
        const commit = await repository.commit(result.tree, [head], "x\n\nFractal-Task: t 1\n");
        await repository.diff(head, commit);
        const other = await repository.write(head, [{ path: "other.txt", text: "o\n" }]);
        await repository.merge(head, other, result.tree);
        expect(await repository.advance(head, commit)).toBe(true);
        const again = join(place, "again");
        mkdirSync(again);
        await repository.checkout(commit, again);
        expect(git("ls-tree", "-r", "--name-only", "-z", commit)).not.toContain("secret");
      }
      expect(existsSync(canary)).toBe(false);
      untouched();
      await removeTree(place);
      expect(existsSync(place)).toBe(false);
      return isFailure(result) ? "rejected" : "neutral";
    },
  });
});

it("of a repository itself lead nothing outside of the workspace", async () => {
  await tryAll({
    file: "test/adapters/git/hostile-trees.test.ts",
    project: "unit",
    suite: "hostile-trees base",
    what: "a base tree as no git writes it: its checkout is refused, and nothing is written beside the workspace",
    cases: BASES,
    nameOf: (one) => one.name,
    parallel: 1,
    attempt: async ({ entries }) => {
      const { place, checkout, git } = armedCheckout();
      const blob = git("rev-parse", "HEAD:a.txt");
      const below = git("rev-parse", "HEAD:lib");
      const bytes = Buffer.concat(
        entries.flatMap(([mode, name, of]) => [
          Buffer.from(`${mode} ${name}\0`),
          Buffer.from(of === "blob" ? blob : below, "hex"),
        ]),
      );
      const child = spawn("git", [
        "-C",
        checkout,
        "hash-object",
        "-w",
        "-t",
        "tree",
        "--literally",
        "--stdin",
      ]);
      child.stdin.end(bytes);
      let tree = "";
      child.stdout.on("data", (text) => {
        tree += text;
      });
      await once(child, "close");
      const commit = git("commit-tree", "-m", "hostile", tree.trim());
      rmSync(canary, { force: true });
      const repository = await openRepository({ checkout, runId: "r", root: "." });
      const folder = join(place, "ws");
      mkdirSync(folder);

      await expect(repository.checkout(commit, folder)).rejects.toThrow();

      expect(readdirSync(place).sort()).toEqual(["checkout", "ws"]);
      expect(existsSync("/tmp/fired")).toBe(false);
      expect(existsSync(canary)).toBe(false);
      untouched();
      await removeTree(place);
      return "rejected";
    },
  });
});

it("with line ends in the names of the base are taken byte for byte, and name no file of the host", async () => {
  const { place, checkout, git } = armedCheckout();
  const sly = join("x\n", outside, "secret");
  put(checkout, sly, "base\n");
  put(checkout, "c\r", "base\n");
  git("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "add", ".");
  git("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "commit", "-qm", "sly");
  const repository = await openRepository({ checkout, runId: "r", root: "." });
  const head = await repository.startBranch({ base: git("rev-parse", "HEAD") });
  const folder = join(place, "ws");
  mkdirSync(folder);
  await repository.checkout(head, folder);
  writeFileSync(join(folder, sly), "changed\n");
  writeFileSync(join(folder, "c\r"), "changed too\n");

  const result = await repository.collect(folder, head);

  if (isFailure(result)) throw new Error(result.detail);
  expect(git("show", `${result.tree}:${sly}`)).toBe("changed");
  expect(git("show", `${result.tree}:c\r`)).toBe("changed too");
  const secret = execFileSync("git", ["hash-object", join(outside, "secret")], {
    encoding: "utf8",
  });
  expect(() => git("cat-file", "-e", secret.trim())).toThrow();
});
