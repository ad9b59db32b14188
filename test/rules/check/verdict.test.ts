/** The verdict drawn from check results. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CheckResult } from "../../../src/domain/check.ts";
import { drawVerdict } from "../../../src/rules/check/verdict.ts";
import { aCheck } from "../../support/builders.ts";

const result = (name: string, passed: boolean, over: Partial<CheckResult> = {}): CheckResult => ({
  name,
  passed,
  gates: true,
  exitCode: passed ? 0 : 1,
  durationMs: 5,
  detail: passed ? "" : `${name} is wrong`,
  ...over,
});

describe("drawVerdict", () => {
  it("passes when every gating check is green", () => {
    const verdict = drawVerdict([result("a", true), result("b", true)], [aCheck("a"), aCheck("b")]);
    expect(verdict).toMatchObject({ passed: true, gatesGreen: 2, reason: "" });
  });

  it("rejects with the names and details of the red ones", () => {
    const verdict = drawVerdict(
      [result("a", false), result("b", true)],
      [aCheck("a"), aCheck("b")],
    );
    expect(verdict).toMatchObject({
      passed: false,
      gatesGreen: 1,
      reason: 'Check "a" failed:\na is wrong',
    });
  });

  it("rejects when an expected result is missing", () => {
    const verdict = drawVerdict([result("a", true)], [aCheck("a"), aCheck("b")]);
    expect(verdict).toMatchObject({ passed: false, reason: 'Check "b" was not run.' });
  });

  it("lets advice decide nothing, red or missing", () => {
    const expected = [aCheck("a"), aCheck("x", { gates: false }), aCheck("y", { gates: false })];
    const verdict = drawVerdict(
      [result("a", true), result("x", false, { gates: false })],
      expected,
    );
    expect(verdict).toMatchObject({ passed: true, gatesGreen: 1, reason: "" });
  });

  it("passes unchecked, with no green gate, when nothing gates", () => {
    expect(drawVerdict([], [aCheck("x", { gates: false })])).toMatchObject({
      passed: true,
      gatesGreen: 0,
    });
  });

  it("passes exactly when each expected gate has only green results and no gate is red", () => {
    const names = fc.constantFrom("a", "b", "c", "d");
    fc.assert(
      fc.property(
        fc.uniqueArray(names),
        fc.array(fc.tuple(names, fc.boolean(), fc.boolean())),
        (expected, ran) => {
          const results = ran.map(([name, passed, gates]) => result(name, passed, { gates }));
          const verdict = drawVerdict(
            results,
            expected.map((name) => aCheck(name)),
          );
          const isEachGreen = expected.every(
            (name) =>
              ran.some(([one]) => one === name) &&
              ran.every(([one, passed]) => one !== name || passed),
          );
          const isNoneRed = ran.every(([, passed, gates]) => passed || !gates);
          expect(verdict.passed).toBe(isEachGreen && isNoneRed);
          expect(verdict.passed).toBe(verdict.reason === "");
        },
      ),
    );
  });
});
