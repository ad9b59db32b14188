/** Where one task stands: the move that is due for it, or what keeps it. Reconcile, the detectors and `why` all ask here. */
import type { Charge } from "../domain/budget.ts";
import type { Role } from "../domain/conversation.ts";
import type { Limits } from "../domain/limits.ts";
import type { RunState, TaskState } from "../domain/run-state.ts";
import { isSettled, type TaskId } from "../domain/task.ts";
import { accessTo, endpointOf } from "./breaker.ts";
import { needsMissing, needsOf } from "./check/needs.ts";
import { nextRung, outOfQuestions } from "./escalation.ts";
import { admissionOf, type Denial } from "./money/admission.ts";
import { type Cycle, knownCycle } from "./people/cycle.ts";
import { isFought } from "./people/mirror.ts";
import { droppedOf } from "./people/wanted.ts";
import { quarantineOf } from "./quarantine.ts";
import { CONFLICTS_RESERVING } from "./retry.ts";
import { reviewAbove, reviewsDue } from "./review.ts";
import { filesInHand, holderOf, reservedFiles } from "./schedule.ts";
import {
  ancestorsOf,
  areChildrenSettled,
  blockersOf,
  type Hold,
  holdOf,
  statusOf,
} from "./status.ts";

/** What a person is asked about by what is; what follows from their own edits is asked in drift. */
export type AskedKind =
  | "stuck"
  | "asks"
  | "plan"
  | "rollup"
  | "flaky"
  | "needs"
  | "review"
  | "dropped"
  | "cycle"
  | "drift";

/** What may be done next about one task. */
export type Move =
  | { kind: "plan"; task: TaskId; mustSplit: boolean }
  | { kind: "attempt"; task: TaskId }
  | { kind: "fix"; task: TaskId }
  | { kind: "route"; task: TaskId; to: "fixer" | "split" | "router"; reason: string }
  | { kind: "roll-up"; task: TaskId }
  | { kind: "ask"; task: TaskId; question: AskedKind; reason: string }
  | { kind: "give-up"; task: TaskId; reason: string };

/** Why a task does or does not move, in the order in which it is judged. */
export type Standing =
  | { kind: "ended" }
  | { kind: "asked"; question: string }
  /** An attempt holds the lease, or a roll-up is going on. */
  | { kind: "under-way" }
  | { kind: "held"; hold: Hold }
  /** A person is asked about all that is below this one, or is about to be: nothing there begins. */
  | { kind: "reviewed"; by: TaskId }
  /** After trouble outside: not before this instant; out of reach since. */
  | { kind: "resting"; untilMs: number; sinceMs: number | undefined; endpoint?: string }
  /** The endpoint it needs was out of reach: another task is finding out whether it is back. */
  | { kind: "probed"; endpoint: string; by: TaskId }
  | { kind: "waiting"; on: TaskId[] }
  /** Split, and these of its children are not settled. */
  | { kind: "parent"; children: TaskId[] }
  /** A file of its contract is kept for another task, whose merges conflicted. */
  | { kind: "reserved"; file: string; owner: TaskId }
  /** Another leaf that may write a file of its contract is at work: they take turns. */
  | { kind: "taking-turns"; file: string; owner: TaskId }
  /** Its next call may take more than a budget has left; `waits`: unless those under way take less. */
  | { kind: "denied"; by: Denial; waits: boolean; move: Move }
  | { kind: "due"; move: Move };

/** What a standing is judged by: the run, and what is under way in the controller's process. */
export interface Scene {
  state: RunState;
  busy: ReadonlyMap<TaskId, "leaf" | "plan" | "roll-up">;
  resting: ReadonlyMap<TaskId, { untilMs: number; sinceMs: number }>;
  /** The most that a usual call of a role may take; without it only spent budgets are in the way. */
  needs?: ReadonlyMap<Role, Charge>;
  /** Keys of the tasks whose plan was given: no planner is asked about them. */
  given?: ReadonlySet<string>;
}

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
    const next = nextFor(state, task, limits, files);
    if (next.kind !== "due") return next;
    return keptByEndpoint(scene, next.move, now) ?? afforded(scene, task, next.move, now);
  };
}

