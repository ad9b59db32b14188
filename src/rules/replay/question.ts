/** What an event about a question changes: whom it holds, and what its answer does. */
import { keyOfBudget } from "../../domain/budget.ts";
import type { EventAbout } from "../../domain/event/about.ts";
import type { RunEvent } from "../../domain/event.ts";
import type { Guidance, Question, RunState, TaskState } from "../../domain/run-state.ts";
import { isSettled } from "../../domain/task.ts";
import {
  droppedOf,
  edgeIn,
  wantsDrop,
  wantsKeep,
  wantsRestore,
  wantsYes,
} from "../people/wanted.ts";
import { descendantsOf, statusOf } from "../status.ts";
import { beginEpisode, noteStructure, reopenTask } from "./episode.ts";

/** Carries an event about a question into the state, in place. */
export function applyToQuestion(
  state: RunState,
  event: EventAbout<"question">,
  atMs: number,
): void {
  switch (event.event_type) {
    case "question.opened":
      openQuestion(state, event, atMs);
      return;
    case "question.answered":
      settleQuestion(
        state,
        event.question,
        { state: "answered", by: event.by, answer: event.text },
        atMs,
      );
      return;
    case "question.notified": {
      const question = state.questions.get(event.question);
      if (question !== undefined) question.notified = true;
      return;
    }
    case "question.closed":
      settleQuestion(state, event.question, { state: event.how, by: event.by }, atMs);
      return;
    default:
      event satisfies never;
  }
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
    ...(event.needs === undefined ? {} : { needs: event.needs }),
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
      reopenTask(state, task);
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
