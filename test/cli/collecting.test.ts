/** What `fractal gc` finds in real repositories, and in the cache of all of them. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { useCache } from "../../src/adapters/lock.ts";
import { collectGarbage } from "../../src/cli/collecting.ts";
import { isRefusal } from "../../src/cli/exit.ts";

it("keeps what another work tree's run has in the refs they share, unless it is named", async () => {
  const home = mkdtempSync(join(tmpdir(), "fractal-gc-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const first = join(home, "first");
  mkdirSync(first);
  const git = (...args: string[]) => execFileSync("git", args, { cwd: first, stdio: "ignore" });
  git("init", "-q");
  const who = ["-c", "user.name=Una", "-c", "user.email=una@example.org"];
  git(...who, "commit", "-q", "--allow-empty", "-m", "first");
  for (const ref of ["heads/fractal/k3f9x2/main", "fractal/k3f9x2/base", "fractal/k3f9x2/r.a1.1"]) {
    git("update-ref", `refs/${ref}`, "HEAD");
  }
  const second = join(home, "second");
  git("worktree", "add", "-q", second);
  const look = async (...runs: string[]) => {
    const found = await collectGarbage({
      ...{ dir: second, runs, onlyLooks: true, now: Date.now() },
      cache: join(home, "cache"),
    });
    if (isRefusal(found)) throw new Error(found.what);
    return { kinds: found.garbage.map(({ kind }) => kind), kept: found.kept };
  };
  expect(await look()).toEqual({
    kinds: [],
    kept: [{ runId: "k3f9x2", why: expect.stringContaining("another work tree") }],
  });
  expect(await look("k3f9x2")).toEqual({ kinds: ["unmerged", "branch"], kept: [] });
});

/** A repository, and a cache with these entries, each used so many days ago. */
function aCache(usedDaysAgo: Record<string, number>) {
  const home = mkdtempSync(join(tmpdir(), "fractal-gc-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const dir = join(home, "repo");
  execFileSync("git", ["init", "-q", dir]);
  const cache = join(home, "cache");
  const base = join(cache, "sandbox");
  mkdirSync(join(base, "used"), { recursive: true });
  for (const [path, days] of Object.entries(usedDaysAgo)) {
    mkdirSync(join(base, path), { recursive: true });
    writeFileSync(join(base, path, "file"), "x".repeat(1000));
    const mark = join(base, "used", path.replace("/", "-"));
    writeFileSync(mark, "");
    const at = new Date(Date.now() - days * 86_400_000);
    utimesSync(mark, at, at);
  }
  const collect = async (runs: string[] = [], now = Date.now()) => {
    const found = await collectGarbage({ dir, runs, onlyLooks: false, now, cache });
    if (isRefusal(found)) throw new Error(found.what);
    return found;
  };
  return { base, collect, has: (path: string) => existsSync(join(base, path)) };
}

it("frees what of the cache no run used for 30 days, and only that", async () => {
  const { collect, has } = aCache({
    "installed/old": 31,
    "installed/older": 400,
    "installed/new": 29,
    "copies/old-1": 31,
    "copies/new-1": 1,
    "workspaces/r1": 90,
  });
  const found = await collect();
  expect(
    found.garbage.map(({ kind, count, bytes, paths = [] }) => ({
      ...{ kind, count, bytes },
      names: paths.map((path) => basename(path)),
    })),
  ).toEqual([
    { kind: "packages", count: 2, bytes: 2000, names: ["old", "older"] },
    { kind: "copies", count: 1, bytes: 1000, names: ["old-1"] },
    { kind: "workspaces", count: 1, bytes: 1000, names: ["r1"] },
  ]);
  expect((await found.remove(found.garbage)).map(({ count }) => count)).toEqual([2, 1, 1]);
  const left = ["installed/old", "installed/new", "copies/old-1", "copies/new-1", "workspaces/r1"];
  expect(left.filter(has)).toEqual(["installed/new", "copies/new-1"]);
  expect(["used/installed-old", "used/installed-new", "tossed"].filter(has)).toEqual([
    "used/installed-new",
  ]);
  found.close();
  expect((await collect()).garbage).toEqual([]);
});

it("leaves all of the cache alone while a run of this user is at work, wherever that is", async () => {
  const { base, collect, has } = aCache({ "installed/old": 31 });
  const use = useCache(base);
  const found = await collect();
  expect(found.garbage).toEqual([]);
  expect(found.keptCache).toContain("at work");
  found.close();
  use?.release();
  expect((await collect()).garbage).toHaveLength(1);
  expect(has("installed/old")).toBe(true);
});

it("leaves what a run began to use after it was listed, and what it used again", async () => {
  const { base, collect, has } = aCache({ "installed/old": 31, "installed/again": 31 });
  const found = await collect();
  const use = useCache(base);
  expect(await found.remove(found.garbage)).toEqual([]);
  expect(has("installed/old")).toBe(true);
  use?.release();
  utimesSync(join(base, "used", "installed-again"), new Date(), new Date());
  const gone = await found.remove(found.garbage);
  expect(gone.map(({ paths }) => paths)).toEqual([[join(base, "installed", "old")]]);
  expect(has("installed/again")).toBe(true);
});

it("says nothing of the cache where a run is named", async () => {
  const { collect, base } = aCache({ "installed/old": 31 });
  const dir = join(base, "../../repo/telemetry/r1");
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "events.jsonl"), "half");
  const { garbage, kept } = await collect(["r1"]);
  expect([garbage, kept.map(({ runId }) => runId)]).toEqual([[], ["r1"]]);
});
