/** An accepted plan becomes contracts: children with ids and checks, or the task's own completed one. */
import type { Check } from "../../domain/check.ts";
import type { Limits } from "../../domain/limits.ts";
import type { Acceptance, Part, Plan, PlanQuestion } from "../../domain/plan.ts";
import type { FileWrite } from "../../domain/ports.ts";
import type { TaskState } from "../../domain/run-state.ts";
import type { Spec } from "../../domain/spec.ts";
import { type Contract, SIZES, type TaskId } from "../../domain/task.ts";
import { isQuoted } from "../spec/quoted.ts";
import { describeExample } from "./example.ts";
import { isRunnable, renderOracle } from "./oracle.ts";
import {
  basicsOf,
  builtInChecks,
  interfacesOf,
  isSame,
  stubsOf,
  withoutPart,
} from "./part-contract.ts";
import { childKey } from "./plan-facts.ts";
import { orderedNeeds } from "./plan-order.ts";
import { ALL, SELF } from "./planning-schema.ts";

/** A check the planner wrote itself: it may gate only when somebody else agrees. */
export interface Invented {
  id: string;
  text: string;
  requirement: string;
}

export interface SplitChild {
  id: TaskId;
  key: string;
  contract: Contract;
  /** Ids of siblings it waits for. */
  dependsOn: TaskId[];
  /** True when it needs no planning of its own. */
  leaf: boolean;
}

export interface SplitResult {
  /** In part order. */
  children: SplitChild[];
  /** What must hold of the parent once all children are settled. */
  rollupChecks: Check[];
  /** Stubs and oracle, to be committed before the children run. */
  files: FileWrite[];
  /** Which of the files are stubs: they never replace a file that is there. */
  stubFiles: string[];
  /** Questions the planner answered with a default, to be shown. */
  assumptions: string[];
  invented: Invented[];
  /** Questions without a default. */
  questions: PlanQuestion[];
  /** Dependencies that code added because of shared files, in words. */
  edgesAdded: string[];
}

/** More files than this are more than one step, whatever size the planner gave it. */
const LEAF_FILES_MAX = 3;

/**
 * The children of a split. The same plan gives the same ids, keys, checks and files every time:
 * the ids are `<parent>.<episode letter><i>`. `acceptedChecks` says which of the planner's own
 * checks may gate; `sharedFiles` lets unordered parts write one file.
 */
export function splitTask(o: {
  parent: TaskState;
  plan: Plan;
  spec: Spec;
  limits: Limits;
  episodeLetter: string;
  acceptedChecks: (acceptance: Acceptance) => boolean;
  sharedFiles?: boolean;
}): SplitResult {
  const { parent, plan, spec, limits } = o;
  const { needs, added } = o.sharedFiles
    ? { needs: orderedNeeds({ ...plan, parts: plan.parts.map(withoutFiles) }).needs, added: [] }
    : orderedNeeds(plan);
  const idOf = new Map(
    plan.parts.map(({ key }, index) => [key, `${parent.id}.${o.episodeLetter}${index + 1}`]),
  );
  const files: FileWrite[] = [];
  const children = plan.parts.map((part): SplitChild => {
    const key = childKey(parent.key, part.key);
    const own = plan.acceptance.filter((one) => one.part === part.key);
    const requirements = Object.entries(plan.ownership)
      .filter(([, owner]) => owner === part.key)
      .map(([id]) => id);
    const oracle = renderOracle({
      key,
      acceptance: own,
      when: "own",
      spec,
      files: part.files,
      accepted: o.acceptedChecks,
      present: [],
    });
    files.push(...oracle.files);
    const contract: Contract = {
      ...basicsOf(part, key),
      title: part.title,
      size: part.size,
      requirements,
      interfaces: interfacesOf(part, plan, parent.contract.interfaces),
      checks: [...oracle.checks, ...builtInChecks(part, key, requirements)],
      examples: own.map(({ example }) => describeExample(example)),
    };
    return {
      id: idOf.get(part.key) ?? "",
      key,
      contract,
      dependsOn: [...(needs.get(part.key) ?? [])].map((one) => idOf.get(one) ?? "").sort(),
      leaf: isLeafContract(contract, limits),
    };
  });

  const rollup = renderOracle({
    key: parent.key,
    acceptance: plan.acceptance.filter((one) => one.part === ALL),
    when: "rollup",
    spec,
    files: plan.parts.flatMap((part) => part.files),
    accepted: o.acceptedChecks,
    present: parent.contract.checks,
  });
  const stubs = stubsOf(plan, parent);
  return {
    children,
    // What was to be this task's own proof is now what its parts must add up to.
    rollupChecks: [
      ...parent.contract.checks.map((check): Check => ({ ...check, when: "rollup" })),
      ...rollup.checks,
    ],
    files: [...stubs, ...files, ...rollup.files],
    stubFiles: stubs.map(({ path }) => path),
    ...questionsOf(plan),
    invented: inventedOf(plan, spec),
    edgesAdded: added.map(
      (edge) =>
        `${childKey(parent.key, edge.part)} waits for ${childKey(parent.key, edge.needs)}: both write ${edge.files.join(", ")}`,
    ),
  };
}

