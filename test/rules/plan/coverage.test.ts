/** Requirement → tasks → checks, and what nothing stands for. */
import { describe, expect, it } from "vitest";
import type { Spec } from "../../../src/domain/spec.ts";
import { countCoverage, coverageOf } from "../../../src/rules/plan/coverage.ts";
import { parseSpec } from "../../../src/rules/spec/spec.ts";
import { aCheck, aTask } from "../../support/builders.ts";

const SPEC = parseSpec("spec.md", "# T\n\n- R1: one\n- R2: two\n- R3: three\n", "hash") as Spec;
const root = (requirements: string[], over: Parameters<typeof aTask>[1] = {}) =>
  aTask("root", { contract: { requirements, ...over?.contract }, ...over });
const leaf = (id: string, requirements: string[], over: Parameters<typeof aTask>[1] = {}) => {
  const checks = [aCheck("examples", { requirements })];
  return aTask(id, {
    parent: "root",
    ...over,
    contract: { requirements, checks, ...over?.contract },
  });
};
const states = (tasks: ReturnType<typeof aTask>[]) =>
  Object.fromEntries(
    coverageOf(SPEC, tasks).map(({ requirement, state }) => [requirement.id, state]),
  );

describe("coverage", () => {
  it("names the lowest owners of each requirement and the checks that name it", () => {
    const tasks = [root(["R1", "R2", "R3"]), leaf("a", ["R1"]), leaf("b", ["R2"])];
    const rows = coverageOf(SPEC, tasks);
    expect(rows.map(({ tasks: owners, checks, state }) => [owners, checks.length, state])).toEqual([
      [["a"], 1, "checked"],
      [["b"], 1, "checked"],
      [["root"], 0, "unchecked"],
    ]);
    expect(countCoverage(rows)).toEqual({ checked: 2, unchecked: 1, dropped: 0, uncovered: 0 });
  });

  it("counts a roll-up check of the parent", () => {
    const checks = [aCheck("examples", { when: "rollup", requirements: ["R1"] })];
    expect(states([root(["R1"], { contract: { requirements: ["R1"], checks } })])["R1"]).toBe(
      "checked",
    );
  });

  it("shows what has no owner, and what only has advice", () => {
    const checks = [aCheck("advice", { requirements: ["R1"], gates: false })];
    expect(states([leaf("a", ["R1"], { contract: { checks } })])).toEqual({
      R1: "unchecked",
      R2: "uncovered",
      R3: "uncovered",
    });
  });

  it("shows what was cancelled as dropped, and believes no accepted or unproven task", () => {
    const tasks = [
      root(["R1", "R2", "R3"]),
      leaf("a", ["R1"], { end: "cancelled" }),
      leaf("b", ["R2"], { end: "accepted" }),
      leaf("c", ["R3"], { end: "done", unchecked: true }),
    ];
    expect(states(tasks)).toEqual({ R1: "dropped", R2: "unchecked", R3: "unchecked" });
  });
});
