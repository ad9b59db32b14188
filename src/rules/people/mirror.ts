/** What Beads should show of each task and question, and the lines that bring it there. */
import { type Mirrored, showsSame } from "../../domain/mirrored.ts";
import type { Question, RunState, TaskState } from "../../domain/run-state.ts";
import type { TaskId } from "../../domain/task.ts";
import { statusOf, taskOf } from "../status.ts";

export interface MirrorLine extends Mirrored {
  id: string;
  /** Why it is closed, blocked or deferred, for people. */
  reason?: string;
}

/** What Beads should show of a task (design part 4, the table of statuses). */
export function desiredMirror(state: RunState, id: TaskId): Mirrored {
  const task = taskOf(state, id);
  const holder = task.lease?.holder ?? "";
  switch (statusOf(state, id)) {
    case "queued":
    case "waiting":
    case "escalated":
      return { status: "open", assignee: "" };
    case "needs_human":
      // A split task stays in_progress: open, Beads would offer it as work.
      return { status: task.shape === "split" ? "in_progress" : "open", assignee: "" };
    case "running":
      return { status: "in_progress", assignee: holder };
    case "failed":
      return { status: "blocked", assignee: "" };
    case "split":
      return { status: "in_progress", assignee: "" };
    case "done":
    case "accepted":
      return { status: "closed", assignee: "" };
    case "paused":
    case "cancelled":
      return { status: "deferred", assignee: "" };
  }
}

/** The same drift so often is somebody's habit: to write again would be a fight. */
const SAME_DRIFT_MAX = 3;

/** True when something keeps writing over what fractal writes of a task. */
export function isFought(task: TaskState): boolean {
  return Object.values(task.overwritten ?? {}).some((times) => times >= SAME_DRIFT_MAX);
}

function desiredOfQuestion(question: Question): Mirrored {
  return { status: question.state === "open" ? "open" : "closed", assignee: "" };
}

/** True when Beads shows this for sure: a write of something else may have come there, unacknowledged. */
function isShown(
  desired: Mirrored,
  known: { mirror?: Mirrored; mirrorPending?: Mirrored },
): boolean {
  const { mirror, mirrorPending = mirror } = known;
  if (mirror === undefined || mirrorPending === undefined) return false;
  return showsSame(desired, mirror) && showsSame(desired, mirrorPending);
}

/** Every task and question that Beads knows and shows otherwise than it should; parents last. */
export function mirrorLines(state: RunState): MirrorLine[] {
  const lines: MirrorLine[] = [];
  for (const task of state.tasks.values()) {
    if (task.mirror === undefined || task.deleted) continue;
    const desired = task.takenBy === undefined ? desiredMirror(state, task.id) : takenMirror(task);
    if (desired === undefined) continue;
    if (isShown(desired, task)) continue;
    if (isFought(task) || (task.leftAlone && desired.status !== "closed")) continue;
    const reason = task.endReason ?? (task.end === "done" ? doneReason(task.unchecked) : undefined);
    lines.push({ id: task.id, ...desired, ...(reason === undefined ? {} : { reason }) });
  }
  // Created after their parents: in reverse, a parent is closed after its children.
  lines.reverse();
  for (const question of state.questions.values()) {
    if (question.mirror === undefined) continue;
    const desired = desiredOfQuestion(question);
    if (isShown(desired, question)) continue;
    lines.push({ id: question.id, ...desired, reason: question.state });
  }
  return lines;
}

/** What a person took is theirs to change; only where fractal wrote over their name is that put back. */
function takenMirror({ mirror, takenBy }: TaskState): Mirrored | undefined {
  if (mirror === undefined || takenBy === undefined || mirror.assignee === takenBy)
    return undefined;
  return mirror.status === "closed" ? undefined : { status: mirror.status, assignee: takenBy };
}

function doneReason(unchecked: boolean): string {
  return unchecked ? "done, unchecked" : "done";
}
