/**
 * Holds a journal to its budgets: spent + reserved ≤ limit, at every line. Written without the
 * ledger, so that an error there is found here.
 */
import {
  type Amounts,
  type BudgetOf,
  type BudgetScope,
  type Charge,
  keyOfBudget,
  TIER_OF,
  type Unit,
} from "../../domain/budget.ts";
import type { Role } from "../../domain/conversation.ts";
import type { RunEvent } from "../../domain/event.ts";
import { tokensIn } from "../../domain/usage.ts";

/** A line after which more is spent and reserved than a budget allows. */
export interface Overspending {
  seq: number;
  scope: BudgetScope;
  /** The task of the budget; null where it is of none. */
  task: string | null;
  unit: Exclude<Unit, "minutes">;
  limit: number;
  /** Spent and reserved, in whole units; NaN where a price is unknown. */
  committed: number;
  /**
   * `admitted`: a call was made that did not fit, which must never happen. `overshoot`: a provider
   * counted more than was reserved; it is booked, and the next call is denied.
   */
  kind: "admitted" | "overshoot";
}

const COUNTED = ["usd", "tokens", "calls"] as const;

/**
 * Every line of a journal that takes a budget over its limit; none is as it must be. A limit set
 * below what is spent already is no fault: what counts is that nothing is added then.
 */
export function overspent(events: readonly RunEvent[]): Overspending[] {
  const parents = new Map<string, string | null>();
  const limits = new Map<string, Amounts>();
  const totals = new Map<string, Charge>();
  const open = new Map<string, Charge>();
  const found: Overspending[] = [];

  const over = (task: string, role: Role): BudgetOf[] => {
    const budgets: BudgetOf[] = [
      { scope: "run", task: null },
      { scope: TIER_OF[role], task: null },
      { scope: role, task: null },
      { scope: "task", task },
    ];
    for (let at: string | null = task; at !== null; at = parents.get(at) ?? null) {
      budgets.push({ scope: "subtree", task: at });
    }
    return budgets;
  };
  const setLimit = (key: string, limit: Amounts | undefined) => {
    if (limit !== undefined) limits.set(key, { ...limits.get(key), ...limit });
  };
  const book = (event: RunEvent & { role: Role }, change: Charge, kind: Overspending["kind"]) => {
    for (const budget of over(event.task_id ?? "", event.role)) {
      const key = keyOfBudget(budget);
      const before = totals.get(key) ?? { usd: 0, tokens: 0, calls: 0 };
      const after = {
        usd: (before.usd ?? Number.NaN) + (change.usd ?? Number.NaN),
        tokens: before.tokens + change.tokens,
        calls: before.calls + change.calls,
      };
      totals.set(key, after);
      const limit = { ...(budget.scope === "task" ? limits.get("task") : {}), ...limits.get(key) };
      for (const unit of COUNTED) {
        const most = limit[unit];
        // What only grew less, or not at all, is no new fault.
        if (most === undefined || (change[unit] ?? Number.NaN) <= 0) continue;
        const most9 = unit === "usd" ? Math.round(most * 1e9) : most;
        if (after[unit] <= most9) continue;
        const committed = unit === "usd" ? after.usd / 1e9 : after[unit];
        found.push({ seq: event.seq, ...budget, unit, limit: most, committed, kind });
      }
    }
  };

  for (const event of events) {
    const task = event.task_id ?? "";
    switch (event.event_type) {
      case "run.started":
        for (const [scope, limit] of Object.entries(event.budget ?? {})) setLimit(scope, limit);
        break;
      case "task.created":
        parents.set(task, event.parent);
        setLimit(keyOfBudget({ scope: "subtree", task }), event.contract.budget);
        break;
      case "task.sized":
        setLimit(keyOfBudget({ scope: "subtree", task }), event.contract.budget);
        break;
      case "budget.set":
        setLimit(keyOfBudget({ scope: event.scope, task: event.task_id }), event.limit);
        break;
      case "call.started": {
        const key = `${task}.${event.attempt}.${event.turn}`;
        open.delete(key);
        if (event.reserved === undefined) break;
        const { usd, tokens } = event.reserved;
        const charge = { usd: nano(usd), tokens, calls: 1 };
        open.set(key, charge);
        book(event, charge, "admitted");
        break;
      }
      case "call.answered": {
        const key = `${task}.${event.attempt}.${event.turn}`;
        const reserved = open.get(key) ?? { usd: 0, tokens: 0, calls: 0 };
        open.delete(key);
        const change = {
          usd: (nano(event.cost_usd) ?? Number.NaN) - (reserved.usd ?? Number.NaN),
          tokens: tokensIn(event.usage) - reserved.tokens,
          calls: 1 - reserved.calls,
        };
        book(event, change, "overshoot");
        break;
      }
      case "call.failed": {
        const key = `${task}.${event.attempt}.${event.turn}`;
        const reserved = open.get(key);
        open.delete(key);
        if (!event.uncharged || reserved === undefined) break;
        const { usd, tokens, calls } = reserved;
        const back = { usd: usd === undefined ? undefined : -usd, tokens: -tokens, calls: -calls };
        book(event, back, "overshoot");
        break;
      }
      default:
        break;
    }
  }
  return found;
}

/** Dollars in billionths, whole, so that sums are exact; undefined where the price is unknown. */
function nano(usd: number | null): number | undefined {
  return usd === null ? undefined : Math.round(usd * 1e9);
}
