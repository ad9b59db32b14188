/** What a run's calls used and still may use: folded from the journal, summed for any budget. */
import {
  type Account,
  type Amounts,
  type BudgetOf,
  type Charge,
  keyOfBudget,
  type Ledger,
  type Stopwatch,
  TIER_OF,
} from "../../domain/budget.ts";
import type { Role } from "../../domain/conversation.ts";
import type { RunEvent } from "../../domain/event.ts";
import { parseInstant } from "../../domain/instant.ts";
import type { RunState } from "../../domain/run-state.ts";
import type { TaskId } from "../../domain/task.ts";
import { addCost, addUsage, NO_USAGE, tokensIn } from "../../domain/usage.ts";

const NOTHING: Charge = { usd: 0, tokens: 0, calls: 0 };

/** A ledger in which nothing was used and nothing is limited. */
export function emptyLedger(): Ledger {
  return {
    limits: new Map(),
    accounts: new Map(),
    open: new Map(),
    watches: new Map(),
    stopped: new Set(),
  };
}

/** A ledger that may be changed without changing the one it was copied from. */
export function copyLedger(ledger: Ledger): Ledger {
  const copyAll = <T extends object>(all: Map<string, T>) =>
    new Map([...all].map(([key, one]) => [key, { ...one }] as const));
  return {
    limits: new Map(ledger.limits),
    accounts: copyAll(ledger.accounts),
    open: new Map(ledger.open),
    watches: copyAll(ledger.watches),
    stopped: new Set(ledger.stopped),
  };
}

/** Carries one event into the state's ledger, in place; before the event changes the tasks. */
export function applyToLedger(state: RunState, event: RunEvent): void {
  const { ledger } = state;
  const task = event.task_id ?? "";
  switch (event.event_type) {
    case "run.started":
      for (const [scope, limit] of Object.entries(event.budget ?? {})) {
        ledger.limits.set(scope, limit);
      }
      return;
    case "run.resumed":
      // Whatever an earlier process was asking: nobody will ever say what came of it.
      for (const key of [...ledger.open.keys()]) hold(ledger, key);
      ledger.stopped.clear();
      return;
    case "task.created":
    case "task.sized":
      if (event.contract.budget === undefined) return;
      setLimit(ledger, { scope: "subtree", task }, event.contract.budget);
      return;
    case "budget.set":
      setLimit(ledger, { scope: event.scope, task: event.task_id }, event.limit);
      return;
    case "budget.stopped":
      ledger.stopped.add(keyOfBudget({ scope: event.scope, task: event.task_id }));
      return;
    case "call.started": {
      const key = callKey(event);
      // Asked again: of what was asked before, no answer came.
      if (ledger.open.has(key)) hold(ledger, key);
      if (event.reserved === undefined) return;
      const { role, model } = event;
      const { tokens } = event.reserved;
      const usd = event.reserved.usd ?? undefined;
      ledger.open.set(key, { task, role, model, usd, tokens, calls: 1 });
      return;
    }
    case "call.answered": {
      ledger.open.delete(callKey(event));
      const account = accountOf(ledger, { task, role: event.role, model: event.model });
      account.usage = addUsage(account.usage, event.usage);
      account.costUsd = addCost(account.costUsd, event.cost_usd ?? undefined);
      account.calls += 1;
      return;
    }
    case "call.failed":
      if (event.uncharged) ledger.open.delete(callKey(event));
      else hold(ledger, callKey(event));
      return;
    case "lease.taken":
      for (const key of budgetsOver(state, { task, role: event.role }).map(keyOfBudget)) {
        startWatch(ledger, key, parseInstant(event.timestamp));
      }
      return;
    case "lease.released": {
      const lease = state.tasks.get(task)?.lease;
      if (lease === undefined) return;
      // Of a process that died or slept nobody knows more than that its lease was good until then.
      const at = Math.min(parseInstant(event.timestamp), lease.deadlineMs);
      for (const key of budgetsOver(state, { task, role: lease.role }).map(keyOfBudget)) {
        stopWatch(ledger, key, at);
      }
      return;
    }
    default:
      return;
  }
}

function callKey(event: { task_id: string | null; attempt: number; turn: string }): string {
  return `${event.task_id}.${event.attempt}.${event.turn}`;
}

function setLimit(ledger: Ledger, budget: BudgetOf, limit: Amounts): void {
  const key = keyOfBudget(budget);
  ledger.limits.set(key, { ...ledger.limits.get(key), ...limit });
  ledger.stopped.delete(key);
}

/** A call that will not be heard of again keeps its reservation: it may have cost as much. */
function hold(ledger: Ledger, key: string): void {
  const call = ledger.open.get(key);
  if (call === undefined) return;
  ledger.open.delete(key);
  const account = accountOf(ledger, call);
  account.held = addCharge(account.held, call);
}

