/** Which model each role uses: roles over tiers over one for all, layer by layer, then defaults. */
import { TIER_OF } from "../domain/budget.ts";
import { ROLES, type Role } from "../domain/conversation.ts";
import type { AttemptStyle } from "../domain/limits.ts";
import type { Protocol } from "../domain/profile.ts";
import type { Price } from "../domain/usage.ts";
import type { Config, Layer } from "./config.ts";
import type { ModelEntry, ModelKey, Provider } from "./config-schema.ts";
import { EXIT, type Refusal, refuse } from "./exit.ts";
import type { Environment } from "./output.ts";

/** A model as configured; what is left out is the catalog's to know. */
export interface ModelSetting {
  /** `provider:model`. */
  name: string;
  provider: Provider;
  /** What stands behind the colon: the provider's model name, or a folder. */
  model: string;
  baseUrl?: string;
  protocol?: Protocol;
  style?: AttemptStyle;
  planning?: "one" | "many";
  contextTokens?: number;
  outputTokensMax?: number;
  temperature?: number;
  price?: Price;
  /** Where it was configured. */
  origin: string;
}

export type RoleModels = Record<Role, ModelSetting>;

/** What is used with ANTHROPIC_API_KEY set and nothing configured. */
const DEFAULT_MODELS = {
  strong: "anthropic:claude-sonnet-5-5",
  small: "anthropic:claude-haiku-5-5",
} as const;

const EXAMPLE = [
  "export ANTHROPIC_API_KEY=…   # two tiers by default: a strong and a small model",
  "fractal run spec.md --model openai:qwen3-coder --base-url http://localhost:11434/v1",
  "or in ~/.config/fractal/config.yaml:  models: {strong: anthropic:claude-sonnet-5-5, small: openai:qwen3-coder}",
];

/**
 * The model of every role. `recordings` is the folder of recorded answers of the specification at
 * hand, where it has one: they answer when nothing is configured and no key is set.
 */
export function resolveModels(
  config: Pick<Config, "layers">,
  env: Environment,
  recordings?: string,
): RoleModels | Refusal {
  const found = ROLES.map((role) => ({
    role,
    // A tier that is not configured at all is served by the other one.
    entry:
      entryOf(config.layers, [role, TIER_OF[role]]) ?? entryOf(config.layers, ["strong", "small"]),
  }));
  const named = found.flatMap(({ entry }) => (entry === undefined ? [] : [entry]));
  if (named.length === 0) return defaultModels(env, recordings);
  const distinct = new Set(named.map(({ entry }) => entry.model));
  const models: Partial<RoleModels> = {};
  for (const { role, entry } of found) {
    // One model that is configured serves every role.
    const used = entry ?? (distinct.size === 1 ? named[0] : undefined);
    if (used === undefined) {
      return refuse(EXIT.usage, `no model is configured for the role ${role}`, {
        where: named.map((one) => `${one.origin} ${one.entry.model}`),
        next: [`set models.${role}, models.${TIER_OF[role]} or model`],
      });
    }
    models[role] = settingOf(used.entry, used.origin, baseUrlOf(config.layers));
  }
  return models as RoleModels;
}

/** Strongest layer first; within one, the keys in their order, then `model`. */
function entryOf(
  layers: Layer[],
  keys: ModelKey[],
): { entry: ModelEntry; origin: string } | undefined {
  for (const layer of layers) {
    const { models, model } = layer.value;
    for (const key of keys) {
      const entry = models?.[key];
      if (entry !== undefined) return { entry, origin: layer.originOf(`models.${key}`) };
    }
    if (model !== undefined) return { entry: model, origin: layer.originOf("model") };
  }
  return undefined;
}

function baseUrlOf(layers: Layer[]): string | undefined {
  return layers.find((layer) => layer.value.base_url !== undefined)?.value.base_url;
}

