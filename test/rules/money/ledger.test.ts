/** Budgets: what is reserved counts, what is not known stays spent, and nothing goes over a limit. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BudgetOf, Charge } from "../../../src/domain/budget.ts";
import { ROLES, type Role } from "../../../src/domain/conversation.ts";
import { committedOf, totalOf } from "../../../src/rules/money/ledger.ts";
import { overspent } from "../../../src/rules/money/overspent.ts";
import { replay } from "../../../src/rules/replay.ts";
import { aPurse, PURSE_TASKS, type Purse } from "../../support/purse.ts";
import { runsOf } from "../../support/runs.ts";
import { type Chance, chanceOf } from "../../support/toy-run.ts";

const RUN: BudgetOf = { scope: "run", task: null };
const total = (purse: Purse, budget = RUN) =>
  totalOf(committedOf(purse.store.state, budget, purse.clock.nowMs));
const verdict = (purse: Purse, task: string, role: Role, need: Partial<Charge>) =>
  purse.judge(task, role, need).verdict;

describe("a reservation", () => {
  it("counts as long as nobody knows what the call came to, then only what it did", () => {
    const purse = aPurse();
    purse.limit("run", { usd: 1 });
    purse.start("r.a2", "worker", "1", { usd: 0.8, tokens: 900 });
    expect(total(purse)).toEqual({ usd: 0.8, tokens: 900, calls: 1 });
    // Another call would fit if this one came to little, so it waits for that.
    expect(verdict(purse, "r.a1.a1", "worker", { usd: 0.3 })).toBe("waits");
    expect(verdict(purse, "r.a1.a1", "worker", { usd: 0.2 })).toBe("fits");
    expect(verdict(purse, "r.a1.a1", "worker", { usd: 1.1 })).toBe("denied");
    purse.answer("r.a2", "worker", "1", { usd: 0.1, tokens: 100 });
    expect(total(purse)).toEqual({ usd: 0.1, tokens: 100, calls: 1 });
    expect(verdict(purse, "r.a1.a1", "worker", { usd: 0.9 })).toBe("fits");
  });

  it("is let go when the provider cannot have charged, and stays spent when it may have", () => {
    const purse = aPurse();
    purse.start("r.a2", "worker", "1", { usd: 0.5, tokens: 100 });
    purse.fail("r.a2", "worker", "1", true);
    expect(total(purse)).toEqual({ usd: 0, tokens: 0, calls: 0 });
    purse.start("r.a2", "worker", "1", { usd: 0.5, tokens: 100 });
    purse.fail("r.a2", "worker", "1");
    expect(total(purse)).toEqual({ usd: 0.5, tokens: 100, calls: 1 });
  });

  it("stays spent when a crash left it open, beside what the same call comes to when asked again", () => {
    const purse = aPurse();
    purse.limit("run", { usd: 1 });
    purse.start("r.a2", "worker", "1", { usd: 0.6 });
    purse.crash();
    expect(total(purse).usd).toBe(0.6);
    // Nothing is under way that could be waited for.
    expect(verdict(purse, "r.a2", "worker", { usd: 0.6 })).toBe("denied");
    purse.start("r.a2", "worker", "1", { usd: 0.4 });
    purse.answer("r.a2", "worker", "1", { usd: 0.1 });
    expect(total(purse).usd).toBeCloseTo(0.7, 9);
    expect(overspent(purse.store.journal.read())).toEqual([]);
  });
});

describe("a budget", () => {
  it("allows exactly what it says, however many small sums make it up", () => {
    const purse = aPurse();
    purse.limit("run", { usd: 0.3, calls: 4 });
    for (const turn of ["1", "2"]) {
      purse.start("r.a2", "worker", turn, { usd: 0.1 });
      purse.answer("r.a2", "worker", turn, { usd: 0.1 });
    }
    expect(verdict(purse, "r.a2", "worker", { usd: 0.1 })).toBe("fits");
    expect(verdict(purse, "r.a2", "worker", { usd: 0.100000001 })).toBe("denied");
  });

  it.each([
    { scope: "run", task: undefined, hits: ["r.a1.a1 worker", "r.a2 worker", "r.a2 fixer"] },
    { scope: "worker", task: undefined, hits: ["r.a1.a1 worker", "r.a2 worker"] },
    { scope: "strong", task: undefined, hits: ["r.a2 fixer"] },
    { scope: "subtree", task: "r.a1", hits: ["r.a1.a1 worker"] },
    { scope: "subtree", task: "r", hits: ["r.a1.a1 worker", "r.a2 worker", "r.a2 fixer"] },
    { scope: "task", task: undefined, hits: ["r.a1.a1 worker", "r.a2 worker", "r.a2 fixer"] },
    { scope: "task", task: "r.a2", hits: ["r.a2 worker", "r.a2 fixer"] },
  ] as const)("of $scope $task limits $hits and nothing else", ({ scope, task, hits }) => {
    const purse = aPurse();
    purse.limit(scope, { tokens: 10 }, task);
    const denied = ["r.a1.a1 worker", "r.a2 worker", "r.a2 fixer"].filter((call) => {
      const [id = "", role] = call.split(" ");
      return verdict(purse, id, role as Role, { tokens: 11 }) === "denied";
    });
    expect(denied).toEqual(hits);
  });

  it("of dollars admits no call without a price, nor after one", () => {
    const purse = aPurse();
    purse.start("r.a2", "worker", "1", {});
    purse.record({
      task_id: "r.a2",
      actor: "worker",
      event_type: "call.answered",
      attempt: 1,
      turn: "1",
      role: "worker",
      model: "test:m",
      provider: "test",
      reply: "",
      usage: { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 },
      cost_usd: null,
      duration_ms: 1,
      answered_by: "m",
      stop_reason: "end",
    });
    expect(total(purse).usd).toBeUndefined();
    purse.limit("run", { usd: 100 });
    expect(verdict(purse, "r.a2", "worker", { usd: 0.01 })).toBe("denied");
    expect(verdict(aPurseWith({ usd: 100 }), "r.a2", "worker", { usd: undefined })).toBe("denied");
  });

  it("of minutes counts the time in which something was leased, once, and no more than a lease", () => {
    const purse = aPurse();
    purse.limit("run", { minutes: 3 });
    const minutes = () => committedOf(purse.store.state, RUN, purse.clock.nowMs).minutes;
    purse.lease("r.a2", "worker");
    purse.lease("r.a1.a1", "worker");
    purse.clock.nowMs += 30_000;
    purse.release("r.a2");
    purse.clock.nowMs += 30_000;
    purse.release("r.a1.a1");
    expect(minutes()).toBe(1);
    purse.clock.nowMs += 3_600_000;
    expect(minutes()).toBe(1);
    purse.lease("r.a2", "worker");
    // The process died; hours later another one lets go of what it held for a minute at most.
    purse.clock.nowMs += 3_600_000;
    purse.crash();
    purse.release("r.a2");
    expect(minutes()).toBe(2);
    expect(verdict(purse, "r.a2", "worker", {})).toBe("fits");
    purse.lease("r.a2", "worker");
    purse.clock.nowMs += 60_000;
    expect(verdict(purse, "r.a2", "worker", {})).toBe("denied");
  });
});

function aPurseWith(limit: { usd: number }): Purse {
  const purse = aPurse();
  purse.limit("run", limit);
  return purse;
}

/** Calls by chance under budgets by chance; `isGuarded` false makes every call without asking. */
function play(chance: Chance, isGuarded: boolean): Purse {
  const purse = aPurse();
  const pick = <T>(list: readonly T[]): T => list[chance(list.length)] as T;
  const open: { task: string; role: Role; turn: string; need: Charge }[] = [];
  for (let step = 0; step < 60; step++) {
    const task = pick(PURSE_TASKS);
    const role = pick(ROLES);
    switch (chance(12)) {
      case 0: {
        const limit = { usd: chance(50) / 10, tokens: chance(5000), calls: chance(30) };
        const scope = pick(["run", "task", "subtree", "small", "strong", role] as const);
        if (scope === "subtree") purse.limit(scope, limit, task);
        else if (scope === "task" && chance(2) === 0) purse.limit(scope, limit, task);
        else purse.limit(scope, limit);
        break;
      }
      case 1:
        purse.crash();
        open.length = 0;
        break;
      case 2:
      case 3:
      case 4:
      case 5:
      case 6: {
        const need = { usd: chance(700) / 1000, tokens: chance(700), calls: 1 };
        if (isGuarded && verdict(purse, task, role, need) !== "fits") break;
        const turn = String(chance(3));
        const again = open.findIndex((one) => one.task === task && one.turn === turn);
        if (again >= 0) open.splice(again, 1);
        purse.start(task, role, turn, need);
        open.push({ task, role, turn, need });
        break;
      }
      default: {
        const one = open.splice(chance(open.length), 1)[0];
        if (one === undefined) break;
        const part = chance(11) / 10;
        const cost = { usd: one.need.usd, tokens: Math.floor(one.need.tokens * part) };
        if (chance(3) > 0) purse.answer(one.task, one.role, one.turn, cost);
        else purse.fail(one.task, one.role, one.turn, chance(2) === 0);
      }
    }
  }
  return purse;
}

