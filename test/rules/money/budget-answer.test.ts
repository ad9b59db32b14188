/** Amounts as they are written, and answers about a spent budget as they are understood. */
import { describe, expect, it } from "vitest";
import { parseAmounts, renderAmounts } from "../../../src/domain/amounts.ts";
import type { Question } from "../../../src/domain/run-state.ts";
import { answeredEvents, problemOfAnswer } from "../../../src/rules/money/budget-answer.ts";
import { openBudgetQuestion } from "../../../src/rules/money/budget-question.ts";
import { aPurse, type Purse } from "../../support/purse.ts";

describe("an amount", () => {
  it.each([
    ["5usd", { usd: 5 }],
    ["0.50usd", { usd: 0.5 }],
    ["200ktokens", { tokens: 200_000 }],
    ["1.2Mtokens", { tokens: 1_200_000 }],
    ["1call", { calls: 1 }],
    ["90min", { minutes: 90 }],
    ["5usd 200ktokens, 300calls 90min", { usd: 5, tokens: 200_000, calls: 300, minutes: 90 }],
    ["0usd", { usd: 0 }],
  ])("%s is read", (text, amounts) => {
    expect(parseAmounts(text)).toEqual(amounts);
    expect(parseAmounts(renderAmounts(amounts))).toEqual(amounts);
  });

  it.each([
    ["", "an amount is missing"],
    ["5", "`5` is no amount: write 5usd, 200ktokens, 300calls or 90min"],
    ["$5", "`$5` is no amount"],
    ["5 usd", "`5` is no amount"],
    ["-1usd", "`-1usd` is no amount"],
    ["1e9usd", "`1e9usd` is no amount"],
    ["1usd 2usd", "names usd twice"],
    ["1.5calls", "must be a whole number of calls"],
  ])("%s is refused: %s", (text, problem) => {
    expect(parseAmounts(text)).toEqual({ problem: expect.stringContaining(problem) });
  });
});

/** A run of 1 usd that is spent, and the question about it. */
function aShortPurse(): { purse: Purse; question: Question } {
  const purse = aPurse();
  const { store } = purse;
  purse.limit("run", { usd: 1, calls: 9 });
  purse.start("r.a2", "worker", "1", { usd: 0.9 });
  purse.answer("r.a2", "worker", "1", { usd: 0.9 });
  const judged = purse.judge("r.a1.a1", "worker", { usd: 0.3 });
  if (judged.verdict !== "denied") throw new Error(judged.verdict);
  purse.record(openBudgetQuestion(store.state, judged.by, ["r.a1.a1"]));
  const question = store.state.questions.get("r.q1");
  if (question === undefined) throw new Error("nothing was asked");
  return { purse, question };
}

/** What an answer makes of the run. */
function answered(text: string): Purse {
  const { purse, question } = aShortPurse();
  purse.store.record(answeredEvents(purse.store.state, question, "ann", text));
  return purse;
}
const limit = (purse: Purse) => purse.store.state.ledger.limits.get("run");
const open = (purse: Purse) =>
  [...purse.store.state.questions.values()].filter((one) => one.state === "open");

describe("an answer about a spent budget", () => {
  it.each([
    ["raise 2usd", { usd: 3, calls: 9 }],
    ["Raise 0.5usd.", { usd: 1.5, calls: 9 }],
    ["raise to 7usd", { usd: 7, calls: 9 }],
    ["raise 1usd 5calls", { usd: 2, calls: 14 }],
  ])("%s sets the limit, in the person's name", (text, expected) => {
    const purse = answered(text);
    expect(limit(purse)).toEqual(expected);
    expect(open(purse)).toEqual([]);
    const set = purse.store.journal.read().findLast((one) => one.event_type === "budget.set");
    expect(set?.actor).toBe("ann");
  });

  it("drops the tasks it names, each once, with what is below them", () => {
    const purse = answered("drop r.a1.a1, r.a1");
    const { tasks } = purse.store.state;
    expect(
      [...tasks.values()].filter((one) => one.end === "cancelled").map(({ id }) => id),
    ).toEqual(["r.a1", "r.a1.a1", "r.a1.a2"]);
    const events = purse.store.journal.read();
    expect(events.filter((one) => one.event_type === "move.refused")).toEqual([]);
    expect(limit(purse)).toEqual({ usd: 1, calls: 9 });
  });

  it("`stop` leaves it, and asks no more", () => {
    const purse = answered("stop");
    expect(open(purse)).toEqual([]);
    expect([...purse.store.state.ledger.stopped]).toEqual(["run"]);
  });

  it.each([
    ["2usd", "was not understood"],
    ["yes", "was not understood"],
    ["raise", "an amount is missing"],
    ["raise money", "`money` is no amount"],
    ["raise 5calls", "It is usd that are spent"],
    ["raise 5ktokens", "no limit of tokens"],
    ["raise to 1usd", "that would not raise it"],
    ["drop", "needs the ids"],
    ["drop r.b9", "There is no task r.b9"],
    ["stop it", "was not understood"],
  ])("%s is not carried out, but asked again, saying: %s", (text, problem) => {
    const { purse, question } = aShortPurse();
    expect(problemOfAnswer(purse.store.state, question, text)).toContain(problem);
    purse.store.record(answeredEvents(purse.store.state, question, "ann", text));
    expect(limit(purse)).toEqual({ usd: 1, calls: 9 });
    expect(open(purse)).toMatchObject([
      { id: "r.q2", kind: "budget", why: expect.stringContaining(problem) },
    ]);
  });

  it("every option that is offered is one", () => {
    const { purse, question } = aShortPurse();
    expect(question.options).toEqual(["raise 1usd", "drop r.a1.a1", "stop"]);
    for (const option of question.options) {
      expect(problemOfAnswer(purse.store.state, question, option)).toBeUndefined();
    }
  });
});
