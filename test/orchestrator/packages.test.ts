/** Packages of a lock file: by their hash alone, installed once inside the sandbox, without scripts, read-only. */
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execaSync } from "execa";
import { describe, expect, it, onTestFinished } from "vitest";
import { openPackages } from "../../src/adapters/outside/packages.ts";
import { createSandbox } from "../../src/adapters/sandbox/sandbox.ts";
import { isFailure } from "../../src/domain/failure.ts";
import type { Packages } from "../../src/domain/ports.ts";
import { showPackages } from "../../src/orchestrator/packages.ts";
import { memoryRepository } from "../support/memory-repository.ts";
import { aMemoryWorld } from "../support/memory-world.ts";
import { NEVER } from "../support/scripted.ts";
import { planOf, right, specOf } from "../support/words.ts";

/** A folder that the sandbox's user may pass, gone after the test. */
function aPlace(): string {
  const place = mkdtempSync(join(tmpdir(), "fractal-packages-"));
  chmodSync(place, 0o755);
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  return place;
}

/** A package whose install script would leave a mark, as a tarball. */
function aTarball(place: string, marker: string) {
  const manifest = {
    name: "tiny-dep",
    version: "1.2.3",
    main: "index.js",
    scripts: { preinstall: `touch ${marker}`, postinstall: `touch ${marker}` },
  };
  mkdirSync(join(place, "package"));
  writeFileSync(join(place, "package/package.json"), JSON.stringify(manifest));
  writeFileSync(join(place, "package/index.js"), "module.exports = 42;\n");
  execaSync("tar", ["-czf", "t.tgz", "package"], { cwd: place });
  const bytes = readFileSync(join(place, "t.tgz"));
  return { bytes, hash: `sha512-${createHash("sha512").update(bytes).digest("base64")}` };
}

/** npm's cache with these bytes under this hash. */
function aCache(place: string, hash: string, bytes: Buffer): string {
  const hex = Buffer.from(hash.slice(7), "base64").toString("hex");
  const path = join(
    place,
    "npm/_cacache/content-v2/sha512",
    hex.slice(0, 2),
    hex.slice(2, 4),
    hex.slice(4),
  );
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return join(place, "npm");
}

const MANIFEST = JSON.stringify({
  name: "app",
  version: "1.0.0",
  dependencies: { "tiny-dep": "^1.0.0" },
});
const lockOf = (
  hash: string,
  resolved = "https://registry.npmjs.org/tiny-dep/-/tiny-dep-1.2.3.tgz",
) =>
  JSON.stringify({
    name: "app",
    version: "1.0.0",
    lockfileVersion: 3,
    requires: true,
    packages: {
      "": { name: "app", version: "1.0.0", dependencies: { "tiny-dep": "^1.0.0" } },
      "node_modules/tiny-dep": {
        version: "1.2.3",
        resolved,
        integrity: hash,
        hasInstallScript: true,
      },
    },
  });

/** A run with a real sandbox whose base has this lock file; `front` is the spec's front matter. */
async function aRun(
  place: string,
  lock: string,
  packages: Packages | undefined,
  front = "needs: [install]\n",
) {
  const sandbox = await createSandbox({
    mode: "contained",
    checkout: place,
    root: ".",
    runId: "p1",
    cache: place,
  });
  if (isFailure(sandbox)) throw new Error(sandbox.detail);
  onTestFinished(() => sandbox.close());
  const repository = memoryRepository({ "package.json": MANIFEST, "package-lock.json": lock });
  const memory = aMemoryWorld({
    spec: specOf(["a", "b"], front),
    splits: { root: planOf(["a", "b"]) },
    script: right,
    repository,
  });
  const world = { ...memory, sandbox, ...(packages === undefined ? {} : { packages }) };
  const head = await repository.head();
  const inWorkspace = async (name: string, command: string) => {
    const folder = await sandbox.workspace(name);
    const trouble = await showPackages(world, head, folder, NEVER);
    if (trouble !== undefined) return trouble;
    await sandbox.handOver(folder);
    const argv = ["sh", "-c", command];
    return sandbox.run({ folder, argv, timeoutMs: 20_000, outputBytesMax: 10_000 }, NEVER);
  };
  const installs = () =>
    world.store.journal.read().filter((one) => one.event_type === "packages.installed");
  return { world, inWorkspace, installs };
}

const USE = "node -e 'console.log(require(\"tiny-dep\"))'";

