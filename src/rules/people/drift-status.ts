/** What a person did to a task's status and assignee in Beads, as the moves that follow it. */
import type { FactOf, NewEvent } from "../../domain/event.ts";
import { type Mirrored, showsSame } from "../../domain/mirrored.ts";
import type { TrackedRequest, TrackedTask } from "../../domain/ports.ts";
import type { RunState, TaskState } from "../../domain/run-state.ts";
import { acceptTask, dropTask, openQuestion } from "./cancel.ts";
import { pauseEvent } from "./pause.ts";

/** One thing a person did, and what it leads to. */
interface Step {
  kind: FactOf<"drift.seen">["kind"];
  detail: string;
  events: NewEvent[];
}

/**
 * The events that follow what `by` did; none when Beads shows what fractal last knew.
 */
export function driftOfStatus(
  state: RunState,
  task: TaskState,
  issue: TrackedTask,
  by: string,
): NewEvent[] {
  const known = task.mirror;
  if (known === undefined || showsSame(issue, known)) return [];
  const steps = issue.status === "closed" ? [closed(state, task, by)] : notClosed();
  const first = steps[0] ?? {
    // Something else was set, which means nothing to fractal: noted, and written again.
    kind: "overwritten",
    detail: `${issue.status}, ${issue.assignee || "nobody"}`,
  };
  const seen: Mirrored = { status: issue.status, assignee: issue.assignee };
  return [
    {
      task_id: task.id,
      actor: by,
      event_type: "drift.seen",
      kind: first.kind,
      seen,
      ...(issue.now === undefined ? {} : { now: issue.now }),
      detail: steps.length > 0 ? steps.map((step) => step.detail).join(", ") : first.detail,
      ...(issue.request === undefined ? {} : { request: issue.request.at }),
    },
    ...steps.flatMap((step) => step.events),
  ];

  function notClosed(): Step[] {
    const isParked = issue.status === "deferred" || issue.status === "blocked";
    const reopens = wasClosed(task, issue);
    const steps: Step[] = [];
    if (reopens) steps.push(reopened(state, task, by, !isCancel(task, issue)));
    // What failed is blocked in Beads also when it is no longer paused.
    const isFreed = task.paused && requestOf(task, issue) === "unpause";
    if (isFreed) steps.push(undeferred(task, by));
    else if (isParked) steps.push(...parked(state, task, issue, by, reopens));
    else steps.push(...unparked(task, issue, by));
    if (!isParked) steps.push(...heldBy(task, issue, by));
    return steps;
  }
}

function closed(state: RunState, task: TaskState, by: string): Step {
  if (task.end === "done" || task.end === "accepted") {
    return { kind: "closed", detail: "already done", events: [] };
  }
  return { kind: "closed", detail: `closed by ${by}`, events: acceptTask(state, task, by) };
}

/** Beads showed it closed, or was about to, for what fractal holds to be done. */
function wasClosed(task: TaskState, issue: TrackedTask): boolean {
  if (task.end !== "done" && task.end !== "accepted") return false;
  // What a person set before fractal wrote over it was no answer to that.
  const pending = issue.now === undefined ? task.mirrorPending : undefined;
  return task.mirror?.status === "closed" || pending?.status === "closed";
}

/** What a person asked for beside it. It counts once: it stays on the issue when the task is brought back. */
function requestOf(task: TaskState, issue: TrackedTask): TrackedRequest["kind"] | undefined {
  return issue.request?.at === task.requestAt ? undefined : issue.request?.kind;
}

function isCancel(task: TaskState, issue: TrackedTask): boolean {
  return issue.status === "deferred" && requestOf(task, issue) === "cancel";
}

function reopened(state: RunState, task: TaskState, by: string, mayAsk: boolean): Step {
  const events: NewEvent[] = [{ task_id: task.id, actor: by, event_type: "task.reopened", by }];
  // Whoever was asked whether to do it again has said so by opening it; the new text says why.
  const doubt = state.questions.get(task.question ?? "");
  if (doubt !== undefined) {
    const about = { task_id: doubt.about, actor: by } as const;
    events.push({
      ...about,
      event_type: "question.closed",
      question: doubt.id,
      by,
      how: "moot",
    });
  }
  const isSaid = doubt !== undefined || task.guidance.some((one) => one.afterEnd);
  if (task.shape !== "split" && !isSaid && mayAsk) {
    events.push(
      openQuestion(state, task, "reopened", {
        title: `What is wrong with "${task.contract.title}"?`,
        why: `${task.id} was reopened without a comment, so nothing says what to change.`,
        options: [],
      }),
    );
  }
  return { kind: "reopened", detail: `reopened by ${by}`, events };
}

function parked(
  state: RunState,
  task: TaskState,
  issue: TrackedTask,
  by: string,
  reopens: boolean,
): Step[] {
  const isOpen = reopens || task.end === undefined || task.end === "failed";
  if (isOpen && isCancel(task, issue)) {
    const events = dropTask(state, task, by, "cancelled");
    return [{ kind: "deferred", detail: `cancelled by ${by}`, events }];
  }
  // A failed task is blocked in Beads anyway.
  const isMirrored = issue.status === "blocked" && task.end === "failed";
  if (!isOpen || task.paused || isMirrored) return [];
  return [
    {
      kind: issue.status === "deferred" ? "deferred" : "blocked",
      detail: `paused by ${by}`,
      events: [pauseEvent(task, "pause", by)],
    },
  ];
}

function undeferred(task: TaskState, by: string): Step {
  const events = [pauseEvent(task, "unpause", by)];
  return { kind: "undeferred", detail: `unpaused by ${by}`, events };
}

function unparked(task: TaskState, issue: TrackedTask, by: string): Step[] {
  const about = { task_id: task.id, actor: by } as const;
  const steps: Step[] = [];
  if (task.paused || task.end === "cancelled") steps.push(undeferred(task, by));
  if (task.end === "failed" && issue.status === "open") {
    const events: NewEvent[] = [{ ...about, event_type: "task.reopened", by }];
    steps.push({ kind: "reopened", detail: `reopened by ${by}`, events });
  }
  return steps;
}

/** An assignee that is not ours holds the task until it is let go. */
function heldBy(task: TaskState, issue: TrackedTask, by: string): Step[] {
  const about = { task_id: task.id, actor: by } as const;
  const isOurs = issue.assignee === "" || issue.assignee.startsWith("fractal/");
  const holder = isOurs ? null : issue.assignee;
  if (holder === (task.takenBy ?? null)) return [];
  const events: NewEvent[] = [{ ...about, event_type: "task.taken", holder }];
  return holder === null
    ? [{ kind: "released", detail: `let go by ${task.takenBy}`, events }]
    : [{ kind: "taken", detail: `taken by ${holder}`, events }];
}
