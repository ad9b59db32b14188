/** Where the time of the bundled run goes: model, sandbox, git, bd, and fractal itself. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { execaSync } from "execa";
import { findBd } from "../src/adapters/beads/binary.ts";
import { beadsTracker } from "../src/adapters/beads/tracker.ts";
import { prepareBeads } from "../src/adapters/beads/workspace.ts";
import { systemClock } from "../src/adapters/clock.ts";
import { openRepository } from "../src/adapters/git/repository.ts";
import { openJournal } from "../src/adapters/journal/jsonl.ts";
import { recordedModel } from "../src/adapters/models/recorded.ts";
import { createSandbox } from "../src/adapters/sandbox/sandbox.ts";
import { isFailure } from "../src/domain/failure.ts";
import type { Journal } from "../src/domain/ports.ts";
import { runLoop } from "../src/orchestrator/loop.ts";
import { aMemoryWorld } from "../test/support/memory-world.ts";

const PACKAGE = join(import.meta.dirname, "..");

type Port = "model" | "sandbox" | "git" | "bd" | "journal";
/**
 * Milliseconds: of the whole run, of waiting for each port, and of this process's own CPU. Ports
 * work beside one another (bd most of all), so their times add up to more than the whole.
 */
export type Split = Record<Port | "wall" | "cpu", number>;

/** One run with one job, so that what is waited for is not counted twice. */
export async function splitOfBundledRun(): Promise<Split> {
  const place = mkdtempSync(join(tmpdir(), "fractal-bench-"));
  try {
    execaSync("git", ["init", "--quiet"], { cwd: place });
    cpSync(join(PACKAGE, "spec.md"), join(place, "spec.md"));
    const spent = { model: 0, sandbox: 0, git: 0, bd: 0, journal: 0 };
    const runId = "bench2";
    const root = "cronwhen";
    const bd = given(await findBd({ env: process.env, packageDir: PACKAGE }));
    const beads = given(
      await prepareBeads({ bd: bd.path, repository: place, cacheDir: place, mayUpgrade: false }),
    );
    if (beads.state !== "ready") throw new Error(beads.detail);
    const { beadsDir, prefix } = beads;
    const tracker = beadsTracker({ bd: bd.path, beadsDir, prefix, actor: "fractal", cwd: place });
    const sandbox = given(await createSandbox({ mode: "contained", checkout: place, root, runId }));
    const { mounts } = sandbox;
    const repository = await openRepository({ checkout: place, runId, root, mounts });
    await repository.startBranch({ base: "" });
    const journal = openJournal(join(place, "telemetry"), runId);
    if ("line" in journal) throw new Error(journal.message);
    const world = aMemoryWorld({
      spec: readFileSync(join(PACKAGE, "spec.md"), "utf8"),
      splits: {},
      script: [],
      tracker: timed(tracker, spent, "bd"),
      journal: timed(journal, spent, "journal") as Journal,
      clock: systemClock,
      limits: { jobs: 1 },
    });
    const model = timed(recordedModel(join(PACKAGE, "recordings")), spent, "model");
    const profile = {
      ...world.profiles.worker,
      model,
      contextTokens: 200_000,
      outputTokensMax: 32_000,
    };
    const profiles = {
      planner: profile,
      worker: profile,
      router: profile,
      fixer: profile,
      reviewer: profile,
    };
    const startedAt = performance.now();
    const cpuBefore = process.cpuUsage();
    const rest = await runLoop(
      {
        ...world,
        profiles,
        sandbox: timed(sandbox, spent, "sandbox"),
        repository: timed(repository, spent, "git"),
      },
      new AbortController().signal,
    );
    if (rest.exitCode !== 0) throw new Error(rest.reason);
    const { user, system } = process.cpuUsage(cpuBefore);
    return { wall: performance.now() - startedAt, ...spent, cpu: (user + system) / 1000 };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function given<T>(value: T): Exclude<T, { failure: string }> {
  if (isFailure(value)) throw new Error(value.detail);
  return value as Exclude<T, { failure: string }>;
}

/** The same object; the time until each of its answers is added up under `name`. */
function timed<T extends object, K extends string>(inner: T, spent: Record<K, number>, name: K): T {
  return new Proxy(inner, {
    get(target, key, receiver) {
      const value = Reflect.get(target, key, receiver) as unknown;
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const startedAt = performance.now();
        const stop = () => {
          spent[name] += performance.now() - startedAt;
        };
        const answer = value.apply(target, args) as unknown;
        if (answer instanceof Promise) return answer.finally(stop);
        stop();
        return answer;
      };
    },
  });
}
