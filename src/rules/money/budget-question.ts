/** When a budget is spent: which question is asked about it, once, and when it is moot. */
import { renderAmount } from "../../domain/amounts.ts";
import { type BudgetOf, keyOfBudget } from "../../domain/budget.ts";
import type { NewEvent } from "../../domain/event.ts";
import type { Question, RunState, TaskState } from "../../domain/run-state.ts";
import type { TaskId } from "../../domain/task.ts";
import { nextQuestionId } from "../people/cancel.ts";
import { taskOf } from "../status.ts";
import { type Denial, isStopped } from "./admission.ts";
import { renderBudgetOf, renderDenial } from "./budget-text.ts";
import { committedOf, isOver, limitsOf, totalOf } from "./ledger.ts";

/** A task whose next call does not fit a budget. */
export interface Denied {
  task: TaskState;
  by: Denial;
}

/** Asks a person about a budget, or closes a question there is no more need of. */
export type BudgetMove =
  | { kind: "ask-budget"; by: Denial; tasks: TaskId[] }
  | { kind: "moot"; question: string };

/** How many waiting tasks a question offers to drop by name. */
const DROPPED_NAMED = 4;

/**
 * At most one question about each budget that is in somebody's way, and none that is settled. `denied`
 * has the oldest task first: by its need the question is put.
 */
export function budgetMoves(state: RunState, denied: readonly Denied[], now: number): BudgetMove[] {
  const open = openBudgetQuestions(state);
  const moves: BudgetMove[] = open
    .filter((question) => isMoot(state, question, now))
    .map((question) => ({ kind: "moot", question: question.id }));
  const asked = new Set(open.map((question) => keyOfBudget(question.budget)));
  const byBudget = new Map<string, Denied[]>();
  for (const one of denied) {
    const key = keyOfBudget(one.by);
    byBudget.set(key, [...(byBudget.get(key) ?? []), one]);
  }
  for (const [key, waiting] of byBudget) {
    const by = waiting[0]?.by;
    if (by === undefined || asked.has(key) || isStopped(state, by)) continue;
    // At most one question about a task is open: this one comes after.
    if (by.task !== null && taskOf(state, by.task).question !== undefined) continue;
    moves.push({ kind: "ask-budget", by, tasks: waiting.map(({ task }) => task.id) });
  }
  return moves;
}

type BudgetQuestion = Question & { budget: NonNullable<Question["budget"]> };

function openBudgetQuestions(state: RunState): BudgetQuestion[] {
  return [...state.questions.values()].filter(
    (question): question is BudgetQuestion =>
      question.state === "open" && question.budget !== undefined,
  );
}

/** There is room for what was asked for, or nobody is left who waits for it. */
function isMoot(state: RunState, { budget }: BudgetQuestion, now: number): boolean {
  if (budget.tasks.every((id) => state.tasks.get(id)?.end !== undefined)) return true;
  const { unit, need } = budget;
  const limit = limitsOf(state.ledger, budget)[unit];
  if (limit === undefined) return true;
  const committed = committedOf(state, budget, now);
  if (unit === "minutes") return committed.minutes < limit;
  const used = totalOf(committed)[unit];
  return used !== undefined && need !== null && !isOver(used + need, limit);
}

/** True when a budget keeps what is left to do from being done. */
export function isShort(state: RunState, denied: readonly Denied[]): boolean {
  return denied.length > 0 || openBudgetQuestions(state).length > 0;
}

/** Which budget that is, for the end of the run. */
export function shortOf(state: RunState, denied: readonly Denied[]): string {
  const budgets = [
    ...openBudgetQuestions(state).map((one) => one.budget),
    ...denied.map((d) => d.by),
  ];
  const names = [...new Set(budgets.map((one: BudgetOf) => renderBudgetOf(one)))];
  return `the budget of ${names.join(" and of ")} is spent`;
}

/**
 * `question.opened` about a spent budget. It has an edge only where one unsplit task waits for it:
 * an edge to a split task would block all below it, and of the run there is no issue. `misread` is
 * an answer that was not understood, and why.
 */
export function openBudgetQuestion(
  state: RunState,
  by: Denial,
  tasks: readonly TaskId[],
  misread?: string,
): NewEvent {
  const about = by.task === null ? undefined : taskOf(state, by.task);
  const whose = renderBudgetOf(by);
  const names = tasks.map((id) => `${id} "${state.tasks.get(id)?.contract.title ?? ""}"`);
  const need = by.need ?? 0;
  return {
    task_id: about?.id ?? null,
    actor: "fractal",
    event_type: "question.opened",
    question: nextQuestionId(state, about ?? taskOf(state, state.rootId)),
    kind: "budget",
    title: `The budget of ${whose} is spent. Raise it, drop tasks, or stop?`,
    why: [
      ...(misread === undefined ? [] : [misread]),
      `${capital(renderDenial(by))}. Waiting for it: ${names.join(", ")}.`,
      "`raise AMOUNT` adds to it, `raise to AMOUNT` sets it, `drop ID…` drops tasks, `stop` leaves it.",
    ].join(" "),
    options: [
      // As much again; and never less than what the next call may take.
      `raise ${renderAmount(roundUp(Math.max(by.limit, need)), by.unit)}`,
      `drop ${tasks.slice(0, DROPPED_NAMED).join(" ")}`,
      "stop",
    ],
    tried: "",
    blocks: about === undefined || about.shape === "split" ? [] : [about.id],
    budget: {
      scope: by.scope,
      task: by.task,
      unit: by.unit,
      need: by.need ?? null,
      tasks: [...tasks],
    },
  };
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** Two figures are enough, and never less than the amount itself; nothing becomes one. */
function roundUp(amount: number): number {
  if (amount <= 0) return 1;
  const step = 10 ** (Math.floor(Math.log10(amount)) - 1);
  return Number((Math.ceil(amount / step - 1e-9) * step).toPrecision(2));
}
