/** Every problem with a plan is found, all at once. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../../src/domain/limits.ts";
import type { Acceptance, Part, Plan } from "../../../src/domain/plan.ts";
import type { Spec } from "../../../src/domain/spec.ts";
import type { PlanFacts } from "../../../src/rules/plan/plan-facts.ts";
import {
  allNeedsOf,
  needsOf,
  orderedNeeds,
  partsInCycles,
} from "../../../src/rules/plan/plan-order.ts";
import { reviewPlan } from "../../../src/rules/plan/plan-review.ts";
import { QUESTIONS } from "../../../src/rules/plan/planning.ts";
import { parseSpec } from "../../../src/rules/spec/spec.ts";
import { aTask } from "../../support/builders.ts";

const SPEC = parseSpec("spec.md", "# T\n\n- R1: one\n- R2: two\n- R3: three\n", "hash") as Spec;

function aPart(key: string, over: Partial<Part> = {}): Part {
  return {
    key,
    title: key,
    purpose: `Makes ${key}.`,
    kind: "code",
    size: "S",
    files: [`src/${key}.mjs`],
    risks: [],
    ...over,
  };
}

function aCall(part: string, over: Partial<Acceptance> = {}, call: object = {}): Acceptance {
  const example = {
    kind: "call" as const,
    file: `src/${part}.mjs`,
    name: part,
    args: [1],
    value: 2,
    ...call,
  };
  return { part, requirement: "R1", example, ...over };
}

const anInterface = (key: string, over = {}) => ({
  part: key,
  file: `src/${key}.mjs`,
  name: key,
  declaration: `export function ${key}(x)`,
  doc: "",
  ...over,
});

/** A valid split into `a` and `b`, where b needs a. */
function aPlan(over: Partial<Plan> = {}): Plan {
  return {
    decision: "split",
    size: "M",
    reason: "",
    parts: [aPart("a"), aPart("b")],
    ownership: { R1: "a", R2: "b" },
    interfaces: [anInterface("a"), anInterface("b")],
    dependencies: [{ part: "b", needs: ["a"] }],
    acceptance: [aCall("a"), aCall("b", { requirement: "R2" })],
    questions: [],
    ...over,
  };
}

function codesOf(plan: Plan, over: Partial<PlanFacts> = {}): string[] {
  return reviewPlan(factsOf(plan, over)).map(({ code }) => code);
}

function factsOf(plan: Plan, over: Partial<PlanFacts> = {}): PlanFacts {
  return {
    plan,
    task: aTask("x", {
      key: "x",
      shape: "unplanned",
      contract: { size: "L", purpose: "Everything.", requirements: ["R1", "R2"] },
    }),
    ancestors: [],
    tasksTotal: 1,
    spec: SPEC,
    limits: DEFAULT_LIMITS,
    existingFiles: [],
    ...over,
  };
}

const replaced = (parts: Part[]) => aPlan({ parts });

describe("a plan without fault", () => {
  it("has no problem, as split or as leaf", () => {
    expect(reviewPlan(factsOf(aPlan()))).toEqual([]);
    const leaf = aPlan({
      decision: "leaf",
      size: "S",
      parts: [aPart("self")],
      ownership: { R1: "self", R2: "self" },
      interfaces: [anInterface("self")],
      dependencies: [],
      acceptance: [aCall("self")],
    });
    expect(reviewPlan(factsOf(leaf))).toEqual([]);
  });
});

