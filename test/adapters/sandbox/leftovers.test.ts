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

describe.each(["contained", "unconfined"] as const)("a run's leftovers, %s", (mode) => {
  it("are its workspaces, and what runs in them until it ends", async () => {
    const cache = join(top, mode);
    mkdirSync(cache);
    const open = { mode, checkout: top, root: ".", cache };
    const sandbox = await createSandbox({ ...open, runId: "r" });
    if (isFailure(sandbox)) throw new Error(sandbox.detail);
    const look = () => findLeftovers("r", cache);
    expect(await look()).toEqual({ workspaces: [], processes: [] });

    const folder = await sandbox.workspace("a1");
    expect((await look()).workspaces).toEqual([folder]);
    expect((await findLeftovers("another", cache)).workspaces).toEqual([]);
    const abort = new AbortController();
    const command = { argv: ["sleep", "60"], timeoutMs: 60_000, outputBytesMax: 1000 };
    const running = sandbox.run({ folder, ...command }, abort.signal);
    await until("a process", async () => (await look()).processes?.length !== 0);
    const [found] = (await look()).processes ?? [];
    expect(found?.command).toContain("sleep 60");
    expect((await findLeftovers("another", cache)).processes).toEqual([]);

    abort.abort();
    await running;
    await until("the end of it", async () => (await look()).processes?.length === 0);
    await sandbox.discard(folder);
    expect(await look()).toEqual({ workspaces: [], processes: [] });
  }, 60_000);
});
