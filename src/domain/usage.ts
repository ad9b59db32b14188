/** Tokens and money: what a model call used, and adding it up. */

/** Tokens of one call, or of many added up. A kind the provider does not report is 0. */
export interface Usage {
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
}

/** Dollars, or `undefined` when the price is not known: unknown is never 0. */
export type CostUsd = number | undefined;

export const NO_USAGE: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
};

/** Dollars per million tokens, and where the numbers are from. */
export interface Price {
  inputUsd: number;
  outputUsd: number;
  cacheReadUsd: number;
  cacheWriteUsd: number;
  /** Above this many prompt tokens the `long` price holds. */
  longFromTokens?: number;
  long?: { inputUsd: number; outputUsd: number; cacheReadUsd?: number; cacheWriteUsd?: number };
}

/** The sum of two usages. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
  };
}

/** The sum of two costs; one unknown makes the sum unknown. */
export function addCost(a: CostUsd, b: CostUsd): CostUsd {
  return a === undefined || b === undefined ? undefined : a + b;
}

/** What a usage costs at a price, to a billionth of a dollar; unknown when the price is. */
export function costOf(usage: Usage, price: Price | undefined): CostUsd {
  if (price === undefined) return undefined;
  const prompt = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  const isLong = price.longFromTokens !== undefined && prompt > price.longFromTokens;
  const rate = isLong && price.long ? price.long : price;
  const microUsd =
    usage.inputTokens * rate.inputUsd +
    usage.outputTokens * rate.outputUsd +
    usage.cacheReadTokens * (rate.cacheReadUsd ?? price.cacheReadUsd) +
    usage.cacheWriteTokens * (rate.cacheWriteUsd ?? price.cacheWriteUsd);
  // Rounded, so that many small costs add up to exactly what they are.
  return Math.round(microUsd * 1000) / 1e9;
}

/**
 * The most that a call can cost at a price: all of its prompt at the dearest rate a prompt token can
 * have. Unknown when the price is.
 */
export function worstCostOf(
  inputTokens: number,
  outputTokens: number,
  price: Price | undefined,
): CostUsd {
  if (price === undefined) return undefined;
  const kinds = ["inputTokens", "cacheReadTokens", "cacheWriteTokens"] as const;
  const costs = kinds.map((kind) =>
    costOf({ ...NO_USAGE, [kind]: inputTokens, outputTokens }, price),
  );
  return Math.max(...costs.map((cost) => cost ?? 0));
}

/** All tokens of a usage together. */
export function tokensIn(usage: Usage): number {
  return usage.inputTokens + usage.outputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
}
