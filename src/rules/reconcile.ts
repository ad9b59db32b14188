/** Compares what is with what is wanted and lists the actions that close the gap. */
import type { Charge } from "../domain/budget.ts";
import type { Role } from "../domain/conversation.ts";
import { type Failure, failureClassOf } from "../domain/failure.ts";
import type { Limits } from "../domain/limits.ts";
import type { RunState } from "../domain/run-state.ts";
import type { TaskId } from "../domain/task.ts";
import { accessTo } from "./breaker.ts";
import { needsMissing } from "./check/needs.ts";
import { detectWork, type Work } from "./detect.ts";
import { type BudgetMove, budgetMoves, isShort, shortOf } from "./money/budget-question.ts";
import { knownCycle } from "./people/cycle.ts";
import { type MirrorLine, mirrorLines } from "./people/mirror.ts";
import { notesOwed, reasonsUnsaid } from "./people/notes.ts";
import { unpublished } from "./people/tracked.ts";
import { droppedOf } from "./people/wanted.ts";
import { needsOnlyRollUps } from "./review.ts";
import { holderOf } from "./schedule.ts";
import { endpointFor } from "./standing/means.ts";
import type { Move, Scene } from "./standing.ts";
import { statusOf, taskOf } from "./status.ts";

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
  /** The run stays up for new work when nothing can move. */
  keeps: boolean;
  /** The most that a usual call of a role may take. */
  needs: ReadonlyMap<Role, Charge>;
  /** Keys of the tasks whose plan was given. */
  given: ReadonlySet<string>;
}

/** The tracker is told this often while work goes on, and at once of so much. */
const TRACKER_PAUSE_MS = 1_000;
const TRACKER_MUCH = 10;

export type Action =
  | Move
  | BudgetMove
  /** Closes a question that nothing asks any more. */
  | { kind: "withdraw"; question: string; reason: string }
  | { kind: "publish"; ids: string[] }
  | { kind: "mirror"; lines: MirrorLine[] }
  | { kind: "prompt"; question: string }
  | { kind: "notify"; question: string }
  /** The comment that tells on its issue why a task failed. */
  | { kind: "say-why"; id: TaskId; key: string; text: string }
  | { kind: "wait"; untilMs: number; reason: string }
  | Stop;

interface Stop {
  kind: "stop";
  exitCode: number;
  reason: string;
}

/**
 * The one place that decides what happens next. Level-based: it looks at what is, not at what just
 * happened; twice on one snapshot gives the same actions. It starts only what `work` found for a
 * role, as many as there are slots. With nothing to do and nothing under way it says stop, with the
 * exit code of design part 4, "The end". `wait` names the next timer, whatever else goes on.
 */
export function reconcile(
  snapshot: Snapshot,
  limits: Limits,
  now: number,
  work: Work = detectWork(snapshot, limits, now),
): Action[] {
  const { state } = snapshot;
  if (snapshot.fatal !== undefined) return stopFor(snapshot, snapshot.fatal);
  const actions: Action[] = [
    ...movesFor(snapshot, limits, now, work),
    ...budgetMoves(state, work.denied, now),
    ...withdrawals(state),
    ...trackerActions(snapshot, now),
    ...reasonsUnsaid(state).map((one): Action => ({ kind: "say-why", ...one })),
    ...notifyActions(snapshot),
    ...promptActions(snapshot, work),
  ];
  const timer = timerOf(snapshot, now, work);
  const isGoingOn = snapshot.busy.size > 0 || snapshot.mirroring || snapshot.publishing;
  if (actions.length > 0 || isGoingOn || snapshot.prompting !== undefined) {
    return timer === undefined ? actions : [...actions, waitFor(timer)];
  }
  if (timer !== undefined) {
    if (now - timer.sinceMs >= limits.outageMs) {
      const away = new Set(work.resting.flatMap(({ endpoint }) => endpoint ?? []));
      const which = away.size === 0 ? "" : `: ${[...away].join(", ")}`;
      const reason = `what the work needs is still out of reach${which}`;
      return [{ kind: "stop", exitCode: 6, reason }];
    }
    return [waitFor(timer)];
  }
  const end = snapshot.planOnly ? endOfPlanning(state, work) : endOf(state, work);
  if (!snapshot.keeps || taskOf(state, state.rootId).end === "cancelled") return [end];
  const reason = `${end.reason}; stays up for new work`;
  return [{ kind: "wait", untilMs: now + limits.resyncMs, reason }];
}

