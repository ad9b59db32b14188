/** What a journal amounts to: folds events, one by one, into the state of a run. */
import { isAbout } from "../domain/event/about.ts";
import type { Fact, RunEvent } from "../domain/event.ts";
import { parseInstant } from "../domain/instant.ts";
import type { RunState } from "../domain/run-state.ts";
import { NO_USAGE } from "../domain/usage.ts";
import { noteEndpoint } from "./breaker.ts";
import { applyToLedger, emptyLedger } from "./money/ledger.ts";
import { noteIntent } from "./quarantine.ts";
import { applyToAttempt } from "./replay/attempt.ts";
import { applyToQuestion } from "./replay/question.ts";
import { applyToRun, limitsIn } from "./replay/run.ts";
import { applyToTask, createTask } from "./replay/task.ts";

/** The state after all these events. No events is a broken promise: a run starts with `run.started`. */
export function replay(events: readonly RunEvent[]): RunState {
  const first = events[0];
  if (first === undefined || first.event_type !== "run.started") {
    throw new Error("a journal starts with run.started");
  }
  const state = emptyState(first);
  for (const event of events) applyEvent(state, event);
  return state;
}

/** A run before its first event is applied. */
export function emptyState(
  first: RunEvent & Extract<Fact, { event_type: "run.started" }>,
): RunState {
  return {
    runId: first.run_id,
    seq: -1,
    lastAtMs: parseInstant(first.timestamp),
    startedAt: parseInstant(first.timestamp),
    processSinceMs: parseInstant(first.timestamp),
    spec: { path: first.spec_path, hash: first.spec_hash, blob: first.spec, title: first.title },
    base: first.base,
    branch: first.branch,
    rootId: first.root_id,
    models: first.models,
    endpointNames: first.endpoints ?? {},
    endpoints: new Map(),
    contained: first.contained,
    ...(first.allows === undefined ? {} : { allows: first.allows }),
    ...(first.jobs === undefined ? {} : { jobs: first.jobs }),
    limits: limitsIn(first),
    ...(first.given_plan === undefined ? {} : { givenPlan: first.given_plan }),
    ...(first.shared_files === undefined ? {} : { sharedFiles: first.shared_files }),
    structureSeq: -1,
    tasks: new Map(),
    questions: new Map(),
    notes: new Map(),
    replies: new Map(),
    lastDecision: "",
    work: new Map(),
    usage: NO_USAGE,
    costUsd: 0,
    calls: 0,
    mismatches: 0,
    ledger: emptyLedger(),
    answeredBy: new Map(),
  };
}

/** Carries one event into the state, in place. Unknown task ids are a broken promise and throw. */
export function applyEvent(state: RunState, event: RunEvent): void {
  state.seq = event.seq;
  const atMs = parseInstant(event.timestamp);
  apply(state, event, atMs);
  // Who merges what is there is at no work: until then nobody need have been.
  if (event.event_type !== "run.merged") state.lastAtMs = atMs;
}

/** Each event to who knows what it changes: a type that nobody takes does not compile. */
function apply(state: RunState, event: RunEvent, atMs: number): void {
  applyToLedger(state, event);
  if (isAbout(event, "run", "pass", "work", "forecast", "mirror", "note")) {
    applyToRun(state, event, atMs);
    return;
  }
  if (isAbout(event, "question")) {
    applyToQuestion(state, event, atMs);
    return;
  }
  if (event.event_type === "task.created") {
    createTask(state, event, atMs);
    return;
  }
  if (event.task_id === null) return;
  const task = state.tasks.get(event.task_id);
  if (task === undefined) throw new Error(`event ${event.seq} is about no known task`);
  task.changedAtMs = atMs;
  noteIntent(state, event);
  noteEndpoint(state, task, event, atMs, state.limits);
  if (isAbout(event, "lease", "attempt", "result", "file", "merge", "call", "tool")) {
    applyToAttempt(state, task, event, atMs);
  } else {
    applyToTask(state, task, event, atMs);
  }
}