function accountOf(ledger: Ledger, of: Pick<Account, "task" | "role" | "model">): Account {
  const key = `${of.task}/${of.role}/${of.model}`;
  const known = ledger.accounts.get(key);
  if (known !== undefined) return known;
  const { task, role, model } = of;
  const account = { task, role, model, usage: NO_USAGE, costUsd: 0, calls: 0, held: NOTHING };
  ledger.accounts.set(key, account);
  return account;
}

function startWatch(ledger: Ledger, key: string, atMs: number): void {
  const watch = ledger.watches.get(key) ?? { totalMs: 0, sinceMs: atMs, leases: 0 };
  if (watch.leases === 0) watch.sinceMs = atMs;
  watch.leases += 1;
  ledger.watches.set(key, watch);
}

function stopWatch(ledger: Ledger, key: string, atMs: number): void {
  const watch = ledger.watches.get(key);
  if (watch === undefined || watch.leases === 0) return;
  watch.leases -= 1;
  if (watch.leases === 0) watch.totalMs += Math.max(0, atMs - watch.sinceMs);
}

/** The sum of two charges; one unknown price makes the sum's unknown. */
export function addCharge(a: Charge, b: Charge): Charge {
  return { usd: addCost(a.usd, b.usd), tokens: a.tokens + b.tokens, calls: a.calls + b.calls };
}

/** Every budget that a call of this role on this task counts against, the widest first. */
export function budgetsOver(state: RunState, call: { task: TaskId; role: Role }): BudgetOf[] {
  const line: TaskId[] = [];
  for (let at: TaskId | null = call.task; at !== null; ) {
    line.push(at);
    at = state.tasks.get(at)?.parent ?? null;
  }
  return [
    { scope: "run", task: null },
    { scope: TIER_OF[call.role], task: null },
    { scope: call.role, task: null },
    ...line.reverse().map((task): BudgetOf => ({ scope: "subtree", task })),
    { scope: "task", task: call.task },
  ];
}

/** The limits of a budget; a task of its own has those of every task but for what was set for it. */
export function limitsOf(ledger: Ledger, budget: BudgetOf): Amounts {
  const own = ledger.limits.get(keyOfBudget(budget));
  if (budget.scope !== "task") return own ?? {};
  return { ...ledger.limits.get("task"), ...own };
}

/** What counts against one budget. */
export interface Committed {
  /** Of calls that were answered. */
  spent: Charge;
  /** The worst of calls under way. */
  underWay: Charge;
  /** The worst of calls whose outcome is never known: they count as spent. */
  held: Charge;
  /** Minutes in which at least one lease was held. */
  minutes: number;
}

/** All that counts against a budget at this instant (ms since 1970). */
export function committedOf(state: RunState, budget: BudgetOf, nowMs: number): Committed {
  const { ledger } = state;
  const counts = countsFor(state, budget);
  let spent = NOTHING;
  let held = NOTHING;
  for (const account of ledger.accounts.values()) {
    if (!counts(account.task, account.role)) continue;
    spent = addCharge(spent, chargeOf(account));
    held = addCharge(held, account.held);
  }
  let underWay = NOTHING;
  for (const call of ledger.open.values()) {
    if (counts(call.task, call.role)) underWay = addCharge(underWay, call);
  }
  return {
    spent,
    underWay,
    held,
    minutes: minutesOf(ledger.watches.get(keyOfBudget(budget)), nowMs),
  };
}

/** What the answered calls of an account cost. */
export function chargeOf(account: Account): Charge {
  return { usd: account.costUsd, tokens: tokensIn(account.usage), calls: account.calls };
}

/** Spent and reserved together: what may not be more than the limit. */
export function totalOf(committed: Committed): Charge {
  return addCharge(addCharge(committed.spent, committed.held), committed.underWay);
}

function countsFor(
  state: RunState,
  { scope, task }: BudgetOf,
): (of: TaskId, role: Role) => boolean {
  switch (scope) {
    case "run":
      return () => true;
    case "strong":
    case "small":
      return (_, role) => TIER_OF[role] === scope;
    case "task":
      return (of) => of === task;
    case "subtree":
      return (of) => isWithin(state, of, task);
    case "planner":
    case "worker":
    case "router":
    case "fixer":
    case "reviewer":
      return (_, role) => role === scope;
  }
}

/** True for the task itself and all that is below it. */
function isWithin(state: RunState, id: TaskId, top: TaskId | null): boolean {
  for (let at: TaskId | null = id; at !== null; ) {
    if (at === top) return true;
    at = state.tasks.get(at)?.parent ?? null;
  }
  return false;
}

function minutesOf(watch: Stopwatch | undefined, nowMs: number): number {
  if (watch === undefined) return 0;
  const running = watch.leases > 0 ? Math.max(0, nowMs - watch.sinceMs) : 0;
  return (watch.totalMs + running) / 60_000;
}

/** Dollars in billionths, whole: so that a sum of many small ones is exact at the edge of a limit. */
export function nanoUsd(usd: number): number {
  return Math.round(usd * 1e9);
}

/** True when `used` is more than `limit`, both of one unit; exact at the edge. */
export function isOver(used: number, limit: number): boolean {
  return nanoUsd(used) > nanoUsd(limit);
}
