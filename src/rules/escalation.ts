/** When a task leaves the worker, and who is tried first. */
import type { Limits } from "../domain/limits.ts";
import type { Attempt, TaskState } from "../domain/run-state.ts";
import { SIZES } from "../domain/task.ts";

/** The next rung of a leaf's ladder. `router` means the rules cannot tell fixer, split and person apart. */
export type Rung =
  | { to: "worker" }
  | { to: "fixer" | "split" | "person" | "router"; reason: string };

/** What a leaf needs next, from its attempts in this episode (design part 4, "The ladder"). */
export function nextRung(task: TaskState, depth: number, limits: Limits): Rung {
  if (task.route !== undefined) return { to: task.route, reason: "as routed" };
  const pending = task.pending;
  if (pending !== undefined) {
    switch (pending.failure) {
      case "worker-asks":
      case "flaky-check":
      case "capability-missing":
        return { to: "person", reason: pending.detail };
      // Smaller parts would meet in the same file.
      case "merge-conflict":
        return { to: task.fixerUsed ? "person" : "fixer", reason: pending.detail };
      default:
        return isSplittable(task, depth, limits)
          ? { to: "split", reason: pending.detail }
          : { to: task.fixerUsed ? "person" : "fixer", reason: pending.detail };
    }
  }
  if (task.attemptsLeft > 0) return { to: "worker" };
  if (task.fixerUsed) {
    return { to: "person", reason: "the fixer's help and the attempts after it are used up" };
  }
  const failed = failedAttempts(task);
  const kinds = new Set(failed.map((attempt) => attempt.failure?.failure));
  if (kinds.has("refused") && kinds.size === 1) {
    return { to: "person", reason: "the model refuses this task" };
  }
  // One kind of failure has one cause: knowledge or reasoning, which the fixer is for.
  if (kinds.size <= 1) return { to: "fixer", reason: `${failed.length} attempts failed alike` };
  return { to: "router", reason: `failed in ${kinds.size} different ways` };
}

/**
 * Why a task is given up instead of asked about once more: as many questions as may be were asked.
 * Undefined while one more may be. What follows from a person's own edit is asked in any case.
 */
export function outOfQuestions(
  task: TaskState,
  limits: Pick<Limits, "questionsPerTaskMax">,
  question: string,
): string | undefined {
  const { questionsPerTaskMax: max } = limits;
  return task.questions.length < max ? undefined : `${max} questions used up: ${question}`;
}

/** Worker attempts of this episode that failed, oldest first. */
export function failedAttempts(task: TaskState): Attempt[] {
  return task.attempts.filter(
    (attempt) =>
      attempt.episode === task.episode &&
      attempt.role === "worker" &&
      attempt.failure !== undefined,
  );
}

/** A leaf can be split unless it is the smallest, sits at the depth limit, or has no parts to give. */
export function isSplittable(task: TaskState, depth: number, limits: Limits): boolean {
  return (
    task.contract.kind === "code" &&
    SIZES.indexOf(task.contract.size) > 0 &&
    depth < limits.depthMax &&
    task.origin !== "repair"
  );
}
