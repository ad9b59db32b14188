/** A check whose own tool is missing is a lack to be provided; a failing check, whatever it prints, is not. */
import { describe, expect, it } from "vitest";
import type { CheckResult } from "../../../src/domain/check.ts";
import { missingCommand } from "../../../src/rules/check/missing-command.ts";
import { aCheck } from "../../support/builders.ts";

const check = aCheck("types", { run: "cd sub && mypy --strict . | head -5" });
const red = (detail: string, over: Partial<CheckResult> = {}): CheckResult => ({
  name: "types",
  passed: false,
  gates: true,
  exitCode: 127,
  durationMs: 1,
  detail,
  ...over,
});

describe("a red check", () => {
  it.each([
    "It exited with 127, expected 0:\nsh: 1: mypy: not found",
    "/bin/sh: 1: mypy: not found",
    "sh: line 1: mypy: command not found",
    "bash: mypy: command not found",
  ])("whose shell says %j lacks its tool", (detail) => {
    expect(missingCommand([red(detail)], [check])).toEqual({
      failure: "capability-missing",
      detail: expect.stringContaining('the check "types" needs `mypy`'),
    });
  });

  it.each([
    ["that ended otherwise", red("sh: 1: mypy: not found", { exitCode: 1 })],
    ["that is green", red("sh: 1: mypy: not found", { passed: true })],
    ["that only advises", red("sh: 1: mypy: not found", { gates: false })],
    ["that misses what the check does not name", red("sh: 1: evil: not found")],
    ["that misses a file of the work", red("sh: 1: ./mypy: not found")],
    ["that says something else", red("mypy: error: not found")],
  ])("%s lacks nothing", (_what, result) => {
    expect(missingCommand([result], [check])).toBeUndefined();
  });
});