const withoutFiles = (part: Part): Part => ({ ...part, files: [] });

/**
 * The completed contract of a task that its plan calls a leaf, and the oracle files of the examples
 * this plan adds.
 */
export function sizeTask(o: {
  task: TaskState;
  plan: Plan;
  spec: Spec;
  limits: Limits;
  acceptedChecks: (acceptance: Acceptance) => boolean;
}): {
  contract: Contract;
  files: FileWrite[];
  assumptions: string[];
  invented: Invented[];
  questions: PlanQuestion[];
} {
  const { task, plan, spec } = o;
  const { contract } = task;
  const self = plan.parts.find(({ key }) => key === SELF);
  if (!self)
    throw new Error("a leaf's plan has one part, `self`: the review lets no other through");
  const oracle = renderOracle({
    key: task.key,
    acceptance: plan.acceptance,
    when: "own",
    spec,
    files: self.files,
    accepted: o.acceptedChecks,
    present: contract.checks,
  });
  const { files: declared, ...basics } = basicsOf(self, task.key);
  const needs = [...new Set([...(contract.needs ?? []), ...(basics.needs ?? [])])];
  return {
    contract: {
      ...contract,
      ...basics,
      // What it was given to need it has; its own plan adds to that.
      ...(needs.length === 0 ? {} : { needs }),
      size: plan.size,
      files: declared.length > 0 ? declared : contract.files,
      interfaces: [
        ...contract.interfaces,
        ...plan.interfaces
          .filter((one) => !contract.interfaces.some((known) => isSame(known, one)))
          .map(withoutPart),
      ],
      checks: [
        ...contract.checks,
        ...oracle.checks,
        ...builtInChecks(self, task.key, contract.requirements).filter(
          ({ name }) => !contract.checks.some((check) => check.name === name),
        ),
      ],
      examples: [
        ...new Set([
          ...contract.examples,
          ...plan.acceptance.map(({ example }) => describeExample(example)),
        ]),
      ],
    },
    files: oracle.files,
    ...questionsOf(plan),
    invented: inventedOf(plan, spec),
  };
}

/**
 * Whether a task can be worked on without planning it: small enough, nothing open, and it says
 * what it writes and how that is checked.
 */
export function isLeafContract(contract: Contract, limits: Limits): boolean {
  if (SIZES.indexOf(contract.size) > SIZES.indexOf(limits.leafSizeMax)) return false;
  if (contract.risks.length > 0) return false;
  switch (contract.kind) {
    case "text":
      return true;
    case "command":
      return contract.command !== undefined;
    case "code":
      return (
        contract.files.length > 0 &&
        contract.files.length <= LEAF_FILES_MAX &&
        !contract.files.some((file) => file.endsWith("/")) &&
        (contract.checks.length > 0 || contract.unchecked !== undefined)
      );
  }
}

/** The id that an acceptance has in a list of invented checks; empty where it is not in it. */
export function inventedId(acceptance: Acceptance, invented: readonly Invented[]): string {
  const text = describeExample(acceptance.example);
  const found = invented.find(
    (one) => one.text === text && one.requirement === acceptance.requirement,
  );
  return found?.id ?? "";
}

function inventedOf(plan: Plan, spec: Spec): Invented[] {
  const invented: Invented[] = [];
  for (const acceptance of plan.acceptance) {
    if (!isRunnable(acceptance.example) || isQuoted(acceptance, spec.text)) continue;
    if (inventedId(acceptance, invented) !== "") continue;
    invented.push({
      id: `c${invented.length + 1}`,
      text: describeExample(acceptance.example),
      requirement: acceptance.requirement,
    });
  }
  return invented;
}

function questionsOf(plan: Plan): { assumptions: string[]; questions: PlanQuestion[] } {
  return {
    assumptions: plan.questions.flatMap(({ question, default: answer }) =>
      answer === undefined ? [] : [`${question} Assumed: ${answer}`],
    ),
    questions: plan.questions.filter((one) => one.default === undefined),
  };
}
