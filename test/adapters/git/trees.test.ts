/** Trees made in this process are the trees git would make, byte for byte. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Objects } from "../../../src/adapters/git/objects.ts";
import { openObjects } from "../../../src/adapters/git/plumbing.ts";
import { editTree, findFile, listTree, type TreeEdit } from "../../../src/adapters/git/trees.ts";
import { runsOf } from "../../support/runs.ts";

let folder: string;
let objects: Objects;
let emptyTree: string;

const git = (args: string[], input = "", env = {}) =>
  execFileSync("git", args, {
    cwd: folder,
    input,
    env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", ...env },
    encoding: "utf8",
    stdio: ["pipe", "pipe", "ignore"],
  }).trimEnd();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "fractal-trees-"));
  git(["init", "--quiet"]);
  objects = await openObjects(join(folder, ".git"), "sha1", "r");
  emptyTree = (await objects.store("tree", [""]))[0] ?? "";
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The same by git's own index: takings-out first, as `editTree` promises for what collides. */
function editedByGit(tree: string, edits: TreeEdit[]): string {
  const env = { GIT_INDEX_FILE: join(folder, ".git", "of-test") };
  git(["read-tree", tree], "", env);
  const removals = edits.filter(({ oid }) => oid === undefined);
  const additions = edits.filter(({ oid }) => oid !== undefined);
  const lines = [
    ...removals.map(({ path }) => `0 ${"0".repeat(40)}\t${path}\0`),
    ...additions.map(({ path, mode, oid }) => `${mode} ${oid}\t${path}\0`),
  ];
  const args = ["update-index", "-z", "--add", "--remove", "--replace", "--index-info"];
  git(args, lines.join(""), env);
  return git(["write-tree"], "", env);
}

// Names that sort differently as a folder (`a/`) than as a file, and some that are no ASCII.
const name = fc.constantFrom("a", "a.b", "a-b", "a0", "b", "ü", "z");
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const isBelow = (one: string, other: string) => one.startsWith(`${other}/`);
/** Additions that can all be there at once, and anything to take out. */
const edits = fc.record({
  added: fc
    .uniqueArray(path, { maxLength: 8 })
    .filter((paths) => !paths.some((one) => paths.some((other) => isBelow(one, other)))),
  removed: fc.uniqueArray(path, { maxLength: 4 }),
  mode: fc.constantFrom("100644" as const, "100755" as const),
});

it("becomes with any edits what git's index makes of them", async () => {
  const [blob = ""] = await objects.store("blob", ["hello\n"]);
  await fc.assert(
    fc.asyncProperty(edits, edits, async (first, second) => {
      const editsOf = ({ added, removed, mode }: typeof first): TreeEdit[] => [
        ...removed.filter((one) => !added.includes(one)).map((one) => ({ path: one })),
        ...added.map((one) => ({ path: one, mode, oid: blob })),
      ];
      const before = await editTree(objects, emptyTree, editsOf(first));
      expect(before).toBe(editedByGit(emptyTree, editsOf(first)));
      expect(await editTree(objects, before, editsOf(second))).toBe(
        editedByGit(before, editsOf(second)),
      );
      const listed = await listTree(objects, before, ".");
      expect(listed.map((entry) => `${entry.mode} blob ${entry.oid}\t${entry.path}`)).toEqual(
        git(["-c", "core.quotePath=false", "ls-tree", "-r", before]).split("\n").filter(Boolean),
      );
    }),
    runsOf(30),
  );
});

it("finds a file through links that stay in the tree, and none through those that do not", async () => {
  const [text = "", up = "", out = "", loop = ""] = await objects.store("blob", [
    "hello\n",
    "../real",
    "../../etc/passwd",
    "loop",
  ]);
  const tree = await editTree(objects, emptyTree, [
    { path: "real/file", mode: "100644", oid: text },
    { path: "links/up", mode: "120000", oid: up },
    { path: "links/out", mode: "120000", oid: out },
    { path: "links/loop", mode: "120000", oid: loop },
  ]);
  const at = async (path: string) => (await findFile(objects, tree, path))?.path;
  expect(await at("links/up/file")).toBe("real/file");
  expect(await at("real/file")).toBe("real/file");
  expect([await at("links/out"), await at("links/loop"), await at("real")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
