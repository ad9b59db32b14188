import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Failure } from "../../src/domain/failure.ts";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import { failedAttempts, isSplittable, nextRung } from "../../src/rules/escalation.ts";
import { anAttempt, aTask } from "../support/builders.ts";

const limits = DEFAULT_LIMITS;
const red: Failure = { failure: "check-failed", detail: "red", checks: [] };
const scope: Failure = { failure: "out-of-scope", detail: "b", paths: [] };
const refused: Failure = { failure: "refused", detail: "no" };
const asks: Failure = { failure: "worker-asks", detail: "which one?", options: [] };
const lacks: Failure = { failure: "capability-missing", detail: "no network" };
const tooBig: Failure = { failure: "context-overflow", detail: "too long" };
const failedBy = (...failures: Failure[]) =>
  failures.map((failure, at) => anAttempt(at + 1, { outcome: "rejected", failure }));

describe("the ladder", () => {
  it("stays with the worker while attempts are left, however they failed", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.constantFrom(red, scope, refused), { maxLength: 9 }),
        (attemptsLeft, failures) => {
          const task = aTask("t", { attemptsLeft, attempts: failedBy(...failures) });
          expect(nextRung(task, 2, limits)).toEqual({ to: "worker" });
        },
      ),
    );
  });

  it.each([
    ["the same way each time: the fixer", [red, red, red], "fixer"],
    ["in different ways: a router tells", [red, scope, red], "router"],
    ["by refusing each time: a person", [refused, refused, refused], "person"],
    ["without any attempt: the fixer", [], "fixer"],
  ] as const)("leaves it when they are used up, %s", (_, failures, to) => {
    const task = aTask("t", { attemptsLeft: 0, attempts: failedBy(...failures) });
    expect(nextRung(task, 2, limits).to).toBe(to);
  });

  it("goes to a person when the fixer's help is used up too", () => {
    const task = aTask("t", { attemptsLeft: 0, fixerUsed: true, attempts: failedBy(red, red) });
    expect(nextRung(task, 2, limits).to).toBe("person");
  });

  it.each([
    ["asks", asks, "person"],
    ["lacks a tool", lacks, "person"],
    ["finds it too big", tooBig, "split"],
  ] as const)("leaves the worker at once when it %s, attempts left or not", (_, pending, to) => {
    for (const attemptsLeft of [0, 3]) {
      expect(nextRung(aTask("t", { attemptsLeft, pending }), 2, limits)).toEqual({
        to,
        reason: pending.detail,
      });
    }
  });

  it("gives what is too big and cannot be split to the fixer, once", () => {
    const smallest = { pending: tooBig, contract: { size: "XS" as const } };
    expect(nextRung(aTask("t", smallest), 2, limits).to).toBe("fixer");
    expect(nextRung(aTask("t", { ...smallest, fixerUsed: true }), 2, limits).to).toBe("person");
  });

  it("follows the route it was given", () => {
    for (const route of ["fixer", "split", "person"] as const) {
      expect(nextRung(aTask("t", { route, pending: asks }), 2, limits).to).toBe(route);
    }
  });

  it("counts the failures of this episode's worker attempts alone", () => {
    const task = aTask("t", {
      episode: 2,
      attempts: [
        anAttempt(1, { failure: red }),
        anAttempt(2, { episode: 2, role: "planner", failure: red }),
        anAttempt(3, { episode: 2 }),
        anAttempt(4, { episode: 2, failure: scope }),
      ],
    });
    expect(failedAttempts(task).map((one) => one.number)).toEqual([4]);
  });
});

describe("what can be split", () => {
  it.each([
    ["a code task above the smallest size", aTask("t"), 2, true],
    ["the smallest", aTask("t", { contract: { size: "XS" } }), 2, false],
    ["one at the depth limit", aTask("t"), limits.depthMax, false],
    ["a text", aTask("t", { contract: { kind: "text" } }), 2, false],
    ["a command", aTask("t", { contract: { kind: "command" } }), 2, false],
    ["a repair", aTask("t", { origin: "repair" }), 2, false],
  ] as const)("%s at depth: %#", (_, task, depth, splittable) => {
    expect(isSplittable(task, depth, limits)).toBe(splittable);
  });
});