/** The moves that are due, as far as slots are free. */
export function movesFor(snapshot: Scene, limits: Limits, now: number, work: Work): Move[] {
  let leafSlots = limits.jobs - countBusy(snapshot, "leaf");
  // Planning has slots of its own: planning one branch does not hold up leaves of another.
  let planSlots = limits.jobs - countBusy(snapshot, "plan");
  const probed = new Set<string>();
  const begun = new Map<string, TaskId>();
  const moves: Move[] = [];
  for (const { task, move } of work.due) {
    const endpoint = endpointFor(snapshot, move);
    const isProbe = accessTo(snapshot.state, endpoint, now).kind === "half-open";
    // Of those that need an endpoint which may be back, one goes first to see.
    if (isProbe && probed.has(endpoint ?? "")) continue;
    const writes = move.kind === "attempt" || move.kind === "fix";
    // Of those that may write one file one begins; the next look sees that it is at work.
    if (writes && !snapshot.state.sharedFiles && holderOf(task, begun) !== undefined) continue;
    const slots = slotsOf(move);
    if (slots === "leaf") {
      if (leafSlots <= 0) continue;
      leafSlots -= 1;
    } else if (slots === "plan") {
      if (planSlots <= 0) continue;
      planSlots -= 1;
    }
    if (isProbe && endpoint !== undefined) probed.add(endpoint);
    if (writes) for (const file of task.contract.files) begun.set(file, task.id);
    moves.push(move);
  }
  return moves;
}

/** The slots a move takes one of; what takes no time takes none. */
export function slotsOf(move: Move): "leaf" | "plan" | undefined {
  switch (move.kind) {
    case "attempt":
    case "fix":
    case "roll-up":
      return "leaf";
    case "plan":
      return "plan";
    case "route":
      return move.to === "router" ? "plan" : undefined;
    case "ask":
    case "give-up":
      return undefined;
  }
}

interface Timer {
  untilMs: number;
  /** Since when all that is waited for has been out of reach. */
  sinceMs: number;
  reason: string;
}

/** The next instant at which something is to be tried again, or told to the tracker. */
function timerOf(snapshot: Snapshot, now: number, work: Work): Timer | undefined {
  const { trackerRetryAt, trackerDownSince, mirroredAt, mirroring } = snapshot;
  const again = work.resting.map(({ untilMs, sinceMs = now }) => ({ untilMs, sinceMs }));
  const isAway = trackerRetryAt !== undefined && trackerRetryAt > now;
  const toldAt = mirroredAt + TRACKER_PAUSE_MS;
  if ((isAway || (!mirroring && now < toldAt)) && owesTracker(snapshot.state)) {
    const sinceMs = isAway ? (trackerDownSince ?? now) : now;
    again.push({ untilMs: isAway ? trackerRetryAt : toldAt, sinceMs });
  }
  if (again.length === 0) return undefined;
  return {
    untilMs: Math.min(...again.map((one) => one.untilMs)),
    sinceMs: Math.max(...again.map((one) => one.sinceMs)),
    reason: "waiting to try again",
  };
}

const waitFor = ({ untilMs, reason }: Timer): Action => ({ kind: "wait", untilMs, reason });

