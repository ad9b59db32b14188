/** What a run may use up: from flags, environment, files and front matter to one budget. */
import { AMOUNTS_ACCEPTED, parseAmounts, renderAmounts } from "../domain/amounts.ts";
import {
  type Amounts,
  type Budgets,
  keyOfBudget,
  SCOPE_NAMES,
  type ScopeName,
  TIER_OF,
  UNITS,
} from "../domain/budget.ts";
import { ROLES, type Role } from "../domain/conversation.ts";
import type { NewEvent } from "../domain/event.ts";
import type { ModelProfile } from "../domain/profile.ts";
import type { RunState } from "../domain/run-state.ts";
import { committedOf } from "../rules/money/ledger.ts";
import { closestName } from "../rules/text/suggest.ts";
import type { Layer, Setting } from "./config.ts";
import { EXIT, type Refusal, refuse } from "./exit.ts";

/** `--budget 5usd`, `--budget worker=1usd`: the text of each scope; other names are task ids. */
export function budgetTexts(given: readonly string[]): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const one of given) {
    const at = one.indexOf("=");
    const scope = at < 0 ? "run" : one.slice(0, at).trim();
    const before = texts[scope] === undefined ? "" : `${texts[scope]} `;
    texts[scope] = `${before}${one.slice(at + 1).trim()}`;
  }
  return texts;
}

/** The scopes among them, for the settings; a task's budget belongs to one run and is no setting. */
export function scopeTexts(texts: Record<string, string>): Partial<Record<ScopeName, string>> {
  return Object.fromEntries(Object.entries(texts).filter(([scope]) => isScope(scope)));
}

function isScope(name: string): name is ScopeName {
  return SCOPE_NAMES.includes(name as ScopeName);
}

/**
 * The budget that a new run gets, and where it is from. Flag over environment over the user's file;
 * the repository's file may only tighten that.
 */
export function mergeBudgets(layers: readonly Layer[]): { budget: Budgets; settings: Setting[] } {
  const budget: Budgets = {};
  const settings: Setting[] = [];
  for (const scope of SCOPE_NAMES) {
    const limit: Amounts = {};
    const origins = new Set<string>();
    for (const unit of UNITS) {
      const says = (layer: Layer | undefined) => layer?.value.budget?.[scope]?.[unit];
      const own = layers.find(
        (layer) => layer.source !== "repository" && says(layer) !== undefined,
      );
      const theirs = layers.find((layer) => layer.source === "repository");
      const isTighter = (says(theirs) ?? Infinity) < (says(own) ?? Infinity);
      const holds = isTighter ? theirs : own;
      const amount = says(holds);
      if (holds === undefined || amount === undefined) continue;
      limit[unit] = amount;
      origins.add(holds.originOf(`budget.${scope}`));
    }
    if (origins.size === 0) continue;
    budget[scope] = limit;
    const origin = [...origins].join(", ");
    settings.push({ key: `budget.${scope}`, value: renderAmounts(limit), origin });
  }
  return { budget, settings };
}

/** The smaller of each: a specification's front matter may tighten what settings say. */
export function tightened(budget: Budgets, by: Budgets): Budgets {
  const result: Budgets = { ...budget };
  for (const scope of SCOPE_NAMES) {
    const limit: Amounts = { ...budget[scope] };
    for (const unit of UNITS) {
      const amount = by[scope]?.[unit];
      if (amount !== undefined) limit[unit] = Math.min(amount, limit[unit] ?? Infinity);
    }
    if (Object.keys(limit).length > 0) result[scope] = limit;
  }
  return result;
}

/**
 * What `--budget` changes of a run that is open already: a run keeps the budget it was started with,
 * and only the person's own words change it.
 */
export function changedBudgets(
  state: RunState,
  flags: readonly string[],
  by: string,
): NewEvent[] | Refusal {
  const events: NewEvent[] = [];
  for (const [name, text] of Object.entries(budgetTexts(flags))) {
    const limit = parseAmounts(text);
    if ("problem" in limit) return refuse(EXIT.usage, `--budget: ${limit.problem}`);
    if (isScope(name)) {
      events.push({ task_id: null, actor: by, event_type: "budget.set", scope: name, limit });
    } else if (state.tasks.has(name)) {
      events.push({ task_id: name, actor: by, event_type: "budget.set", scope: "subtree", limit });
    } else return refuseScope(name, state);
  }
  return events;
}

/** A run that is only about to start has no tasks whose budget could be named. */
export function refuseTaskBudgets(flags: readonly string[]): Refusal | undefined {
  const name = Object.keys(budgetTexts(flags)).find((one) => !isScope(one));
  return name === undefined ? undefined : refuseScope(name);
}

function refuseScope(name: string, state?: RunState): Refusal {
  const known = [...SCOPE_NAMES, ...(state?.tasks.keys() ?? [])];
  const meant = closestName(name, known);
  const hint = meant === undefined ? "" : `did you mean \`${meant}\`? `;
  return refuse(EXIT.usage, `--budget: \`${name}\` is no role, tier or task of this run`, {
    where: [`${hint}A budget is of ${SCOPE_NAMES.join(", ")} or the id of a task`],
    next: [`--budget 5usd --budget worker=1usd   # amounts: ${AMOUNTS_ACCEPTED}`],
  });
}

/** A dollar limit over a model whose price nobody knows could not be kept; undefined when all can. */
export function refuseUnpriced(
  limits: ReadonlyMap<string, Amounts>,
  profiles: Record<Role, ModelProfile>,
): Refusal | undefined {
  const unpriced = new Map<string, Role[]>();
  for (const [key, limit] of limits) {
    if (limit.usd === undefined) continue;
    for (const role of ROLES) {
      const isOther = isScope(key) && key !== "run" && key !== "task";
      if (isOther && key !== role && key !== TIER_OF[role]) continue;
      if (profiles[role].price !== undefined) continue;
      const name = profiles[role].model.name;
      unpriced.set(name, [...new Set([...(unpriced.get(name) ?? []), role])]);
    }
  }
  if (unpriced.size === 0) return undefined;
  return refuse(EXIT.usage, "a budget in dollars needs the price of every model it covers", {
    where: [...unpriced].map(
      ([name, roles]) => `the price of ${name} (${roles.join(", ")}) is unknown`,
    ),
    next: [
      "set its price in ~/.config/fractal/config.yaml, in dollars per million tokens:",
      `  model: {model: ${[...unpriced.keys()][0]}, price: {input: 0.1, output: 0.4}}`,
      "or limit tokens or calls instead: --budget 200ktokens --budget 300calls",
    ],
  });
}

/** The same for what a run has spent already. */
export function refuseUnknownSpent(state: RunState): Refusal | undefined {
  const run = { scope: "run", task: null } as const;
  if (state.ledger.limits.get(keyOfBudget(run))?.usd === undefined) return undefined;
  const { spent, held } = committedOf(state, run, state.lastAtMs);
  if (spent.usd !== undefined && held.usd !== undefined) return undefined;
  return refuse(EXIT.usage, `run ${state.runId} has used models without a known price`, {
    where: ["what it spent is unknown, so a budget in dollars cannot be kept"],
    next: ["limit tokens or calls instead: --budget 200ktokens --budget 300calls"],
  });
}
