/** What models cost: a dated table. A model that is not in it has no known price. */
import type { Price } from "../../domain/usage.ts";

/** The day the table was last compared with published price lists. */
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

/** By provider and model. */
const PRICES: { readonly [provider: string]: { readonly [model: string]: Price } } = {
  anthropic: {
    "claude-fable-5-1": price(10, 50, 0.25, 12.5),
    "claude-fable-5": price(10, 50, 1, 12.5),
    "claude-opus-5-5": price(4, 20, 0.2, 5),
    "claude-opus-5": price(5, 25, 0.5, 6.25),
    "claude-opus-4-8": price(5, 25, 0.5, 6.25),
    "claude-opus-4-7": price(5, 25, 0.5, 6.25),
    "claude-opus-4-6": price(5, 25, 0.5, 6.25),
    "claude-opus-4-5": price(5, 25, 0.5, 6.25),
    "claude-sonnet-5-5": price(2, 10, 0.1, 2.5),
    "claude-sonnet-5": price(2, 10, 0.2, 2.5),
    "claude-sonnet-4-6": price(3, 15, 0.3, 3.75),
    "claude-sonnet-4-5": price(3, 15, 0.3, 3.75),
    "claude-haiku-5-5": long(100_000, price(0.1, 0.5, 0.01, 0.125), price(0.5, 2.5, 0.05, 0.625)),
    "claude-haiku-4-5": price(1, 5, 0.1, 1.25),
  },
  openai: {
    "gpt-6-astra": long(272_000, price(10, 50, 1, 12.5), price(20, 75, 2, 25)),
    "gpt-6.1-sol": long(272_000, price(2, 10, 0.1, 2.5), price(4, 15, 0.2, 5)),
    "gpt-6.1-terra": long(272_000, price(1, 5, 0.05, 1.25), price(2, 7.5, 0.1, 2.5)),
    "gpt-6-sol": long(272_000, price(2, 10, 0.2, 2.5), price(4, 15, 0.4, 5)),
    "gpt-6-luna": long(272_000, price(0.1, 0.5, 0.01, 0.125), price(0.2, 0.75, 0.02, 0.25)),
    "gpt-5.6-sol": long(272_000, price(5, 30, 0.5, 6.25), price(10, 45, 1, 12.5)),
    "gpt-5.6-terra": long(272_000, price(2, 12, 0.2, 2.5), price(4, 18, 0.4, 5)),
    "gpt-5.6-luna": long(200_000, price(0.2, 1.2, 0.02, 0.25), price(0.4, 1.8, 0.04, 0.5)),
    "gpt-5.5": long(272_000, price(5, 30, 0.5, 5), price(10, 45, 1, 10)),
    "gpt-5.4": long(272_000, price(2.5, 15, 0.25, 2.5), price(5, 22.5, 0.5, 5)),
    "gpt-5.4-mini": price(0.75, 4.5, 0.075, 0.75),
    "gpt-5.4-nano": price(0.2, 1.25, 0.02, 0.2),
    "gpt-5.3-codex": price(1.75, 14, 0.175, 1.75),
    "gpt-5-mini": price(0.25, 2, 0.025, 0.25),
  },
};

/** Costs nothing because nobody is asked. */
export const FREE: Price = price(0, 0, 0, 0);

/**
 * The price of a provider's own model, by the longest entry its name begins with. Only a date or
 * `-latest` may follow: `gpt-5.4-2026-03-05` is `gpt-5.4`, but `gpt-5.4-pro` and a version that came
 * after the table have no known price.
 */
export function priceOf(provider: string, model: string): Price | undefined {
  const prices = Object.hasOwn(PRICES, provider) ? PRICES[provider] : undefined;
  const entry = Object.keys(prices ?? {})
    .filter((start) => model.startsWith(start) && VERSION.test(model.slice(start.length)))
    .sort((a, b) => b.length - a.length)[0];
  return entry === undefined ? undefined : prices?.[entry];
}

const VERSION = /^(?:-latest|[-@]\d{8}|-\d{4}-\d{2}-\d{2})?$/;
