/** The stories that small runs tell: what is wanted, what the models answer, what a person says. */
import type { Plan } from "../../src/domain/plan.ts";
import {
  ADD_RIGHT,
  ADD_WRONG,
  aPart,
  aPlan,
  called,
  files,
  TINY_MATH,
  TINY_MATH_PLAN,
  TWICE_RIGHT,
} from "../e2e/plans.ts";
import type { Line } from "../e2e/rig.ts";

export interface Story {
  name: string;
  spec: string;
  /** The plan that is given; without one the planner is asked. */
  plan?: Plan;
  answers: Line[];
  /** Worker attempts before the fixer's turn. */
  attemptsMax: number;
  /** What a person says to each question; without it nobody is asked anything. */
  says?: string;
}

/** Two leaves, the second built on the first, which needs two attempts. */
export const TWO_LEAVES: Story = {
  name: "two leaves",
  spec: TINY_MATH,
  plan: TINY_MATH_PLAN,
  attemptsMax: 2,
  answers: [
    { role: "worker", task: "add", attempt: 1, text: ADD_WRONG },
    { role: "worker", task: "add", attempt: 2, text: ADD_RIGHT },
    { role: "worker", task: "twice", text: TWICE_RIGHT },
  ],
};

const half = (text: string) => files({ "half.mjs": `export function half(n) { ${text} }` });
const HALF_SIGNATURE = {
  file: "half.mjs",
  name: "half",
  declaration: "export function half(n)",
  doc: "Half of it.",
};

/** One leaf that is stuck: the fixer asks a person, whose answer makes it right. */
export const STUCK_LEAF: Story = {
  name: "a stuck leaf",
  spec: `---
root: lib
---
# Half

- R1: \`half(8)\` returns \`4\`.
`,
  plan: aPlan([aPart("self", { files: ["half.mjs"] })], {
    decision: "leaf",
    size: "S",
    interfaces: [{ part: "self", ...HALF_SIGNATURE }],
    acceptance: [
      {
        part: "self",
        requirement: "R1",
        example: { kind: "call", file: "half.mjs", name: "half", args: [8], value: 4 },
        quote: "`half(8)` returns `4`",
      },
    ],
  }),
  attemptsMax: 1,
  answers: [
    { role: "worker", attempt: 2, text: half("return n;") },
    {
      role: "fixer",
      turn: "decide",
      text: JSON.stringify({
        cause: "it is not said what half means",
        kind: "person",
        text: "",
        question: "Divided by what?",
        options: ["2", "3"],
      }),
    },
    { role: "worker", text: half("return n / 2;") },
  ],
  says: "by two",
};

/** A plan as a planner says it, all of its questions answered at once. */
function said(plan: Plan): string {
  return JSON.stringify({
    size: plan.size,
    decision: plan.decision,
    reason: plan.reason,
    parts: plan.parts.map(({ risks: _, ...part }) => part),
    owners: plan.ownership,
    interfaces: plan.interfaces,
    dependencies: plan.dependencies,
    calls: plan.acceptance.flatMap(({ example, ...rest }) => {
      if (example.kind !== "call") return [];
      const { file, name, args, value } = example;
      const json = { args_json: JSON.stringify(args), value_json: JSON.stringify(value) };
      return [{ ...rest, file, name, ...json }];
    }),
    commands: [],
    requests: [],
    acknowledgements: [],
    questions: [],
    risks: [],
  });
}

/** A tree of two levels, planned one task at a time: `sums` holds the two leaves of tiny math. */
export const PLANNED_TREE: Story = {
  name: "a planned tree",
  spec: `${TINY_MATH}- R3: \`half(8)\` returns \`4\`.\n`,
  attemptsMax: 2,
  answers: [
    {
      role: "planner",
      task: "root",
      text: said(
        aPlan([aPart("sums", { size: "M", files: ["add.mjs", "twice.mjs"] }), aPart("half")], {
          ownership: { R1: "sums", R2: "sums", R3: "half" },
          interfaces: [{ part: "half", ...HALF_SIGNATURE }],
          acceptance: [called("half", "R3", "half", [8], 4)],
        }),
      ),
    },
    {
      role: "planner",
      task: "sums",
      text: said({ ...TINY_MATH_PLAN, size: "M", reason: "two functions" }),
    },
    { role: "worker", task: "sums.add", text: ADD_RIGHT },
    { role: "worker", task: "sums.twice", text: TWICE_RIGHT },
    { role: "worker", task: "half", text: half("return n / 2;") },
  ],
};
