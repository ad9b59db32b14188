/** When a person must look at a whole subtree: much failed there, and nothing comes of it any more. */
import { type FailureClass, failureClassOf } from "../domain/failure.ts";
import type { Limits } from "../domain/limits.ts";
import type { Attempt, RunState, TaskState } from "../domain/run-state.ts";
import { isSettled, type TaskId } from "../domain/task.ts";
import { addCost, addUsage, NO_USAGE } from "../domain/usage.ts";
import {
  ancestorsOf,
  areChildrenSettled,
  blockersOf,
  descendantsOf,
  holdOf,
  statusOf,
} from "./status.ts";

type ReviewLimits = Pick<Limits, "reviewFailuresMax" | "reviewQuietMs">;

/** What is known of a subtree once all below its top have been looked at. */
interface Below {
  /** Failed attempts that no answer has been given for yet. */
  failures: number[];
  /** When something below was done last, or a person answered about it; 0 when never. */
  movedAtMs: number;
  /** When the first attempt below began. */
  beganAtMs: number;
}

/**
 * The split tasks that need a person now, and why: more failures below them than the limit since
 * their last answer, and either nothing done there for the quiet time or nothing there that can move. A failure
 * counts for the nearest such task alone: what stands under an open question is not asked about
 * again from above. Time in which no process was at work is not quiet, it is a pause.
 */
export function reviewsDue(
  state: RunState,
  limits: ReviewLimits,
  now: number,
  busy: ReadonlyMap<TaskId, unknown>,
): Map<TaskId, string> {
  const due = new Map<TaskId, string>();
  if (!mayBeDue(state, limits)) return due;
  const below = new Map<TaskId, Below>();
  // Created after their parents: the youngest first, whoever is below comes before.
  const youngestFirst = [...state.tasks.values()].sort((a, b) => b.createdSeq - a.createdSeq);
  for (const task of youngestFirst) {
    const found = below.get(task.id) ?? nothingBelow();
    const answeredAtMs = task.reviewedAtMs ?? 0;
    found.failures = found.failures.filter((atMs) => atMs > answeredAtMs);
    found.movedAtMs = Math.max(found.movedAtMs, answeredAtMs);
    if (mayBeReviewed(state, task) && found.failures.length > limits.reviewFailuresMax) {
      const reason = reasonOf(state, task, found, limits, now, busy);
      if (reason !== undefined) due.set(task.id, reason);
    }
    const isAsked = due.has(task.id) || isUnderOwnReview(state, task);
    // What came right in the end is no reason to look at what stands above it.
    const isOver = task.shape === "split" && needsOnlyRollUps(state, task);
    passUp(below, task, isAsked || isOver ? { ...found, failures: [] } : found);
  }
  return due;
}

/** The nearest ancestor about which a person is asked as a whole, or is about to be. */
export function reviewAbove(
  state: RunState,
  id: TaskId,
  due: ReadonlyMap<TaskId, unknown> = new Map(),
): TaskId | undefined {
  return ancestorsOf(state, id).find((above) => due.has(above.id) || isUnderOwnReview(state, above))
    ?.id;
}

function isUnderOwnReview(state: RunState, task: TaskState): boolean {
  return state.questions.get(task.question ?? "")?.kind === "review";
}

/** A cheap look that spares most runs the closer one. */
function mayBeDue(state: RunState, limits: ReviewLimits): boolean {
  let failures = 0;
  for (const task of state.tasks.values()) {
    failures += task.attempts.filter(isFailedWork).length;
    if (failures > limits.reviewFailuresMax) return true;
  }
  return false;
}

/** Trouble outside ends no attempt, and what a person or a missing key ended says nothing about the work. */
function isFailedWork(attempt: Attempt): boolean {
  return attempt.failure !== undefined && failureClassOf(attempt.failure) !== "terminal";
}

/** Not where all the work below it is done after all: its roll-up tells what that is worth. */
function mayBeReviewed(state: RunState, task: TaskState): boolean {
  if (task.shape !== "split" || task.end !== undefined || task.question !== undefined) return false;
  return !needsOnlyRollUps(state, task);
}

/** True when nothing is left below a split task but the roll-ups of others. */
export function needsOnlyRollUps(state: RunState, task: TaskState): boolean {
  return task.children.every((id) => {
    if (isSettled(statusOf(state, id))) return true;
    const child = state.tasks.get(id);
    if (child?.shape !== "split" || child.end !== undefined || child.question !== undefined) {
      return false;
    }
    return needsOnlyRollUps(state, child);
  });
}

function nothingBelow(): Below {
  return { failures: [], movedAtMs: 0, beganAtMs: Number.POSITIVE_INFINITY };
}

/** Adds a task, and all that is known below it, to what is below its parent. */
function passUp(below: Map<TaskId, Below>, task: TaskState, found: Below): void {
  if (task.parent === null) return;
  const above = below.get(task.parent) ?? nothingBelow();
  const own = task.attempts.filter(isFailedWork).map((attempt) => attempt.endedAt ?? 0);
  const began = task.attempts.map((attempt) => attempt.startedAt);
  above.failures.push(...found.failures, ...own);
  above.movedAtMs = Math.max(above.movedAtMs, found.movedAtMs, task.doneAtMs ?? 0);
  above.beganAtMs = Math.min(above.beganAtMs, found.beganAtMs, ...began);
  below.set(task.parent, above);
}

