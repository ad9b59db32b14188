/** What a failure costs the task, and how long to wait before the next attempt. */
import { type Failure, type FailureClass, failureClassOf } from "../domain/failure.ts";
import type { Limits } from "../domain/limits.ts";

/** `attempt` uses one up, `again` and `delay` are free, `route` must be decided, `stop` ends the run. */
export type RetryCost = "attempt" | "again" | "delay" | "route" | "attempt-and-route" | "stop";

/** So many conflicts in an episode, and its files are kept for the task until it ends. */
export const CONFLICTS_RESERVING = 2;
/** At so many it is not tried again by itself: the fixer looks at it, then a person. */
export const CONFLICTS_MAX = 3;

/** What a failure costs, by its class (design part 4, "When an attempt fails"). */
export function retryCost(failure: Failure): RetryCost {
  const kind: FailureClass = failureClassOf(failure);
  switch (kind) {
    case "task":
      return "attempt";
    // The merge lost a race; the work itself may be right.
    case "conflict":
      return "again";
    // An outage says nothing about the task, so it must not use up the worker's attempts.
    case "outage":
      return "delay";
    case "unclear":
    case "capability":
      return "route";
    case "too-big":
      return "attempt-and-route";
    case "terminal":
      return "stop";
  }
}

/**
 * Milliseconds before the nth (from 1) try after trouble: min(max, base · 2^(n−1)), half of it
 * jittered from the seed, so that many tasks do not return at one instant. A server's own wish
 * (`Retry-After`) is a lower bound.
 */
export function backoffMs(
  n: number,
  seed: string,
  limits: Pick<Limits, "backoffBaseMs" | "backoffMaxMs">,
  retryAfterMs = 0,
): number {
  const full = Math.min(limits.backoffMaxMs, limits.backoffBaseMs * 2 ** Math.max(0, n - 1));
  return Math.max(retryAfterMs, Math.round(full / 2 + (full / 2) * fractionOf(`${seed}/${n}`)));
}

/** A number in [0, 1) from a text: FNV-1a, 32 bits (Fowler, Noll, Vo). */
export function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash / 2 ** 32;
}