function countBusy(snapshot: Pick<Snapshot, "busy">, kind: "leaf" | "plan"): number {
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

/** Due once nothing is under way, after a pause, or when it is much: the tracker is slow and serves one at a time. */
function trackerActions(snapshot: Snapshot, now: number): Action[] {
  const { state, busy, mirroredAt, trackerRetryAt } = snapshot;
  if (trackerRetryAt !== undefined && trackerRetryAt > now) return [];
  const isEarly = busy.size > 0 && now - mirroredAt < TRACKER_PAUSE_MS;
  const isDue = (owed: number) => owed >= (isEarly ? TRACKER_MUCH : 1);
  const actions: Action[] = [];
  const ids = snapshot.publishing ? [] : unpublished(state);
  if (isDue(ids.length)) actions.push({ kind: "publish", ids });
  if (snapshot.mirroring) return actions;
  const lines = mirrorLines(state);
  // Comments are owed by the same hand: it writes them first, then the statuses they explain.
  if (isDue(lines.length + notesOwed(state).length)) actions.push({ kind: "mirror", lines });
  return actions;
}

/** Questions about what has come right meanwhile, by a person in Beads or by itself. */
function withdrawals(state: RunState): Action[] {
  const actions: Action[] = [];
  for (const { id: question, kind, state: stands, about, needs } of state.questions.values()) {
    const task = state.tasks.get(about ?? "");
    if (stands !== "open") continue;
    // Also where the task it is about has ended: others may wait for it.
    if (needs !== undefined && needsMissing(needs, state.allows ?? []).length === 0) {
      actions.push({ kind: "withdraw", question, reason: "it is allowed now" });
    }
    if (task === undefined || task.end !== undefined) continue;
    if (kind === "dropped" && droppedOf(state, task).length === 0) {
      actions.push({ kind: "withdraw", question, reason: "what it needs is back" });
    }
    if (kind === "cycle" && knownCycle(state)?.held.has(task.id) !== true) {
      actions.push({ kind: "withdraw", question, reason: "the circle is open" });
    }
    // What was under way when it was asked went on.
    if (kind === "review" && needsOnlyRollUps(state, task)) {
      actions.push({ kind: "withdraw", question, reason: "all below it is settled" });
    }
  }
  return actions;
}

function notifyActions({ state, notifies }: Snapshot): Action[] {
  if (!notifies) return [];
  return [...state.questions.values()]
    .filter((question) => question.state === "open" && question.notified !== true)
    .map((question) => ({ kind: "notify", question: question.id }));
}

function promptActions(snapshot: Snapshot, work: Work): Action[] {
  if (!snapshot.humanPresent || snapshot.prompting !== undefined) return [];
  const asked = work.detections.find(({ role }) => role === "human")?.questions ?? [];
  const question = asked.find((id) => !snapshot.skipped.has(id));
  return question === undefined ? [] : [{ kind: "prompt", question }];
}

function stopFor(snapshot: Snapshot, failure: Failure): Action[] {
  // What is under way may end first; but for the tracker of a run that is gone nobody waits: its
  // attempts are let go, and go on under their numbers when it is back.
  const isUnderWay = snapshot.busy.size > 0 || snapshot.mirroring || snapshot.publishing;
  if (isUnderWay && failure.failure !== "tracker-lost") return [];
  const exitCode = failure.failure === "credentials-missing" ? 4 : exitOfClass(failure);
  return [{ kind: "stop", exitCode, reason: failure.detail }];
}

function exitOfClass(failure: Failure): number {
  const isPlace = failureClassOf(failure) === "outage" || failure.failure === "tracker-lost";
  return isPlace ? 6 : 2;
}

/** Planning ends well when nothing is left to be planned and nothing is asked. */
function endOfPlanning(state: RunState, { denied }: Work): Stop {
  if (isShort(state, denied)) return { kind: "stop", exitCode: 5, reason: shortOf(state, denied) };
  const open = [...state.questions.values()].some((question) => question.state === "open");
  return open
    ? { kind: "stop", exitCode: 3, reason: "the plan needs a person" }
    : { kind: "stop", exitCode: 0, reason: "planned" };
}

/** How a run ends when nothing can move: design part 4, "The end". */
function endOf(state: RunState, { denied }: Work): Stop {
  const root = taskOf(state, state.rootId);
  const stop = (exitCode: number, reason: string): Stop => ({ kind: "stop", exitCode, reason });
  if (root.end === "done" || root.end === "accepted") return stop(0, "all done");
  if (isShort(state, denied)) return stop(5, shortOf(state, denied));
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