function reasonOf(
  state: RunState,
  task: TaskState,
  found: Below,
  limits: ReviewLimits,
  now: number,
  busy: ReadonlyMap<TaskId, unknown>,
): string | undefined {
  const failures = `${found.failures.length} attempts below it failed`;
  if (!descendantsOf(state, task.id).some((one) => canMove(state, one, busy))) {
    return `${failures}, and nothing there can move any more`;
  }
  const quietSince = Math.max(state.processSinceMs, found.movedAtMs || found.beganAtMs);
  if (now - quietSince < limits.reviewQuietMs) return undefined;
  return `${failures}, and nothing was merged there for ${Math.round((now - quietSince) / 60_000)} minutes`;
}

/**
 * True when something may still come of a task: it is worked on, due, or waits for what may still be
 * done. Who waits for a person (an answer, a pause, a claim) is asked about already.
 */
function canMove(state: RunState, task: TaskState, busy: ReadonlyMap<TaskId, unknown>): boolean {
  if (task.lease !== undefined || busy.has(task.id)) return true;
  if (task.end !== undefined) return false;
  if (task.question !== undefined || task.shape === "unplanned") return true;
  const hold = holdOf(state, task.id);
  if (hold !== undefined) return hold.how !== "failed";
  // A parent moves by its children, until only its roll-up is left.
  if (task.shape === "split" && !areChildrenSettled(state, task)) return false;
  return !blockersOf(state, task.id).some((id) => isLost(state, id, new Set()));
}

/** True of what a dependent waits for in vain: it failed, or needs something that did. */
function isLost(state: RunState, id: TaskId, seen: Set<TaskId>): boolean {
  const task = state.tasks.get(id);
  if (task === undefined || seen.has(id)) return false;
  seen.add(id);
  if (task.end !== undefined) return task.end === "failed";
  const needs = [...blockersOf(state, id), ...task.children];
  return needs.some((one) => isLost(state, one, seen));
}

/** What was tried below a task, for the person who is asked: counts, cost, and where each one stands. */
export function triedBelow(state: RunState, task: TaskState): string {
  const below = descendantsOf(state, task.id);
  const attempts = below.flatMap((one) => one.attempts);
  const failed = attempts.filter(isFailedWork);
  const usage = attempts.reduce((sum, one) => addUsage(sum, one.usage), NO_USAGE);
  const costUsd = attempts.reduce<number | undefined>((sum, one) => addCost(sum, one.costUsd), 0);
  const models = [...new Set(attempts.map((one) => one.model).filter((name) => name !== ""))];
  const calls = attempts.reduce((sum, one) => sum + one.calls, 0);
  const done = below.filter((one) => isSettled(statusOf(state, one.id))).length;
  const byClass = countBy(failed, (one) => classOf(one));
  const byKind = countBy(failed, (one) => one.failure?.failure ?? "");
  return [
    `${done} of ${below.length} tasks below it are settled.`,
    `${failed.length} of ${attempts.length} attempts failed: ${byClass} (${byKind}).`,
    `${calls} calls, ${usage.inputTokens + usage.outputTokens} tokens, ${costUsd === undefined ? "unknown cost" : `$${costUsd.toFixed(4)}`}, by ${models.join(", ") || "no model"}.`,
    ...below.flatMap((one) => lastOf(state, one)).slice(0, STUCK_SHOWN_MAX),
  ].join("\n");
}

/** Tasks whose last verdict is shown, at most. */
const STUCK_SHOWN_MAX = 12;

function classOf(attempt: Attempt): FailureClass | "" {
  return attempt.failure === undefined ? "" : failureClassOf(attempt.failure);
}

/** `12 task, 2 conflict`, the most first. */
function countBy(attempts: readonly Attempt[], keyOf: (attempt: Attempt) => string): string {
  const counts = new Map<string, number>();
  for (const one of attempts) counts.set(keyOf(one), (counts.get(keyOf(one)) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([key, count]) => `${count} ${key}`)
    .join(", ");
}

/** Where a task that failed and is not settled stands, with the first line of its last verdict. */
function lastOf(state: RunState, task: TaskState): string[] {
  const failed = task.attempts.filter(isFailedWork);
  const last = failed.at(-1);
  const status = statusOf(state, task.id);
  if (last === undefined || isSettled(status)) return [];
  const reason = last.verdict?.reason || last.failure?.detail || last.summary;
  const lines = reason.split("\n").filter((one) => one.trim() !== "");
  // Which check, how it ended, what it found.
  const line = lines.slice(0, 3).join(" ");
  return [
    `${task.id} "${task.contract.title}", ${status}, failed ${failed.length}×; last: ${line.slice(0, 200)}`,
  ];
}