/** The endpoint a move needs; undefined where it asks no model. */
export function endpointFor(scene: Scene, move: Move): string | undefined {
  const task = scene.state.tasks.get(move.task);
  const role = task === undefined ? undefined : roleOf(scene, task, move);
  return role === undefined ? undefined : endpointOf(scene.state, role);
}

/** What a move waits for while the endpoint it needs is out of reach: at no cost. */
function keptByEndpoint(scene: Scene, move: Move, now: number): Standing | undefined {
  const { state } = scene;
  const endpoint = endpointFor(scene, move);
  const access = accessTo(state, endpoint, now);
  if (endpoint === undefined || access.kind === "closed") return undefined;
  if (access.kind === "open") return { ...access, kind: "resting", endpoint };
  const by = access.probe ?? proberOf(scene, endpoint);
  return by === undefined ? undefined : { kind: "probed", endpoint, by };
}

/** A task under way on this endpoint, whose next call will show; one just begun may be it. */
function proberOf({ state, busy }: Scene, endpoint: string): TaskId | undefined {
  for (const [id, what] of busy) {
    const role = state.tasks.get(id)?.lease?.role;
    if (what === "roll-up") continue;
    if (role === undefined || endpointOf(state, role) === endpoint) return id;
  }
  return undefined;
}

/** The move, unless a budget has no room for the call it begins with. */
function afforded(scene: Scene, task: TaskState, move: Move, now: number): Standing {
  const { state } = scene;
  const due: Standing = { kind: "due", move };
  if (state.ledger.limits.size === 0) return due;
  const call = firstCallOf(scene, task, move);
  if (call === undefined) return due;
  const { role, need } = call;
  const admission = admissionOf(state, { task: task.id, role }, need, now);
  if (admission.verdict === "fits") return due;
  return { kind: "denied", by: admission.by, waits: admission.verdict === "waits", move };
}

/** The call a move begins with and the most it may take; undefined when it may need none. */
function firstCallOf(
  scene: Scene,
  task: TaskState,
  move: Move,
): { role: Role; need: Charge } | undefined {
  const role = roleOf(scene, task, move);
  if (role === undefined) return undefined;
  const { denied } = task;
  if (denied !== undefined) {
    const { usd, tokens } = denied;
    return { role: denied.role, need: { usd, tokens, calls: 1 } };
  }
  // What is paid for is replayed first: its next call is judged when it is made.
  const isOpen = task.attempts.some(
    (one) => one.endedAt === undefined && one.role === role && one.episode === task.episode,
  );
  if (isOpen) return undefined;
  return { role, need: scene.needs?.get(role) ?? { usd: 0, tokens: 0, calls: 1 } };
}

