/** Commands of a fractal that was killed, by real processes: they are waited for, others are not. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { bdEnvironment } from "../../../src/adapters/beads/bd.ts";
import { awaitOrphans } from "../../../src/adapters/beads/orphans.ts";

const HERE = "/somewhere/.beads";
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** A process that stands for a bd, and says when it is up. */
async function started(env: Record<string, string>, ...args: string[]): Promise<ChildProcess> {
  const script = "process.stdout.write('up'); setInterval(() => undefined, 1000)";
  const child = spawn(process.execPath, ["-e", script, ...args], {
    env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  children.push(child);
  await once(child.stdout as NodeJS.ReadableStream, "data");
  return child;
}

const ofFractal = (beadsDir: string) => bdEnvironment({ beadsDir, actor: "fractal" });

describe("a bd that an earlier fractal left at work", () => {
  it("is waited for until it has ended", async () => {
    const child = await started(ofFractal(HERE), "batch");
    let isOver = false;
    const waiting = awaitOrphans(HERE).then(() => {
      isOver = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(isOver).toBe(false);
    child.kill("SIGKILL");
    await waiting;
    expect(isOver).toBe(true);
  });

  it("is not waited for when it is of another database, a person's own, or the feed", async () => {
    await started(ofFractal("/elsewhere/.beads"), "batch");
    await started({ BEADS_DIR: HERE }, "batch");
    await started(ofFractal(HERE), "events", "tail");
    await awaitOrphans(HERE);
  });

  it("is waited for no longer than a write may take", async () => {
    await started(ofFractal(HERE), "batch");
    await awaitOrphans(HERE, 100);
  });
});
