/** What an event about a task changes: how it came to be, what it is, how it ends. */
import type { EventAbout } from "../../domain/event/about.ts";
import type { RunEvent } from "../../domain/event.ts";
import type { Mirrored } from "../../domain/mirrored.ts";
import type { RunState, TaskState } from "../../domain/run-state.ts";
import type { TaskId } from "../../domain/task.ts";
import { newTask } from "../new-task.ts";
import { blockersOf } from "../status.ts";
import { noteStructure, reopenAbove, reopenTask } from "./episode.ts";

type OfTask = Exclude<
  EventAbout<
    | "task"
    | "plan"
    | "split"
    | "checks"
    | "escalation"
    | "guidance"
    | "move"
    | "drift"
    | "budget"
    | "packages"
  >,
  { event_type: "task.created" }
>;

/** Carries an event about the task into it, in place. */
export function applyToTask(state: RunState, task: TaskState, event: OfTask, atMs: number): void {
  switch (event.event_type) {
    case "split.started":
      task.splitStarted ??= { plan: event.plan, episode: task.episode };
      return;
    case "task.split":
      task.shape = "split";
      task.contract = { ...task.contract, checks: event.checks };
      task.assumptions.push(...event.assumptions);
      delete task.splitStarted;
      delete task.route;
      delete task.pending;
      return;
    case "checks.judged":
      task.judged = event.checks;
      return;
    case "task.sized":
      // Who got children while it was planned, from a person, is the parent of those.
      task.shape = task.children.length > 0 ? "split" : "leaf";
      // `described` stays: it is what Beads shows, and sizing rewrites no issue.
      task.contract = event.contract;
      task.assumptions.push(...event.assumptions);
      return;
    case "task.done":
      // Only by a person's edge can what is before it be unfinished.
      if (blockersOf(state, task.id).length > 0) noteStructure(state);
      task.end = "done";
      task.doneAtMs = atMs;
      task.unchecked = event.unchecked;
      if (event.commit !== undefined) task.commit = event.commit;
      if (task.merge) task.merge.done = true;
      return;
    case "task.failed":
      noteStructure(state);
      task.end = "failed";
      task.endReason = event.reason;
      // Whoever opens it again tries it anew.
      if (state.deaths?.task === task.id) delete state.deaths;
      return;
    case "task.accepted":
      noteStructure(state);
      task.end = "accepted";
      task.endReason = `accepted by ${event.by}`;
      return;
    case "task.cancelled":
      noteStructure(state);
      task.end = "cancelled";
      task.endReason = `${event.reason} (${event.by})`;
      return;
    case "task.paused":
      task.paused = true;
      task.pausedBy = event.by;
      return;
    case "task.unpaused":
      task.paused = false;
      delete task.pausedBy;
      if (task.end !== "cancelled") return;
      delete task.end;
      delete task.endReason;
      reopenAbove(state, task);
      return;
    case "task.reopened":
      reopenTask(state, task);
      return;
    case "task.edited":
      noteStructure(state);
      editTask(task, event);
      return;
    case "task.taken":
      if (event.holder === null) delete task.takenBy;
      else task.takenBy = event.holder;
      return;
    case "task.rolled_up":
      task.rollup = event.verdict;
      return;
    case "escalation.routed":
      task.route = event.to;
      delete task.pending;
      return;
    case "guidance.given":
      task.guidance.push({
        from: event.from,
        text: event.text,
        ...(task.end === undefined ? {} : { afterEnd: true }),
      });
      if (event.from === "fixer") task.fixerUsed = true;
      // Words alone help the next attempt; attempts given with them decide that there is one.
      if (event.attempts <= 0) return;
      delete task.pending;
      delete task.route;
      task.attemptsLeft = Math.max(task.attemptsLeft, event.attempts);
      return;
    case "budget.denied":
      task.denied = {
        role: event.role,
        usd: event.needs.usd ?? undefined,
        tokens: event.needs.tokens,
      };
      return;
    case "drift.seen":
      if (event.seen !== undefined) {
        task.mirror = event.now ?? event.seen;
        delete task.mirrorPending;
      }
      if (event.comments !== undefined) task.commentsRead = event.comments;
      if (event.request !== undefined) task.requestAt = event.request;
      if (event.kind === "deleted") task.deleted = true;
      if (event.kind === "returned") delete task.deleted;
      if (event.kind === "overwritten") noteOverwritten(task, event.seen);
      return;
    case "plan.proposed":
    case "move.refused":
    case "budget.set":
    case "budget.stopped":
    case "packages.requested":
    case "packages.installed":
      return;
    default:
      event satisfies never;
  }
}

