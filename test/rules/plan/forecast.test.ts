/** What a tree will probably take. */
import { describe, expect, it } from "vitest";
import type { Spec } from "../../../src/domain/spec.ts";
import { type ForecastRole, forecastOf } from "../../../src/rules/plan/forecast.ts";
import { parseSpec } from "../../../src/rules/spec/spec.ts";
import { aTask } from "../../support/builders.ts";

const SPEC = parseSpec("spec.md", "# T\n\n- R1: one\n- R2: two\n", "hash") as Spec;
const price = { inputUsd: 1, outputUsd: 5, cacheReadUsd: 0.1, cacheWriteUsd: 1 };
const role = (over: Partial<ForecastRole> = {}): ForecastRole => ({
  planning: "one",
  price,
  ...over,
});
const roles = (worker = role(), planner = role()) => ({ planner, worker, fixer: role() });
const leaves = [aTask("a"), aTask("b", { contract: { size: "XS" } })];
const unplanned = aTask("root", {
  shape: "unplanned",
  contract: { size: "L", requirements: ["R1"] },
});

describe("a forecast", () => {
  it("of a planned tree asks no planner, and costs what its calls cost", () => {
    const forecast = forecastOf({ spec: SPEC, tasks: leaves, roles: roles() });
    expect(forecast.leaves).toBe(2);
    expect(forecast.byRole.map(({ role: name, calls }) => [name, calls])).toEqual([
      ["planner", 0],
      ["worker", 3],
      ["fixer", 1],
    ]);
    const sum = forecast.byRole.reduce((total, line) => total + (line.costUsd ?? 0), 0);
    expect(forecast.costUsd).toBeCloseTo(sum);
    expect(forecast.costUsd).toBeGreaterThan(0);
  });

  it("has no price where one is unknown, instead of 0", () => {
    const unknown = roles(role({ price: undefined }));
    expect(forecastOf({ spec: SPEC, tasks: leaves, roles: unknown }).costUsd).toBeUndefined();
    // A role that is not asked makes no difference.
    const idle = roles(role(), role({ price: undefined }));
    expect(forecastOf({ spec: SPEC, tasks: leaves, roles: idle }).costUsd).toBeGreaterThan(0);
  });

  it("expects leaves of what is still to be planned, and a call a question of a small planner", () => {
    const strong = forecastOf({ spec: SPEC, tasks: [unplanned], roles: roles() });
    const small = forecastOf({
      spec: SPEC,
      tasks: [unplanned],
      roles: roles(role(), role({ planning: "many" })),
    });
    expect(strong.leaves).toBeGreaterThan(4);
    expect(small.byRole[0]?.calls).toBe((strong.byRole[0]?.calls ?? 0) * 7);
  });

  it("asks no model for a command, and grows with the tree", () => {
    const command = aTask("c", { contract: { kind: "command", command: "make" } });
    const one = forecastOf({ spec: SPEC, tasks: [command], roles: roles() });
    expect([one.calls, one.costUsd]).toEqual([0, 0]);
    const two = forecastOf({ spec: SPEC, tasks: leaves, roles: roles() });
    const three = forecastOf({ spec: SPEC, tasks: [...leaves, unplanned], roles: roles() });
    expect(three.inputTokens).toBeGreaterThan(two.inputTokens);
  });
});
