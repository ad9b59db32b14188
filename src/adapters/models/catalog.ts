/** "provider:model" → what is known of it, and its adapter, loaded only when it is used. */
import { existsSync } from "node:fs";
import type { Failure } from "../../domain/failure.ts";
import type { Model } from "../../domain/ports.ts";
import type { ModelProfile } from "../../domain/profile.ts";
import type { Price } from "../../domain/usage.ts";
import { CALL_LIMITS, type CallLimits } from "./call.ts";
import { FREE, priceOf } from "./prices.ts";

export const PROVIDERS = ["anthropic", "openai", "mailbox", "recorded", "scripted"] as const;
export type Provider = (typeof PROVIDERS)[number];

/** What a model is and how it is best used, before the user's own settings. */
export interface ModelDefaults extends Omit<ModelProfile, "model" | "price"> {
  provider: Provider;
  /** The name without the provider: a model, a folder or a file. */
  model: string;
  /** Undefined when unknown. */
  price: Price | undefined;
}

export interface OpenOptions {
  env: { readonly [variable: string]: string | undefined };
  /** Another server; also read from OPENAI_BASE_URL and ANTHROPIC_BASE_URL. */
  baseUrl?: string;
  limits?: Partial<CallLimits>;
  /** A recording of something else is a failure, not a warning. */
  strict?: boolean;
}

type Usual = Pick<
  ModelDefaults,
  "protocol" | "style" | "planning" | "contextTokens" | "outputTokensMax" | "temperature"
>;

const strong = (contextTokens: number, outputTokensMax: number): Usual => ({
  protocol: "tools",
  style: "repair",
  planning: "one",
  contextTokens,
  outputTokensMax,
});
/** A model on somebody's own machine: small until the user says otherwise. */
const LOCAL: Usual = {
  protocol: "files",
  style: "fresh",
  planning: "many",
  contextTokens: 8192,
  outputTokensMax: 2048,
  temperature: 0,
};
const FILES: Usual = { ...strong(200_000, 32_000), protocol: "files" };

/** By the beginning of a model's name; the longest one wins. No temperature: newer models refuse it. */
const KNOWN: { readonly [prefix: string]: Usual } = {
  claude: strong(1_000_000, 32_000),
  "claude-haiku-4": strong(200_000, 32_000),
  "claude-sonnet-4": strong(200_000, 32_000),
  "claude-opus-4": strong(200_000, 32_000),
  gpt: strong(128_000, 16_000),
  "gpt-4.1": strong(1_000_000, 32_000),
  "gpt-5": strong(400_000, 32_000),
  "gpt-6": strong(400_000, 32_000),
  o: strong(200_000, 32_000),
};

/** What is known of "provider:model"; an unknown or missing provider is a failure that suggests one. */
export function modelDefaults(name: string, options: OpenOptions): ModelDefaults | Failure {
  const colon = name.indexOf(":");
  const provider = PROVIDERS.find((one) => one === name.slice(0, Math.max(0, colon)));
  const model = name.slice(colon + 1).trim();
  if (provider === undefined || model === "") return unknownModel(name);
  switch (provider) {
    case "anthropic":
      return {
        provider,
        model,
        ...usualOf(model, strong(200_000, 16_000)),
        price: priceOf(provider, model),
      };
    case "openai":
      // Another server may give any price, or none: its models' prices are the user's to set.
      return urlOf(provider, options) === undefined
        ? {
            provider,
            model,
            ...usualOf(model, strong(128_000, 16_000)),
            price: priceOf(provider, model),
          }
        : { provider, model, ...LOCAL, price: undefined };
    case "recorded":
    case "scripted":
      return { provider, model, ...FILES, price: FREE };
    case "mailbox":
      return { provider, model, ...FILES, price: undefined };
  }
}

function usualOf(model: string, otherwise: Usual): Usual {
  const prefix = Object.keys(KNOWN)
    .filter((start) => model.startsWith(start) && (start !== "o" || /^o\d/.test(model)))
    .sort((a, b) => b.length - a.length)[0];
  return (prefix === undefined ? undefined : KNOWN[prefix]) ?? otherwise;
}

/** Opens the model; its SDK is loaded here and not before. A missing key is a failure that names it. */
export async function openModel(name: string, options: OpenOptions): Promise<Model | Failure> {
  const facts = modelDefaults(name, options);
  if ("failure" in facts) return facts;
  const { provider, model } = facts;
  const limits = { ...CALL_LIMITS, ...options.limits };
  const baseUrl = urlOf(provider, options);
  if (baseUrl !== undefined && !URL.canParse(baseUrl)) {
    return { failure: "config-unusable", detail: `${name}: "${baseUrl}" is not an address` };
  }
  const url = baseUrl === undefined ? {} : { baseUrl };
  switch (provider) {
    case "anthropic": {
      const { anthropicModel, ANTHROPIC_KEY } = await import("./anthropic.ts");
      const apiKey = options.env[ANTHROPIC_KEY]?.trim();
      return apiKey
        ? anthropicModel({ model, apiKey, limits, ...url })
        : missingKey(name, ANTHROPIC_KEY);
    }
    case "openai": {
      const { openaiModel, OPENAI_KEY } = await import("./openai.ts");
      const apiKey = options.env[OPENAI_KEY]?.trim();
      if (!apiKey && baseUrl === undefined) return missingKey(name, OPENAI_KEY);
      return openaiModel({ model, limits, ...url, ...(apiKey ? { apiKey } : {}) });
    }
    case "mailbox":
      return (await import("./mailbox.ts")).mailboxModel(model);
    case "recorded":
      if (!existsSync(model)) {
        return { failure: "config-unusable", detail: `${name}: there is no folder ${model}` };
      }
      return (await import("./recorded.ts")).recordedModel(model, {
        strict: options.strict ?? false,
      });
    case "scripted":
      return (await import("./scripted.ts")).openScript(model);
  }
}

function urlOf(provider: Provider, options: OpenOptions): string | undefined {
  const { env, baseUrl } = options;
  if (provider === "openai") return baseUrl || env["OPENAI_BASE_URL"] || undefined;
  if (provider === "anthropic") return baseUrl || env["ANTHROPIC_BASE_URL"] || undefined;
  return undefined;
}

function missingKey(name: string, variable: string): Failure {
  const detail = `${name} needs a key: set ${variable} in the environment`;
  return { failure: "credentials-missing", detail, variable };
}

function unknownModel(name: string): Failure {
  const all = PROVIDERS.map((provider) => `${provider}:…`).join(", ");
  const guess = guessOf(name);
  const detail = `"${name}" is no model: ${guess ? `did you mean "${guess}"? ` : ""}A model is one of ${all}`;
  return { failure: "config-unusable", detail };
}

function guessOf(name: string): string | undefined {
  const [given = "", ...rest] = name.split(":");
  const model = rest.join(":");
  if (/^claude/i.test(name)) return `anthropic:${name}`;
  if (/^(?:gpt|o\d)/i.test(name)) return `openai:${name}`;
  // Each provider begins with another letter, so the first one tells which was meant.
  const provider = PROVIDERS.find((one) => one[0] === given[0]?.toLowerCase());
  if (provider !== undefined) return `${provider}:${model || "MODEL"}`;
  // `qwen2.5-coder:7b` is a model of a server that speaks like OpenAI's.
  return name === "" ? undefined : `openai:${name}`;
}
