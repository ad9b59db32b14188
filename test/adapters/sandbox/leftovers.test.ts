/** What a run leaves on the machine is seen while it is there, by real sandboxes and processes. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { findLeftovers } from "../../../src/adapters/sandbox/leftovers.ts";
import { createSandbox } from "../../../src/adapters/sandbox/sandbox.ts";
import { isFailure } from "../../../src/domain/failure.ts";

const top = mkdtempSync(join(tmpdir(), "fractal-leftovers-"));
chmodSync(top, 0o755);
afterAll(() => rmSync(top, { recursive: true, force: true }));

async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await look())) {
    if (Date.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const command = { argv: ["sleep", "60"], timeoutMs: 60_000, outputBytesMax: 1000 };

describe.each(["contained", "unconfined"] as const)("a run's leftovers, %s", (mode) => {
  const cache = join(top, mode);
  const look = (runId = "r") => findLeftovers(runId, cache);
  const opened = async () => {
    mkdirSync(cache, { recursive: true });
    const sandbox = await createSandbox({ mode, checkout: top, root: ".", cache, runId: "r" });
    if (isFailure(sandbox)) throw new Error(sandbox.detail);
    return sandbox;
  };
  const hasProcess = async () => (await look()).processes?.length !== 0;

  it("are its workspaces, and what runs in them until it ends", async () => {
    const sandbox = await opened();
    expect((await look()).processes).toEqual([]);

    const folder = await sandbox.workspace("a1");
    expect((await look()).workspaces).toContain(folder);
    const abort = new AbortController();
    const running = sandbox.run({ folder, ...command }, abort.signal);
    await until("a process", hasProcess);
    const [found] = (await look()).processes ?? [];
    expect(found?.command).toContain("sleep 60");
    expect(await look("another")).toEqual({ workspaces: [], processes: [] });

    abort.abort();
    await running;
    await until("the end of it", async () => !(await hasProcess()));
    await sandbox.close();
    expect(await look()).toEqual({ workspaces: [], processes: [] });
  }, 60_000);

  it("are ended and removed by the next process that works on the run", async () => {
    const first = await opened();
    const folder = await first.workspace("a1");
    const running = first.run({ folder, ...command }, new AbortController().signal);
    await until("a process", hasProcess);

    const second = await opened();

    expect((await look()).processes).toEqual([]);
    expect((await look()).workspaces).not.toContain(folder);
    await running;
    await second.close();
  }, 60_000);
});
