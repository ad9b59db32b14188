/** What the survey of a folder says, on real folders. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { initRepository, surveyFolder } from "../../../src/adapters/git/survey.ts";

let folder: string;
const git = (...args: string[]) =>
  execFileSync("git", ["-c", "user.name=Una", "-c", "user.email=una@example.org", ...args], {
    cwd: folder,
    stdio: "ignore",
  });

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "fractal-survey-")));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("says that a plain folder is no repository, and that git can be used", async () => {
  expect(await surveyFolder(folder)).toMatchObject({
    gitUsable: true,
    repository: undefined,
    refusal: undefined,
  });
});

it("says that a fresh repository has no commit yet", async () => {
  await initRepository(folder);
  writeFileSync(join(folder, "a.txt"), "a");
  expect((await surveyFolder(folder)).repository).toEqual({
    top: folder,
    commonDir: join(folder, ".git"),
    head: undefined,
    uncommitted: ["a.txt"],
    nameTaken: false,
  });
});

it("finds head, uncommitted files and a branch in the way from a folder below, and changes nothing", async () => {
  git("init", "-q");
  mkdirSync(join(folder, "sub"));
  writeFileSync(join(folder, "sub/a.txt"), "a");
  git("add", ".");
  git("commit", "-qm", "first");
  git("branch", "fractal");
  writeFileSync(join(folder, "sub/a.txt"), "b");
  const index = readFileSync(join(folder, ".git/index"), "hex");
  const { repository } = await surveyFolder(join(folder, "sub"));
  expect(repository).toMatchObject({ top: folder, uncommitted: ["sub/a.txt"], nameTaken: true });
  expect(repository?.head).toMatch(/^[0-9a-f]{40}$/);
  expect(readFileSync(join(folder, ".git/index"), "hex")).toBe(index);
});

it("tells a bare repository from one with files", async () => {
  git("init", "-q", "--bare");
  expect((await surveyFolder(folder)).repository).toMatchObject({ top: undefined });
});

it("takes the inside of .git for no place to work in", async () => {
  git("init", "-q");
  const inside = await surveyFolder(join(folder, ".git"));
  expect(inside.repository).toMatchObject({ top: undefined });
  expect((await surveyFolder(folder)).repository?.top).toBeDefined();
});

it("gives git's own words where git refuses a repository that is there", async () => {
  git("init", "-q");
  writeFileSync(join(folder, ".git/config"), "[core\n");
  const survey = await surveyFolder(folder);
  expect(survey.repository).toBeUndefined();
  expect(survey.refusal).toContain("bad config");
});
