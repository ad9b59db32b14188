/** What one event changes of the task it is about. */
import type { RunEvent } from "../domain/event.ts";
import { parseInstant } from "../domain/instant.ts";
import type { Limits } from "../domain/limits.ts";
import type { Mirrored } from "../domain/mirrored.ts";
import type { Attempt, RunState, TaskState } from "../domain/run-state.ts";
import { addCost, addUsage, NO_USAGE } from "../domain/usage.ts";
import { accessTo, endpointOf, noteEndpoint, noteRelease } from "./breaker.ts";
import { isWebTool } from "./check/permission.ts";
import { stopCounting } from "./money/worked-time.ts";
import { noteIntent } from "./quarantine.ts";
import { backoffMs, CONFLICTS_MAX, retryCost } from "./retry.ts";
import { blockersOf } from "./status.ts";

/** Starts a new episode: what was tried before no longer counts against the task. */
export function beginEpisode(task: TaskState, attemptsLeft: number): void {
  task.episode += 1;
  task.attemptsLeft = attemptsLeft;
  task.notBeforeMs = 0;
  task.conflicts = 0;
  task.outages = 0;
  task.guidance = task.guidance.map(({ from, text }) => ({ from, text }));
  delete task.outageSinceMs;
  delete task.end;
  delete task.endReason;
  delete task.pending;
  delete task.route;
  delete task.rollup;
}

/** Carries one event about a task into it, in place. */
export function applyToTask(
  state: RunState,
  task: TaskState,
  event: RunEvent,
  atMs: number,
  limits: Limits,
): void {
  noteIntent(state, event);
  noteEndpoint(state, task, event, atMs, limits);
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
    case "file.requested":
      if (!event.granted || task.contract.files.includes(event.path)) return;
      task.contract = { ...task.contract, files: [...task.contract.files, event.path] };
      task.grantedFiles = [...(task.grantedFiles ?? []), event.path];
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
      reopenTask(state, task, limits);
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
    case "lease.taken":
      takeLease(task, event, atMs);
      return;
    case "lease.renewed":
      if (task.lease) task.lease.deadlineMs = parseInstant(event.deadline);
      return;
    case "lease.released":
      stopCounting(task, atMs);
      noteRelease(state, task, event, atMs, limits);
      if (event.outage !== undefined) noteOutage(state, task, event.outage, atMs, limits);
      delete task.lease;
      return;
    case "attempt.ended":
      endAttempt(state, task, event, atMs, limits);
      return;
    case "budget.denied":
      task.denied = {
        role: event.role,
        usd: event.needs.usd ?? undefined,
        tokens: event.needs.tokens,
      };
      return;
    case "call.started":
      delete task.denied;
      return;
    case "call.answered":
      settleCall(state, task, event);
      return;
    case "tool.returned":
      noteToolReturn(task, event);
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
    case "merge.started":
      task.merge = {
        attempt: event.attempt,
        fence: event.fence,
        onto: event.onto,
        commit: event.commit,
        done: false,
      };
      return;
    case "merge.done":
      if (task.merge) task.merge.done = true;
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
    default:
      return;
  }
}

/** What waits for what, or what is unfinished, has changed. */
export function noteStructure(state: RunState): void {
  state.structureSeq = state.seq;
}

/** Opens what had ended again, with its whole ladder. */
export function reopenTask(state: RunState, task: TaskState, limits: Limits): void {
  beginEpisode(task, limits.attemptsMax);
  task.fixerUsed = false;
  task.repairs = 0;
  reopenAbove(state, task);
}

