/** Adds up what many seeds showed. */
import type { Played } from "./simulate.ts";

export interface Totals {
  seed: number;
  seeds: number;
  tasks: number;
  crashes: number;
  processes: number;
  lines: number;
  steps: number;
  /** Moves that were refused and changed nothing. */
  refused: number;
  virtualHours: number;
  failures: { seed: number; why: string }[];
}

export function totalsOf(seed: number): { sums: Totals; add(played: Played): void } {
  const sums: Totals = {
    seed,
    seeds: 0,
    tasks: 0,
    crashes: 0,
    processes: 0,
    lines: 0,
    steps: 0,
    refused: 0,
    virtualHours: 0,
    failures: [],
  };
  return {
    sums,
    add(played) {
      sums.seeds += 1;
      sums.tasks += played.tasks;
      sums.crashes += played.crashes;
      sums.processes += played.processes;
      sums.lines += played.lines;
      sums.steps += played.steps;
      sums.refused += played.refused;
      sums.virtualHours += played.virtualMs / 3_600_000;
      const why = played.failure?.message;
      if (why !== undefined) sums.failures.push({ seed: played.seed, why });
    },
  };
}
