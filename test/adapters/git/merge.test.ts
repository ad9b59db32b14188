/** A merge of trees is git's own merge, whether git was asked or not. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { mergeTrees } from "../../../src/adapters/git/merge.ts";
import type { Objects } from "../../../src/adapters/git/objects.ts";
import { openObjects } from "../../../src/adapters/git/plumbing.ts";
import { editTree } from "../../../src/adapters/git/trees.ts";
import { runsOf } from "../../support/runs.ts";

let folder: string;
let objects: Objects;
let empty: string;
let blobs: string[];

const ENV = {
  ...process.env,
  GIT_CONFIG_GLOBAL: "/dev/null",
  ...Object.fromEntries(
    ["AUTHOR", "COMMITTER"].flatMap((who) => [
      [`GIT_${who}_NAME`, "Una"],
      [`GIT_${who}_EMAIL`, "una@example.org"],
    ]),
  ),
};
const git = (...args: string[]) =>
  execFileSync("git", args, { cwd: folder, env: ENV, encoding: "utf8" }).trimEnd();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "fractal-merge-"));
  git("init", "--quiet");
  objects = await openObjects(join(folder, ".git"), "sha1", "r");
  empty = (await objects.store("tree", [""]))[0] ?? "";
  const lines = (...changed: number[]) =>
    Array.from({ length: 12 }, (_, at) => (changed.includes(at) ? "new\n" : `${at}\n`)).join("");
  // The last two differ from the first at two ends: git can merge them.
  blobs = await objects.store("blob", ["a\n", "b\n", lines(), lines(0), lines(11)]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What git makes of it, with the same settings: the tree, or what is in conflict. */
function mergedByGit(base: string, ours: string, theirs: string) {
  const start = git("commit-tree", "-m", "base", base);
  const [one = "", two = ""] = [ours, theirs].map((tree) =>
    git("commit-tree", "-m", "side", "-p", start, tree),
  );
  const settings = ["-c", "diff.renames=false", "-c", "merge.directoryRenames=false"];
  const { status, stdout } = spawnSync(
    "git",
    [...settings, "merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", one, two],
    { cwd: folder, env: ENV, encoding: "utf8" },
  );
  const [tree = "", ...conflicts] = stdout.split("\0").filter((field) => field !== "");
  return status === 0 ? { tree } : { conflicts: named(conflicts) };
}

/** Git names what it puts aside after the commits, which here are others. */
const named = (conflicts: string[]) => [
  ...new Set(conflicts.map((path) => path.replace(/~[0-9a-f]+/, "~"))),
];

const name = fc.constantFrom("a", "a.b", "b", "c");
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const file = fc.record({
  path,
  blob: fc.nat({ max: 4 }),
  mode: fc.constantFrom("100644" as const, "100755" as const),
});
/** Later files replace what stands in their way. */
const some = fc.array(file, { maxLength: 6 });
const edited = fc.array(fc.record({ file, isGone: fc.boolean() }), { maxLength: 3 });

it("of any two sides gives the tree that git gives, or the same conflicts", async () => {
  let apart = 0;
  await fc.assert(
    fc.asyncProperty(some, edited, edited, async (files, first, second) => {
      const put = async (tree: string, all: typeof first) => {
        let made = tree;
        for (const { file, isGone } of all) {
          const oid = blobs[file.blob] ?? "";
          const edit = isGone ? { path: file.path } : { path: file.path, mode: file.mode, oid };
          made = await editTree(objects, made, [edit]);
        }
        return made;
      };
      const base = await put(
        empty,
        files.map((one) => ({ file: one, isGone: false })),
      );
      const [ours, theirs] = [await put(base, first), await put(base, second)];
      const merged = await mergeTrees(objects, base, ours, theirs);
      const asGit = "tree" in merged ? merged : { conflicts: named(merged.conflicts) };
      expect(asGit).toEqual(mergedByGit(base, ours, theirs));
      if ("tree" in merged && ![base, ours, theirs].includes(merged.tree)) apart += 1;
    }),
    runsOf(120),
  );
  expect(apart).toBeGreaterThan(0);
});
