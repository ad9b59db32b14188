/** A run on real parts in a folder of its own: bd, git, sandbox and journal, each timed. */
import { mkdtempSync, rmSync } from "node:fs";
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
import { noTracker } from "../src/adapters/no-tracker.ts";
import { createSandbox } from "../src/adapters/sandbox/sandbox.ts";
import { isFailure } from "../src/domain/failure.ts";
import { DEFAULT_LIMITS, type Limits } from "../src/domain/limits.ts";
import type { Plan } from "../src/domain/plan.ts";
import type { Journal, Model } from "../src/domain/ports.ts";
import { runLoop } from "../src/orchestrator/loop.ts";
import { aMemoryWorld } from "../test/support/memory-world.ts";

/** The clone this runs in. */
export const PACKAGE = join(import.meta.dirname, "..");

type Port = "model" | "sandbox" | "git" | "bd" | "journal";
/**
 * Milliseconds: of the whole run, of waiting for each port, and of this process's own CPU. Ports
 * work beside one another (bd most of all), so their times add up to more than the whole.
 */
export type Split = Record<Port | "wall" | "cpu", number>;

/** The bd that fractal would use. */
export async function realBd(): Promise<string> {
  return given(await findBd({ env: process.env, packageDir: PACKAGE })).path;
}

/**
 * Carries a specification out with this model in every role, and says where the time went. `bd`
 * names another program to use as bd; `beside` is called with the folder while the run goes on.
 */
export async function runOnRealParts(o: {
  spec: string;
  /** The folder the work is confined to, as the specification says. */
  root: string;
  splits?: Record<string, Plan>;
  model: Model;
  limits: Partial<Limits>;
  bd?: string;
  /** Without Beads: a tracker that only remembers. */
  isUntracked?: boolean;
  beside?: (folder: string, ended: AbortSignal) => Promise<void>;
}): Promise<Split> {
  const place = mkdtempSync(join(tmpdir(), "fractal-bench-"));
  const ended = new AbortController();
  try {
    execaSync("git", ["init", "--quiet"], { cwd: place });
    const spent = { model: 0, sandbox: 0, git: 0, bd: 0, journal: 0 };
    const runId = "bench2";
    const { root } = o;
    const bd = o.bd ?? (await realBd());
    const beads = given(
      await prepareBeads({
        bd,
        repository: place,
        cacheDir: place,
        mayUpgrade: false,
        mayCreate: true,
      }),
    );
    if (beads.state !== "ready") throw new Error(beads.detail);
    const { beadsDir, prefix } = beads;
    const tracker = o.isUntracked
      ? noTracker()
      : beadsTracker({ bd, beadsDir, prefix, actor: "fractal", cwd: place });
    const sandbox = given(await createSandbox({ mode: "contained", checkout: place, root, runId }));
    const { mounts } = sandbox;
    const repository = await openRepository({ checkout: place, runId, root, mounts });
    await repository.startBranch({ base: "" });
    const journal = openJournal(join(place, "telemetry"), runId);
    if ("line" in journal) throw new Error(journal.message);
    const world = aMemoryWorld({
      spec: o.spec,
      splits: o.splits ?? {},
      script: [],
      tracker: timed(tracker, spent, "bd"),
      journal: timed(journal, spent, "journal") as Journal,
      clock: systemClock,
      limits: { callTimeoutMs: DEFAULT_LIMITS.callTimeoutMs, ...o.limits },
    });
    const profile = {
      ...world.profiles.worker,
      model: timed(o.model, spent, "model"),
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
    const beside = o.beside?.(place, ended.signal);
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
    const wall = performance.now() - startedAt;
    ended.abort();
    await beside;
    return { wall, ...spent, cpu: (user + system) / 1000 };
  } finally {
    ended.abort();
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
