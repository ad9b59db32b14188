/** Which checks apply to a leaf, and which of them gate it (design part 4). */
import type { Check, CheckResult } from "../../domain/check.ts";
import type { RunState, TaskState } from "../../domain/run-state.ts";
import type { Spec } from "../../domain/spec.ts";
import type { TaskId } from "../../domain/task.ts";
import { covers } from "../plan/plan-order.ts";
import { feeble } from "./unbacked.ts";

/** What the red-first run on the base showed. */
export interface BaseFindings {
  /** Own checks that were green before the work, or would be by any failure: they prove nothing. */
  vacuous: string[];
  /** Leaf checks that are red on the base: they gate the parent's roll-up instead. */
  notYet: string[];
}

/** The checks to run on the base before the work: the leaf's own and the spec's `leaf` checks. */
export function checksBefore(task: TaskState, spec: Spec): Check[] {
  return [...ownChecks(task, spec), ...leafChecks(spec)];
}

/** What the leaf itself must show; a root that is a leaf has no roll-up, so the `final` ones too. */
export function ownChecks(task: TaskState, spec: Spec): Check[] {
  const final = spec.checks.filter((check) => task.parent === null && check.when === "final");
  return [...task.contract.checks, ...final];
}

export function leafChecks(spec: Spec): Check[] {
  return spec.checks.filter((check) => check.when === "leaf");
}

export function findingsOf(task: TaskState, spec: Spec, results: CheckResult[]): BaseFindings {
  const passed = new Set(results.filter((one) => one.passed).map((one) => one.name));
  const own = ownChecks(task, spec);
  const weak = feeble(own.filter(({ gates }) => gates));
  return {
    vacuous: own.filter((one) => passed.has(one.name) || weak.has(one.name)).map((one) => one.name),
    notYet: leafChecks(spec)
      .filter((one) => !passed.has(one.name))
      .map((one) => one.name),
  };
}

/** The findings once the work is there: what failed as it had to by a crash proves nothing either. */
export function findingsAfter(
  findings: BaseFindings,
  task: TaskState,
  spec: Spec,
  results: readonly CheckResult[],
): BaseFindings {
  const gating = ownChecks(task, spec).filter(({ gates }) => gates);
  const vacuous = [...new Set([...findings.vacuous, ...feeble(gating, results)])];
  return { ...findings, vacuous };
}

/** The names of the leaf checks that did not gate a done child of this task, being red before it. */
export function owedToRollUp(state: RunState, parent: TaskState): Set<string> {
  const children = parent.children.flatMap((id) => state.tasks.get(id) ?? []);
  const merged = children
    .filter((child) => child.end === "done")
    .flatMap((child) => child.attempts.filter((one) => one.outcome === "succeeded"));
  return new Set(merged.flatMap((attempt) => attempt.notYet));
}

/** The checks of an attempt's own tree: a vacuous one must stay green, but counts as no proof. */
export function checksAfter(task: TaskState, spec: Spec, findings: BaseFindings): Check[] {
  return [
    ...ownChecks(task, spec),
    // What is owed to the parent's roll-up is due at once where there is no parent.
    ...leafChecks(spec).filter(
      (check) => task.parent === null || !findings.notYet.includes(check.name),
    ),
  ];
}

/** The own gating checks that were red before the work, and so prove it when they are green. */
export function provingChecks(task: TaskState, spec: Spec, findings: BaseFindings): Check[] {
  return ownChecks(task, spec).filter(
    (check) => check.gates && !findings.vacuous.includes(check.name),
  );
}

/** True when at least one of them is there. */
export function isProven(task: TaskState, spec: Spec, findings: BaseFindings): boolean {
  return provingChecks(task, spec, findings).length > 0;
}

/**
 * Own checks of *done* tasks whose declared files, or those of their declared dependencies, a
 * change touches: they must still hold on the merged tree. So must those of tasks in `landed`, whose
 * work is there though nobody could say yet that they are done.
 */
export function checksTouched(
  state: RunState,
  id: TaskId,
  changed: readonly string[],
  landed: ReadonlySet<TaskId> = new Set(),
): Check[] {
  const touches = (task: TaskState) =>
    task.contract.files.some((file) => changed.some((path) => covers(file, path)));
  const checks: Check[] = [];
  for (const task of state.tasks.values()) {
    const isThere = task.end === "done" || landed.has(task.id);
    if (task.id === id || !isThere || task.shape !== "leaf") continue;
    const dependencies = task.dependsOn.flatMap((one) => state.tasks.get(one) ?? []);
    if (!touches(task) && !dependencies.some(touches)) continue;
    for (const check of task.contract.checks) {
      checks.push({ ...check, name: `${task.key}: ${check.name}`.slice(0, 120) });
    }
  }
  return checks;
}
