/** Compares what is with what is wanted and lists the actions that close the gap. */
import { type Failure, failureClassOf } from "../domain/failure.ts";
import type { Limits } from "../domain/limits.ts";
import type { RunState, TaskState } from "../domain/run-state.ts";
import type { TaskId } from "../domain/task.ts";
import { type MirrorLine, mirrorLines } from "./mirror.ts";
import { notesOwed } from "./notes.ts";
import { inOrder, knownCriticalPath } from "./schedule.ts";
import { judgeOf, type Move } from "./standing.ts";
import { isEscalated, statusOf, taskOf } from "./status.ts";

/** Everything one pass may look at. Built once a pass, never changed by a rule. */
export interface Snapshot {
  state: RunState;
  /** Tasks with a procedure under way in this process. */
  busy: ReadonlyMap<TaskId, "leaf" | "plan" | "roll-up">;
  /** A mirror write is under way. */
  mirroring: boolean;
  /** When the last one ended; they are batched. */
  mirroredAt: number;
  /** Tasks and questions that are not in the tracker yet are being written. */
  publishing: boolean;
  /** Tasks whose roll-up met trouble outside: not to be tried before, and since when. */
  resting: ReadonlyMap<TaskId, { untilMs: number; sinceMs: number }>;
  /** The question shown in the terminal now, and those the person skipped. */
  prompting: string | undefined;
  skipped: ReadonlySet<string>;
  /** A person is at the terminal. */
  humanPresent: boolean;
  /** There is a command that tells a person of new questions. */
  notifies: boolean;
  /** The tracker did not answer; retried from this instant on. */
  trackerRetryAt: number | undefined;
  trackerDownSince: number | undefined;
  /** Trouble that ends the run: credentials, config. */
  fatal: Failure | undefined;
  /** Only planning is wanted: leaves are not worked on, nothing is rolled up. */
  planOnly: boolean;
}

/** The tracker is told this often while work goes on. */
const TRACKER_PAUSE_MS = 1_000;

export type Action =
  | Move
  | { kind: "publish"; ids: string[] }
  | { kind: "mirror"; lines: MirrorLine[] }
  | { kind: "prompt"; question: string }
  | { kind: "notify"; question: string }
  | { kind: "wait"; untilMs: number; reason: string }
  | { kind: "stop"; exitCode: number; reason: string };

/**
 * The one place that decides what happens next. Level-based: it looks at what is, not at what just
 * happened; twice on one snapshot gives the same actions. With nothing to do and nothing under way
 * it says stop, with the exit code of design part 4, "The end".
 */
export function reconcile(snapshot: Snapshot, limits: Limits, now: number): Action[] {
  const { state } = snapshot;
  if (snapshot.fatal !== undefined) return stopFor(snapshot, snapshot.fatal);
  const actions: Action[] = [];
  const judge = judgeOf(snapshot, limits, now);
  let leafSlots = limits.jobs - countBusy(snapshot, "leaf");
  // Planning has slots of its own: planning one branch does not hold up leaves of another.
  let planSlots = limits.jobs - countBusy(snapshot, "plan");
  let wakeAt = Number.POSITIVE_INFINITY;
  // Since when all that waits to be tried again has been out of reach.
  let downSince = Number.NEGATIVE_INFINITY;
  const due: { task: TaskState; action: Action }[] = [];
  for (const task of state.tasks.values()) {
    // With every slot taken no worker's turn is due: most tasks are spared the closer look.
    if (leafSlots <= 0 && task.shape === "leaf" && !isEscalated(task)) continue;
    const standing = judge(task);
    if (standing.kind === "resting") {
      wakeAt = Math.min(wakeAt, standing.untilMs);
      downSince = Math.max(downSince, standing.sinceMs ?? now);
    }
    if (standing.kind !== "due") continue;
    const { move } = standing;
    if (snapshot.planOnly && (move.kind === "attempt" || move.kind === "roll-up")) continue;
    due.push({ task, action: move });
  }
  for (const { action } of inOrder(due, knownCriticalPath(state))) {
    if (action.kind === "attempt" || action.kind === "fix" || action.kind === "roll-up") {
      if (leafSlots <= 0) continue;
      leafSlots -= 1;
    } else if (action.kind === "plan" || (action.kind === "route" && action.to === "router")) {
      if (planSlots <= 0) continue;
      planSlots -= 1;
    }
    actions.push(action);
  }
  actions.push(...trackerActions(snapshot, now));
  actions.push(...notifyActions(snapshot), ...promptActions(snapshot));
  if (actions.length > 0 || snapshot.busy.size > 0) return actions;
  if (snapshot.mirroring || snapshot.publishing || snapshot.prompting !== undefined) return actions;
  if (snapshot.trackerRetryAt !== undefined && owesTracker(state)) {
    wakeAt = Math.min(wakeAt, snapshot.trackerRetryAt);
    downSince = Math.max(downSince, snapshot.trackerDownSince ?? now);
  }
  if (wakeAt < Number.POSITIVE_INFINITY) {
    if (now - downSince >= limits.outageMs) {
      return [{ kind: "stop", exitCode: 6, reason: "what the work needs is still out of reach" }];
    }
    return [{ kind: "wait", untilMs: wakeAt, reason: "waiting to try again" }];
  }
  return [snapshot.planOnly ? endOfPlanning(state) : endOf(state)];
}

