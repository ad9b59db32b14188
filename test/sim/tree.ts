/** A small specification and the tree it is planned into, as a seed has it. */
import type { Example } from "../../src/domain/example.ts";
import type { Part, Plan } from "../../src/domain/plan.ts";
import type { Spec } from "../../src/domain/spec.ts";
import { SIZES, type Size } from "../../src/domain/task.ts";
import { childKey } from "../../src/rules/plan/plan-facts.ts";
import { parseSpec } from "../../src/rules/spec/spec.ts";
import type { Chance } from "../support/toy-run.ts";

/** A task as the seed wants it: a leaf has no children. */
export interface Node {
  /** The key of its task. */
  key: string;
  slug: string;
  size: Size;
  requirements: string[];
  children: Node[];
  file: string;
  /** Slugs of siblings it waits for. */
  needs: string[];
  /** How it is shown to be done: by a check, by nobody, or it is a command. */
  proof: "check" | "unchecked" | "command";
  /** Asked before it is begun. */
  asks: boolean;
}

export interface Tree {
  spec: Spec;
  specText: string;
  root: Node;
  /** By task key, the root's included. */
  nodes: Map<string, Node>;
  /** Two leaves may write one file, in no order. */
  sharesFiles: boolean;
  /** The plans are given with the specification instead of asked for. */
  isGiven: boolean;
}

const LEAVES_MAX = 12;
const DEPTH_MAX = 3;

/** The tree of a seed: depth at most 3, a dozen leaves at most. */
export function treeOf(chance: Chance): Tree {
  const nodes = new Map<string, Node>();
  const sharesFiles = chance(4) === 0;
  let leaves = 1 + chance(LEAVES_MAX - 1);
  let requirement = 0;

  const leafSize = (): Size => (chance(3) === 0 ? "XS" : "S");
  const grow = (parent: string, slug: string, depth: number): Node => {
    const key = parent === "" ? "root" : childKey(parent, slug);
    // XL, L, M; what is not split is S or XS.
    const isSplit = depth === 0 || (depth < DEPTH_MAX && leaves > 2 && chance(3) === 0);
    const node: Node = {
      key,
      slug,
      size: isSplit ? (SIZES[4 - depth] as Size) : leafSize(),
      requirements: [],
      children: [],
      file: sharesFiles && chance(2) === 0 ? "shared.txt" : `${key}.txt`,
      needs: [],
      proof: "check",
      asks: false,
    };
    nodes.set(key, node);
    if (!isSplit) {
      requirement += 1;
      node.requirements = [`R${requirement}`];
      const dice = chance(20);
      if (dice === 0) node.proof = "unchecked";
      if (dice === 1) node.proof = "command";
      node.asks = chance(25) === 0;
      return node;
    }
    const count = Math.max(2, depth === 0 ? Math.min(leaves, 2 + chance(5)) : 2 + chance(2));
    leaves -= count - 1;
    for (let at = 0; at < count; at += 1) {
      const child = grow(key, `${"abcdefghijkl"[at]}${depth}`, depth + 1);
      child.needs = node.children.flatMap((one) => (chance(4) === 0 ? [one.slug] : []));
      node.children.push(child);
      node.requirements.push(...child.requirements);
    }
    return node;
  };
  const root = grow("", "root", 0);
  const files = [...nodes.values()].filter((one) => one.children.length === 0);
  const first = files.find((one) => one.proof === "check");
  const checks = [
    ...(first && chance(5) === 0 ? [`  whole: "has ${first.file} together"`] : []),
    ...(chance(5) === 0 ? ['  lint: "true"'] : []),
  ];
  const specText = [
    "---",
    "language: text",
    ...(checks.length > 0 ? ["checks:", ...checks] : []),
    "---",
    "# Words",
    "",
    ...files.map(({ key, file, requirements: [id] }) => `- ${id}: ${file} has ${key}`),
    "",
  ].join("\n");
  return {
    spec: parsed(specText),
    specText,
    root,
    nodes,
    sharesFiles,
    isGiven: chance(2) === 0,
  };
}

function parsed(text: string): Spec {
  const spec = parseSpec("spec.md", text, "5".repeat(64));
  if (!("requirements" in spec)) throw new Error(JSON.stringify(spec));
  return spec;
}

