/** Git commands that stay open: whole answers in order, and no wait for one that has ended. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { parseChanges } from "../../../src/adapters/git/changes.ts";
import type { Objects } from "../../../src/adapters/git/objects.ts";
import { openGit, takeLine } from "../../../src/adapters/git/open-git.ts";
import { openObjects } from "../../../src/adapters/git/plumbing.ts";
import { editTree } from "../../../src/adapters/git/trees.ts";

let folder: string;
let objects: Objects;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "fractal-open-"));
  execFileSync("git", ["init", "--quiet"], { cwd: folder });
  objects = await openObjects(join(folder, ".git"), "sha1", "r");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("gives each of many questions its own answer, whatever their sizes", async () => {
  const texts = Array.from({ length: 60 }, (_, at) => `${at}\n`.repeat((at * 137) % 4_000));
  const ids = await objects.store("blob", texts);
  const read = await Promise.all(ids.map(async (id) => (await objects.read(id)).bytes.toString()));
  expect(read).toEqual(texts);
});

it("keeps bytes that are no text", async () => {
  const bytes = Buffer.from(Array.from({ length: 512 }, (_, at) => at % 256));
  const [id = ""] = await objects.store("blob", [bytes]);
  expect((await objects.read(id)).bytes).toEqual(bytes);
});

it("says which object is missing, and answers the next question", async () => {
  const [id = ""] = await objects.store("blob", ["here"]);
  const gone = "1".repeat(40);
  await expect(objects.read(gone)).rejects.toThrow(`${gone} is missing`);
  expect((await objects.read(id)).bytes.toString()).toBe("here");
});

it("reads nothing by a name that could mean another object later", async () => {
  await expect(objects.read("HEAD")).rejects.toThrow("no object id");
});

it("rejects what was asked of a command that ended, and starts it anew for what is asked next", async () => {
  const env = { PATH: process.env["PATH"] };
  // Ends after one line, as a git that is killed would.
  const git = openGit({ args: ["-c", "alias.once=!head -n 1", "once"], cwd: folder, env });
  const asked = [git.ask("one\n", takeLine), git.ask("two\n", takeLine)];
  expect(await asked[0]).toBe("one");
  await expect(asked[1]).rejects.toThrow("git once failed");
  expect(await git.ask("three\n", takeLine)).toBe("three");
});

it("starts a command anew after so many questions, and leaves none without its answer", async () => {
  const env = { PATH: process.env["PATH"] };
  // Answers with the number of its process, then with what it was asked.
  const args = ["-c", "alias.who=!sh -c 'while read -r line; do echo $$ $line; done'", "who"];
  const git = openGit({ args, cwd: folder, env, asksMax: 4 });
  const asked = Array.from({ length: 10 }, (_, at) => git.ask(`${at}\n`, takeLine));
  const answers = (await Promise.all(asked)).map((line) => line.split(" "));
  expect(answers.map(([, question]) => question)).toEqual([..."0123456789"]);
  const processes = answers.map(([process]) => process);
  expect(processes.map((one) => processes.indexOf(one))).toEqual([0, 0, 0, 0, 4, 4, 4, 4, 8, 8]);
});

it("compares trees whose paths look like anything git prints", async () => {
  const names = ["end", "end\nend", ":100644", "1\t1\ta", "a\n", "ü"];
  const [old = "", made = ""] = await objects.store("blob", ["one\n", "one\ntwo\n"]);
  const treeOf = (oid: string) =>
    editTree(
      objects,
      "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
      names.map((path) => ({ path, mode: "100644", oid })),
    );
  await objects.store("tree", [""]);
  const [before, after] = [await treeOf(old), await treeOf(made)];
  const told = await Promise.all([
    objects.compare(before, after),
    objects.compare(after, after),
    objects.compare(after, before),
  ]);
  const lines = told.map((text) =>
    Object.fromEntries(
      parseChanges(text).map((one) => [one.path, [one.linesAdded, one.linesDeleted]]),
    ),
  );
  const all = (counts: number[]) => Object.fromEntries(names.map((name) => [name, counts]));
  expect(lines).toEqual([all([1, 0]), {}, all([0, 1])]);
});

it("says what git said when it cannot start at all", async () => {
  const env = { PATH: process.env["PATH"] };
  const git = openGit({ args: ["no-such-verb"], cwd: folder, env });
  await expect(git.ask("one\n", takeLine)).rejects.toThrow(/no-such-verb.*is not a git command/s);
});
