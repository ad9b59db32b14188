/** The journal of events that a real bd keeps, followed as a hint. */

import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { z } from "zod";
import { openBd } from "../../../src/adapters/beads/bd.ts";
import { followEvents, watchBeads } from "../../../src/adapters/beads/watch.ts";
import { until } from "../../e2e/rig.ts";
import { processes, type Seen } from "../../support/processes.ts";
import { given } from "../../support/tracker-contract.ts";
import { realBd, tempRepository } from "./real-beads.ts";

vi.setConfig({ testTimeout: 60_000 });

/** A database whose journal of events is on, and somebody who writes there under a name. */
async function aDatabase() {
  const path = await realBd();
  const { folder, remove } = await tempRepository();
  onTestFinished(remove);
  const beadsDir = join(folder, ".beads");
  const type = async (actor: string, ...args: string[]) => {
    const bd = openBd({ bd: path, beadsDir, actor });
    given(await bd.run({ args, effect: "write", schema: z.unknown() }));
  };
  await type("ann", "init", "--non-interactive", "-q", "-p", "t", "--skip-agents", "--skip-hooks");
  await type("ann", "config", "set", "events-journal", "true");
  return { folder, type, options: { bd: path, beadsDir, actor: "fractal" } };
}

/** Processes that follow the events of this folder's database. */
function followers(folder: string): Seen[] {
  return processes().filter(
    ({ commandLine, environment }) =>
      commandLine.split("\0").includes("tail") && environment.includes(`BEADS_DIR=${folder}`),
  );
}

const soon = (look: () => void) => vi.waitFor(look, { timeout: 20_000, interval: 50 });

it("wakes for what others write, not for fractal's own, and ends when it is let go", async () => {
  const { folder, type, options } = await aDatabase();
  const over = new AbortController();
  const wake = vi.fn();
  followEvents(options, 0, wake, over.signal);
  await type("fractal", "create", "of fractal");
  await type("ann", "create", "of ann");
  await soon(() => expect(wake).toHaveBeenCalled());
  expect(wake).toHaveBeenCalledTimes(1);

  over.abort();
  await soon(() => expect(followers(folder)).toEqual([]));
});

it("goes on from the newest event where the oldest are no longer kept", async () => {
  const { type, options } = await aDatabase();
  for (const title of ["one", "two", "three"]) await type("ann", "create", title);
  await type("ann", "config", "set", "events-journal-retain-days", "0");
  await type("ann", "config", "set", "events-journal-retain-rows", "1");
  await type("ann", "events", "prune", "--before", "3");
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const wake = vi.fn();
  followEvents(options, 0, wake, over.signal);
  await until("news", async () => {
    await type("ann", "create", "four");
    return wake.mock.calls.length > 0;
  });
});

it("is gone when the process that follows is killed", async () => {
  const { folder, options } = await aDatabase();
  const module = join(import.meta.dirname, "../../../src/adapters/beads/watch.ts");
  const code = `import { followEvents } from ${JSON.stringify(module)};
    followEvents(${JSON.stringify(options)}, 0, () => {}, new AbortController().signal);
    setInterval(() => {}, 1000);`;
  const follower = spawn(process.execPath, ["--input-type=module", "-e", code], {
    stdio: "ignore",
  });
  onTestFinished(() => void follower.kill("SIGKILL"));
  await soon(() => expect(followers(folder).length).toBeGreaterThan(0));
  follower.kill("SIGKILL");
  await soon(() => expect(followers(folder)).toEqual([]));
});

it("keeps nobody from writing, and starts nothing where no journal is kept", async () => {
  const { folder, type, options } = await aDatabase();
  const over = new AbortController();
  onTestFinished(() => over.abort());
  watchBeads(options, () => undefined, over.signal);
  await soon(() => expect(followers(folder).length).toBeGreaterThan(0));
  for (let at = 0; at < 5; at++) await type("ann", "create", `issue ${at}`);
  over.abort();
  await soon(() => expect(followers(folder)).toEqual([]));

  await type("ann", "config", "set", "events-journal", "false");
  const next = new AbortController();
  watchBeads(options, () => undefined, next.signal);
  expect(followers(folder)).toEqual([]);
  next.abort();
});
