/** plan.json, and the tree that plans amount to on paper. */
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../../src/domain/limits.ts";
import type { Plan } from "../../../src/domain/plan.ts";
import type { Spec } from "../../../src/domain/spec.ts";
import { parsePlanFile, renderPlanFile } from "../../../src/rules/plan/plan-file.ts";
import { planTree, reviewPlans } from "../../../src/rules/plan/plan-tree.ts";
import { parseSpec } from "../../../src/rules/spec/spec.ts";
import { aContract } from "../../support/builders.ts";

const TEXT = "# T\n\n- R1: one\n- R2: two\n";
const SPEC = parseSpec("spec.md", TEXT, "hash") as Spec;

function planOf(keys: string[], over: Partial<Plan> = {}): Plan {
  return {
    decision: "split",
    size: "L",
    reason: "",
    parts: keys.map((key) => ({
      key,
      title: key,
      purpose: `Makes ${key}.`,
      kind: "code",
      size: "S",
      files: ["shared.txt"],
      unchecked: "edited by hand",
      risks: [],
    })),
    ownership: { R1: keys[0] ?? "", R2: keys[1] ?? "" },
    interfaces: [],
    dependencies: [],
    acceptance: [],
    questions: [],
    ...over,
  };
}
const PLAN = planOf(["a", "b"]);

describe("a plan file", () => {
  it("is read back as it was written", () => {
    const content = { spec: TEXT, splits: { root: PLAN }, shared_files: "allow" as const };
    expect(parsePlanFile(renderPlanFile(content))).toEqual({ schema_version: 1, ...content });
  });

  it("with mistakes is told all of them by their paths", () => {
    const broken = {
      schema_version: 1,
      spec: "",
      splitz: {},
      splits: { root: { ...PLAN, size: "huge", parts: [{ ...PLAN.parts[0], key: "Not A Key" }] } },
    };
    const parsed = parsePlanFile(JSON.stringify(broken), "my.json");
    if (!("problems" in parsed)) throw new Error("it was read");
    const said = parsed.problems.map(({ file, message }) => `${file} ${message}`);
    expect(said).toHaveLength(4);
    expect(said[0]).toMatch(/^my\.json `spec`: /);
    expect(said[1]).toMatch(/^my\.json `splits\.root\.size`: /);
    expect(said[2]).toMatch(/^my\.json `splits\.root\.parts\.0\.key`: /);
    expect(said[3]).toBe("my.json unknown key `splitz`: did you mean `splits`?");
  });

  it("that is no JSON is told with the line", () => {
    const parsed = parsePlanFile('{\n  "schema_version": 1,\n  "spec" "x"\n}');
    expect(parsed).toMatchObject({
      problems: [{ file: "plan.json", line: 3, message: expect.stringContaining("is not JSON") }],
    });
    expect(parsePlanFile("")).toMatchObject({ problems: [{ message: /is not JSON/ }] });
  });

  it.each([
    ["of a later version", { schema_version: 2, spec: "x", splits: {} }],
    ["that is a list", []],
    ["without splits", { schema_version: 1, spec: "x" }],
  ])("%s is refused", (_, value) => {
    expect(parsePlanFile(JSON.stringify(value))).toHaveProperty("problems");
  });
});

describe("the tree of plans", () => {
  const root = aContract("T", { size: "XL", purpose: "All of it.", requirements: ["R1", "R2"] });
  const treeOf = (plans: Record<string, Plan>, allowSharedFiles = false) =>
    planTree({
      spec: SPEC,
      root,
      plans: new Map(Object.entries(plans)),
      limits: DEFAULT_LIMITS,
      existingFiles: [],
      allowSharedFiles,
    });

  it("without a plan is the root alone, to be planned", () => {
    expect(treeOf({}).unplanned.map(({ key }) => key)).toEqual(["root"]);
  });

  it("has parents before their children, and says what is still to be planned", () => {
    const plan = planOf(["a", "b"]);
    const [first, second] = plan.parts;
    const parts = [{ ...first, size: "M" }, second] as Plan["parts"];
    const tree = treeOf({
      root: { ...plan, parts },
      b: PLAN,
      a: planOf(["x", "y"], {
        size: "M",
        ownership: { R1: "x" },
        dependencies: [{ part: "x", needs: ["y"] }],
      }),
    });
    expect(tree.problems).toEqual([]);
    expect(tree.tasks.map(({ key, shape }) => [key, shape])).toEqual([
      ["root", "split"],
      ["a", "split"],
      ["a.x", "leaf"],
      ["a.y", "leaf"],
      ["b", "leaf"],
    ]);
    expect(tree.unplanned).toEqual([]);
    // `b` is a leaf without it.
    expect(tree.unused).toEqual(["b"]);
  });

  it("ends at a plan with problems, and tells them", () => {
    const tree = treeOf({ root: planOf(["a", "b"], { ownership: {} }) });
    expect(tree.problems.map(({ key, problem }) => [key, problem.code])).toContainEqual([
      "root",
      "uncovered",
    ]);
    expect(tree.tasks).toHaveLength(1);
  });

  it("is reviewed before anything is carried out, but for what only the files can tell", () => {
    const plans = (over: Partial<Plan>) => new Map([["root", planOf(["a", "b"], over)]]);
    const said = (over: Partial<Plan>) =>
      reviewPlans({
        spec: SPEC,
        root,
        plans: plans(over),
        limits: DEFAULT_LIMITS,
        allowSharedFiles: false,
      });
    const example = { kind: "call" as const, file: "lib/old.mjs", name: "old", args: [], value: 1 };
    expect(said({ acceptance: [{ part: "a", requirement: "R1", example }] })).toEqual([]);
    expect(said({ ownership: { R1: "a" } })).toEqual([
      "root: requirement R2 is owned by no part",
      expect.stringContaining("root: part `b` owns no requirement"),
    ]);
  });

  it("orders edits of one file unless sharing is allowed", () => {
    const eight = planOf(["a", "b", "c", "d", "e", "f", "g", "h"], {
      ownership: { R1: "a", R2: "h" },
      dependencies: [{ part: "h", needs: ["b", "c", "d", "e", "f", "g"] }],
    });
    const ordered = treeOf({ root: eight });
    expect(ordered.problems).toEqual([]);
    expect(ordered.edgesAdded.length).toBeGreaterThan(5);
    const shared = treeOf({ root: eight }, true);
    expect(shared.edgesAdded).toEqual([]);
    expect(shared.tasks.filter(({ dependsOn }) => dependsOn.length > 0)).toHaveLength(1);
  });
});
