/** Where one task stands: the move that is due for it, or what keeps it. Reconcile, the detectors and `why` all ask here. */
import type { Limits } from "../../domain/limits.ts";
import type { RunState, TaskState } from "../../domain/run-state.ts";
import type { TaskId } from "../../domain/task.ts";
import { type Cycle, knownCycle } from "../people/cycle.ts";
import { reviewAbove, reviewsDue } from "../review.ts";
import { filesInHand, reservedFiles } from "../schedule.ts";
import type { Scene, Standing } from "../standing.ts";
import { holdOf } from "../status.ts";
import { afforded, keptByEndpoint } from "./means.ts";
import { ask, nextFor } from "./next.ts";

/** Judges the tasks of one snapshot. What they share is worked out once. */
export function judgeOf(scene: Scene, limits: Limits, now: number): (task: TaskState) => Standing {
  const { state, busy, resting } = scene;
  const files = { reserved: reservedFiles(state), inHand: filesInHand(state, busy) };
  const cycle = knownCycle(state);
  const asker = cycle === undefined ? undefined : askerOf(state, cycle);
  const reviews = reviewsDue(state, limits, now, busy);
  return (task) => {
    if (task.end !== undefined) return { kind: "ended" };
    if (task.question !== undefined) return { kind: "asked", question: task.question };
    if (task.lease !== undefined || busy.has(task.id)) return { kind: "under-way" };
    const hold = holdOf(state, task.id);
    if (hold !== undefined) return { kind: "held", hold };
    const reviewer = reviewAbove(state, task.id, reviews);
    if (reviewer !== undefined) return { kind: "reviewed", by: reviewer };
    const review = reviews.get(task.id);
    if (review !== undefined) return ask(task, limits, "review", review);
    const rest = resting.get(task.id);
    const untilMs = Math.max(task.notBeforeMs, rest?.untilMs ?? 0);
    if (untilMs > now) {
      return { kind: "resting", untilMs, sinceMs: rest?.sinceMs ?? task.outageSinceMs };
    }
    if (cycle?.held.has(task.id)) {
      if (task.id === asker) return ask(task, limits, "cycle", cycle.path.join(" → "));
      return { kind: "waiting", on: cycle.path.filter((id) => id !== task.id) };
    }
    const next = nextFor(scene, task, limits, files);
    if (next.kind !== "due") return next;
    return keptByEndpoint(scene, next.move, now) ?? afforded(scene, task, next.move, now);
  };
}

/** Whose question a cycle is: none while one of its tasks is asked about it already. */
function askerOf(state: RunState, cycle: Cycle): TaskId | undefined {
  const asked = [...state.questions.values()].some(
    ({ kind, state, about }) => kind === "cycle" && state === "open" && cycle.held.has(about ?? ""),
  );
  if (asked) return undefined;
  return cycle.path.find((id) => {
    const task = state.tasks.get(id);
    if (task === undefined || task.question !== undefined || task.lease !== undefined) return false;
    return holdOf(state, id) === undefined;
  });
}