/** The right plan of a node that is split. */
export function planOf(node: Node): Plan {
  return {
    decision: "split",
    size: node.size,
    reason: "as the seed has it",
    parts: node.children.map((child) => partOf(child)),
    ownership: Object.fromEntries(
      node.children.flatMap((child) => child.requirements.map((id) => [id, child.slug])),
    ),
    interfaces: [],
    dependencies: node.children
      .filter((child) => child.needs.length > 0)
      .map((child) => ({ part: child.slug, needs: child.needs })),
    acceptance: node.children.flatMap((child) =>
      child.proof !== "check" || child.children.length > 0
        ? []
        : [
            {
              part: child.slug,
              requirement: child.requirements[0] ?? "",
              example: has(child.file, child.key),
            },
          ],
    ),
    questions: node.children
      .filter((child) => child.asks && child.children.length === 0)
      .map((child) => ({
        question: `How shall ${child.key} be?`,
        why: "it is not said",
        options: ["short", "long"],
        blocks: [child.slug],
      })),
  };
}

const has = (file: string, word: string): Example => ({
  kind: "command",
  run: `has ${file} ${word}`,
  exit: 0,
});

function partOf(node: Node): Part {
  const isLeaf = node.children.length === 0;
  const files = isLeaf ? [node.file] : [`${node.key}/`];
  return {
    key: node.slug,
    title: `The ${node.key}`,
    purpose: `Write ${node.key}.`,
    kind: isLeaf && node.proof === "command" ? "command" : "code",
    size: node.size,
    files: node.proof === "command" ? [] : files,
    ...(isLeaf && node.proof === "command" ? { command: "true" } : {}),
    ...(isLeaf && node.proof === "unchecked" ? { unchecked: "nobody can tell" } : {}),
    risks: [],
  };
}

/** The plan of a task that the seed knows nothing of: a person's, or a leaf that proved too big. */
export function planOfOther(
  task: { id: string; key: string; requirements: string[]; size: Size; files: string[] },
  mustSplit: boolean,
): Plan {
  const file = task.files[0] ?? `${task.id}.txt`;
  const requirement = task.requirements[0] ?? "own";
  if (!mustSplit) {
    return {
      decision: "leaf",
      size: "S",
      reason: "small",
      parts: [
        {
          key: "self",
          title: `The ${task.id}`,
          purpose: `Write ${task.id}.`,
          kind: "code",
          size: "S",
          files: [file],
          risks: [],
        },
      ],
      ownership: Object.fromEntries(task.requirements.map((id) => [id, "self"])),
      interfaces: [],
      dependencies: [],
      acceptance: [{ part: "self", requirement, example: has(file, task.id) }],
      questions: [],
    };
  }
  const keys = ["one", "two"] as const;
  return {
    decision: "split",
    size: task.size,
    reason: "too big",
    parts: keys.map((key) => ({
      key,
      title: `${key} of ${task.key}`,
      purpose: `Write ${key} of ${task.key}.`,
      kind: "code",
      size: "XS",
      files: [key === "one" ? file : `${task.id}-two.txt`],
      risks: [],
    })),
    ownership: Object.fromEntries(task.requirements.map((id, at) => [id, keys[at % 2] ?? "one"])),
    interfaces: [],
    dependencies: [{ part: "two", needs: ["one"] }],
    acceptance: keys.map((key) => ({
      part: key,
      requirement,
      example: has(key === "one" ? file : `${task.id}-two.txt`, task.key),
    })),
    questions: [],
  };
}

/** A plan as a planner answers it, all questions in one call. */
export function answerOf(plan: Plan): string {
  return JSON.stringify({
    size: plan.size,
    decision: plan.decision,
    reason: plan.reason,
    parts: plan.parts.map(({ risks: _, ...part }) => part),
    owners: plan.ownership,
    interfaces: plan.interfaces,
    dependencies: plan.dependencies,
    commands: plan.acceptance.map(({ part, requirement, example }) => ({
      part,
      requirement,
      ...(example.kind === "command" ? { run: example.run, exit: example.exit } : {}),
    })),
    questions: plan.questions,
    risks: [],
  });
}
