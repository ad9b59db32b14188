/** What a failure costs the task it happened to, and how trouble outside of it is waited out. */
import type { RunEvent } from "../../domain/event.ts";
import type { RunState, TaskState } from "../../domain/run-state.ts";
import { accessTo, endpointOf } from "../breaker.ts";
import { backoffMs, CONFLICTS_MAX, retryCost } from "../retry.ts";

/** Charges the failure of an attempt that ended without success, where it ended with one. */
export function chargeFailure(
  state: RunState,
  task: TaskState,
  event: RunEvent & { event_type: "attempt.ended" },
  atMs: number,
): void {
  const failure = event.failure;
  if (failure === undefined) return;
  const cost = retryCost(failure);
  if (cost !== "delay" && cost !== "stop") endOutage(task);
  // The check is in question, whoever's work it judged.
  if (failure.failure === "flaky-check") {
    task.pending = failure;
    delete task.route;
    return;
  }
  // A planner that finds no valid plan, or a fixer that finds no help, leaves it to a person.
  if (event.role !== "worker" && cost !== "delay" && cost !== "stop" && cost !== "again") {
    // A patch of the fixer's that was checked is one of the attempts after its help.
    if (event.role === "fixer" && (event.verdict || failure.failure === "check-failed")) {
      task.attemptsLeft = Math.max(0, state.limits.attemptsAfterGuidance - 1);
      delete task.route;
    } else {
      task.route = "person";
      task.attemptsLeft = 0;
    }
    return;
  }
  switch (cost) {
    case "attempt":
      task.attemptsLeft = Math.max(0, task.attemptsLeft - 1);
      task.notBeforeMs = 0;
      return;
    case "attempt-and-route":
      task.attemptsLeft = Math.max(0, task.attemptsLeft - 1);
      task.pending = failure;
      return;
    case "again":
      task.conflicts += 1;
      if (task.conflicts < CONFLICTS_MAX) return;
      // Not for ever: whoever else writes there, somebody must look at it.
      if (event.role === "worker") task.pending = failure;
      else task.route = "person";
      return;
    case "route":
      task.pending = failure;
      return;
    case "delay":
      noteOutage(state, task, failure, atMs);
      return;
    case "stop":
      return;
  }
}

/** Trouble outside the task: it is tried later, each time after a longer pause. */
export function noteOutage(
  state: RunState,
  task: TaskState,
  failure: { failure: string; retryAfterMs?: number },
  atMs: number,
): void {
  task.outages += 1;
  task.outageSinceMs ??= atMs;
  const role = task.lease?.role;
  const name = role === undefined ? undefined : endpointOf(state, role);
  const isEndpoints = failure.failure === "model-unavailable";
  const access = isEndpoints ? accessTo(state, name, atMs) : undefined;
  // An endpoint that all leave alone says itself when it is asked again. Whose next move needs it
  // only perhaps is held by this alone, and would be refused again at once.
  task.notBeforeMs =
    access?.kind === "open"
      ? access.untilMs
      : atMs + backoffMs(task.outages, task.id, state.limits, failure.retryAfterMs ?? 0);
}

/** What the task needs answers again. */
export function endOutage(task: TaskState): void {
  task.outages = 0;
  delete task.outageSinceMs;
}
