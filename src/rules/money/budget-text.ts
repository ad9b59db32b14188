/** Budgets in words: whose it is, and why it does not allow a call. */
import { renderAmount } from "../../domain/amounts.ts";
import type { BudgetOf } from "../../domain/budget.ts";
import type { Denial } from "./admission.ts";

/** Whose budget it is: `the run`, `the worker`, `fr-1.a2 and all below it`. */
export function renderBudgetOf({ scope, task }: BudgetOf): string {
  switch (scope) {
    case "run":
      return "the run";
    case "strong":
    case "small":
      return `the ${scope} tier`;
    case "task":
      return task === null ? "each task" : task;
    case "subtree":
      return `${task} and all below it`;
    case "planner":
    case "worker":
    case "router":
    case "fixer":
    case "reviewer":
      return `the ${scope}`;
  }
}

/** `the run may use 1usd: spent and reserved are 0.9usd, and the next call may take 0.2usd`. */
export function renderDenial(by: Denial): string {
  const whose = `${renderBudgetOf(by)} may use ${renderAmount(by.limit, by.unit)}`;
  if (by.committed === undefined) return `${whose}, and what was spent is unknown`;
  const used = `spent and reserved are ${renderAmount(by.committed, by.unit)}`;
  if (by.unit === "minutes") return `${whose}, and these are over`;
  if (by.need === undefined) return `${whose}: ${used}, and the price of the next call is unknown`;
  return `${whose}: ${used}, and the next call may take ${renderAmount(by.need, by.unit)}`;
}
