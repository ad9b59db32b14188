import { describe, expect, it } from "vitest";
import type { Check, CheckResult } from "../../../src/domain/check.ts";
import type { Spec } from "../../../src/domain/spec.ts";
import {
  checksAfter,
  checksBefore,
  checksTouched,
  findingsOf,
  isProven,
  leafChecks,
} from "../../../src/rules/check/gates.ts";
import { aCheck, aState, aTask } from "../../support/builders.ts";

const compile = aCheck("compile", { when: "leaf", source: "spec" });
const lint = aCheck("lint", { when: "leaf", source: "spec" });
const whole = aCheck("whole", { when: "final", source: "spec" });
const spec = { checks: [compile, whole, lint] } as unknown as Spec;
const own = aCheck("own");
const advice = aCheck("advice", { gates: false });
const task = aTask("t", { parent: "root", contract: { checks: [own, advice] } });
const result = (check: Check, passed: boolean): CheckResult => ({
  name: check.name,
  passed,
  gates: check.gates,
  exitCode: passed ? 0 : 1,
  durationMs: 1,
  detail: "",
});
const names = (checks: Check[]) => checks.map((check) => check.name);

describe("red first", () => {
  it("runs the leaf's own checks and the spec's leaf checks, not the final ones", () => {
    expect(names(checksBefore(task, spec))).toEqual(["own", "advice", "compile", "lint"]);
    expect(names(leafChecks(spec))).toEqual(["compile", "lint"]);
  });

  it("marks an own check that is green already as vacuous, a leaf check that is red as not yet", () => {
    const before = [
      result(own, true),
      result(advice, false),
      result(compile, true),
      result(lint, false),
    ];
    expect(findingsOf(task, spec, before)).toEqual({ vacuous: ["own"], notYet: ["lint"] });
  });

  it("takes a leaf check that did not run for red, and an own one for no vacuous one", () => {
    expect(findingsOf(task, spec, [])).toEqual({ vacuous: [], notYet: ["compile", "lint"] });
  });
});

describe("what gates an attempt", () => {
  it("is its own checks, vacuous ones too, and the leaf checks that were green on its base", () => {
    const after = checksAfter(task, spec, { vacuous: ["own"], notYet: ["lint"] });
    expect(names(after)).toEqual(["own", "advice", "compile"]);
  });

  it.each([
    ["an own gating check that was red", [own, advice], [], true],
    ["own gating checks that were all green", [own], ["own"], false],
    ["one of two that was red", [own, aCheck("more")], ["own"], true],
    ["only advice", [advice], [], false],
    ["no check at all", [], [], false],
  ] as const)("proves the work when there is %s", (_, checks, vacuous, proven) => {
    const leaf = aTask("t", { parent: "root", contract: { checks: [...checks] } });
    expect(isProven(leaf, spec, { vacuous: [...vacuous], notYet: [] })).toBe(proven);
  });
});

describe("a root that is a leaf", () => {
  const root = aTask("r", { contract: { checks: [own] } });

  it("has the spec's final checks to pass itself, and every leaf check: nothing comes after it", () => {
    expect(names(checksBefore(root, spec))).toEqual(["own", "whole", "compile", "lint"]);
    const findings = findingsOf(root, spec, [result(own, true), result(whole, false)]);
    expect(findings.vacuous).toEqual(["own"]);
    expect(names(checksAfter(root, spec, findings))).toEqual(["own", "whole", "compile", "lint"]);
    expect(isProven(root, spec, findings)).toBe(true);
  });
});

describe("what must still hold on the merged tree", () => {
  const of = (id: string, file: string, over: Parameters<typeof aTask>[1] = {}) =>
    aTask(id, {
      parent: "r",
      end: "done",
      contract: { files: [file], checks: [aCheck(`c-${id}`)] },
      ...over,
    });
  const touched = (changed: string[], ...tasks: ReturnType<typeof aTask>[]) =>
    names(checksTouched(aState({ tasks: [aTask("r"), of("t", "t.ts"), ...tasks] }), "t", changed));

  it("is the own checks of done tasks whose files a change touches", () => {
    expect(touched(["a.ts"], of("a", "a.ts"), of("b", "b.ts"))).toEqual(["a: c-a"]);
  });

  it("and of those whose dependencies' files it touches", () => {
    const b = of("b", "b.ts", { dependsOn: ["a"] });
    expect(touched(["a.ts"], of("a", "a.ts"), b)).toEqual(["a: c-a", "b: c-b"]);
  });

  it("is nothing of unfinished tasks, of its own, or of a change that touches none", () => {
    const unfinished = of("a", "a.ts");
    delete unfinished.end;
    expect(touched(["a.ts"], unfinished)).toEqual([]);
    expect(touched(["t.ts"])).toEqual([]);
    expect(touched([], of("a", "a.ts"))).toEqual([]);
  });
});
