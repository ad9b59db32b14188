/** A person's answer about a spent budget: raise it, drop tasks, or stop; understood by code. */
import { AMOUNTS_ACCEPTED, parseAmounts, renderAmount } from "../../domain/amounts.ts";
import { type Amounts, UNITS } from "../../domain/budget.ts";
import type { NewEvent } from "../../domain/event.ts";
import type { Question, RunState } from "../../domain/run-state.ts";
import { isSettled, type TaskId } from "../../domain/task.ts";
import { cancelTask } from "../people/cancel.ts";
import { ancestorsOf, statusOf, taskOf } from "../status.ts";
import { openBudgetQuestion } from "./budget-question.ts";
import { renderBudgetOf } from "./budget-text.ts";
import { committedOf, limitsOf, totalOf } from "./ledger.ts";

type Answer =
  | { kind: "limit"; limit: Amounts }
  | { kind: "drop"; tasks: TaskId[] }
  | { kind: "stop" }
  | { problem: string };

const ACCEPTED = "answer `raise 2usd`, `raise to 7usd`, `drop ID…` or `stop`";

/**
 * The events of an answer to any question. One about a budget is carried out with it; where it is not
 * understood the question is asked again and says so.
 */
export function answeredEvents(
  state: RunState,
  question: Question,
  by: string,
  text: string,
): NewEvent[] {
  const about = { task_id: question.about, actor: by } as const;
  const answered: NewEvent = {
    ...about,
    event_type: "question.answered",
    question: question.id,
    by,
    text,
  };
  const { budget } = question;
  if (budget === undefined) return [answered];
  const answer = parseAnswer(state, question, text);
  if ("problem" in answer) return [answered, askedAgain(state, question, answer.problem)];
  const whose = { task_id: budget.task, actor: by, scope: budget.scope } as const;
  switch (answer.kind) {
    case "limit":
      return [answered, { ...whose, event_type: "budget.set", limit: answer.limit }];
    case "stop":
      return [answered, { ...whose, event_type: "budget.stopped" }];
    case "drop":
      return [
        answered,
        ...answer.tasks
          .flatMap((id) => cancelTask(state, taskOf(state, id), by, "dropped"))
          // It is answered, and so needs no closing.
          .filter((one) => one.event_type !== "question.closed" || one.question !== question.id),
      ];
  }
}

/** Why an answer would not be understood, so that it is not given; undefined when it would be. */
export function problemOfAnswer(
  state: RunState,
  question: Question,
  text: string,
): string | undefined {
  if (question.budget === undefined) return undefined;
  const answer = parseAnswer(state, question, text);
  return "problem" in answer ? answer.problem : undefined;
}

function parseAnswer(state: RunState, question: Question, text: string): Answer {
  const words = text.trim().replace(/[.!]$/, "").split(/\s+/);
  const [first = "", second = "", ...others] = words;
  const rest = words.slice(1);
  switch (first.toLowerCase()) {
    case "stop":
      return rest.length === 0 ? { kind: "stop" } : notUnderstood(text);
    case "drop":
      return parseDrop(
        state,
        rest.map((id) => id.replace(/,$/, "")),
      );
    case "raise":
      return second.toLowerCase() === "to"
        ? parseRaise(state, question, others.join(" "), false)
        : parseRaise(state, question, rest.join(" "), true);
    default:
      return notUnderstood(text);
  }
}

function notUnderstood(text: string): Answer {
  return { problem: `"${text.trim().slice(0, 200)}" was not understood: ${ACCEPTED}.` };
}

function parseDrop(state: RunState, ids: string[]): Answer {
  if (ids.length === 0) return { problem: "`drop` needs the ids of the tasks to drop." };
  const unknown = ids.filter((id) => !state.tasks.has(id));
  if (unknown.length > 0) return { problem: `There is no task ${unknown.join(", ")} in this run.` };
  const over = ids.filter((id) => isSettled(statusOf(state, id)));
  if (over.length > 0) return { problem: `${over.join(", ")} cannot be dropped any more.` };
  // Who is below another that is dropped goes with it.
  const tasks = [...new Set(ids)].filter(
    (id) => !ancestorsOf(state, id).some((above) => ids.includes(above.id)),
  );
  return { kind: "drop", tasks };
}

function parseRaise(state: RunState, question: Question, text: string, isMore: boolean): Answer {
  const { budget } = question;
  if (budget === undefined) return notUnderstood(text);
  const given = parseAmounts(text);
  if ("problem" in given) return { problem: `${given.problem} (\`raise\` ${AMOUNTS_ACCEPTED}).` };
  const now = limitsOf(state.ledger, budget);
  const limit: Amounts = {};
  for (const unit of UNITS) {
    const amount = given[unit];
    if (amount === undefined) continue;
    const known = now[unit];
    if (known === undefined) {
      const whose = renderBudgetOf(budget);
      return { problem: `The budget of ${whose} has no limit of ${unit} that could be raised.` };
    }
    // Without the noise of adding decimal fractions.
    limit[unit] = isMore ? Number((known + amount).toFixed(9)) : amount;
  }
  if (limit[budget.unit] === undefined) {
    return { problem: `It is ${budget.unit} that are spent: raise those.` };
  }
  const wanted = limit[budget.unit] ?? 0;
  if (wanted <= (now[budget.unit] ?? 0)) {
    const is = renderAmount(now[budget.unit] ?? 0, budget.unit);
    return { problem: `The budget is ${is} already: that would not raise it.` };
  }
  return { kind: "limit", limit };
}

/** The same question anew: the first one is closed, in the tracker too. */
function askedAgain(state: RunState, question: Question, problem: string): NewEvent {
  const budget = question.budget;
  if (budget === undefined) throw new Error(`${question.id} is about no budget`);
  const { scope, task, unit, need, tasks } = budget;
  const limit = limitsOf(state.ledger, budget)[unit] ?? 0;
  const committed = committedOf(state, budget, state.lastAtMs);
  const used = unit === "minutes" ? committed.minutes : totalOf(committed)[unit];
  return openBudgetQuestion(
    state,
    { scope, task, unit, limit, committed: used, need: need ?? undefined },
    tasks,
    problem,
  );
}