function settingOf(entry: ModelEntry, origin: string, sharedBaseUrl?: string): ModelSetting {
  const at = entry.model.indexOf(":");
  const provider = entry.model.slice(0, at) as Provider;
  const baseUrl = entry.base_url ?? (provider === "openai" ? sharedBaseUrl : undefined);
  const { price } = entry;
  return {
    name: entry.model,
    provider,
    model: entry.model.slice(at + 1),
    ...(baseUrl === undefined ? {} : { baseUrl }),
    ...(entry.protocol === undefined ? {} : { protocol: entry.protocol }),
    ...(entry.style === undefined ? {} : { style: entry.style }),
    ...(entry.planning === undefined ? {} : { planning: entry.planning }),
    ...(entry.context_tokens === undefined ? {} : { contextTokens: entry.context_tokens }),
    ...(entry.output_tokens === undefined ? {} : { outputTokensMax: entry.output_tokens }),
    ...(entry.temperature === undefined ? {} : { temperature: entry.temperature }),
    ...(price === undefined
      ? {}
      : {
          price: {
            inputUsd: price.input,
            outputUsd: price.output,
            cacheReadUsd: price.cache_read ?? price.input,
            cacheWriteUsd: price.cache_write ?? price.input,
          },
        }),
    origin,
  };
}

function defaultModels(env: Environment, recordings: string | undefined): RoleModels | Refusal {
  const all = (nameOf: (role: Role) => string, origin: string) =>
    Object.fromEntries(
      ROLES.map((role) => [role, settingOf({ model: nameOf(role) }, origin)]),
    ) as RoleModels;
  if (env.ANTHROPIC_API_KEY) {
    return all((role) => DEFAULT_MODELS[TIER_OF[role]], "default, as ANTHROPIC_API_KEY is set");
  }
  if (env.OPENAI_API_KEY) {
    return refuse(EXIT.usage, "OPENAI_API_KEY is set, but no model is named", {
      next: [
        "fractal run spec.md --model openai:MODEL",
        "or in ~/.config/fractal/config.yaml:  model: openai:MODEL",
      ],
    });
  }
  if (recordings !== undefined) {
    return all(() => `recorded:${recordings}`, "default, recorded answers as no key is set");
  }
  return refuse(
    EXIT.credentials,
    "no model is configured, and neither ANTHROPIC_API_KEY nor OPENAI_API_KEY is set",
    {
      next: EXAMPLE,
    },
  );
}

/** The key each configured provider needs and does not find, with the roles that need it. */
export function missingKeys(
  models: RoleModels,
  env: Environment,
): { variable: string; model: string; roles: Role[] }[] {
  const missing = new Map<string, { variable: string; model: string; roles: Role[] }>();
  for (const role of ROLES) {
    const { name, provider, baseUrl } = models[role];
    const variable = keyVariableOf(provider, baseUrl, env);
    if (variable === undefined || env[variable]) continue;
    const known = missing.get(name) ?? { variable, model: name, roles: [] };
    known.roles.push(role);
    missing.set(name, known);
  }
  return [...missing.values()];
}

/** The environment variable that holds a provider's key; a server of one's own needs none. */
function keyVariableOf(
  provider: Provider,
  baseUrl: string | undefined,
  env: Environment,
): string | undefined {
  if (provider === "anthropic") return "ANTHROPIC_API_KEY";
  const hasOwnServer = baseUrl !== undefined || Boolean(env["OPENAI_BASE_URL"]);
  return provider === "openai" && !hasOwnServer ? "OPENAI_API_KEY" : undefined;
}

/** The missing keys as one refusal; undefined when there are none. */
export function refuseMissingKeys(models: RoleModels, env: Environment): Refusal | undefined {
  const missing = missingKeys(models, env);
  if (missing.length === 0) return undefined;
  const variables = [...new Set(missing.map((one) => one.variable))];
  return refuse(EXIT.credentials, `${variables.join(" and ")} must be set`, {
    where: missing.map((one) => `${one.model} (${one.roles.join(", ")}) needs ${one.variable}`),
    next: [...variables.map((variable) => `export ${variable}=…`), ...EXAMPLE.slice(1)],
  });
}