describe("the packages of a lock file", () => {
  it("are there for every workspace, installed once, and nothing of them was run", async () => {
    const place = aPlace();
    const { bytes, hash } = aTarball(place, "/work/node_modules/MARK");
    const packages = openPackages(
      { from: "cache", registries: ["registry.npmjs.org"] },
      { env: { npm_config_cache: aCache(place, hash, bytes) } },
    );
    const { inWorkspace, installs } = await aRun(place, lockOf(hash), packages);
    const [one, two] = await Promise.all([inWorkspace("one", USE), inWorkspace("two", USE)]);
    expect(one).toMatchObject({ exitCode: 0, stdout: "42\n" });
    expect(two).toMatchObject({ exitCode: 0, stdout: "42\n" });
    expect(installs()).toMatchObject([{ packages: 1, downloaded: 0 }]);

    const spoilt = await inWorkspace(
      "three",
      `ls node_modules/MARK; echo 'module.exports = 7' > node_modules/tiny-dep/index.js; rm -rf node_modules; mv node_modules x; ${USE}`,
    );
    expect(spoilt).toMatchObject({ exitCode: 0, stdout: "42\n" });
    expect(await inWorkspace("four", USE)).toMatchObject({ stdout: "42\n" });
    expect(installs()).toHaveLength(1);
    expect(existsSync(join(place, "MARK"))).toBe(false);
  });

  it("are taken with exactly the bytes that the lock file names, or not at all", async () => {
    const place = aPlace();
    const { bytes, hash } = aTarball(place, "x");
    const env = { npm_config_cache: aCache(place, hash, Buffer.concat([bytes, Buffer.from("x")])) };
    const packages = openPackages({ from: "cache", registries: [] }, { env });
    const { inWorkspace, installs } = await aRun(place, lockOf(hash), packages);
    expect(await inWorkspace("one", USE)).toMatchObject({
      failure: "capability-missing",
      detail: expect.stringMatching(
        /not in the cache.*tiny-dep-1\.2\.3\.tgz[\s\S]*install: network/,
      ),
    });
    expect(installs()).toEqual([]);
  });

  it("are not installed from git, folders or without a hash", async () => {
    const place = aPlace();
    const packages = openPackages({ from: "cache", registries: [] }, { env: {} });
    const lock = lockOf("", "git+ssh://git@example.org/x.git");
    const { inWorkspace } = await aRun(place, lock, packages);
    expect(await inWorkspace("one", USE)).toMatchObject({
      failure: "capability-missing",
      detail: expect.stringContaining("node_modules/tiny-dep is not named by an https address"),
    });
  });

  it("are left alone where no task says it needs them, or nobody allowed it", async () => {
    const place = aPlace();
    const { bytes, hash } = aTarball(place, "x");
    const env = { npm_config_cache: aCache(place, hash, bytes) };
    const packages = openPackages({ from: "cache", registries: [] }, { env });
    const undeclared = await aRun(place, lockOf(hash), packages, "");
    expect(await undeclared.inWorkspace("one", "ls -a")).toMatchObject({ stdout: ".\n..\n" });
    const forbidden = await aRun(place, lockOf(hash), undefined);
    expect(await forbidden.inWorkspace("one", "ls -a")).toMatchObject({ stdout: ".\n..\n" });
  });
});

describe("an install that is stopped", () => {
  it("is done anew for whoever waited for it and goes on", async () => {
    const place = aPlace();
    const { bytes, hash } = aTarball(place, "x");
    const env = { npm_config_cache: aCache(place, hash, bytes) };
    const real = openPackages({ from: "cache", registries: [] }, { env });
    const first = new AbortController();
    let begun = () => {};
    const hasBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const packages: Packages = {
      ...real,
      async gather(named, folder, signal) {
        if (signal !== first.signal) return real.gather(named, folder, signal);
        begun();
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        return { files: new Map(), missing: [], downloaded: 0 };
      },
    };
    const { world, installs } = await aRun(place, lockOf(hash), packages);
    const head = await world.repository.head();
    const folder = await world.sandbox.workspace("one");
    const show = (signal: AbortSignal) => showPackages(world, head, folder, signal);
    const stopped = show(first.signal);
    await hasBegun;
    const others = [show(NEVER), show(NEVER)];
    // Both have come to wait: what they read before it is in memory.
    await new Promise((resolve) => setImmediate(resolve));
    first.abort("held");
    expect(await stopped).toMatchObject({ failure: "cancelled" });
    expect(await Promise.all(others)).toEqual([undefined, undefined]);
    expect(installs()).toHaveLength(1);
  });
});

describe("downloading", () => {
  it("asks only the hosts that the settings name, and believes only the hash", async () => {
    const place = aPlace();
    const { bytes, hash } = aTarball(place, "x");
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? "");
      if (request.url === "/elsewhere") response.writeHead(302, { location: "/good" }).end();
      else response.end(request.url === "/good" ? bytes : "something else");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    const gather = (url: string, registries: string[], from: "cache" | "network" = "network") =>
      openPackages({ from, registries }, { env: { npm_config_cache: join(place, "none") } }).gather(
        [{ url, hash, optional: false }],
        join(place, "out"),
        NEVER,
      );
    expect(await gather(`${origin}/good`, [origin])).toMatchObject({ missing: [], downloaded: 1 });
    expect(asked).toEqual(["/good"]);
    for (const [url, registries, from] of [
      [`${origin}/bad`, [origin], "network"],
      [`${origin}/elsewhere`, [origin], "network"],
      [`${origin}/good`, ["registry.npmjs.org"], "network"],
      [`${origin}/good`, [origin], "cache"],
      ["https://169.254.169.254/good", [origin], "network"],
    ] as const) {
      const found = await gather(url, [...registries], from);
      expect(found.missing, url).toHaveLength(1);
      expect(found.files.size).toBe(0);
    }
    expect(asked).toEqual(["/good", "/bad", "/elsewhere"]);
  });
});
