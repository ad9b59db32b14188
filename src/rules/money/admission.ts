/** Whether a call may be made: it must fit what is left of every budget it counts against. */
import { type BudgetOf, type Charge, keyOfBudget, UNITS, type Unit } from "../../domain/budget.ts";
import type { Role } from "../../domain/conversation.ts";
import type { RunState } from "../../domain/run-state.ts";
import type { TaskId } from "../../domain/task.ts";
import { budgetsOver, committedOf, isOver, limitsOf, totalOf } from "./ledger.ts";

/** The budget that is in the way, in one unit; `committed` is undefined where a price is unknown. */
export interface Denial extends BudgetOf {
  unit: Unit;
  limit: number;
  committed: number | undefined;
  /** What the call may use at most; undefined where its price is unknown. */
  need: number | undefined;
}

/**
 * `waits`: it would fit if the calls under way came to nothing, so what they come to is awaited.
 * `denied`: not even then.
 */
export type Admission =
  | { verdict: "fits" }
  | { verdict: "waits"; by: Denial }
  | { verdict: "denied"; by: Denial };

/**
 * Judges a call of this role on this task that may come to `need` at most. Of several budgets in the
 * way the widest is named. Minutes are not reserved: what begins before they are over is finished.
 */
export function admissionOf(
  state: RunState,
  call: { task: TaskId; role: Role },
  need: Charge,
  nowMs: number,
): Admission {
  // Most runs have no budget at all.
  if (state.ledger.limits.size === 0) return { verdict: "fits" };
  let waits: Denial | undefined;
  for (const budget of budgetsOver(state, call)) {
    const limits = limitsOf(state.ledger, budget);
    if (UNITS.every((unit) => limits[unit] === undefined)) continue;
    const committed = committedOf(state, budget, nowMs);
    const total = totalOf(committed);
    for (const unit of UNITS) {
      const limit = limits[unit];
      if (limit === undefined) continue;
      if (unit === "minutes") {
        const denial = { ...budget, unit, limit, committed: committed.minutes, need: 0 };
        if (committed.minutes >= limit) return { verdict: "denied", by: denial };
        continue;
      }
      const by = { ...budget, unit, limit, committed: total[unit], need: need[unit] };
      if (by.committed === undefined || by.need === undefined) return { verdict: "denied", by };
      if (!isOver(by.committed + by.need, limit)) continue;
      const settled = by.committed - (committed.underWay[unit] ?? 0);
      if (isOver(settled + by.need, limit)) return { verdict: "denied", by };
      waits ??= by;
    }
  }
  return waits === undefined ? { verdict: "fits" } : { verdict: "waits", by: waits };
}

/** True when a person said that this budget is not raised. */
export function isStopped(state: RunState, budget: BudgetOf): boolean {
  return state.ledger.stopped.has(keyOfBudget(budget));
}
