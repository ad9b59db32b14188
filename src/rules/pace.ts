/** What one pass decided, in one word with its reason, and how soon the next one looks again. */
import type { TaskId } from "../domain/task.ts";
import type { Detection } from "./detect.ts";
import { renderBudgetOf } from "./money/budget-text.ts";
import type { Action } from "./reconcile.ts";

/** Waiting work of this urgency is looked at every second. */
const URGENT = 7;
const URGENT_PAUSE_MS = 1_000;
const USUAL_PAUSE_MS = 5_000;
const IDLE_PAUSE_MS = 10_000;

export interface Pace {
  decision: "continue" | "pause" | "stop";
  /** Absent where the pass only let go on what is under way. */
  reason?: string;
  /** The longest time until the next look. */
  pauseMs: number;
}

/** Puts a pass into words: its actions, with `underWay` procedures going on beside them. */
export function paceOf(
  detections: readonly Detection[],
  actions: readonly Action[],
  underWay: number,
): Pace {
  const pauseMs = pauseOf(detections, actions, underWay);
  const stop = actions.find((action) => action.kind === "stop");
  if (stop !== undefined) return { decision: "stop", reason: stop.reason, pauseMs };
  const work = actions.filter(
    (action) => "task" in action || ["prompt", "ask-budget"].includes(action.kind),
  );
  if (work.length > 0) {
    return { decision: "continue", reason: work.map(describe).join(", "), pauseMs };
  }
  const wait = actions.find((action) => action.kind === "wait");
  if (wait === undefined || underWay > 0) return { decision: "continue", pauseMs };
  return { decision: "pause", reason: wait.reason, pauseMs };
}

/**
 * 1 s while urgent work waits that this pass did not start (no slot is free, or a person must
 * answer), 5 s while there is any work, 10 s when there is none. Timers may end it sooner.
 */
function pauseOf(
  detections: readonly Detection[],
  actions: readonly Action[],
  underWay: number,
): number {
  const started = new Set<TaskId>();
  for (const action of actions) if ("task" in action) started.add(action.task);
  const waiting = detections.flatMap(({ due, questions, urgency }) => [
    ...due.filter(({ task }) => !started.has(task.id)).map((one) => one.urgency),
    ...(questions.length > 0 ? [urgency] : []),
  ]);
  if (waiting.some((urgency) => urgency >= URGENT)) return URGENT_PAUSE_MS;
  const isIdle = waiting.length === 0 && started.size === 0 && underWay === 0;
  return isIdle ? IDLE_PAUSE_MS : USUAL_PAUSE_MS;
}

function describe(action: Action): string {
  if (action.kind === "ask-budget") return `ask about the budget of ${renderBudgetOf(action.by)}`;
  return "task" in action ? `${action.kind} ${action.task}` : action.kind;
}
