/** A writer that checks its path and then writes, raced by one that turns the folder into a link: nothing lands outside. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, it, vi } from "vitest";
import { createSandbox, type OpenSandbox } from "../../../src/adapters/sandbox/sandbox.ts";
import { isFailure } from "../../../src/domain/failure.ts";
import { report } from "../../support/report.ts";
import { IS_DEEP } from "../../support/seed.ts";

vi.setConfig({ testTimeout: 600_000 });

const home = mkdtempSync(join(tmpdir(), "fractal-raced-"));
chmodSync(home, 0o755);
afterAll(() => rmSync(home, { recursive: true, force: true }));
const outside = join(home, "outside");
const never = new AbortController().signal;

beforeEach(() => {
  rmSync(outside, { recursive: true, force: true });
  mkdirSync(outside);
  // Open to all, so that only the sandbox is in the way.
  chmodSync(outside, 0o777);
});

/** Turns the folder `d` into a link outwards and back, for ever. */
const SWAP = `
  const { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } = require("node:fs");
  try { mkdirSync("d"); } catch {}
  writeFileSync("started", "");
  for (;;) {
    try {
      symlinkSync(${JSON.stringify(outside)}, "link");
      renameSync("d", "real");
      renameSync("link", "d");
      unlinkSync("d");
      renameSync("real", "d");
    } catch {
      try { unlinkSync("link"); } catch {}
    }
  }`;

/** Looks where the folder is, then writes into it: as tools do that trust what they saw. */
const WRITE = `
  const { spawn } = require("node:child_process");
  const { existsSync, realpathSync, writeFileSync } = require("node:fs");
  const swap = spawn(process.execPath, ["-e", ${JSON.stringify(SWAP)}]);
  const top = realpathSync(".");
  const wait = () => {
    if (!existsSync("started")) return setTimeout(wait, 5);
    const counts = { written: 0, refused: 0 };
    for (let at = 0; at < Number(process.argv[1]); at++) {
      try {
        if (realpathSync("d") !== top + "/d") { counts.refused++; continue; }
        writeFileSync("d/" + at, "x");
        counts.written++;
      } catch {
        counts.refused++;
      }
    }
    swap.kill("SIGKILL");
    console.log(JSON.stringify(counts));
  };
  wait();`;

async function opened(mode: "contained" | "unconfined"): Promise<OpenSandbox> {
  const sandbox = await createSandbox({
    mode,
    checkout: home,
    root: ".",
    runId: mode,
    cache: join(home, "cache"),
  });
  if (isFailure(sandbox)) throw new Error(sandbox.detail);
  return sandbox;
}

async function raced(sandbox: OpenSandbox, writes: number) {
  const folder = await sandbox.workspace("raced");
  const result = await sandbox.run(
    {
      folder,
      argv: ["node", "-e", WRITE, String(writes)],
      timeoutMs: 300_000,
      outputBytesMax: 10_000,
    },
    never,
  );
  if (isFailure(result)) throw new Error(result.detail);
  if (result.exitCode !== 0) throw new Error(result.stderr);
  return JSON.parse(result.stdout) as { written: number; refused: number };
}

it("of the writes that were raced none lands outside; without the sandbox some do", async () => {
  const writes = IS_DEEP ? 20_000 : 3_000;
  const sandbox = await opened("contained");
  const counts = await raced(sandbox, writes);
  const outsideThen = readdirSync(outside).length;
  await sandbox.close();
  expect(counts.written).toBeGreaterThan(0);
  expect(outsideThen).toBe(0);

  const open = await opened("unconfined");
  let landed = 0;
  // How often the race is lost is luck.
  for (let time = 0; time < 10 && landed === 0; time++) {
    await raced(open, writes);
    landed = readdirSync(outside).length;
  }
  await open.close();
  expect(landed).toBeGreaterThan(0);
  report({
    suite: "raced-writer",
    what: "a write raced by a folder that becomes a link outwards lands inside or nowhere",
    count: writes,
    passed: writes - outsideThen,
    details: { ...counts, "outside without the sandbox": landed },
  });
});

it("the file tools land nothing outside while another command swaps their folder", async () => {
  const calls = IS_DEEP ? 1_000 : 40;
  const sandbox = await opened("contained");
  const folder = await sandbox.workspace("tools");
  const stop = new AbortController();
  const swapping = sandbox.run(
    { folder, argv: ["node", "-e", SWAP], timeoutMs: 600_000, outputBytesMax: 10_000 },
    stop.signal,
  );
  let written = 0;
  for (let at = 0; at < calls; at++) {
    const call = {
      folder,
      tool: "write_file",
      args: { path: `d/${at}`, text: "x" },
      timeoutMs: 20_000,
    };
    const answer = await sandbox.tool(call, never);
    if (isFailure(answer)) throw new Error(answer.detail);
    if (!answer.isError) written += 1;
  }
  stop.abort();
  await swapping;
  expect(readdirSync(outside)).toEqual([]);
  await sandbox.close();
  report({
    suite: "raced-writer tools",
    what: "write_file raced by a folder that becomes a link outwards lands inside or nowhere",
    count: calls,
    passed: calls,
    details: { written },
  });
});
