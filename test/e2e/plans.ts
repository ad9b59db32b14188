/** Specifications and plans for end-to-end tests, as small as what they show allows. */
import type { Acceptance, Part, Plan } from "../../src/domain/plan.ts";
import type { Line } from "./rig.ts";

/** A part of S size; files default to `<key>.mjs`. */
export function aPart(key: string, over: Partial<Part> = {}): Part {
  return {
    key,
    title: `The ${key}`,
    purpose: `Write ${key}.`,
    kind: "code",
    size: "S",
    files: [`${key}.mjs`],
    risks: [],
    ...over,
  };
}

/** A plan that splits into these parts; ownership in the order of requirements R1, R2, … */
export function aPlan(parts: Part[], over: Partial<Plan> = {}): Plan {
  return {
    decision: "split",
    size: "L",
    reason: "one part for each requirement",
    parts,
    ownership: Object.fromEntries(parts.map((part, index) => [`R${index + 1}`, part.key])),
    interfaces: [],
    dependencies: [],
    acceptance: [],
    questions: [],
    ...over,
  };
}

/** Acceptance by a call that the spec quotes: `add(2, 3)` returns `5`. */
export function called(
  part: string,
  requirement: string,
  name: string,
  args: unknown[],
  value: unknown,
): Acceptance {
  const shown = args.map((one) => JSON.stringify(one)).join(", ");
  return {
    part,
    requirement,
    example: { kind: "call", file: `${part}.mjs`, name, args, value },
    quote: `\`${name}(${shown})\` returns \`${JSON.stringify(value)}\``,
  };
}

/** Two functions, the second built on the first, each with a quoted example. */
export const TINY_MATH = `---
root: lib
---
# Tiny math

- R1: \`add(2, 3)\` returns \`5\`.
- R2: \`twice(4)\` returns \`8\`; it is built on add.
`;

export const TINY_MATH_PLAN: Plan = aPlan([aPart("add"), aPart("twice")], {
  interfaces: [
    {
      part: "add",
      file: "add.mjs",
      name: "add",
      declaration: "export function add(a, b)",
      doc: "Sum.",
    },
    {
      part: "twice",
      file: "twice.mjs",
      name: "twice",
      declaration: "export function twice(n)",
      doc: "Double.",
    },
  ],
  dependencies: [{ part: "twice", needs: ["add"] }],
  acceptance: [called("add", "R1", "add", [2, 3], 5), called("twice", "R2", "twice", [4], 8)],
});

const fence = (path: string, text: string) => `\`\`\`js ${path}\n${text}\n\`\`\`\n`;

/** A reply of the `files` protocol. */
export function files(written: Record<string, string>): string {
  return Object.entries(written)
    .map(([path, text]) => fence(path, text))
    .join("\n");
}

export const ADD_RIGHT = files({ "add.mjs": "export function add(a, b) { return a + b; }" });
export const ADD_WRONG = files({ "add.mjs": "export function add(a, b) { return a - b; }" });
export const TWICE_RIGHT = files({
  "twice.mjs": 'import { add } from "./add.mjs";\nexport function twice(n) { return add(n, n); }',
});

/** Right answers to every leaf of TINY_MATH_PLAN, at whatever attempt. */
export const TINY_MATH_ANSWERS: Line[] = [
  { role: "worker", task: "add", text: ADD_RIGHT },
  { role: "worker", task: "twice", text: TWICE_RIGHT },
];