/** Adds the task that an event made, and opens what is above it again where that had ended. */
export function createTask(
  state: RunState,
  event: RunEvent & { event_type: "task.created" },
  atMs: number,
): void {
  const id = event.task_id ?? "";
  state.structureSeq = event.seq;
  const { parent: above, key, origin, contract, priority, leaf } = event;
  const dependsOn = event.depends_on;
  const facts = { id, key, parent: above, dependsOn, origin, contract, priority, leaf };
  const task = newTask(facts, event.seq, state.limits);
  task.changedAtMs = atMs;
  state.tasks.set(id, task);
  const parent = state.tasks.get(event.parent ?? "");
  if (parent === undefined) return;
  parent.children.push(id);
  if (event.origin === "repair") parent.repairs += 1;
  if (event.restores !== undefined) takePlace(state, event.restores, id);
  // A new child is a reason to roll up again. A person's makes a leaf a parent, and not yet done.
  delete parent.rollup;
  if (event.restores !== undefined) reopenAbove(state, task);
  if (event.origin !== "person") return;
  // What is still to be planned is: its plan comes beside what the person added.
  const isToBePlanned = parent.shape === "unplanned" && parent.origin !== "person";
  if (parent.shape !== "split" && !isToBePlanned) {
    parent.shape = "split";
    // Help that was on its way to a leaf is not for a parent.
    delete parent.pending;
    delete parent.route;
  }
  reopenAbove(state, task);
}

/** Who waited for what was deleted waits for what was made in its place. */
function takePlace(state: RunState, lost: TaskId, id: TaskId): void {
  const old = state.tasks.get(lost);
  if (old !== undefined) old.restoredAs = id;
  for (const task of state.tasks.values()) {
    if (!task.dependsOn.includes(lost) || task.without?.includes(lost)) continue;
    task.dependsOn = task.dependsOn.map((on) => (on === lost ? id : on));
  }
}

function editTask(task: TaskState, event: RunEvent & { event_type: "task.edited" }): void {
  const { title, description, acceptance } = event;
  if ((title ?? description ?? acceptance) !== undefined) outdateAttempts(task);
  if (event.title !== undefined) {
    task.described = { ...task.described, title: event.title };
    task.contract = { ...task.contract, title: event.title.slice(0, 255) || task.id };
  }
  if (event.description !== undefined) {
    task.described = { ...task.described, description: event.description };
    task.contract = { ...task.contract, purpose: event.description.slice(0, 64_000) };
  }
  if (event.acceptance !== undefined) {
    task.described = { ...task.described, acceptance: event.acceptance };
    task.guidance.push({ from: event.by, text: `The acceptance now reads:\n${event.acceptance}` });
  }
  if (event.priority !== undefined) task.priority = event.priority;
  if (event.depends_on !== undefined) task.dependsOn = event.depends_on;
}

/** What is under way was begun with another text. A plan that is being written is past that. */
function outdateAttempts(task: TaskState): void {
  task.attempts = task.attempts.map((attempt) => {
    const isPast = attempt.role === "planner" && task.splitStarted !== undefined;
    return attempt.endedAt !== undefined || isPast ? attempt : { ...attempt, outdated: true };
  });
}

/** The same again, whoever's name stands there, is the same. */
function noteOverwritten(task: TaskState, seen: Mirrored | undefined): void {
  if (seen === undefined) return;
  const shown = `${seen.status}${seen.assignee === "" ? "" : ", held"}`;
  task.overwritten = { ...task.overwritten, [shown]: (task.overwritten?.[shown] ?? 0) + 1 };
}
