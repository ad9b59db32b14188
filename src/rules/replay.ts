/** What a journal amounts to: folds events, one by one, into the state of a run. */
import { keyOfBudget } from "../domain/budget.ts";
import type { Fact, RunEvent } from "../domain/event.ts";
import { parseInstant } from "../domain/instant.ts";
import { DEFAULT_LIMITS, type Limits } from "../domain/limits.ts";
import type { Guidance, Question, RunState, TaskState } from "../domain/run-state.ts";
import { isSettled, type TaskId } from "../domain/task.ts";
import { NO_USAGE } from "../domain/usage.ts";
import { beginProcess } from "./breaker.ts";
import { applyToLedger, emptyLedger } from "./money/ledger.ts";
import { stopCounting } from "./money/worked-time.ts";
import { newTask } from "./new-task.ts";
import {
  droppedOf,
  edgeIn,
  wantsDrop,
  wantsKeep,
  wantsRestore,
  wantsYes,
} from "./people/wanted.ts";
import { hasDied, noteDeath } from "./quarantine.ts";
import {
  applyToTask,
  beginEpisode,
  noteStructure,
  reopenAbove,
  reopenTask,
} from "./replay-task.ts";
import { descendantsOf, statusOf, taskOf } from "./status.ts";

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

/** The limits a run was begun or gone on with; those of old journals were the usual ones. */
function limitsIn(event: { limits?: Record<string, unknown> | undefined }): Limits {
  return { ...DEFAULT_LIMITS, ...event.limits };
}

/** Carries one event into the state, in place. Unknown task ids are a broken promise and throw. */
export function applyEvent(state: RunState, event: RunEvent): void {
  state.seq = event.seq;
  const atMs = parseInstant(event.timestamp);
  apply(state, event, atMs, state.limits);
  state.lastAtMs = atMs;
}

function apply(state: RunState, event: RunEvent, atMs: number, limits: Limits): void {
  applyToLedger(state, event);
  if (event.event_type === "task.created") {
    createTask(state, event, limits);
    taskOf(state, event.task_id ?? "").changedAtMs = atMs;
    return;
  }
  if (applyToRun(state, event, atMs, limits)) return;
  const task = state.tasks.get(event.task_id ?? "");
  if (task === undefined) throw new Error(`event ${event.seq} is about no known task`);
  task.changedAtMs = atMs;
  applyToTask(state, task, event, atMs, limits);
}