const seeds = fc.integer({ min: 0, max: 2 ** 31 });

describe("spent and reserved", () => {
  it("are never more than a limit, at no line, whatever comes", () => {
    let denials = 0;
    fc.assert(
      fc.property(seeds, (seed) => {
        const purse = play(chanceOf(seed), true);
        expect(overspent(purse.store.journal.read())).toEqual([]);
        denials += overspent(play(chanceOf(seed), false).store.journal.read()).length;
      }),
      runsOf(300),
    );
    // Without the guard the same plays go over: the checker sees it, and the guard is what holds.
    expect(denials).toBeGreaterThan(100);
  });

  it("are the same when the journal is read again", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { store } = play(chanceOf(seed), true);
        expect(replay(store.journal.read()).ledger).toEqual(store.state.ledger);
      }),
      runsOf(100),
    );
  });

  it("that a provider counts higher than was reserved are booked and told apart", () => {
    const purse = aPurse();
    purse.limit("run", { tokens: 100 });
    purse.start("r.a2", "worker", "1", { tokens: 90 });
    purse.answer("r.a2", "worker", "1", { tokens: 120 });
    expect(overspent(purse.store.journal.read())).toMatchObject([
      { kind: "overshoot", scope: "run", unit: "tokens", limit: 100, committed: 120 },
    ]);
    expect(verdict(purse, "r.a2", "worker", { tokens: 0 })).toBe("denied");
  });
});
