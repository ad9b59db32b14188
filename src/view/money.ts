/** Money, tokens and durations as people read them; what is unknown is called unknown. */
import { type Amounts, UNITS, type Unit } from "../domain/budget.ts";
import type { CostUsd, Usage } from "../domain/usage.ts";

/** `$1.23`, `$0.0042`, `cost unknown`. */
export function costText(cost: CostUsd): string {
  if (cost === undefined) return "cost unknown";
  if (cost === 0) return "$0";
  if (cost < 0.0001) return "<$0.0001";
  return `$${cost.toFixed(cost < 1 ? 4 : 2)}`;
}

/** Tokens of every kind that occurred: `12,345 tokens in, 678 out, 9,000 from cache`. */
export function usageText(usage: Usage): string {
  const parts = [`${number(usage.inputTokens)} tokens in`, `${number(usage.outputTokens)} out`];
  if (usage.cacheReadTokens > 0) parts.push(`${number(usage.cacheReadTokens)} from cache`);
  if (usage.cacheWriteTokens > 0) parts.push(`${number(usage.cacheWriteTokens)} to cache`);
  return parts.join(", ");
}

/** `1,234,567`. */
export function number(n: number): string {
  return Math.round(n).toLocaleString("en-US");
}

/** `340 ms`, `12 s`, `3 m 20 s`, `2 h 5 m`. */
export function durationText(durationMs: number): string {
  const ms = Math.max(0, durationMs);
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} m`;
}

/** An amount of one unit: `$1.50`, `200,000 tokens`, `1 call`, `90 min`. */
export function amountText(amount: number, unit: Unit): string {
  switch (unit) {
    case "usd":
      return costText(amount);
    case "tokens":
    case "calls":
      return `${number(amount)} ${amount === 1 ? unit.slice(0, -1) : unit}`;
    case "minutes":
      return `${Number(amount.toFixed(1)).toLocaleString("en-US")} min`;
  }
}

/** What a budget holds, its units joined: `$5.00, 300 calls`. */
export function amountsText(amounts: Amounts): string {
  return UNITS.flatMap((unit) => {
    const amount = amounts[unit];
    return amount === undefined ? [] : [amountText(amount, unit)];
  }).join(", ");
}
