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

/** What a usage costs at a price; unknown when the price is. */
export function costOf(usage: Usage, price: Price | undefined): CostUsd {
  if (price === undefined) return undefined;
  const prompt = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  const isLong = price.longFromTokens !== undefined && prompt > price.longFromTokens;
  const rate = isLong && price.long ? price.long : price;
  return (
    (usage.inputTokens * rate.inputUsd +
      usage.outputTokens * rate.outputUsd +
      usage.cacheReadTokens * (rate.cacheReadUsd ?? price.cacheReadUsd) +
      usage.cacheWriteTokens * (rate.cacheWriteUsd ?? price.cacheWriteUsd)) /
    1_000_000
  );
}
