/**
 * The real core in virtual time, with everything going wrong that can: a sample of seeds, all of
 * them with FRACTAL_DEEP=1. `SIM_SEED=n SIM_RUNS=1` plays one again.
 */
import { availableParallelism } from "node:os";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { report } from "../support/report.ts";
import { IS_DEEP } from "../support/seed.ts";
import { tell } from "./shrink.ts";
import { play } from "./simulate.ts";
import { type Totals, totalsOf } from "./totals.ts";

const DEEP_SEEDS = 10_000;
const BATCH = 500;
const SAMPLE_SEEDS = 600;
const SAMPLE_MS = 40_000;
/** The sample is the same each time, so that a red one is the last change's; the deep run takes new seeds. */
const SAMPLE_SEED = 329_177_387;

const given = Number(process.env["SIM_SEED"]);
const usual = IS_DEEP ? 1 + Math.floor(Math.random() * 1e9) : SAMPLE_SEED;
const from = Number.isInteger(given) && given > 0 ? given : usual;
const runs = Number(process.env["SIM_RUNS"]) || undefined;

describe("a run in which everything goes wrong that can", () => {
  it(`loses nothing, doubles nothing and ends (seeds from ${from})`, {
    timeout: 3_600_000,
  }, async () => {
    const totals = IS_DEEP && runs === undefined ? await playAll() : await playSample();
    const { failures, ...sums } = totals;
    report({
      suite: "simulator",
      what: "whole runs in virtual time, killed at 1–5 % of all effects, with every other fault",
      count: sums.seeds,
      passed: sums.seeds - failures.length,
      seed: from,
      details: { ...sums, failures: failures.slice(0, 10) },
    });
    const [first] = failures;
    if (first === undefined) return;
    // Without a safeguard there is nothing to look into.
    if (process.env["FRACTAL_SABOTAGE"]) expect.fail(`seed ${first.seed}: ${first.why}`);
    expect.fail(await tell(await play(first.seed)));
  });
});

/** Up to the first failure, and as many as there is time for. */
async function playSample(): Promise<Totals> {
  const totals = totalsOf(from);
  const startedAt = performance.now();
  const isOver = () =>
    runs === undefined
      ? totals.sums.seeds >= SAMPLE_SEEDS || performance.now() - startedAt > SAMPLE_MS
      : totals.sums.seeds >= runs;
  while (!isOver() && totals.sums.failures.length === 0) {
    totals.add(await play(from + totals.sums.seeds));
  }
  return totals.sums;
}

/** In processes of their own, some seeds each, as many at a time as there are cores. */
async function playAll(): Promise<Totals> {
  const starts = Array.from({ length: DEEP_SEEDS / BATCH }, (_, at) => from + at * BATCH);
  const parts: Totals[] = [];
  const work = async () => {
    for (let start = starts.shift(); start !== undefined; start = starts.shift()) {
      const args = ["test/sim/play.ts", String(start), String(BATCH)];
      const { stdout } = await execa(process.execPath, args, { reject: false });
      parts.push(JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Totals);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return parts.reduce((sum, part) => ({
    seed: from,
    seeds: sum.seeds + part.seeds,
    tasks: sum.tasks + part.tasks,
    crashes: sum.crashes + part.crashes,
    processes: sum.processes + part.processes,
    lines: sum.lines + part.lines,
    steps: sum.steps + part.steps,
    refused: sum.refused + part.refused,
    virtualHours: sum.virtualHours + part.virtualHours,
    failures: [...sum.failures, ...part.failures],
  }));
}
