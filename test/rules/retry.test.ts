import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Failure, FailureKind } from "../../src/domain/failure.ts";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import { backoffMs, fractionOf, type RetryCost, retryCost } from "../../src/rules/retry.ts";

const COST: { readonly [K in FailureKind]: RetryCost } = {
  "check-failed": "attempt",
  "out-of-scope": "attempt",
  "protected-path": "attempt",
  "hostile-tree": "attempt",
  "holds-secret": "attempt",
  "answer-unusable": "attempt",
  refused: "attempt",
  "calls-refused": "attempt",
  "turn-limit": "attempt",
  "time-limit": "attempt",
  "merge-conflict": "again",
  "worker-asks": "route",
  "flaky-check": "route",
  "capability-missing": "route",
  "context-overflow": "attempt-and-route",
  "model-unavailable": "delay",
  "tracker-unavailable": "delay",
  "tracker-lost": "stop",
  "sandbox-unavailable": "delay",
  "credentials-missing": "stop",
  "config-unusable": "stop",
  "budget-spent": "stop",
  cancelled: "stop",
};

describe("what a failure costs", () => {
  it.each(Object.entries(COST))("%s costs: %s", (failure, cost) => {
    expect(retryCost({ failure, detail: "" } as Failure)).toBe(cost);
  });
});

describe("the backoff", () => {
  const limits = DEFAULT_LIMITS;
  const seeds = fc.string({ maxLength: 20 });
  const tries = fc.integer({ min: 1, max: 2000 });

  it("grows with each try and is flat from the longest on", () => {
    fc.assert(
      fc.property(seeds, tries, (seed, n) => {
        const full = Math.min(limits.backoffMaxMs, limits.backoffBaseMs * 2 ** (n - 1));
        const delay = backoffMs(n, seed, limits);
        expect(delay).toBeGreaterThanOrEqual(full / 2);
        expect(delay).toBeLessThanOrEqual(full);
        // The last step before the longest is less than twice, so that their halves overlap.
        if (full * 2 <= limits.backoffMaxMs) {
          expect(backoffMs(n + 1, seed, limits)).toBeGreaterThanOrEqual(delay);
        }
      }),
    );
  });

  it("is 10 s at first, doubles, and stays at 5 minutes, before the jitter takes its half", () => {
    const longest = (n: number) =>
      Math.max(...Array.from({ length: 500 }, (_, seed) => backoffMs(n, `s${seed}`, limits)));
    const fulls = [1, 2, 3, 5, 6, 7, 50].map((n) => Math.round(longest(n) / 1000));
    expect(fulls).toEqual([10, 20, 40, 160, 300, 300, 300]);
  });

  it("takes its jitter from the seed alone", () => {
    fc.assert(
      fc.property(seeds, tries, (seed, n) => {
        expect(backoffMs(n, seed, limits)).toBe(backoffMs(n, seed, limits));
      }),
    );
    const delays = new Set(Array.from({ length: 50 }, (_, at) => backoffMs(4, `t${at}`, limits)));
    expect(delays.size).toBeGreaterThan(40);
  });

  it("is never shorter than what the server asks for", () => {
    fc.assert(
      fc.property(seeds, tries, fc.nat(10_000_000), (seed, n, wish) => {
        const delay = backoffMs(n, seed, limits, wish);
        expect(delay).toBeGreaterThanOrEqual(wish);
        expect(delay).toBe(Math.max(wish, backoffMs(n, seed, limits)));
      }),
    );
  });

  it("draws fractions from 0 up to 1", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(fractionOf(text)).toBeGreaterThanOrEqual(0);
        expect(fractionOf(text)).toBeLessThan(1);
      }),
    );
  });
});
