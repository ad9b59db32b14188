/** Amounts as people write them: `5usd 200ktokens 300calls 90min`. */
import { z } from "zod";
import { type Amounts, amounts, SCOPE_NAMES, UNITS, type Unit } from "./budget.ts";

/** What an amount may look like, for messages. */
export const AMOUNTS_ACCEPTED = "5usd, 200ktokens, 300calls or 90min";

const AMOUNT = /^(\d{1,12}(?:\.\d{1,9})?)(k|M)?(usd|tokens?|calls?|min)$/;
const FACTOR = { k: 1e3, M: 1e6 } as const;

/** Reads one or more amounts, parted by spaces or commas; a problem names what is accepted. */
export function parseAmounts(text: string): Amounts | { problem: string } {
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  const found: Amounts = {};
  if (words.length === 0) return { problem: `an amount is missing: ${AMOUNTS_ACCEPTED}` };
  for (const word of words) {
    const parts = AMOUNT.exec(word);
    if (parts === null) return { problem: `\`${word}\` is no amount: write ${AMOUNTS_ACCEPTED}` };
    const unit = unitOf(parts[3] ?? "");
    const factor = parts[2] === undefined ? 1 : FACTOR[parts[2] as keyof typeof FACTOR];
    // Multiplied, a decimal fraction may miss its whole number by a hair.
    const amount = Number((Number(parts[1]) * factor).toFixed(9));
    if (found[unit] !== undefined) return { problem: `\`${text.trim()}\` names ${unit} twice` };
    if ((unit === "tokens" || unit === "calls") && !Number.isInteger(amount)) {
      return { problem: `\`${word}\` must be a whole number of ${unit}` };
    }
    found[unit] = amount;
  }
  return found;
}

function unitOf(word: string): Unit {
  if (word === "usd") return "usd";
  if (word === "min") return "minutes";
  return word.startsWith("token") ? "tokens" : "calls";
}

/** One amount as it is written: `0.5usd`, `200000tokens`, `3calls`, `1.5min`. */
export function renderAmount(amount: number, unit: Unit): string {
  const shown = Number(amount.toFixed(unit === "usd" ? 6 : 1));
  if (unit === "usd") return `${shown}usd`;
  if (unit === "minutes") return `${shown}min`;
  return `${shown}${shown === 1 ? unit.slice(0, -1) : unit}`;
}

/** All of them, as they are written. */
export function renderAmounts(given: Amounts): string {
  return UNITS.flatMap((unit) => {
    const amount = given[unit];
    return amount === undefined ? [] : [renderAmount(amount, unit)];
  }).join(" ");
}

/** Amounts in a file: as text, or by unit. */
export const writtenAmounts = z.unknown().transform((value, context): Amounts => {
  if (typeof value === "string" || typeof value === "number") {
    const parsed = parseAmounts(String(value));
    if (!("problem" in parsed)) return parsed;
    context.addIssue(parsed.problem);
    return z.NEVER;
  }
  const byUnit = amounts.safeParse(value);
  if (byUnit.success) return byUnit.data;
  context.addIssue(`must be an amount: ${AMOUNTS_ACCEPTED}`);
  return z.NEVER;
});

const optional = writtenAmounts.optional();

/** `budget: 5usd`, or by scope: `budget: {run: 5usd, worker: 1usd, task: 20calls}`. */
export const writtenBudgets = z.preprocess(
  (value) => (typeof value === "string" || typeof value === "number" ? { run: value } : value),
  z.strictObject(
    {
      run: optional,
      task: optional,
      strong: optional,
      small: optional,
      planner: optional,
      worker: optional,
      router: optional,
      fixer: optional,
      reviewer: optional,
    },
    {
      error: ({ code }) =>
        code === "unrecognized_keys"
          ? undefined
          : `must be an amount (${AMOUNTS_ACCEPTED}), or amounts by ${SCOPE_NAMES.join(", ")}`,
    },
  ),
);
