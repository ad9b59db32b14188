/** Pass or reject, with the reason the next attempt will read. */
import type { Check, CheckResult, Verdict } from "../../domain/check.ts";
import type { Failure } from "../../domain/failure.ts";

/**
 * Passed when every gating check that was expected was run and is green; a missing result is a
 * reject. Checks that only advise decide nothing. With no gating check it passes with `gatesGreen`
 * 0: unchecked.
 */
export function drawVerdict(results: CheckResult[], expected: Check[]): Verdict {
  const gating = expected.filter((check) => check.gates);
  const green = gating.filter((check) => isGreen(check, results));
  const gates = new Set(gating.map((check) => check.name));
  // A red gate counts also when nobody expected it.
  const red = results.filter(
    (result) => !result.passed && (result.gates || gates.has(result.name)),
  );
  const missing = gating.filter((check) => results.every((result) => result.name !== check.name));
  const reasons = [
    ...red.map((result) => [`Check "${result.name}" failed:`, result.detail].join("\n").trimEnd()),
    // Checks stop at the first red one, so the missing ones say something only without it.
    ...(red.length > 0 ? [] : missing.map((check) => `Check "${check.name}" was not run.`)),
  ];
  return {
    passed: red.length === 0 && green.length === gating.length,
    gatesGreen: green.length,
    results,
    reason: reasons.join("\n\n"),
  };
}

/** The failure that a red verdict is. Where a check contradicts itself the work is not to blame. */
export function failureOf({ results, reason }: Verdict): Failure {
  const red = results.filter((one) => one.gates && !one.passed);
  const flaky = red.filter((one) => one.flaky);
  return flaky.length > 0
    ? { failure: "flaky-check", detail: reason, checks: flaky.map((one) => one.name) }
    : { failure: "check-failed", detail: reason, checks: red.map((one) => one.name) };
}

function isGreen(check: Check, results: CheckResult[]): boolean {
  const own = results.filter((result) => result.name === check.name);
  return own.length > 0 && own.every((result) => result.passed);
}