/** The role whose model a move asks; undefined when it asks none. */
function roleOf(scene: Scene, task: TaskState, move: Move): Role | undefined {
  switch (move.kind) {
    case "plan": {
      const isPlanned = scene.given?.has(task.key) === true && !move.mustSplit;
      return isPlanned || task.splitStarted !== undefined ? undefined : "planner";
    }
    case "attempt":
      return task.contract.kind === "command" ? undefined : "worker";
    case "fix":
      return "fixer";
    case "route":
      return move.to === "router" ? "router" : undefined;
    case "roll-up":
    case "ask":
    case "give-up":
      return undefined;
  }
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

const due = (move: Move): Standing => ({ kind: "due", move });

/** A question, or giving up where too many were asked. */
function ask(task: TaskState, limits: Limits, question: AskedKind, reason: string): Standing {
  const end = outOfQuestions(task, limits, reason);
  return end === undefined
    ? due({ kind: "ask", task: task.id, question, reason })
    : due({ kind: "give-up", task: task.id, reason: end });
}

/** The files that are kept for a task, and those that leaves at work may write. */
interface Files {
  reserved: ReadonlyMap<string, TaskId>;
  inHand: ReadonlyMap<string, TaskId>;
}

/** Who must be done with a file before this leaf may be worked on. */
function keptByFiles(state: RunState, task: TaskState, files: Files): Standing | undefined {
  const reserved = holderOf(task, files.reserved);
  if (reserved !== undefined) return { kind: "reserved", ...reserved };
  // Side by side where the plan says so, until that went wrong twice.
  if (state.sharedFiles && task.conflicts < CONFLICTS_RESERVING) return undefined;
  const inHand = holderOf(task, files.inHand);
  return inHand === undefined ? undefined : { kind: "taking-turns", ...inHand };
}

/** The move due for a task that nothing holds, or what it must wait for. */
function nextFor(state: RunState, task: TaskState, limits: Limits, files: Files): Standing {
  const quarantine = quarantineOf(state, task, limits);
  if (quarantine !== undefined) {
    return due({ kind: "give-up", task: task.id, reason: quarantine });
  }
  // Not a fight: nothing more is written there until a person has said what is right.
  if (isFought(task))
    return ask(task, limits, "drift", Object.keys(task.overwritten ?? {}).join(" or "));
  // Whoever waited for something else when it was dropped has not been asked about it yet.
  const [lost] = droppedOf(state, task);
  if (lost !== undefined) return ask(task, limits, "dropped", lost);
  const missing = needsUnmet(state, task);
  if (missing.length > 0) return ask(task, limits, "needs", missing.join(", "));
  if (task.shape === "split" && task.splitStarted === undefined && task.route !== "split") {
    if (task.route === "person") return ask(task, limits, "rollup", "its roll-up needs a person");
    if (!areChildrenSettled(state, task)) {
      const children = task.children.filter((child) => !isSettled(statusOf(state, child)));
      return { kind: "parent", children };
    }
    const on = blockersOf(state, task.id);
    if (on.length > 0) return { kind: "waiting", on };
    if (task.rollup === undefined || task.rollup.passed) {
      return due({ kind: "roll-up", task: task.id });
    }
    if (task.rollup.results.some((result) => result.flaky)) {
      return ask(task, limits, "flaky", task.rollup.reason);
    }
    // Rolled up red and still here: the repairs are used up.
    return ask(task, limits, "rollup", task.rollup.reason);
  }
  if (task.shape === "unplanned" || task.splitStarted !== undefined) {
    if (task.route === "person") return ask(task, limits, "plan", lastFailureOf(task));
    return due({ kind: "plan", task: task.id, mustSplit: false });
  }
  const depth = ancestorsOf(state, task.id).length;
  const rung = nextRung(task, depth, limits);
  switch (rung.to) {
    case "person":
      return ask(task, limits, askedBy(task), rung.reason);
    case "split":
      return due(
        task.route === "split"
          ? { kind: "plan", task: task.id, mustSplit: true }
          : { kind: "route", task: task.id, to: "split", reason: rung.reason },
      );
    case "fixer":
      if (task.route !== "fixer") {
        return due({ kind: "route", task: task.id, to: "fixer", reason: rung.reason });
      }
      return keptByFiles(state, task, files) ?? due({ kind: "fix", task: task.id });
    case "router":
      return due({ kind: "route", task: task.id, to: "router", reason: rung.reason });
    case "worker": {
      const on = blockersOf(state, task.id);
      if (on.length > 0) return { kind: "waiting", on };
      return keptByFiles(state, task, files) ?? due({ kind: "attempt", task: task.id });
    }
  }
}

/**
 * What a task needs from outside that no setting allows. Asked about once, on the task that says so
 * or on the nearest above it: whoever answered has either allowed it by now or said to go on without.
 */
function needsUnmet(state: RunState, task: TaskState): string[] {
  if (task.shape === "split") return [];
  const missing = needsMissing(needsOf(state, task), state.allows ?? []);
  if (missing.length === 0) return [];
  const asked = [task, ...ancestorsOf(state, task.id)].some((one) =>
    one.questions.some((id) => state.questions.get(id)?.kind === "needs"),
  );
  return asked ? [] : missing;
}

/** What the question of a stuck leaf is about. */
function askedBy({ pending }: TaskState): AskedKind {
  if (pending?.failure === "flaky-check") return "flaky";
  // Nobody asked: it met with the others' work too often.
  return pending === undefined || pending.failure === "merge-conflict" ? "stuck" : "asks";
}

function lastFailureOf(task: TaskState): string {
  return task.attempts.at(-1)?.failure?.detail ?? "planning did not succeed";
}