/** What is above a task that is open again, or new, is no longer done; what is deleted stays so. */
export function reopenAbove(state: RunState, task: TaskState): void {
  noteStructure(state);
  for (let at = task.parent; at !== null; ) {
    const above: TaskState | undefined = state.tasks.get(at);
    if (above === undefined || above.deleted) return;
    if (above.end === "done" || above.end === "failed") {
      delete above.end;
      delete above.endReason;
    }
    delete above.rollup;
    at = above.parent;
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

/** Trouble outside the task: it is tried later, each time after a longer pause. */
function noteOutage(
  state: RunState,
  task: TaskState,
  failure: { failure: string; retryAfterMs?: number },
  atMs: number,
  limits: Limits,
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
      : atMs + backoffMs(task.outages, task.id, limits, failure.retryAfterMs ?? 0);
}

/** What the task needs answers again. */
function endOutage(task: TaskState): void {
  task.outages = 0;
  delete task.outageSinceMs;
}

function takeLease(
  task: TaskState,
  event: RunEvent & { event_type: "lease.taken" },
  atMs: number,
): void {
  task.fence = event.fence;
  task.lease = {
    attempt: event.attempt,
    role: event.role,
    fence: event.fence,
    holder: event.holder,
    deadlineMs: parseInstant(event.deadline),
    sinceMs: atMs,
  };
  const open = task.attempts.find((attempt) => attempt.number === event.attempt);
  if (open) {
    open.fence = event.fence;
    // Its calls are made again, and those refused are refused again.
    delete open.refusedCalls;
    return;
  }
  const attempt: Attempt = {
    number: event.attempt,
    role: event.role,
    fence: event.fence,
    episode: task.episode,
    base: event.base,
    startedAt: atMs,
    workedMs: 0,
    vacuous: [],
    notYet: [],
    summary: "",
    model: "",
    usage: NO_USAGE,
    costUsd: 0,
    calls: 0,
    files: [],
  };
  task.attempts.push(attempt);
}

function endAttempt(
  state: RunState,
  task: TaskState,
  event: RunEvent & { event_type: "attempt.ended" },
  atMs: number,
  limits: Limits,
): void {
  const attempt = task.attempts.find((one) => one.number === event.attempt);
  if (attempt) {
    attempt.endedAt = atMs;
    attempt.outcome = event.outcome;
    attempt.summary = event.summary;
    attempt.model = event.model;
    attempt.files = event.files;
    attempt.vacuous = event.vacuous ?? [];
    attempt.notYet = event.not_yet ?? [];
    if (event.doubts !== undefined) attempt.doubts = event.doubts;
    if (event.failure) attempt.failure = event.failure;
    if (event.verdict) attempt.verdict = event.verdict;
    if (event.kept !== undefined) attempt.kept = event.kept;
    if (event.patch !== undefined) attempt.patch = event.patch;
  }
  if (event.role === "fixer") task.fixerUsed = true;
  if (event.outcome === "succeeded") {
    task.conflicts = 0;
    endOutage(task);
    return;
  }
  if (event.failure === undefined) return;
  chargeFailure(state, task, event, atMs, limits);
}

function chargeFailure(
  state: RunState,
  task: TaskState,
  event: RunEvent & { event_type: "attempt.ended" },
  atMs: number,
  limits: Limits,
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
      task.attemptsLeft = Math.max(0, limits.attemptsAfterGuidance - 1);
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
      noteOutage(state, task, failure, atMs, limits);
      return;
    case "stop":
      return;
  }
}

function noteToolReturn(task: TaskState, event: RunEvent & { event_type: "tool.returned" }): void {
  const attempt = task.attempts.find((one) => one.number === event.attempt);
  if (attempt === undefined) return;
  if (event.refused) attempt.refusedCalls = (attempt.refusedCalls ?? 0) + 1;
  if (!isWebTool(event.tool) || event.nth === undefined) return;
  const { output, is_error: isError } = event;
  attempt.webReplies = {
    ...attempt.webReplies,
    [`${event.turn}/${event.nth}`]: {
      output,
      isError,
      ...(event.refused ? { refused: true } : {}),
    },
  };
}

function settleCall(
  state: RunState,
  task: TaskState,
  event: RunEvent & { event_type: "call.answered" },
): void {
  const costUsd = event.cost_usd ?? undefined;
  state.replies.set(`${task.id}.${event.attempt}.${event.turn}`, {
    reply: event.reply,
    usage: event.usage,
    costUsd,
  });
  state.usage = addUsage(state.usage, event.usage);
  state.costUsd = addCost(state.costUsd, costUsd);
  state.calls += 1;
  if (event.mismatch === true) state.mismatches += 1;
  state.answeredBy.set(event.answered_by, (state.answeredBy.get(event.answered_by) ?? 0) + 1);
  endOutage(task);
  const attempt = task.attempts.find((one) => one.number === event.attempt);
  if (attempt === undefined) return;
  attempt.usage = addUsage(attempt.usage, event.usage);
  attempt.costUsd = addCost(attempt.costUsd, costUsd);
  attempt.calls += 1;
  attempt.model = event.model;
}
