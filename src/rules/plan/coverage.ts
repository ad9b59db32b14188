/** Which tasks and checks stand for each requirement, and which requirements nothing stands for. */
import type { TaskState } from "../../domain/run-state.ts";
import type { Requirement, Spec } from "../../domain/spec.ts";

/**
 * `checked`: a gating check names it. `unchecked`: it has an owner, and no check that gates.
 * `dropped`: all its owners were cancelled. `uncovered`: it has no owner at all.
 */
export type CoverageState = "checked" | "unchecked" | "dropped" | "uncovered";

export interface CoverageRow {
  requirement: Requirement;
  /** Keys of the tasks that own it: the lowest ones that name it. */
  tasks: string[];
  checks: { task: string; name: string; gates: boolean }[];
  state: CoverageState;
}

/** The facts of a task that coverage is drawn from. */
export type CoverageTask = Pick<
  TaskState,
  "id" | "key" | "parent" | "contract" | "end" | "unchecked"
>;

/** A row for each requirement of the specification, in its order. */
export function coverageOf(spec: Spec, tasks: readonly CoverageTask[]): CoverageRow[] {
  const named = new Map<string, CoverageTask[]>();
  const checks = new Map<string, CoverageRow["checks"]>();
  for (const task of tasks) {
    for (const id of task.contract.requirements) named.set(id, [...(named.get(id) ?? []), task]);
    if (!counts(task)) continue;
    for (const { name, gates, requirements } of task.contract.checks) {
      for (const id of requirements) {
        checks.set(id, [...(checks.get(id) ?? []), { task: task.key, name, gates }]);
      }
    }
  }
  return spec.requirements.map((requirement) => {
    const owners = lowest(named.get(requirement.id) ?? []);
    const found = checks.get(requirement.id) ?? [];
    return {
      requirement,
      tasks: owners.map(({ key }) => key),
      checks: found,
      state: stateOf(owners, found),
    };
  });
}

/** What a person accepted unchecked, and what was done without a gate, proves nothing. */
function counts(task: CoverageTask): boolean {
  return task.end !== "accepted" && task.end !== "cancelled" && !task.unchecked;
}

/** Those without a child among them: a parent keeps naming what it gave away. */
function lowest(tasks: readonly CoverageTask[]): CoverageTask[] {
  const parents = new Set(tasks.map(({ parent }) => parent));
  return tasks.filter(({ id }) => !parents.has(id));
}

function stateOf(owners: readonly CoverageTask[], checks: CoverageRow["checks"]): CoverageState {
  if (owners.length === 0) return "uncovered";
  if (owners.every(({ end }) => end === "cancelled")) return "dropped";
  return checks.some(({ gates }) => gates) ? "checked" : "unchecked";
}

/** How many requirements are in each state. */
export function countCoverage(rows: readonly CoverageRow[]): Record<CoverageState, number> {
  const count = { checked: 0, unchecked: 0, dropped: 0, uncovered: 0 };
  for (const { state } of rows) count[state] += 1;
  return count;
}
