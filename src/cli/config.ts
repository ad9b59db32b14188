/** Flags over environment over fractal.yaml over the user's file over defaults, as one typed value. */
import { availableParallelism, homedir } from "node:os";
import { join } from "node:path";
import type { Budgets } from "../domain/budget.ts";
import { DEFAULT_LIMITS, type Limits } from "../domain/limits.ts";
import type { InputProblem } from "../domain/spec.ts";
import { plainIssue } from "../rules/text/plain-issue.ts";
import { budgetTexts, mergeBudgets, scopeTexts } from "./budget.ts";
import { problemsOf, type ReadConfig, readConfigFile } from "./config-file.ts";
import {
  type ConfigFile,
  configFile,
  LIMIT_FIELD,
  MODEL_KEYS,
  type ModelEntry,
  type ModelKey,
  type WebEntry,
} from "./config-schema.ts";
import { trustedLayers } from "./config-trust.ts";
import { EXIT, type Refusal, refuse } from "./exit.ts";
import type { Environment } from "./output.ts";

/** What the command line says; the keys are those of the file. */
export interface ConfigFlags {
  model?: string;
  /** `role=provider:model` or `tier=provider:model`. */
  models?: string[];
  baseUrl?: string;
  jobs?: number;
  /** `5usd` or `worker=1usd`, `task=20calls`, `fr-x.a1=2usd`. */
  budget?: string[];
}

/** One source of settings, and where each of its values stands. */
export interface Layer {
  source: "flag" | "environment" | "repository" | "user" | "default";
  value: ConfigFile;
  originOf(key: string): string;
}

/** A value that holds, and where it is from: `--jobs`, `FRACTAL_JOBS`, `fractal.yaml:3`, `default`. */
export interface Setting {
  key: string;
  value: unknown;
  origin: string;
}

export interface Config {
  limits: Limits;
  /** What a new run may use up. */
  budget: Budgets;
  /** Shown read-only in the sandbox: relative to the top folder, or absolute. */
  mounts: string[];
  /** Variables declared to be secret, by anyone, and the one with the key of the search. */
  secrets: string[];
  notify?: string;
  web?: WebEntry;
  install?: "cache" | "network";
  registries?: string[];
  /** True when --dangerously-no-sandbox must be refused. */
  sandboxRequired: boolean;
  /** From the strongest to the weakest; models are resolved over them (models.ts). */
  layers: Layer[];
  /** Every value that holds, by key, for `config show`. */
  settings: Setting[];
}

/** The file in the repository's top folder. */
export const CONFIG_NAME = "fractal.yaml";

/** The user's own file: `$XDG_CONFIG_HOME/fractal/config.yaml`. */
export function userConfigPath(env: Environment): string {
  return join(env.XDG_CONFIG_HOME || join(homedir(), ".config"), "fractal", "config.yaml");
}

/** Reads every source and merges them. `dir` is the top folder of the repository. */
export async function loadConfig(o: {
  dir: string;
  env: Environment;
  flags: ConfigFlags;
}): Promise<Config | Refusal> {
  const userPath = userConfigPath(o.env);
  const read = await Promise.all([
    readConfigFile(join(o.dir, CONFIG_NAME), CONFIG_NAME),
    readConfigFile(userPath, userPath),
  ]);
  const layers: Layer[] = [];
  const problems: InputProblem[] = [];
  const add = (source: Layer["source"], part: ReadConfig | { problems: InputProblem[] }) => {
    if ("problems" in part) problems.push(...part.problems);
    else layers.push({ source, ...part });
  };
  add("flag", layerOfFlags(o.flags));
  add("environment", layerOfEnvironment(o.env));
  if (read[0] !== undefined) add("repository", read[0]);
  if (read[1] !== undefined) add("user", read[1]);
  const trusted = trustedLayers(layers, userPath, availableParallelism());
  problems.push(...trusted.problems);
  if (problems.length > 0) {
    return refuse(EXIT.usage, "the configuration cannot be used", {
      where: problems.map(placeOf),
      next: ["fractal config show --origin   # what holds, once this is put right"],
    });
  }
  return merge(trusted.layers);
}

/** `file:line:column message`. */
export function placeOf(problem: InputProblem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined);
  return `${place.join(":")} ${problem.message}`;
}

function layerOfFlags(flags: ConfigFlags): ReadConfig | { problems: InputProblem[] } {
  const models = pairsOf(flags.models ?? [], "--models");
  if ("problems" in models) return models;
  return check(
    {
      ...(flags.model === undefined ? {} : { model: flags.model }),
      ...(flags.models === undefined ? {} : { models: models.pairs }),
      ...(flags.baseUrl === undefined ? {} : { base_url: flags.baseUrl }),
      ...(flags.jobs === undefined ? {} : { jobs: flags.jobs }),
      ...(flags.budget === undefined ? {} : { budget: scopeTexts(budgetTexts(flags.budget)) }),
    },
    (key) => `--${(key.split(".")[0] ?? key).replaceAll("_", "-")}`,
  );
}

const FROM_ENVIRONMENT = [
  "model",
  "models",
  "base_url",
  "jobs",
  "budget",
  "notify",
  "secrets",
] as const;