describe("each fault is found", () => {
  const leafFacts = { decision: "leaf" as const, size: "S" as const, dependencies: [] };
  it.each<[string, Plan, Partial<PlanFacts>?]>([
    ["leaf-too-large", aPlan({ ...leafFacts, size: "M", parts: [aPart("self")] })],
    ["leaf-parts", aPlan({ ...leafFacts, parts: [aPart("other")] })],
    ["leaf-parts", aPlan({ ...leafFacts, parts: [] })],
    ["no-parts", replaced([])],
    ["one-part", replaced([aPart("a")])],
    ["too-many-parts", replaced(Array.from({ length: 21 }, (_, n) => aPart(`p${n}`)))],
    ["too-many-tasks", aPlan(), { tasksTotal: 499 }],
    ["too-deep", aPlan(), { ancestors: Array.from({ length: 6 }, (_, n) => aTask(`t${n}`)) }],
    ["key-twice", replaced([aPart("a"), aPart("a", { purpose: "Else." }), aPart("b")])],
    ["key-reserved", replaced([aPart("a"), aPart("b"), aPart("all")])],
    ["key-reserved", replaced([aPart("a"), aPart("b"), aPart("self")])],
    ["part-too-large", replaced([aPart("a"), aPart("b", { size: "M" })])],
    ["text-repeats", replaced([aPart("a"), aPart("b", { purpose: "everything!" })])],
    ["text-repeats", replaced([aPart("a"), aPart("b", { purpose: "Makes a" })])],
    ["bad-path", replaced([aPart("a"), aPart("b", { files: ["../b.mjs"] })])],
    ["bad-path", replaced([aPart("a"), aPart("b", { files: ["/etc/passwd"] })])],
    ["bad-path", replaced([aPart("a"), aPart("b", { files: [".git/hooks/pre-commit"] })])],
    ["oracle-file", replaced([aPart("a"), aPart("b", { files: ["test/x.a.test.mjs"] })])],
    ["folder-leaf", replaced([aPart("a"), aPart("b", { files: ["src/b/"] })])],
    ["no-files", replaced([aPart("a"), aPart("b", { files: [] })])],
    ["text-with-files", replaced([aPart("a"), aPart("b", { kind: "text" })])],
    ["text-with-command", replaced([aPart("a"), aPart("b", { kind: "text", command: "ls" })])],
    ["command-missing", replaced([aPart("a"), aPart("b", { kind: "command" })])],
    ["no-check", aPlan({ acceptance: [aCall("a")] })],
    [
      "no-check",
      aPlan({
        acceptance: [
          aCall("a"),
          { part: "b", requirement: "R2", example: { kind: "judgement", what: "nice" } },
        ],
      }),
    ],
    [
      "protected-file",
      replaced([aPart("a"), aPart("b", { files: ["package.json"] })]),
      { existingFiles: ["package.json"] },
    ],
    ...[".beads/config.yaml", "telemetry/r/events.jsonl", "fractal.yaml", "fractal/policies/"].map(
      (file): [string, Plan] => [
        "protected-file",
        aPlan({
          parts: [aPart("a"), aPart("b", { size: "M", files: [file] })],
          questions: [{ question: "May it?", why: "", options: [], blocks: ["b"] }],
        }),
      ],
    ),
    ["uncovered", aPlan({ ownership: { R1: "a" } })],
    ["unknown-owner", aPlan({ ownership: { R1: "a", R2: "c" } })],
    ["unknown-requirement", aPlan({ ownership: { R1: "a", R2: "b", R9: "b" } })],
    ["owned-twice", aPlan({ ownership: { R1: "a", R2: "b", R3: "b" } })],
    [
      "idle-part",
      replaced([aPart("a"), aPart("b"), aPart("c", { unchecked: "no way to check it" })]),
    ],
    ["interface-unknown-part", aPlan({ interfaces: [anInterface("a"), anInterface("c")] })],
    [
      "interface-file",
      aPlan({ interfaces: [anInterface("a"), anInterface("b", { file: "src/c.mjs" })] }),
    ],
    ["interface-twice", aPlan({ interfaces: [anInterface("a"), anInterface("a")] })],
    [
      "interface-export",
      aPlan({ interfaces: [anInterface("a", { declaration: "function a(x)" }), anInterface("b")] }),
    ],
    [
      "interface-export",
      aPlan({ interfaces: [anInterface("a", { name: "z" }), anInterface("b"), anInterface("a")] }),
    ],
    ["unknown-dependency", aPlan({ dependencies: [{ part: "b", needs: ["c"] }] })],
    ["self-dependency", aPlan({ dependencies: [{ part: "b", needs: ["b"] }] })],
    [
      "cycle",
      aPlan({
        dependencies: [
          { part: "a", needs: ["b"] },
          { part: "b", needs: ["a"] },
        ],
      }),
    ],
    ["acceptance-unknown-part", aPlan({ acceptance: [...aPlan().acceptance, aCall("c")] })],
    [
      "acceptance-no-requirement",
      aPlan({ acceptance: [aCall("a"), aCall("b", { requirement: "" })] }),
    ],
    ["call-no-result", aPlan({ acceptance: [aCall("a", {}, { value: undefined }), aCall("b")] })],
    ["call-no-result", aPlan({ acceptance: [aCall("a", {}, { error: "x" }), aCall("b")] })],
    ["call-not-runnable", aPlan({ acceptance: [aCall("a", {}, { file: "a.py" }), aCall("b")] })],
    ["call-undeclared", aPlan({ acceptance: [aCall("a", {}, { name: "z" }), aCall("b")] })],
    [
      "call-too-early",
      aPlan({ acceptance: [aCall("a", {}, { file: "src/b.mjs", name: "b" }), aCall("b")] }),
    ],
    [
      "question-unknown-part",
      aPlan({ questions: [{ question: "?", why: "", options: [], blocks: ["c"] }] }),
    ],
  ])("%s", (code, plan, over) => {
    expect(codesOf(plan, over)).toContain(code);
  });

  it("when a part leaves out what the plan above it promised, or changes it", () => {
    const fixed = { file: "src/z.mjs", name: "z", declaration: "export function z(x)", doc: "" };
    const task = aTask("x", {
      contract: { size: "L", purpose: "All.", requirements: ["R1", "R2"], interfaces: [fixed] },
    });
    expect(codesOf(aPlan(), { task })).toEqual(["no-files"]);
    const files = ["src/b.mjs", "src/z.mjs"];
    const kept = aPlan({ parts: [aPart("a"), aPart("b", { files })] });
    expect(codesOf(kept, { task })).toEqual([]);
    const changed = { ...fixed, part: "b", declaration: "export function z(x, y)" };
    expect(codesOf({ ...kept, interfaces: [...kept.interfaces, changed] }, { task })).toEqual([
      "interface-twice",
    ]);
  });

  it("and all faults at once, each told once", () => {
    const plan = aPlan({
      parts: [aPart("a", { size: "L" }), aPart("b", { files: ["../b.mjs"] })],
      ownership: { R1: "c" },
      dependencies: [
        { part: "a", needs: ["b", "d"] },
        { part: "b", needs: ["a"] },
      ],
    });
    const codes = codesOf(plan);
    for (const code of [
      "part-too-large",
      "bad-path",
      "uncovered",
      "unknown-owner",
      "unknown-dependency",
      "cycle",
      "interface-file",
    ]) {
      expect(codes).toContain(code);
    }
    const messages = reviewPlan(factsOf(plan)).map(({ message }) => message);
    expect(new Set(messages).size).toBe(messages.length);
  });

  it("with a code that one of the questions mends", () => {
    const mended = new Set(QUESTIONS.flatMap(({ mends }) => mends));
    const all = [
      aPlan({ parts: [], ownership: {} }),
      replaced([aPart("a", { size: "XL", files: ["/x"] }), aPart("all")]),
      aPlan({ acceptance: [], ownership: { R9: "q" }, interfaces: [anInterface("q")] }),
    ].flatMap((plan) => codesOf(plan));
    expect(all.filter((code) => !mended.has(code))).toEqual([]);
  });
});

