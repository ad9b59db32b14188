/** What carrying out a tree will probably take: model calls, tokens, money. */
import type { ModelProfile } from "../../domain/profile.ts";
import type { TaskState } from "../../domain/run-state.ts";
import type { Spec } from "../../domain/spec.ts";
import type { Size } from "../../domain/task.ts";
import { addCost, type CostUsd, costOf, NO_USAGE, type Price } from "../../domain/usage.ts";
import { tokensOf } from "../text/prompt.ts";
import { QUESTIONS } from "./planning.ts";

/** What is known of a role's model; an undefined price is unknown, never 0. */
export type ForecastRole = Pick<ModelProfile, "planning" | "price">;

export interface ForecastLine {
  role: "planner" | "worker" | "fixer";
  calls: number;
  inputTokens: number;
  outputTokens: number;
  costUsd: CostUsd;
}

export interface Forecast extends Omit<ForecastLine, "role"> {
  leaves: number;
  byRole: ForecastLine[];
}

/** How many leaves an unplanned task of a size becomes, and the plans that takes. */
const EXPECTED: Record<Size, { leaves: number; plans: number }> = {
  XS: { leaves: 1, plans: 1 },
  S: { leaves: 1, plans: 1 },
  M: { leaves: 4, plans: 1 },
  L: { leaves: 12, plans: 4 },
  XL: { leaves: 30, plans: 9 },
};
/** Tokens a worker writes for a leaf of a size. */
const OUTPUT_TOKENS: Record<Size, number> = { XS: 400, S: 1200, M: 3000, L: 6000, XL: 10_000 };
const PLAN_OUTPUT_TOKENS = 3500;
const FIX_OUTPUT_TOKENS = 800;
/** System text, questions and schema of each role's prompt. */
const PROMPT_TOKENS = 2500;
const ATTEMPTS_PER_LEAF = 1.5;
const FIXES_PER_LEAF = 0.1;

/**
 * A forecast from the tree as it is known: leaves by their contracts, unplanned tasks by their size.
 * Rough by nature; the constants are the first guess of a run that has no history.
 */
export function forecastOf(o: {
  spec: Spec;
  tasks: readonly Pick<TaskState, "shape" | "contract">[];
  roles: Record<ForecastLine["role"], ForecastRole>;
}): Forecast {
  const textOf = new Map(o.spec.requirements.map(({ id, text }) => [id, tokensOf(text)]));
  const worker = { calls: 0, inputTokens: 0, outputTokens: 0 };
  const planner = { calls: 0, inputTokens: 0, outputTokens: 0 };
  let leaves = 0;
  const addLeaves = (count: number, size: Size, contractTokens: number) => {
    leaves += count;
    const attempts = count * ATTEMPTS_PER_LEAF;
    worker.calls += attempts;
    worker.inputTokens += attempts * (PROMPT_TOKENS + contractTokens);
    worker.outputTokens += attempts * OUTPUT_TOKENS[size];
  };
  for (const { shape, contract } of o.tasks) {
    const own = contract.requirements.reduce((sum, id) => sum + (textOf.get(id) ?? 0), 0);
    const words = own + tokensOf(contract.purpose) + tokensOf(contract.examples.join("\n"));
    if (contract.kind !== "command" && shape === "leaf") addLeaves(1, contract.size, words);
    if (shape !== "unplanned") continue;
    const expected = EXPECTED[contract.size];
    const perPlan = o.roles.planner.planning === "one" ? 1 : QUESTIONS.length;
    planner.calls += expected.plans * perPlan;
    planner.inputTokens += expected.plans * perPlan * PROMPT_TOKENS + perPlan * own * 2;
    planner.outputTokens += expected.plans * PLAN_OUTPUT_TOKENS;
    addLeaves(expected.leaves, "S", Math.ceil((own * 2) / expected.leaves));
  }
  const fixes = leaves * FIXES_PER_LEAF;
  const fixer = {
    calls: fixes,
    inputTokens: fixes * 2 * PROMPT_TOKENS,
    outputTokens: fixes * FIX_OUTPUT_TOKENS,
  };
  const byRole = [
    lineOf("planner", planner, o.roles.planner.price),
    lineOf("worker", worker, o.roles.worker.price),
    lineOf("fixer", fixer, o.roles.fixer.price),
  ];
  return {
    leaves,
    calls: sumOf(byRole, "calls"),
    inputTokens: sumOf(byRole, "inputTokens"),
    outputTokens: sumOf(byRole, "outputTokens"),
    costUsd: byRole.reduce<CostUsd>((sum, line) => addCost(sum, line.costUsd), 0),
    byRole,
  };
}

function lineOf(
  role: ForecastLine["role"],
  raw: { calls: number; inputTokens: number; outputTokens: number },
  price: Price | undefined,
): ForecastLine {
  const usage = {
    ...NO_USAGE,
    inputTokens: Math.ceil(raw.inputTokens),
    outputTokens: Math.ceil(raw.outputTokens),
  };
  return {
    role,
    calls: Math.ceil(raw.calls),
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    // Where nothing will be asked, an unknown price makes no difference.
    costUsd: raw.calls === 0 ? 0 : costOf(usage, price),
  };
}

function sumOf(
  lines: readonly ForecastLine[],
  what: "calls" | "inputTokens" | "outputTokens",
): number {
  return lines.reduce((sum, line) => sum + line[what], 0);
}
