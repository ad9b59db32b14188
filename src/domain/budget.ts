/** Budgets: how much may be used up, of what and by whom; and the ledger of what was. */
import { z } from "zod";
import type { Role } from "./conversation.ts";
import type { TaskId } from "./task.ts";
import type { CostUsd, Usage } from "./usage.ts";

/** What is counted: dollars, tokens of every kind, model calls, minutes in which work was leased. */
export const UNITS = ["usd", "tokens", "calls", "minutes"] as const;
export type Unit = (typeof UNITS)[number];

/** How much of each unit; one that is left out is not limited. */
export const amounts = z.strictObject({
  usd: z.number().min(0).optional(),
  tokens: z.number().min(0).optional(),
  calls: z.number().min(0).optional(),
  minutes: z.number().min(0).optional(),
});
export type Amounts = z.infer<typeof amounts>;

/** Classes of models: each role is served by one of them until it is given a model of its own. */
export const TIERS = ["strong", "small"] as const;
export type Tier = (typeof TIERS)[number];

/** A new tier starts with the worker: the others share the strong one. */
export const TIER_OF: { readonly [R in Role]: Tier } = {
  planner: "strong",
  worker: "small",
  router: "strong",
  fixer: "strong",
  reviewer: "strong",
};

/** Whose use a budget limits, as settings name it. `task` holds for each task alone. */
export const SCOPE_NAMES = [
  "run",
  "task",
  "strong",
  "small",
  "planner",
  "worker",
  "router",
  "fixer",
  "reviewer",
] as const;
export type ScopeName = (typeof SCOPE_NAMES)[number];

/** Whose use a budget limits; `subtree` is one task with all that is below it. */
export const budgetScope = z.enum([...SCOPE_NAMES, "subtree"]);
export type BudgetScope = z.infer<typeof budgetScope>;

/** One budget: a scope, and the task where the scope is one task or a subtree; else null. */
export interface BudgetOf {
  scope: BudgetScope;
  task: TaskId | null;
}

/** Budgets as settings give them, by scope. */
export type Budgets = { [Scope in ScopeName]?: Amounts };

/** What one call may use, or used; `usd` is undefined where its price is not known. */
export interface Charge {
  usd: CostUsd;
  tokens: number;
  calls: number;
}

/** A call that is under way, with the worst it can come to. */
export interface Reservation extends Charge {
  task: TaskId;
  role: Role;
  model: string;
}

/** What the calls of one role on one task through one model came to. */
export interface Account {
  task: TaskId;
  role: Role;
  model: string;
  /** Of the calls that were answered. */
  usage: Usage;
  costUsd: CostUsd;
  calls: number;
  /** The worst of those whose outcome is never known: cut off by a crash, a stop or a timeout. */
  held: Charge;
}

/** Counts the time in which at least one lease was held. */
export interface Stopwatch {
  totalMs: number;
  sinceMs: number;
  leases: number;
}

/** All that a run's calls used and may still use, and what limits them. Derived from the journal. */
export interface Ledger {
  /** The limits in force, by `keyOfBudget`. */
  limits: Map<string, Amounts>;
  /** By task, role and model. */
  accounts: Map<string, Account>;
  /** Calls under way, by `task.attempt.turn`. */
  open: Map<string, Reservation>;
  watches: Map<string, Stopwatch>;
  /** Budgets a person will not raise, until the run is resumed: by key. */
  stopped: Set<string>;
}

/** The key of a budget in the ledger: `run`, `worker`, `task`, `task fr-1.a2`, `subtree fr-1`. */
export function keyOfBudget({ scope, task }: BudgetOf): string {
  return task === null ? scope : `${scope} ${task}`;
}