function layerOfEnvironment(env: Environment): ReadConfig | { problems: InputProblem[] } {
  const value: Record<string, unknown> = {};
  for (const key of FROM_ENVIRONMENT) {
    const text = env[variableOf(key)]?.trim();
    if (text === undefined || text === "") continue;
    if (key === "jobs") value[key] = /^\d+$/.test(text) ? Number(text) : text;
    else if (key === "secrets") value[key] = text.split(",").map((name) => name.trim());
    else if (key === "budget") value[key] = budgetTexts(text.split(","));
    else if (key === "models") {
      const models = pairsOf(text.split(","), variableOf(key));
      if ("problems" in models) return models;
      value[key] = models.pairs;
    } else value[key] = text;
  }
  return check(value, (key) => variableOf(key.split(".")[0] ?? key));
}

function variableOf(key: string): string {
  return `FRACTAL_${key.toUpperCase()}`;
}

/** `worker=openai:qwen` and the like, as an object. */
function pairsOf(
  pairs: string[],
  origin: string,
): { pairs: Record<string, string> } | { problems: InputProblem[] } {
  const found: Record<string, string> = {};
  for (const pair of pairs.map((text) => text.trim()).filter((text) => text !== "")) {
    const at = pair.indexOf("=");
    if (at < 1) {
      const message = `\`${pair}\` must be role=provider:model, with a role of ${MODEL_KEYS.join(", ")}`;
      return { problems: [{ file: origin, message }] };
    }
    found[pair.slice(0, at).trim()] = pair.slice(at + 1).trim();
  }
  return { pairs: found };
}

/** Settings that were not read from a file go through the same schema. */
function check(
  value: Record<string, unknown>,
  originOf: (key: string) => string,
): ReadConfig | { problems: InputProblem[] } {
  const parsed = configFile.safeParse(value, { error: plainIssue });
  if (parsed.success) return { value: parsed.data, originOf };
  return {
    problems: parsed.error.issues.flatMap((issue) =>
      problemsOf(issue).map(({ path, message }) => ({
        file: originOf(path.map(String).join(".")),
        message,
      })),
    ),
  };
}

function merge(layers: Layer[]): Config {
  const settings: Setting[] = [];
  /** The strongest layer's value, noted with its origin. */
  const pick = <T>(key: string, get: (value: ConfigFile) => T | undefined, fallback: T): T => {
    const layer = layers.find((one) => get(one.value) !== undefined);
    const value = layer === undefined ? fallback : (get(layer.value) ?? fallback);
    settings.push({ key, value, origin: layer?.originOf(key) ?? "default" });
    return value;
  };
  const limits = { ...DEFAULT_LIMITS } as Record<keyof Limits, unknown>;
  limits.jobs = pick("jobs", (file) => file.jobs, availableParallelism());
  for (const [key, field] of Object.entries(LIMIT_FIELD)) {
    const name = key as keyof typeof LIMIT_FIELD;
    limits[field] = pick<unknown>(`limits.${key}`, (f) => f.limits?.[name], DEFAULT_LIMITS[field]);
  }
  // All of them: what the user shows is not hidden by what a repository needs.
  const withMounts = layers.filter((layer) => layer.value.mounts !== undefined);
  const mounts = [...new Set(withMounts.flatMap((layer) => layer.value.mounts ?? []))];
  const origins = withMounts.map((layer) => layer.originOf("mounts"));
  settings.push({ key: "mounts", value: mounts, origin: origins.join(", ") || "default" });
  const declaring = layers.filter((layer) => layer.value.secrets !== undefined);
  const secrets = [...new Set(declaring.flatMap((layer) => layer.value.secrets ?? []))];
  if (secrets.length > 0) {
    const origin = declaring.map((layer) => layer.originOf("secrets")).join(", ");
    settings.push({ key: "secrets", value: secrets, origin });
  }
  const notify = pick<string | undefined>("notify", (file) => file.notify, undefined);
  const web = pick<WebEntry | undefined>("web", (file) => file.web, undefined);
  const install = pick<"cache" | "network" | undefined>("install", (f) => f.install, undefined);
  const registries = pick<string[] | undefined>("registries", (f) => f.registries, undefined);
  const sandbox = pick<string>("sandbox", (file) => file.sandbox, "on");
  pick<string | undefined>("base_url", (file) => file.base_url, undefined);
  pick<ModelEntry | undefined>("model", (file) => file.model, undefined);
  for (const key of MODEL_KEYS) {
    pick<ModelEntry | undefined>(`models.${key}`, (f) => f.models?.[key as ModelKey], undefined);
  }
  const { budget, settings: budgets } = mergeBudgets(layers);
  settings.push(...budgets);
  return {
    limits: limits as unknown as Limits,
    budget,
    mounts,
    secrets: [...secrets, ...(web?.search?.key_env === undefined ? [] : [web.search.key_env])],
    ...(notify === undefined ? {} : { notify }),
    ...(web === undefined ? {} : { web }),
    ...(install === undefined ? {} : { install }),
    ...(registries === undefined ? {} : { registries }),
    sandboxRequired: sandbox === "required",
    layers,
    settings: settings.filter((setting) => setting.value !== undefined),
  };
}
