/** The self-test is paid for once for each way a sandbox is built, and again whenever something changed. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, it, vi } from "vitest";
import { proveSandbox } from "../../../src/adapters/sandbox/proof.ts";
import { createSandbox, type OpenSandbox } from "../../../src/adapters/sandbox/sandbox.ts";
import { isFailure } from "../../../src/domain/failure.ts";

vi.setConfig({ testTimeout: 120_000 });

const home = mkdtempSync(join(tmpdir(), "fractal-proof-"));
chmodSync(home, 0o755);
afterAll(() => rmSync(home, { recursive: true, force: true }));
const never = new AbortController().signal;

let sandbox: OpenSandbox;
let commands: number;
let cache: string;

async function opened(
  over: Partial<Parameters<typeof createSandbox>[0]> = {},
): Promise<OpenSandbox> {
  const found = await createSandbox({
    mode: "contained",
    checkout: home,
    root: ".",
    runId: "r",
    cache,
    ...over,
  });
  if (isFailure(found)) throw new Error(found.detail);
  return {
    ...found,
    run: (command, signal) => {
      commands += 1;
      return found.run(command, signal);
    },
  };
}

beforeEach(async () => {
  cache = mkdtempSync(join(home, "cache-"));
  chmodSync(cache, 0o755);
  commands = 0;
  sandbox = await opened();
});

const prove = (on: OpenSandbox, version = "1") =>
  proveSandbox(on, { checkout: home, version }, never);

it("runs once, and for the next process it holds without", async () => {
  expect(await prove(sandbox)).toBeUndefined();
  expect(commands).toBe(1);
  expect(await prove(await opened({ runId: "another" }))).toBeUndefined();
  expect(commands).toBe(1);
});

it("runs again for another version, another way of building it, another checkout", async () => {
  await prove(sandbox);
  await prove(sandbox, "2");
  expect(commands).toBe(2);
  await prove(await opened({ ceilings: { processesMax: 500 } }));
  expect(commands).toBe(3);
  mkdirSync(join(home, "other"), { recursive: true });
  await proveSandbox(sandbox, { checkout: join(home, "other"), version: "1" }, never);
  expect(commands).toBe(4);
});

it("runs again when what was kept is gone, damaged or not ours to believe", async () => {
  const file = join(sandbox.base, "held.json");
  await prove(sandbox);
  expect(existsSync(file)).toBe(true);
  for (const text of ["", "{}", '["', "[1]"]) {
    const before = commands;
    writeFileSync(file, text);
    await prove(sandbox);
    expect(commands).toBe(before + 1);
  }
  expect(JSON.parse(readFileSync(file, "utf8"))).toHaveLength(1);
});

it("keeps nothing of a sandbox that does not hold, and tells what did not each time", async () => {
  const open = await createSandbox({
    mode: "unconfined",
    checkout: home,
    root: ".",
    runId: "u",
    cache,
  });
  if (isFailure(open)) throw new Error(open.detail);
  const pretender = { ...open, contained: true, fingerprint: "pretends" };
  for (let time = 0; time < 2; time++) {
    expect(await prove(pretender)).toMatchObject({
      failure: "sandbox-unavailable",
      detail: expect.stringContaining("not true: a planted secret cannot be read"),
    });
  }
  expect(existsSync(join(open.base, "held.json"))).toBe(false);
});
