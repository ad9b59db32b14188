/** What may go wrong in a simulated run, and how often: drawn from its seed, over once it is told so. */
import type { Chance } from "../support/toy-run.ts";

/** The process is gone at this very instant: whatever it does next does not happen. */
export class Crash extends Error {}

export interface Faults {
  /** Drawn at each effect, before it and after it. */
  crashes(): boolean;
  /** True in about `n` of a hundred while there are faults. */
  hits(percent: number): boolean;
  /** A number below `n` for whatever else is left to chance. */
  readonly chance: Chance;
  /** How often the process died by now. */
  readonly crashCount: number;
  readonly areOver: boolean;
  end(): void;
}

export interface FaultOptions {
  chance: Chance;
  /** Deaths at the most; a failing seed is tried again with fewer. */
  crashesMax: number;
  /** False: only the process dies, everything else is well. */
  isWild: boolean;
}

/** Crashes at 1 to 5 % of all effects. */
export function faultsOf({ chance, crashesMax, isWild }: FaultOptions): Faults {
  const perMille = 10 + chance(41);
  let crashCount = 0;
  let areOver = false;
  return {
    crashes() {
      // Half of them before the effect and half after it: 1 to 5 % an effect.
      if (areOver || crashCount >= crashesMax || chance(2000) >= perMille) return false;
      crashCount += 1;
      return true;
    },
    hits: (percent) => isWild && !areOver && chance(100) < percent,
    chance,
    get crashCount() {
      return crashCount;
    },
    get areOver() {
      return areOver;
    },
    end() {
      areOver = true;
    },
  };
}
