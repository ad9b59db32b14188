/** The tree that plans amount to, before anything of it is written anywhere. */
import { DEFAULT_LIMITS, type Limits } from "../../domain/limits.ts";
import type { Acceptance, Plan, PlanProblem } from "../../domain/plan.ts";
import type { FileWrite } from "../../domain/ports.ts";
import type { TaskState } from "../../domain/run-state.ts";
import type { Spec } from "../../domain/spec.ts";
import type { Contract } from "../../domain/task.ts";
import { newTask } from "../new-task.ts";
import { reviewPlan } from "./plan-review.ts";
import { sizeTask, splitTask } from "./split.ts";

export interface PlannedTree {
  /** Parents before their children, siblings in part order. */
  tasks: TaskState[];
  /** Tasks that still need a plan. */
  unplanned: TaskState[];
  /** What is wrong with which plan; the tree ends there. */
  problems: { key: string; problem: PlanProblem }[];
  /** Plans for tasks that do not exist. */
  unused: string[];
  /** Stubs and tests that would be committed. */
  files: FileWrite[];
  assumptions: string[];
  /** Edges that code added, in words. */
  edgesAdded: string[];
}

/** Faults that only the repository's files can settle. */
const NEEDS_FILES = new Set(["call-undeclared", "protected-file"]);

/**
 * Carries out plans on paper: which tasks come of them, which still need one, and what is wrong.
 * `plans` are by task key. Every plan is used at most once, so the tree is finite.
 */
export function planTree(o: {
  spec: Spec;
  root: Contract;
  plans: ReadonlyMap<string, Plan>;
  limits: Limits;
  /** Undefined when not known: then the faults that only they can settle are left out. */
  existingFiles: readonly string[] | undefined;
  allowSharedFiles?: boolean;
  acceptedChecks?: (acceptance: Acceptance) => boolean;
}): PlannedTree {
  const { spec, limits } = o;
  const acceptedChecks = o.acceptedChecks ?? (() => false);
  const allowSharedFiles = o.allowSharedFiles === true;
  const byId = new Map<string, TaskState>();
  const tree: PlannedTree = {
    tasks: [],
    unplanned: [],
    problems: [],
    unused: [],
    files: [],
    assumptions: [],
    edgesAdded: [],
  };
  const used = new Set<string>();
  const open = [plannedTask({ id: "root", key: "root", parent: null, contract: o.root })];
  for (let task = open.shift(); task !== undefined; task = open.shift()) {
    tree.tasks.push(task);
    byId.set(task.id, task);
    const plan = o.plans.get(task.key);
    if (task.shape === "leaf") continue;
    if (plan === undefined) {
      tree.unplanned.push(task);
      continue;
    }
    used.add(task.key);
    const problems = reviewPlan({
      plan,
      task,
      ancestors: ancestorsIn(byId, task),
      tasksTotal: tree.tasks.length + open.length,
      spec,
      limits,
      allowSharedFiles,
      existingFiles: [...(o.existingFiles ?? []), ...tree.files.map(({ path }) => path)],
    }).filter(({ code }) => o.existingFiles !== undefined || !NEEDS_FILES.has(code));
    if (problems.length > 0) {
      tree.problems.push(...problems.map((problem) => ({ key: task.key, problem })));
      continue;
    }
    if (plan.decision === "leaf") {
      const sized = sizeTask({ task, plan, spec, limits, acceptedChecks });
      task.contract = sized.contract;
      task.shape = "leaf";
      tree.files.push(...sized.files);
      tree.assumptions.push(...sized.assumptions);
      continue;
    }
    const split = splitTask({
      parent: task,
      plan,
      spec,
      limits,
      episodeLetter: "a",
      acceptedChecks,
      sharedFiles: allowSharedFiles,
    });
    task.shape = "split";
    task.contract = { ...task.contract, checks: split.rollupChecks };
    task.children = split.children.map(({ id }) => id);
    tree.files.push(...split.files);
    tree.assumptions.push(...split.assumptions);
    tree.edgesAdded.push(...split.edgesAdded);
    open.unshift(...split.children.map((child) => plannedTask({ ...child, parent: task.id })));
  }
  tree.unused = [...o.plans.keys()].filter((key) => !used.has(key));
  return tree;
}

/**
 * Everything that is wrong with given plans, before anything of them is carried out, in words that
 * begin with the key of the task. Plans that no task needs are no fault: a leaf may be split later.
 */
export function reviewPlans(o: {
  spec: Spec;
  root: Contract;
  plans: ReadonlyMap<string, Plan>;
  limits: Limits;
  allowSharedFiles: boolean;
  existingFiles?: readonly string[];
}): string[] {
  const { problems } = planTree({ existingFiles: undefined, ...o });
  return problems.map(({ key, problem }) => `${key}: ${problem.message}`);
}

/** From the parent up to the root. */
export function ancestorsIn(tasks: ReadonlyMap<string, TaskState>, task: TaskState): TaskState[] {
  const ancestors: TaskState[] = [];
  for (let at = task.parent; at !== null; ) {
    const parent = tasks.get(at);
    if (parent === undefined) break;
    ancestors.push(parent);
    at = parent.parent;
  }
  return ancestors;
}

/** A task that nothing happened to yet. */
export function plannedTask(o: {
  id: string;
  key: string;
  parent: string | null;
  contract: Contract;
  dependsOn?: string[];
  leaf?: boolean;
}): TaskState {
  const { id, key, parent, contract, dependsOn = [], leaf = false } = o;
  const origin = parent === null ? "root" : "plan";
  return newTask(
    { id, key, parent, contract, dependsOn, leaf, origin, priority: 2 },
    0,
    DEFAULT_LIMITS,
  );
}
