/** The bounds everything is held to; defaults here, a user's config may set them. */
import type { Size } from "./task.ts";

/** How a second attempt starts: its code and the verdict, a fresh prompt with the failing cases, a new sample. */
export type AttemptStyle = "repair" | "cases" | "fresh";

export interface Limits {
  /** Attempts, fixes and roll-ups in parallel; and as many plannings and routings beside them. */
  jobs: number;
  attemptsMax: number;
  attemptsAfterGuidance: number;
  planRoundsMax: number;
  questionsPerTaskMax: number;
  repairsMax: number;
  depthMax: number;
  childrenMax: number;
  tasksMax: number;
  /** The largest size that may be a leaf. */
  leafSizeMax: Size;
  linesChangedMax: number;
  turnsMax: number;
  /** Tool calls of one attempt that may be refused; one more ends it. */
  refusedCallsMax: number;
  checkTimeoutMs: number;
  callTimeoutMs: number;
  outputBytesMax: number;
  packTokensMax: number;
  leaseMs: number;
  leaseRenewMs: number;
  backoffBaseMs: number;
  backoffMaxMs: number;
  resyncMs: number;
  /** A run whose every way on is out of reach for this long ends with exit 6. */
  outageMs: number;
  /** Failed calls in a row after which a model endpoint is left alone for a while. */
  breakerFailures: number;
  /** So many crashed attempts of one tier within the window, and it is left alone as well. */
  crashesMax: number;
  crashWindowMs: number;
  /** Deaths of the controller in a row, at one step of one attempt, that quarantine its task. */
  deathsMax: number;
  /** More failures than this below a split task, and nothing merged there for so long: a person is asked. */
  reviewFailuresMax: number;
  reviewQuietMs: number;
}

export const DEFAULT_LIMITS: Limits = {
  jobs: 2,
  attemptsMax: 3,
  attemptsAfterGuidance: 2,
  planRoundsMax: 3,
  questionsPerTaskMax: 3,
  repairsMax: 2,
  depthMax: 6,
  childrenMax: 20,
  tasksMax: 500,
  leafSizeMax: "S",
  linesChangedMax: 400,
  turnsMax: 30,
  refusedCallsMax: 8,
  checkTimeoutMs: 120_000,
  callTimeoutMs: 600_000,
  outputBytesMax: 1_000_000,
  packTokensMax: 24_000,
  leaseMs: 60_000,
  leaseRenewMs: 20_000,
  backoffBaseMs: 10_000,
  backoffMaxMs: 300_000,
  resyncMs: 300_000,
  outageMs: 600_000,
  breakerFailures: 3,
  crashesMax: 5,
  crashWindowMs: 60_000,
  deathsMax: 3,
  reviewFailuresMax: 10,
  reviewQuietMs: 3_600_000,
};
