/** What a plan is judged against, and what is read off it in more than one place. */
import type { Limits } from "../../domain/limits.ts";
import type { Plan } from "../../domain/plan.ts";
import type { TaskState } from "../../domain/run-state.ts";
import type { Spec } from "../../domain/spec.ts";
import { SIZES, type Size } from "../../domain/task.ts";

/** What a plan is judged against. */
export interface PlanFacts {
  plan: Plan;
  task: TaskState;
  /** From the parent up to the root. */
  ancestors: readonly TaskState[];
  /** Tasks in the tree by now. */
  tasksTotal: number;
  spec: Spec;
  limits: Limits;
  /** Unordered parts may write one file; else code orders them (rules/plan/plan-order.ts). */
  allowSharedFiles?: boolean;
  /** Files on the run's branch, relative to the spec's root. */
  existingFiles: readonly string[];
}

/** The largest size a part may have: smaller than the task, by its own estimate and its parent's. */
export function sizeBound({ plan, task }: Pick<PlanFacts, "plan" | "task">): Size {
  // Nobody estimated the root, or a person's task, before this plan.
  if (task.origin !== "plan") return plan.size;
  return SIZES.indexOf(task.contract.size) < SIZES.indexOf(plan.size)
    ? task.contract.size
    : plan.size;
}

/** The words of a text, without what does not change its sense. */
export function foldText(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

/** The key of a task's part: the root's parts go by their own. */
export function childKey(parentKey: string, key: string): string {
  return parentKey === "root" ? key : `${parentKey}.${key}`;
}
