/** An accepted plan as contracts: ids, keys, checks, edges, files. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../../src/domain/limits.ts";
import type { Acceptance, Part, Plan } from "../../../src/domain/plan.ts";
import type { TaskState } from "../../../src/domain/run-state.ts";
import type { Spec } from "../../../src/domain/spec.ts";
import { contract as contractSchema } from "../../../src/domain/task.ts";
import { inventedId, isLeafContract, sizeTask, splitTask } from "../../../src/rules/plan/split.ts";
import { parseSpec } from "../../../src/rules/spec/spec.ts";
import { aCheck, aContract, aTask } from "../../support/builders.ts";

const SPEC = parseSpec(
  "spec.md",
  "# T\n\n- R1: `a(1)` returns `2`.\n- R2: two\n- R3: three\n",
  "hash",
) as Spec;

const aPart = (key: string, over: Partial<Part> = {}): Part => ({
  key,
  title: `Make ${key}`,
  purpose: `Makes ${key}.`,
  kind: "code",
  size: "S",
  files: [`src/${key}.mjs`],
  risks: [],
  ...over,
});
const aCall = (part: string, over: Partial<Acceptance> = {}): Acceptance => ({
  part,
  requirement: "R2",
  example: { kind: "call", file: `src/${part}.mjs`, name: part, args: [1], value: 2 },
  ...over,
});
const PLAN: Plan = {
  decision: "split",
  size: "L",
  reason: "",
  parts: [
    aPart("a"),
    aPart("b", { size: "M", files: ["src/b/"] }),
    aPart("c", { files: ["src/a.mjs"], risks: ["unclear"] }),
  ],
  ownership: { R1: "a", R2: "b", R3: "all" },
  interfaces: [
    {
      part: "a",
      file: "src/a.mjs",
      name: "a",
      declaration: "export function a(x)",
      doc: "Adds one.",
    },
  ],
  dependencies: [{ part: "b", needs: ["a"] }],
  acceptance: [
    aCall("a", { requirement: "R1", quote: "`a(1)` returns `2`" }),
    aCall("c"),
    {
      part: "all",
      requirement: "R3",
      example: { kind: "command", run: "node main.mjs", exit: 0, stdout: "7" },
    },
  ],
  questions: [
    { question: "Which unit?", why: "", options: [], blocks: ["b"], default: "seconds" },
    { question: "Which name?", why: "", options: [], blocks: ["c"] },
  ],
};

function splitOf(over: { plan?: Plan; parent?: TaskState; accepted?: boolean } = {}) {
  return splitTask({
    parent: over.parent ?? aTask("fr-1", { key: "root", contract: { size: "XL" } }),
    plan: over.plan ?? PLAN,
    spec: SPEC,
    limits: DEFAULT_LIMITS,
    episodeLetter: "a",
    acceptedChecks: () => over.accepted ?? false,
  });
}

describe("the children of a split", () => {
  it("have ids, keys and dependencies that follow from the plan alone", () => {
    const { children, edgesAdded } = splitOf();
    expect(children.map(({ id, key, dependsOn }) => [id, key, dependsOn])).toEqual([
      ["fr-1.a1", "a", []],
      ["fr-1.a2", "b", ["fr-1.a1"]],
      ["fr-1.a3", "c", ["fr-1.a1"]],
    ]);
    expect(edgesAdded).toEqual(["c waits for a: both write src/a.mjs"]);
    const below = splitOf({ parent: aTask("fr-1.a2", { key: "b", contract: { size: "XL" } }) });
    expect(below.children.map(({ id, key }) => [id, key])[2]).toEqual(["fr-1.a2.a3", "b.c"]);
    expect(splitOf()).toEqual(splitOf());
  });

  it("own what the plan gives them; what all own stays with the parent", () => {
    const { children, rollupChecks } = splitOf();
    expect(children.map(({ contract }) => contract.requirements)).toEqual([["R1"], ["R2"], []]);
    expect(
      rollupChecks.map(({ when, requirements, oracle }) => [when, requirements, oracle]),
    ).toEqual([["rollup", ["R3"], ["test/root.advice.test.mjs"]]]);
  });

  it("are leaves only when they are small, complete and without risk", () => {
    expect(splitOf().children.map(({ leaf }) => leaf)).toEqual([true, false, false]);
  });

  it("say in words what must be true of them", () => {
    expect(splitOf().children[0]?.contract.examples).toEqual(["a(1) returns 2"]);
  });

  it("have contracts that fit the journal's schema", () => {
    for (const { contract } of splitOf().children) {
      expect(contractSchema.safeParse(contract).error).toBeUndefined();
    }
  });

  it("inherit the parent's interfaces with the files they are in", () => {
    const fixed = { file: "src/b/x.mjs", name: "x", declaration: "export function x()", doc: "" };
    const parent = aTask("fr-1", { key: "p", contract: { size: "XL", interfaces: [fixed] } });
    const { children, stubFiles } = splitOf({ parent });
    expect(children.map(({ contract }) => contract.interfaces.map(({ name }) => name))).toEqual([
      ["a"],
      ["x"],
      [],
    ]);
    // What the plan above fixed is a stub already.
    expect(stubFiles).toEqual(["src/a.mjs"]);
  });
});

describe("what a split writes and asks", () => {
  it("is stubs and tests, each once", () => {
    const { files, stubFiles } = splitOf();
    expect(files.map(({ path }) => path)).toEqual([
      "src/a.mjs",
      "test/a.test.mjs",
      "test/c.advice.test.mjs",
      "test/root.advice.test.mjs",
    ]);
    expect(stubFiles).toEqual(["src/a.mjs"]);
    expect(files[0]?.text).toContain("not implemented: a");
  });

  it("tells invented checks, and lets them gate once accepted", () => {
    const { invented, children } = splitOf();
    expect(invented).toEqual([
      { id: "c1", text: "c(1) returns 2", requirement: "R2" },
      { id: "c2", text: '`node main.mjs` exits with 0 and prints "7"', requirement: "R3" },
    ]);
    expect(PLAN.acceptance.map((one) => inventedId(one, invented))).toEqual(["", "c1", "c2"]);
    expect(children[2]?.contract.checks[0]?.gates).toBe(false);
    const accepted = splitOf({ accepted: true });
    expect(accepted.children[2]?.contract.checks[0]).toMatchObject({
      gates: true,
      source: "planner",
      oracle: ["test/c.test.mjs"],
    });
    expect(accepted.invented).toEqual(invented);
  });

  it("asks only what has no default", () => {
    const { questions, assumptions } = splitOf();
    expect(questions.map(({ question }) => question)).toEqual(["Which name?"]);
    expect(assumptions).toEqual(["Which unit? Assumed: seconds"]);
  });

  it("makes the parent's own checks what its parts must add up to", () => {
    const checks = [aCheck("examples", { oracle: ["test/p.test.mjs"] })];
    const parent = aTask("fr-1", { key: "p", contract: { size: "XL", checks } });
    const { rollupChecks } = splitOf({ parent, accepted: true });
    expect(rollupChecks.map(({ name, when, oracle }) => [name, when, oracle])).toEqual([
      ["examples", "rollup", ["test/p.test.mjs"]],
      ["examples 2", "rollup", ["test/p.2.test.mjs"]],
    ]);
  });
});

describe("text and command tasks", () => {
  it("need no examples: a text has one result with a heading per requirement, a command runs", () => {
    const plan: Plan = {
      ...PLAN,
      parts: [
        aPart("study", { kind: "text", files: [] }),
        aPart("build", { kind: "command", files: ["out.txt"], command: "make" }),
      ],
      ownership: { R1: "study" },
      interfaces: [],
      dependencies: [],
      acceptance: [],
    };
    const [study, build] = splitOf({ plan }).children;
    expect(study).toMatchObject({ leaf: true, contract: { files: [".results/study.md"] } });
    expect(study?.contract.checks).toMatchObject([
      { name: "result", source: "built-in", gates: true, requirements: ["R1"] },
    ]);
    expect(study?.contract.checks[0]?.run).toContain("65536");
    expect(build).toMatchObject({ leaf: true, contract: { command: "make", files: ["out.txt"] } });
  });
});

describe("a task that its plan calls a leaf", () => {
  const plan: Plan = {
    ...PLAN,
    decision: "leaf",
    size: "S",
    parts: [aPart("self", { files: ["src/a.mjs"] })],
    ownership: { R1: "self" },
    dependencies: [],
    acceptance: [aCall("self", { requirement: "R1", quote: "nowhere" })],
  };

  it("keeps its name, requirements and checks, and gains what the plan completes", () => {
    const checks = [aCheck("examples", { oracle: ["test/k.test.mjs"] })];
    const task = aTask("fr-1.a1", {
      key: "k",
      title: "Make it",
      contract: { size: "M", requirements: ["R1"], checks, examples: ["known"] },
    });
    const sized = sizeTask({
      task,
      plan,
      spec: SPEC,
      limits: DEFAULT_LIMITS,
      acceptedChecks: () => true,
    });
    expect(sized.contract).toMatchObject({
      title: "Make it",
      size: "S",
      requirements: ["R1"],
      files: ["src/a.mjs"],
      examples: ["known", "self(1) returns 2"],
    });
    expect(sized.contract.interfaces.map(({ name }) => name)).toEqual(["a"]);
    expect(sized.contract.checks.map(({ oracle }) => oracle)).toEqual([
      ["test/k.test.mjs"],
      ["test/k.2.test.mjs"],
    ]);
    expect(sized.files.map(({ path }) => path)).toEqual(["test/k.2.test.mjs"]);
    expect(sized.invented).toHaveLength(1);
    expect(isLeafContract(sized.contract, DEFAULT_LIMITS)).toBe(true);
  });

  it.each([
    [undefined, [], undefined],
    [["web:a.org"], [], ["web:a.org"]],
    [undefined, ["install", "install"], ["install"]],
    [["web:a.org"], ["install", "web:a.org"], ["web:a.org", "install"]],
  ])("that was given to need %j, and whose plan adds %j, needs %j", (given, planned, all) => {
    const contract = given === undefined ? {} : { needs: given };
    const { contract: sized } = sizeTask({
      task: aTask("fr-1.a1", { key: "k", contract }),
      plan: { ...plan, parts: [aPart("self", { needs: planned })] },
      spec: SPEC,
      limits: DEFAULT_LIMITS,
      acceptedChecks: () => true,
    });
    expect(sized.needs).toEqual(all);
  });
});

describe("a leaf by its contract", () => {
  const complete = { files: ["a.mjs"], checks: [aCheck()] };
  it.each([
    ["complete", complete, true],
    ["too large", { ...complete, size: "M" as const }, false],
    ["at risk", { ...complete, risks: ["unclear"] }, false],
    ["without files", { ...complete, files: [] }, false],
    ["of many files", { ...complete, files: ["a", "b", "c", "d"] }, false],
    ["of a folder", { ...complete, files: ["a/"] }, false],
    ["without a check", { ...complete, checks: [] }, false],
    ["unchecked, with the reason", { ...complete, checks: [], unchecked: "only seen" }, true],
    ["a command", { kind: "command" as const, command: "make" }, true],
    ["a command without one", { kind: "command" as const }, false],
  ])("%s", (_, over, isLeaf) => {
    expect(isLeafContract(aContract("x", over), DEFAULT_LIMITS)).toBe(isLeaf);
  });
});

it("gives every child an id and a key of its own, whatever the parts", () => {
  const key = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
  const parts = fc.uniqueArray(
    fc.record({
      key,
      size: fc.constantFrom("XS" as const, "S" as const, "M" as const),
      files: fc.subarray(["x.mjs", "y.mjs", "z.py", "d/"]),
      kind: fc.constantFrom("code" as const, "text" as const),
    }),
    { selector: (part) => part.key, maxLength: 12 },
  );
  fc.assert(
    fc.property(parts, fc.constantFrom("root", "a", "a.b"), (given, parentKey) => {
      const plan = { ...PLAN, parts: given.map((part) => aPart(part.key, part)) };
      const parent = aTask("fr-9", { key: parentKey, contract: { size: "XL" } });
      const split = splitOf({ plan, parent });
      expect(new Set(split.children.map(({ id }) => id)).size).toBe(given.length);
      expect(new Set(split.children.map((one) => one.key)).size).toBe(given.length);
      expect(split).toEqual(splitOf({ plan, parent }));
      const paths = split.files.map(({ path }) => path);
      expect(new Set(paths).size).toBe(paths.length);
    }),
    { numRuns: 150 },
  );
});