function countBusy(snapshot: Snapshot, kind: "leaf" | "plan"): number {
  let count = 0;
  for (const what of snapshot.busy.values()) {
    if (what === kind || (kind === "leaf" && what === "roll-up")) count += 1;
  }
  return count;
}

function owesTracker(state: RunState): boolean {
  return (
    unpublished(state).length > 0 || mirrorLines(state).length > 0 || notesOwed(state).length > 0
  );
}

/** Tasks and open questions that the tracker has not been told of. */
function unpublished(state: RunState): string[] {
  const tasks = [...state.tasks.values()].filter((task) => task.mirror === undefined);
  const questions = [...state.questions.values()].filter(
    (question) => question.mirror === undefined && question.state === "open",
  );
  return [...tasks, ...questions].map((one) => one.id);
}

/** Due once nothing is under way, or after a pause: the tracker is slow and serves one at a time. */
function trackerActions(snapshot: Snapshot, now: number): Action[] {
  const { state, busy, mirroredAt, trackerRetryAt } = snapshot;
  if (trackerRetryAt !== undefined && trackerRetryAt > now) return [];
  if (busy.size > 0 && now - mirroredAt < TRACKER_PAUSE_MS) return [];
  const actions: Action[] = [];
  const ids = snapshot.publishing ? [] : unpublished(state);
  if (ids.length > 0) actions.push({ kind: "publish", ids });
  if (snapshot.mirroring) return actions;
  const lines = mirrorLines(state);
  // Comments are owed by the same hand: it writes them first, then the statuses they explain.
  if (lines.length > 0 || notesOwed(state).length > 0) actions.push({ kind: "mirror", lines });
  return actions;
}

function notifyActions({ state, notifies }: Snapshot): Action[] {
  if (!notifies) return [];
  return [...state.questions.values()]
    .filter((question) => question.state === "open" && question.notified !== true)
    .map((question) => ({ kind: "notify", question: question.id }));
}

function promptActions(snapshot: Snapshot): Action[] {
  if (!snapshot.humanPresent || snapshot.prompting !== undefined) return [];
  for (const question of snapshot.state.questions.values()) {
    if (question.state !== "open" || snapshot.skipped.has(question.id)) continue;
    return [{ kind: "prompt", question: question.id }];
  }
  return [];
}

function stopFor(snapshot: Snapshot, failure: Failure): Action[] {
  if (snapshot.busy.size > 0 || snapshot.mirroring || snapshot.publishing) return [];
  const exitCode = failure.failure === "credentials-missing" ? 4 : exitOfClass(failure);
  return [{ kind: "stop", exitCode, reason: failure.detail }];
}

function exitOfClass(failure: Failure): number {
  const isPlace = failureClassOf(failure) === "outage" || failure.failure === "tracker-lost";
  return isPlace ? 6 : 2;
}

/** Planning ends well when nothing is left to be planned and nothing is asked. */
function endOfPlanning(state: RunState): Action {
  const open = [...state.questions.values()].some((question) => question.state === "open");
  return open
    ? { kind: "stop", exitCode: 3, reason: "the plan needs a person" }
    : { kind: "stop", exitCode: 0, reason: "planned" };
}

/** How a run ends when nothing can move: design part 4, "The end". */
function endOf(state: RunState): Action {
  const root = taskOf(state, state.rootId);
  const stop = (exitCode: number, reason: string): Action => ({ kind: "stop", exitCode, reason });
  if (root.end === "done" || root.end === "accepted") return stop(0, "all done");
  const open = [...state.questions.values()].filter((question) => question.state === "open");
  if (open.length > 0) return stop(3, `${open.length} open question${open.length > 1 ? "s" : ""}`);
  const failed = [...state.tasks.values()].filter((task) => task.end === "failed");
  if (failed.length > 0) return stop(1, `${failed.length} failed`);
  const held = [...state.tasks.values()].filter(
    (task) => task.end === undefined && (task.paused || task.takenBy !== undefined),
  );
  if (held.length > 0) return stop(3, `${held.length} paused or taken`);
  if (root.end === "cancelled") return stop(1, "the root was cancelled");
  const stuck = [...state.tasks.values()].find((task) => statusOf(state, task.id) === "waiting");
  return stop(1, stuck ? `${stuck.id} waits for work that will not be done` : "nothing can move");
}
