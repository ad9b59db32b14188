/** A task that kills whoever works on it: known by where the last processes of the controller died. */
import type { RunEvent } from "../domain/event.ts";
import type { Limits } from "../domain/limits.ts";
import type { RunState, TaskState } from "../domain/run-state.ts";

/** Notes the step an attempt is about to take; other events are no intent of one. */
export function noteIntent(state: RunState, event: RunEvent): void {
  const step = stepOf(event);
  if (step === undefined || event.task_id === null) return;
  state.lastIntent = { task: event.task_id, ...step };
}

/** True when the process before this one died: it ended without `run.stopped`, nor had it been asked to stop. */
export function hasDied(state: RunState): boolean {
  return state.stopped === undefined && !state.lastDecision.startsWith("stop: ");
}

/** Counts a death at the step that was journaled last; one before any step says nothing about a task. */
export function noteDeath(state: RunState): void {
  const { lastIntent: last, deaths } = state;
  const isDeath = hasDied(state) && last !== undefined;
  delete state.lastIntent;
  if (!isDeath) return;
  const isSame =
    deaths?.task === last.task && deaths.attempt === last.attempt && deaths.step === last.step;
  state.deaths = { ...last, times: isSame ? deaths.times + 1 : 1 };
}

/** Why a task is given up by quarantine, and how it can go on; undefined when it is not. */
export function quarantineOf(
  state: RunState,
  task: TaskState,
  limits: Pick<Limits, "deathsMax">,
): string | undefined {
  const { deaths } = state;
  if (deaths?.task !== task.id || deaths.times < limits.deathsMax) return undefined;
  return `quarantined: fractal died ${deaths.times} times in a row at the same step of attempt ${deaths.attempt} (${deaths.step}); to try again: bd update ${task.id} --status open`;
}

/** The step an event announces, in words that are the same each time the attempt comes to it. */
function stepOf(event: RunEvent): { attempt: number; step: string } | undefined {
  switch (event.event_type) {
    case "lease.taken":
      return { attempt: event.attempt, step: `${event.role} begins` };
    case "call.started":
      return { attempt: event.attempt, step: `${event.role} asks ${event.model}, ${event.turn}` };
    case "tool.called":
      return { attempt: event.attempt, step: `${event.tool} in ${event.turn}` };
    case "split.started":
      return { attempt: event.attempt, step: "its split is written" };
    case "merge.started":
      return { attempt: event.attempt, step: "its work is merged" };
    default:
      return undefined;
  }
}
