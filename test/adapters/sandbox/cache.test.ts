/** The cache of all runs: what is used is marked, and nobody clears it away meanwhile. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { isCacheUsed, listCached, removeCached } from "../../../src/adapters/sandbox/cache.ts";
import { cacheBase, openQuarters } from "../../../src/adapters/sandbox/quarters.ts";
import { isFailure } from "../../../src/domain/failure.ts";

function aCache(): { home: string; cache: string; base: string } {
  const home = mkdtempSync(join(tmpdir(), "fractal-cache-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  // The sandbox's user goes through it.
  chmodSync(home, 0o755);
  const cache = join(home, "cache");
  return { home, cache, base: cacheBase(cache) };
}

async function quartersIn(cache: string, runId = "r1") {
  const quarters = await openQuarters({ runId, cache });
  if (isFailure(quarters)) throw new Error(quarters.detail);
  return quarters;
}

/** Makes everything look as if it was used long ago; returns whether it looks so still. */
function aged(base: string): () => boolean[] {
  const marks = globSync(join(base, "used", "*"));
  for (const mark of marks) utimesSync(mark, new Date(0), new Date(0));
  return () => marks.map((mark) => statSync(mark).mtimeMs === 0);
}

it("marks installed packages when they are kept and when they are asked for", async () => {
  const { cache, base } = aCache();
  const quarters = await quartersIn(cache);
  const folder = await quarters.workspace("w");
  mkdirSync(join(folder, "node_modules"));
  await quarters.installed.keep("k1", folder, "node_modules");
  const [kept] = listCached(base).filter(({ kind }) => kind === "packages");
  expect(Date.now() - (kept?.lastUsedMs ?? 0)).toBeLessThan(60_000);
  const isOld = aged(base);
  expect(isOld()).toEqual([true]);
  expect(await quarters.installed.has("k2")).toBe(false);
  expect(isOld()).toEqual([true]);
  expect(await quarters.installed.has("k1")).toBe(true);
  expect(isOld()).toEqual([false]);
  await quarters.close();
});

const isRoot = process.getuid?.() === 0;
if (!isRoot) process.stderr.write("not root: nothing is copied for the sandbox's user\n");

it.skipIf(!isRoot)(
  "marks a copy each time it is used, and forgets the one it replaces",
  async () => {
    const { home, cache, base } = aCache();
    const hidden = join(home, "hidden");
    mkdirSync(hidden, { mode: 0o700 });
    writeFileSync(join(hidden, "tool"), "one");
    const quarters = await quartersIn(cache);
    const copy = await quarters.reachable(join(hidden, "tool"));
    const isOld = aged(base);
    expect(isOld()).toEqual([true]);
    expect(await quarters.reachable(join(hidden, "tool"))).toBe(copy);
    expect(isOld()).toEqual([false]);
    writeFileSync(join(hidden, "tool"), "another");
    const next = await quarters.reachable(join(hidden, "tool"));
    expect(existsSync(copy)).toBe(false);
    expect(listCached(base).flatMap(({ kind, path }) => (kind === "copies" ? [path] : []))).toEqual(
      [next],
    );
    expect(globSync(join(base, "used", "*"))).toHaveLength(1);
    await quarters.close();
  },
);

it("is in use from when a run opens it until that closes it, beside other runs", async () => {
  const { cache, base } = aCache();
  expect(isCacheUsed(base)).toBe(false);
  const first = await quartersIn(cache, "r1");
  const second = await quartersIn(cache, "r2");
  const old = join(base, "installed", "old");
  mkdirSync(old, { recursive: true });
  expect(await removeCached(base, [old], Number.POSITIVE_INFINITY)).toBeUndefined();
  await first.close();
  expect(isCacheUsed(base)).toBe(true);
  expect(existsSync(old)).toBe(true);
  await second.close();
  expect(await removeCached(base, [old], Number.POSITIVE_INFINITY)).toEqual([old]);
  expect(existsSync(old)).toBe(false);
});

it("is let go by a process that is killed", async () => {
  const { base } = aCache();
  const lock = join(import.meta.dirname, "../../../src/adapters/lock.ts");
  mkdirSync(base, { recursive: true });
  const script = `import { useCache } from ${JSON.stringify(lock)};
    globalThis.use = useCache(${JSON.stringify(base)});
    console.log(globalThis.use === undefined ? "refused" : "in use");
    setInterval(() => undefined, 1_000);`;
  const running = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(running, "exit");
  onTestFinished(() => {
    running.kill("SIGKILL");
  });
  expect(String((await once(running.stdout, "data"))[0]).trim()).toBe("in use");
  expect(isCacheUsed(base)).toBe(true);
  running.kill("SIGKILL");
  await ended;
  expect(isCacheUsed(base)).toBe(false);
});
