/** Preparing `.beads` with a real bd: made, used, and never upgraded unasked. */
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { appendFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { prepareBeads } from "../../../src/adapters/beads/workspace.ts";
import { realBd, type TempRepository, tempRepository } from "./real-beads.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let bd: string;
let repository: TempRepository;
beforeEach(async () => {
  bd = await realBd();
  repository = await tempRepository();
});
afterEach(() => repository.remove());

const prepare = (fields: { bd?: string; mayUpgrade?: boolean; mayCreate?: boolean } = {}) =>
  prepareBeads({
    bd,
    repository: repository.folder,
    cacheDir: repository.cacheDir,
    mayUpgrade: false,
    mayCreate: true,
    ...fields,
  });
const git = async (...args: string[]) =>
  (await execa("git", args, { cwd: repository.folder, reject: false })).stdout;
const inRepository = (path: string) => join(repository.folder, path);

/** Every byte below a folder, but for bd's empty lock files. */
function hashOf(folder: string): string {
  const hash = createHash("sha256");
  const files = globSync("**/{*,.*}", { cwd: folder }).filter((file) => !file.endsWith("lock"));
  for (const file of files.sort()) {
    const path = join(folder, file);
    if (statSync(path).isFile()) hash.update(file).update(readFileSync(path));
  }
  return hash.digest("hex");
}

describe("a repository without .beads", () => {
  it("gets none for a run whose issues were in the one that is gone", async () => {
    expect(await prepare({ mayCreate: false })).toMatchObject({ failure: "tracker-lost" });
    expect(existsSync(inRepository(".beads"))).toBe(false);
    await mkdir(inRepository(".beads"));
    expect(await prepare({ mayCreate: false })).toMatchObject({ failure: "tracker-lost" });
  });

  it("gets one, and git sees nothing of it", async () => {
    await writeFile(inRepository("data.db"), "the user's own");

    expect(await prepare()).toEqual({
      state: "ready",
      beadsDir: inRepository(".beads"),
      prefix: "fr",
      created: true,
    });

    await mkdir(inRepository("telemetry"));
    await writeFile(inRepository("telemetry/x"), "");
    await mkdir(inRepository("app/telemetry"), { recursive: true });
    await writeFile(inRepository("app/telemetry/send.ts"), "");
    expect(await git("status", "--short", "-uall")).toBe("?? app/telemetry/send.ts\n?? data.db");
    expect(await readdir(inRepository(".fractal"))).toEqual([]);
  });

  it("lets the user's own calls be quiet, without overriding a choice", async () => {
    await prepare();
    const env = { HOME: process.env["HOME"], PATH: process.env["PATH"] };
    const own = { cwd: repository.folder, env, extendEnv: false };
    const listed = await execa(bd, ["list", "--json"], own);
    expect([listed.stdout, listed.stderr]).toEqual(["[]", ""]);

    await execa("git", ["config", "beads.role", "contributor"], { cwd: repository.folder });
    await prepare();
    expect(await git("config", "beads.role")).toBe("contributor");
  });

  it("gets a whole one where a process was killed while it made one", async () => {
    const half = inRepository(".fractal/new-beads-x/.beads");
    await mkdir(half, { recursive: true });
    expect(await prepare()).toMatchObject({ state: "ready", created: true });
    expect(await readdir(inRepository(".fractal"))).toEqual([]);
  });

  it("is a failure where its files cannot be written", async () => {
    await writeFile(inRepository(".fractal"), "in the way");
    expect(await prepare()).toMatchObject({
      failure: "tracker-unavailable",
      detail: expect.stringContaining("EEXIST"),
    });
    expect(existsSync(inRepository(".beads"))).toBe(false);
  });

  it("is a failure, and has nothing half made, when bd cannot make one", async () => {
    const failed = await prepare({ bd: "/nowhere/bd" });
    expect(failed).toMatchObject({ failure: "tracker-unavailable" });
    expect(existsSync(inRepository(".beads"))).toBe(false);
    expect(await readdir(inRepository(".fractal"))).toEqual([]);
  });
});

describe("a repository with .beads", () => {
  it("keeps it, its prefix and its ignore rules", async () => {
    const args = ["init", "--non-interactive", "-q", "-p", "own", "--skip-agents", "--skip-hooks"];
    const env = { BD_DISABLE_METRICS: "1", HOME: process.env["HOME"] };
    await execa(bd, args, { cwd: repository.folder, env, stdin: "ignore" });
    const before = hashOf(inRepository(".beads"));

    expect(await prepare()).toMatchObject({ state: "ready", prefix: "own", created: false });

    expect(hashOf(inRepository(".beads"))).toBe(before);
    const exclude = readFileSync(inRepository(".git/info/exclude"), "utf8");
    expect(exclude).toContain("\n/telemetry/\n/.fractal/\n");
    expect(exclude.split("\n")).not.toContain("/.beads/");
  });

  it("is told of once, however often it is prepared", async () => {
    await appendFile(inRepository(".git/info/exclude"), "mine");
    await prepare();
    const first = readFileSync(inRepository(".git/info/exclude"), "utf8");
    expect(first).toMatch(
      /\nmine\n\/\.beads\/\n\/\.beads\.gate\.lock\n\/telemetry\/\n\/\.fractal\/\n$/,
    );

    expect(await prepare()).toMatchObject({ state: "ready", created: false });
    expect(readFileSync(inRepository(".git/info/exclude"), "utf8")).toBe(first);
  });

  it("is a failure that says why when there is no database in it", async () => {
    await mkdir(inRepository(".beads"));
    await writeFile(inRepository(".beads/issues.jsonl"), '{"id":"own-1"}\n');
    expect(await prepare()).toMatchObject({
      failure: "tracker-unavailable",
      detail: expect.stringMatching(/cannot be used.*no beads database found/s),
    });
    expect(await readdir(inRepository(".beads"))).toEqual(["issues.jsonl"]);
  });
});

describe("a database that an older bd made", () => {
  const unpack = () =>
    execa("tar", ["xzf", join(import.meta.dirname, "fixtures/schema-53.tgz")], {
      cwd: repository.folder,
    });

  it("is found out on a copy and left as it is", async () => {
    await unpack();
    const before = hashOf(inRepository(".beads"));

    expect(await prepare()).toMatchObject({
      state: "older-schema",
      detail: expect.stringMatching(/older bd \(schema 53\).*schema 66.*cannot be undone/),
    });

    expect(hashOf(inRepository(".beads"))).toBe(before);
    expect(await readdir(inRepository(".beads"))).not.toContain("embeddeddolt.gate.lock");
    expect(await readdir(repository.cacheDir)).toEqual([]);
  });

  it("is upgraded with consent, and keeps its issues and its prefix", async () => {
    await unpack();

    expect(await prepare({ mayUpgrade: true })).toMatchObject({
      state: "ready",
      prefix: "old",
      created: false,
    });

    const { stdout } = await execa(bd, ["list", "--json"], {
      cwd: repository.folder,
      env: { BD_DISABLE_METRICS: "1" },
    });
    expect(stdout).toContain("made by an older bd");
    expect(await prepare()).toMatchObject({ state: "ready" });
  });
});