describe("what is no fault", () => {
  it("a protected file that a person will be asked about", () => {
    const plan = aPlan({
      parts: [aPart("a"), aPart("b", { files: ["package.json", "src/b.mjs"] })],
      questions: [{ question: "May it?", why: "", options: [], blocks: ["b"] }],
    });
    expect(codesOf(plan, { existingFiles: ["package.json"] })).toEqual([]);
  });

  it("a call into a file that is there already", () => {
    const acceptance = [aCall("a", {}, { file: "lib/old.mjs", name: "old" }), aCall("b")];
    expect(codesOf(aPlan({ acceptance }), { existingFiles: ["lib/old.mjs"] })).toEqual([]);
  });

  it("a folder of a part that will be split again", () => {
    const parts = [aPart("a", { size: "M", files: ["src/a/"] }), aPart("b")];
    const interfaces = [anInterface("a", { file: "src/a/main.mjs" }), anInterface("b")];
    const acceptance = [aCall("b")];
    expect(
      codesOf(aPlan({ size: "L", parts, interfaces, acceptance }), {
        task: aTask("x", { contract: { size: "XL", purpose: "All.", requirements: ["R1", "R2"] } }),
      }),
    ).toEqual([]);
  });
});

describe("order among parts", () => {
  const key = fc.constantFrom("a", "b", "c", "d", "e");
  const arbitrary = fc.record({
    parts: fc.uniqueArray(
      fc.record({ key, files: fc.subarray(["x", "y", "z", "dir/", "dir/x"]) }),
      { selector: (part) => part.key },
    ),
    dependencies: fc.array(fc.record({ part: key, needs: fc.array(key, { maxLength: 3 }) })),
  });
  const planFrom = (
    given: { parts: { key: string; files: string[] }[] } & Pick<Plan, "dependencies">,
  ) =>
    aPlan({
      parts: given.parts.map((part) => aPart(part.key, part)),
      dependencies: given.dependencies,
    });

  it("never has two parts at one file at a time, and adds no circle", () => {
    fc.assert(
      fc.property(arbitrary, (given) => {
        const plan = planFrom(given);
        const { needs, added } = orderedNeeds(plan);
        expect(partsInCycles(needs).sort()).toEqual(partsInCycles(needsOf(plan)).sort());
        const overlap = (a: string, b: string) =>
          a === b || (a.endsWith("/") && b.startsWith(a)) || (b.endsWith("/") && a.startsWith(b));
        for (const one of plan.parts) {
          for (const other of plan.parts) {
            if (one.key === other.key) continue;
            if (!one.files.some((file) => other.files.some((its) => overlap(file, its)))) continue;
            const isOrdered =
              allNeedsOf(needs, one.key).has(other.key) ||
              allNeedsOf(needs, other.key).has(one.key);
            expect(isOrdered).toBe(true);
          }
        }
        for (const edge of added) {
          const at = (part: string) => plan.parts.findIndex((one) => one.key === part);
          expect(at(edge.needs)).toBeLessThan(at(edge.part));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("is reviewed to an end, whatever the plan", () => {
    const example = fc.oneof(
      fc.record({
        kind: fc.constant("call" as const),
        file: fc.constantFrom("src/a.mjs", "x.py", "../x.mjs", ""),
        name: fc.constantFrom("a", "z"),
        args: fc.array(fc.jsonValue(), { maxLength: 2 }),
        value: fc.jsonValue(),
      }),
      fc.record({ kind: fc.constant("person" as const), what: fc.string() }),
    );
    fc.assert(
      fc.property(
        arbitrary,
        fc.dictionary(fc.constantFrom("R1", "R2", "R3", "R9"), key),
        fc.array(fc.record({ part: key, requirement: fc.constantFrom("R1", "R9", ""), example })),
        fc.constantFrom("leaf" as const, "split" as const),
        (given, ownership, acceptance, decision) => {
          const plan = { ...planFrom(given), ownership, acceptance, decision };
          const problems = reviewPlan(factsOf(plan));
          const isComplete = ["R1", "R2"].every((id) => Object.hasOwn(ownership, id));
          expect(problems.some(({ code }) => code === "uncovered")).toBe(!isComplete);
          expect(problems.every(({ message }) => message.length > 10)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});