function createTask(
  state: RunState,
  event: RunEvent & { event_type: "task.created" },
  limits: Limits,
): void {
  const id = event.task_id ?? "";
  state.structureSeq = event.seq;
  const { parent: above, key, origin, contract, priority, leaf } = event;
  const dependsOn = event.depends_on;
  const facts = { id, key, parent: above, dependsOn, origin, contract, priority, leaf };
  state.tasks.set(id, newTask(facts, event.seq, limits));
  const parent = state.tasks.get(event.parent ?? "");
  if (parent === undefined) return;
  parent.children.push(id);
  if (event.origin === "repair") parent.repairs += 1;
  if (event.restores !== undefined) takePlace(state, event.restores, id);
  // A new child is a reason to roll up again. A person's makes a leaf a parent, and not yet done.
  delete parent.rollup;
  if (event.restores !== undefined) reopenAbove(state, taskOf(state, id));
  if (event.origin !== "person") return;
  // What is still to be planned is: its plan comes beside what the person added.
  const isToBePlanned = parent.shape === "unplanned" && parent.origin !== "person";
  if (parent.shape !== "split" && !isToBePlanned) {
    parent.shape = "split";
    // Help that was on its way to a leaf is not for a parent.
    delete parent.pending;
    delete parent.route;
  }
  reopenAbove(state, taskOf(state, id));
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

/** Events about the run, questions and mirror lines; false when it is about one task. */
function applyToRun(state: RunState, event: RunEvent, atMs: number, limits: Limits): boolean {
  switch (event.event_type) {
    case "run.started":
      return true;
    case "run.resumed":
      state.limits = event.limits === undefined ? state.limits : limitsIn(event);
      beginProcess(state, hasDied(state), atMs, limits);
      noteDeath(state);
      state.lastDecision = "";
      state.processSinceMs = atMs;
      delete state.stopped;
      state.models = event.models;
      state.endpointNames = event.endpoints ?? {};
      state.contained = state.contained && event.contained;
      if (event.jobs !== undefined) state.jobs = event.jobs;
      if (event.allows === undefined) delete state.allows;
      else state.allows = event.allows;
      // Nobody was waiting while the run was stopped: its patience starts anew.
      for (const task of state.tasks.values()) {
        delete task.outageSinceMs;
        // Its process ended with the last thing it said.
        stopCounting(task, state.lastAtMs);
      }
      return true;
    case "run.stopped":
      state.stopped = { reason: event.reason, exitCode: event.exit_code };
      return true;
    case "forecast.made": {
      const { leaves, calls, tokens } = event;
      state.forecast = { leaves, calls, tokens, costUsd: event.cost_usd ?? undefined };
      return true;
    }
    case "pass.decided":
      state.lastDecision = `${event.decision}: ${event.reason}`;
      return true;
    case "work.detected":
      for (const one of event.work) state.work.set(one.role, { ...one, atMs });
      return true;
    case "mirror.started":
      for (const line of event.lines) {
        const known = state.tasks.get(line.id) ?? state.questions.get(line.id);
        if (known) known.mirrorPending = { status: line.status, assignee: line.assignee };
      }
      return true;
    case "mirror.done":
      for (const line of event.lines) {
        const known = state.tasks.get(line.id) ?? state.questions.get(line.id);
        if (known === undefined) continue;
        known.mirror = { status: line.status, assignee: line.assignee };
        delete known.mirrorPending;
      }
      return true;
    case "note.started":
      if (state.notes.has(event.key)) return true;
      state.notes.set(event.key, { key: event.key, id: event.id, text: event.text, done: false });
      return true;
    case "note.done":
      endNote(state, event);
      return true;
    case "question.opened":
      openQuestion(state, event, atMs);
      return true;
    case "question.answered":
      settleQuestion(
        state,
        event.question,
        { state: "answered", by: event.by, answer: event.text },
        atMs,
        limits,
      );
      return true;
    case "question.notified": {
      const question = state.questions.get(event.question);
      if (question !== undefined) question.notified = true;
      return true;
    }
    case "question.closed":
      settleQuestion(state, event.question, { state: event.how, by: event.by }, atMs, limits);
      return true;
    default:
      return event.task_id === null;
  }
}

function endNote(state: RunState, event: RunEvent & { event_type: "note.done" }): void {
  const note = state.notes.get(event.key);
  if (note === undefined) return;
  state.notes.set(note.key, { ...note, done: true });
  const task = state.tasks.get(note.id);
  if (task === undefined || event.comments === undefined) return;
  task.commentsRead = Math.max(task.commentsRead, event.comments);
}

function openQuestion(
  state: RunState,
  event: RunEvent & { event_type: "question.opened" },
  atMs: number,
): void {
  state.questions.set(event.question, {
    id: event.question,
    about: event.task_id,
    kind: event.kind,
    title: event.title,
    why: event.why,
    options: event.options,
    tried: event.tried,
    blocks: event.blocks,
    state: "open",
    openedAt: atMs,
    ...(event.budget === undefined ? {} : { budget: event.budget }),
    ...(event.diff === undefined ? {} : { diff: event.diff }),
    ...(event.work === undefined || event.attempt === undefined
      ? {}
      : { work: { attempt: event.attempt, ...event.work } }),
  });
  for (const id of new Set([...event.blocks, ...(event.task_id === null ? [] : [event.task_id])])) {
    const task = state.tasks.get(id);
    // One open question at a time: whoever waits for an answer already goes on waiting for that.
    if (task === undefined || task.question !== undefined) continue;
    task.question = event.question;
    // Money says nothing about the task: what was tried stands, and no question of its own is used up.
    // Nor does a yes: the attempt that waits for it goes on.
    if (event.kind === "budget" || event.kind === "consent") continue;
    task.questions.push(event.question);
    delete task.pending;
    delete task.route;
  }
}

function settleQuestion(
  state: RunState,
  id: string,
  end: { state: "answered" | "dismissed" | "moot"; by: string; answer?: string },
  atMs: number,
  limits: Limits,
): void {
  const question = state.questions.get(id);
  if (question === undefined || question.state !== "open") return;
  Object.assign(question, end);
  if (question.budget !== undefined && end.state === "dismissed") {
    state.ledger.stopped.add(keyOfBudget(question.budget));
  }
  for (const task of waiting(state, question)) {
    delete task.question;
    if (task.end === "done" && question.kind === "edited") {
      // Nobody can do again what a person deleted meanwhile.
      if (end.answer === undefined || wantsKeep(end.answer) || task.deleted) continue;
      reopenTask(state, task, limits);
      task.guidance.push({ from: end.by, text: answerAsGuidance(question, end.answer) });
      continue;
    }
    if (question.kind === "budget") continue;
    if (question.kind === "consent" && end.state !== "dismissed") {
      noteConsent(task, question, end);
      continue;
    }
    // What a person or a merge has settled meanwhile is not taken up again by an answer.
    if (isSettled(statusOf(state, task.id))) continue;
    noteStructure(state);
    // Whatever was said of it, failures until now are not asked about again.
    if (question.kind === "review") task.reviewedAtMs = atMs;
    if (end.state === "answered") {
      const guidance = { from: end.by, text: answerAsGuidance(question, end.answer ?? "") };
      task.guidance.push(guidance);
      beginEpisode(task, Math.max(task.attemptsLeft, ATTEMPTS_AFTER_ANSWER));
      if (question.kind === "rollup") task.repairs = 0;
      carryAnswer(state, task, question, end.answer ?? "");
      if (question.kind === "review") reviseBelow(state, task, guidance);
    } else if (end.state === "dismissed") {
      task.end = "failed";
      task.endReason = `its question ${id} was dismissed by ${end.by}`;
    }
  }
}

/** The attempt that asked goes on by what was said, and a no is also told to the next. */
function noteConsent(
  task: TaskState,
  question: Question,
  end: { by: string; answer?: string },
): void {
  if (end.answer === undefined || question.diff === undefined) return;
  const yes = wantsYes(end.answer);
  task.consents = {
    ...task.consents,
    [question.diff]: { yes, by: end.by, text: end.answer },
  };
  if (yes && question.work !== undefined) task.agreed = question.work;
  if (yes) return;
  task.guidance.push({ from: end.by, text: `${question.title} No: ${end.answer}` });
}

/** What an answer changes by itself; what it makes of the tree is recorded with it (said.ts). */
function carryAnswer(state: RunState, task: TaskState, question: Question, answer: string): void {
  if (question.kind === "dropped" && !wantsRestore(answer) && !wantsDrop(answer)) {
    task.without = [...(task.without ?? []), ...droppedOf(state, task)];
  }
  if (question.kind === "cycle") {
    const edge = edgeIn(answer);
    const waiting = state.tasks.get(edge?.task ?? "");
    if (edge !== undefined && waiting !== undefined) {
      waiting.without = [...(waiting.without ?? []), edge.on];
    }
  }
  if (question.kind === "drift") {
    delete task.overwritten;
    if (wantsKeep(answer)) task.leftAlone = true;
  }
}

/** What an answer restores of the ladder, at least (design part 4, "Episodes"). */
const ATTEMPTS_AFTER_ANSWER = 2;

/**
 * The answer about a subtree is guidance for all that is unfinished in it: what was tried there, or
 * had been given up, is tried anew. Who waits for an answer of its own, or is worked on, goes on as
 * it is.
 */
function reviseBelow(state: RunState, top: TaskState, guidance: Guidance): void {
  for (const task of descendantsOf(state, top.id)) {
    if (task.end !== undefined && task.end !== "failed") continue;
    task.guidance.push(guidance);
    if (task.question !== undefined || task.lease !== undefined) continue;
    if (task.end !== "failed" && task.attempts.length === 0) continue;
    beginEpisode(task, Math.max(task.attemptsLeft, ATTEMPTS_AFTER_ANSWER));
  }
}

function waiting(state: RunState, question: Question): TaskState[] {
  return [...state.tasks.values()].filter((task) => task.question === question.id);
}

function answerAsGuidance(question: Question, answer: string): string {
  return `Asked: ${question.title}\nAnswer: ${answer}`;
}
