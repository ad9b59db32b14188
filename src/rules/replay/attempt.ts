/** What an event about an attempt changes: its lease, its calls, its end, the merge of its work. */
import type { EventAbout } from "../../domain/event/about.ts";
import type { RunEvent } from "../../domain/event.ts";
import { parseInstant } from "../../domain/instant.ts";
import type { Attempt, RunState, TaskState } from "../../domain/run-state.ts";
import { addCost, addUsage, NO_USAGE } from "../../domain/usage.ts";
import { noteRelease } from "../breaker.ts";
import { isWebTool } from "../check/permission.ts";
import { stopCounting } from "../money/worked-time.ts";
import { chargeFailure, endOutage, noteOutage } from "./charge.ts";

type OfAttempt = EventAbout<"lease" | "attempt" | "result" | "file" | "merge" | "call" | "tool">;

/** Carries an event about an attempt of the task into it, in place. */
export function applyToAttempt(
  state: RunState,
  task: TaskState,
  event: OfAttempt,
  atMs: number,
): void {
  switch (event.event_type) {
    case "lease.taken":
      takeLease(task, event, atMs);
      return;
    case "lease.renewed":
      if (task.lease) task.lease.deadlineMs = parseInstant(event.deadline);
      return;
    case "lease.released":
      stopCounting(task, atMs);
      noteRelease(state, task, event, atMs, state.limits);
      if (event.outage !== undefined) noteOutage(state, task, event.outage, atMs);
      delete task.lease;
      return;
    case "attempt.ended":
      endAttempt(state, task, event, atMs);
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
    case "file.requested":
      if (!event.granted || task.contract.files.includes(event.path)) return;
      task.contract = { ...task.contract, files: [...task.contract.files, event.path] };
      task.grantedFiles = [...(task.grantedFiles ?? []), event.path];
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
    case "result.fenced":
    case "call.failed":
    case "tool.called":
      return;
    default:
      event satisfies never;
  }
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
  chargeFailure(state, task, event, atMs);
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
