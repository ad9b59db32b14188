/** What models cost: a dated table. A model that is not in it has no known price. */
import type { Price } from "../../domain/usage.ts";

/** The day the table was last compared with the providers' own lists. */
export const PRICES_DATE = "2026-11-21";

/** Dollars per million tokens: input, output, cache read, cache write (5 minutes). */
const price = (input: number, output: number, read: number, write: number): Price => ({
  inputUsd: input,
  outputUsd: output,
  cacheReadUsd: read,
  cacheWriteUsd: write,
});
const long = (from: number, short: Price, above: Price): Price => ({
  ...short,
  longFromTokens: from,
  long: above,
});

/** By provider and the beginning of the model's name; the longest beginning wins. */
const PRICES: { readonly [provider: string]: { readonly [prefix: string]: Price } } = {
  anthropic: {
    "claude-fable-5": price(10, 50, 1, 12.5),
    "claude-opus-5-5": price(4, 20, 0.2, 5),
    "claude-opus-5": price(5, 25, 0.5, 6.25),
    "claude-opus-4-8": price(5, 25, 0.5, 6.25),
    "claude-opus-4-7": price(5, 25, 0.5, 6.25),
    "claude-opus-4-6": price(5, 25, 0.5, 6.25),
    "claude-opus-4-5": price(5, 25, 0.5, 6.25),
    "claude-sonnet-5": price(2, 10, 0.2, 2.5),
    "claude-sonnet-4": price(3, 15, 0.3, 3.75),
    "claude-haiku-5-5": long(100_000, price(0.1, 0.5, 0.01, 0.125), price(0.5, 2.5, 0.05, 0.625)),
    "claude-haiku-4-5": price(1, 5, 0.1, 1.25),
  },
  openai: {
    "gpt-5.6-sol": long(272_000, price(5, 30, 0.5, 6.25), price(10, 45, 1, 12.5)),
    "gpt-5.6-terra": long(272_000, price(2, 12, 0.2, 2.5), price(4, 18, 0.4, 5)),
    "gpt-5.6-luna": long(200_000, price(0.2, 1.2, 0.02, 0.25), price(0.4, 1.8, 0.04, 0.5)),
    "gpt-5.5": long(272_000, price(5, 30, 0.5, 5), price(10, 45, 1, 10)),
    "gpt-5.4-mini": price(0.75, 4.5, 0.075, 0.75),
    "gpt-5.4-nano": price(0.2, 1.25, 0.02, 0.2),
    "gpt-5.4": long(272_000, price(2.5, 15, 0.25, 2.5), price(5, 22.5, 0.5, 5)),
    "gpt-5.3-codex": price(1.75, 14, 0.175, 1.75),
    "gpt-5-mini": price(0.25, 2, 0.025, 0.25),
  },
};

/** Costs nothing because nobody is asked. */
export const FREE: Price = price(0, 0, 0, 0);

/**
 * The price of a provider's own model; undefined when it is not in the table. `-pro` models are
 * priced apart from the model they are named after, so they never take its price.
 */
export function priceOf(provider: string, model: string): Price | undefined {
  const prices = Object.hasOwn(PRICES, provider) ? PRICES[provider] : undefined;
  const prefix = Object.keys(prices ?? {})
    .filter((start) => isVersionOf(model, start))
    .sort((a, b) => b.length - a.length)[0];
  return prefix === undefined ? undefined : prices?.[prefix];
}

/** A dated or aliased name of the same model: `gpt-5.4-2026-03-05`, `claude-sonnet-4-5`, `…-latest`. */
function isVersionOf(model: string, start: string): boolean {
  return (
    model.startsWith(start) && /^(?:-latest|[-@.]?\d[\d.-]*)?$/.test(model.slice(start.length))
  );
}
