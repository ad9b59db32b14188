/** Each limit of a command bites, and the command's output says which it was. */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  CEILINGS,
  type Ceilings,
  limitedArgv,
  limitOfEnd,
} from "../../../src/adapters/sandbox/limits.ts";
import { runProcess } from "../../../src/adapters/sandbox/process.ts";
import { createSandbox, type OpenSandbox } from "../../../src/adapters/sandbox/sandbox.ts";
import { isFailure } from "../../../src/domain/failure.ts";

vi.setConfig({ testTimeout: 120_000 });

const MIB = 1024 * 1024;
const home = mkdtempSync(join(tmpdir(), "fractal-limits-"));
chmodSync(home, 0o755);
afterAll(() => rmSync(home, { recursive: true, force: true }));

const LOW: Partial<Ceilings> = {
  memoryBytesMax: 300 * MIB,
  fileBytesMax: 64 * MIB,
  diskBytesMax: 100 * MIB,
  filesMax: 400,
};

describe.each(["contained", "unconfined"] as const)("in a %s sandbox", (mode) => {
  let sandbox: OpenSandbox;
  beforeAll(async () => {
    const opened = await createSandbox({
      ...{ mode, checkout: home, root: ".", runId: mode, cache: join(home, "cache") },
      ceilings: LOW,
    });
    if (isFailure(opened)) throw new Error(opened.detail);
    sandbox = opened;
  });
  afterAll(() => sandbox.close());

  async function ran(script: string, over: { timeoutMs?: number; outputBytesMax?: number } = {}) {
    const folder = await sandbox.workspace("w");
    const result = await sandbox.run(
      { folder, argv: ["sh", "-c", script], timeoutMs: 60_000, outputBytesMax: 1_000_000, ...over },
      new AbortController().signal,
    );
    if (isFailure(result)) throw new Error(result.detail);
    return result;
  }

  it("a file grows to its limit and no further", async () => {
    const result = await ran("dd if=/dev/zero of=big bs=1M count=100 2>/dev/null");
    expect(result.exitCode).toBe(153);
    expect(result.stderr).toContain("[fractal's limits: a file may have at most 64 MiB");
  });

  it("many files that each are small enough fill the workspace only so far", async () => {
    const result = await ran(
      "i=0; while [ $i -lt 20 ]; do dd if=/dev/zero of=f$i bs=1M count=30 2>/dev/null; i=$((i+1)); done; sleep 20",
    );
    expect(result).toMatchObject({ exitCode: null, timedOut: false });
    expect(result.stderr).toContain("[fractal ended it: the workspace may hold 100 MiB");
  });

  it("what is written to files without a name counts as well", async () => {
    const script =
      "for (1..9) { open($f[$_], q(+>), q(x)); unlink q(x); syswrite($f[$_], q(x) x 30e6) } sleep 20";
    const result = await ran(`perl -e '${script}'`);
    expect(result.stderr).toContain("[fractal ended it: the workspace may hold 100 MiB");
  });

  it("more files and folders than it may make end it", async () => {
    const result = await ran(
      "i=0; while [ $i -lt 20000 ]; do : > f$i; mkdir d$i; i=$((i+1)); done; sleep 20",
    );
    expect(result.stderr).toContain(
      "[fractal ended it: the workspace may hold 400 files and folders",
    );
  });

  it("names that are no text hide nothing", async () => {
    const script =
      "mkdir \"$(printf 'd\\377')\"; cd d*; i=0; while [ $i -lt 20 ]; do dd if=/dev/zero of=f$i bs=1M count=30 2>/dev/null; i=$((i+1)); done; sleep 20";
    expect((await ran(script)).stderr).toContain("the workspace may hold 100 MiB");
  });

  it("memory of all processes together is counted, though each takes little", async () => {
    const child = "perl -e '$x = \"x\" x 60e6; sleep 20'";
    const result = await ran(`for i in 1 2 3 4 5 6 7 8 9; do ${child} & done; wait`);
    expect(result).toMatchObject({ exitCode: null, timedOut: false });
    expect(result.stderr).toContain(
      "[fractal ended it: all its processes together may use 300 MiB of memory",
    );
  });

  it("the wall clock ends it", async () => {
    expect(await ran("sleep 50", { timeoutMs: 300 })).toMatchObject({
      exitCode: null,
      timedOut: true,
    });
  });

  it("of much output the ends are kept, 1 MB", async () => {
    const result = await ran("head -c 20000000 /dev/zero | tr '\\0' x");
    expect(result.truncated).toBe(true);
    expect(result.stdout.length).toBeLessThan(1_000_100);
    expect(result.stdout).toMatch(/\[\d+ bytes left out\]/);
  });

  it("a command within its limits is told of none", async () => {
    expect(
      await ran("dd if=/dev/zero of=f bs=1M count=20 2>/dev/null; seq 100 | xargs touch"),
    ).toMatchObject({
      exitCode: 0,
      stderr: "",
    });
  });
});

it("a bomb of processes is held at its limit, and the command is told", async () => {
  const opened = await createSandbox({
    ...{ mode: "contained", checkout: home, root: ".", runId: "bomb", cache: join(home, "cache") },
    ceilings: { processesMax: 60 },
  });
  if (isFailure(opened)) throw new Error(opened.detail);
  const folder = await opened.workspace("w");
  const script = "i=0; while [ $i -lt 200 ]; do sleep 3 & i=$((i+1)); done; wait";
  const result = await opened.run(
    { folder, argv: ["sh", "-c", script], timeoutMs: 60_000, outputBytesMax: 100_000 },
    new AbortController().signal,
  );
  if (isFailure(result)) throw new Error(result.detail);
  expect(result.exitCode).not.toBe(0);
  expect(result.stderr).toContain("[fractal's limits: at most 60 processes and threads may run");
  await opened.close();
});

it("processor time ends what no wall clock looks after any more", async () => {
  const spin = ["sh", "-c", "while :; do :; done"];
  const limited = limitedArgv(spin, { countsProcesses: false, timeoutMs: 0, ceilings: CEILINGS });
  const [file = "", ...args] = limited;
  const end = await runProcess(
    {
      file,
      args,
      cwd: "/",
      env: { PATH: "/usr/bin:/bin" },
      timeoutMs: 100_000,
      outputBytesMax: 1000,
    },
    new AbortController().signal,
  );
  expect(end).toMatchObject({ exitCode: 152, timedOut: false });
  expect(limitOfEnd(end, CEILINGS)).toBe("its processor time is used up");
});
