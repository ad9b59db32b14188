/** What may stand in `fractal.yaml` and in the user's file, key by key. */
import { z } from "zod";
import { writtenBudgets } from "../domain/amounts.ts";
import { ROLES } from "../domain/conversation.ts";
import type { Limits } from "../domain/limits.ts";
import { pathProblem } from "../domain/path.ts";
import { size } from "../domain/task.ts";
import { hostProblem, isLocalOrigin } from "../domain/web.ts";

/** Providers a model name may start with. */
export const PROVIDERS = ["anthropic", "openai", "mailbox", "recorded", "scripted"] as const;
export type Provider = (typeof PROVIDERS)[number];

/** Roles, and the two tiers that stand for several of them. */
export const MODEL_KEYS = [...ROLES, "strong", "small"] as const;
export type ModelKey = (typeof MODEL_KEYS)[number];

export const modelName = z.string().regex(new RegExp(`^(?:${PROVIDERS.join("|")}):\\S.*$`), {
  error: ({ input }) =>
    `must be provider:model, not \`${input}\`; providers are ${PROVIDERS.join(", ")}, ` +
    "and openai with a base_url is any server like it (Ollama, vLLM)",
});

const usd = z.number().min(0);

/** Settings are printed and journaled, so a key may not hide in an address. */
const serverUrl = z
  .url({ protocol: /^https?$/, error: "must be an http or https address" })
  .refine((url) => !/^https?:\/\/[^/]*@/.test(url), "must not hold a user name or password");

/** A model alone, or with what is particular about it. */
const modelSetting = z.preprocess(
  (value) => (typeof value === "string" ? { model: value } : value),
  z.strictObject({
    model: modelName,
    base_url: serverUrl.optional(),
    protocol: z.enum(["files", "tools"]).optional(),
    style: z.enum(["repair", "cases", "fresh"]).optional(),
    planning: z.enum(["one", "many"]).optional(),
    context_tokens: z.number().int().min(1024).optional(),
    output_tokens: z.number().int().min(128).optional(),
    temperature: z.number().min(0).max(2).optional(),
    /** Dollars per million tokens. */
    price: z
      .strictObject({
        input: usd,
        output: usd,
        cache_read: usd.optional(),
        cache_write: usd.optional(),
      })
      .optional(),
  }),
);
export type ModelEntry = z.infer<typeof modelSetting>;

const whole = (max: number, min = 1) => z.number().int().min(min).max(max).optional();

const limits = z.strictObject({
  attempts_max: whole(20),
  attempts_after_guidance: whole(20),
  plan_rounds_max: whole(10),
  questions_per_task_max: whole(20),
  repairs_max: whole(20, 0),
  depth_max: whole(6),
  children_max: whole(20),
  tasks_max: whole(10_000),
  leaf_size_max: size.optional(),
  lines_changed_max: whole(100_000),
  turns_max: whole(1000),
  refused_calls_max: whole(1000, 0),
  check_timeout_ms: whole(86_400_000),
  call_timeout_ms: whole(86_400_000),
  output_bytes_max: whole(100_000_000),
  pack_tokens_max: whole(2_000_000),
  backoff_base_ms: whole(3_600_000, 0),
  backoff_max_ms: whole(3_600_000, 0),
  outage_ms: whole(86_400_000, 0),
  breaker_failures: whole(1000),
  deaths_max: whole(100),
  review_failures_max: whole(10_000, 0),
  review_quiet_ms: whole(604_800_000, 0),
});

/** The field of `Limits` behind each key. */
export const LIMIT_FIELD: {
  readonly [Key in keyof Required<z.infer<typeof limits>>]: keyof Limits;
} = {
  attempts_max: "attemptsMax",
  attempts_after_guidance: "attemptsAfterGuidance",
  plan_rounds_max: "planRoundsMax",
  questions_per_task_max: "questionsPerTaskMax",
  repairs_max: "repairsMax",
  depth_max: "depthMax",
  children_max: "childrenMax",
  tasks_max: "tasksMax",
  leaf_size_max: "leafSizeMax",
  lines_changed_max: "linesChangedMax",
  turns_max: "turnsMax",
  refused_calls_max: "refusedCallsMax",
  check_timeout_ms: "checkTimeoutMs",
  call_timeout_ms: "callTimeoutMs",
  output_bytes_max: "outputBytesMax",
  pack_tokens_max: "packTokensMax",
  backoff_base_ms: "backoffBaseMs",
  backoff_max_ms: "backoffMaxMs",
  outage_ms: "outageMs",
  breaker_failures: "breakerFailures",
  deaths_max: "deathsMax",
  review_failures_max: "reviewFailuresMax",
  review_quiet_ms: "reviewQuietMs",
};

/** Folders that are made anew for every command, and what holds them: nothing is shown there. */
const SANDBOXS_OWN =
  /^\/(?:home|opt|(?:proc|sys|dev|run|var\/run|work|tmp|home\/fractal|opt\/fractal)(?:\/.*)?)?$/;

/**
 * A folder that is shown read-only in the sandbox: of the checkout, or, in a person's own file, one
 * of the machine by its absolute path.
 */
const mount = z.string().superRefine((path, context) => {
  const folder = path.replace(/\/+$/, "");
  const problem = path.startsWith("/")
    ? (pathProblem(folder.slice(1)) ??
      (SANDBOXS_OWN.test(folder) ? "is a place of the sandbox's own" : undefined))
    : pathProblem(folder);
  if (problem !== undefined) context.addIssue(`\`${path}\` ${problem}`);
});

const host = z.string().superRefine((entry, context) => {
  const problem = hostProblem(entry);
  if (problem !== undefined) context.addIssue(`\`${entry}\` ${problem}`);
});

/** What tasks may read of the web. */
const web = z.strictObject({
  hosts: z.array(host).max(200).optional(),
  search: z
    .strictObject({
      /** Asked with `{query}` replaced by the words; answers in JSON. */
      url: serverUrl.refine(
        (url) => url.includes("{query}") && isSearchable(url),
        "must be https (or http on this machine), with {query} where the words go",
      ),
      /** The environment variable that holds its key. */
      key_env: z
        .string()
        .regex(/^[A-Z][A-Z0-9_]{0,99}$/, "must name a variable")
        .optional(),
      /** The header the key is sent in; `Authorization: Bearer KEY` when left out. */
      key_header: z
        .string()
        .regex(/^[A-Za-z][A-Za-z0-9-]{0,99}$/, "must name a header")
        .optional(),
    })
    .optional(),
});
export type WebEntry = z.infer<typeof web>;

function isSearchable(template: string): boolean {
  const url = template.replaceAll("{query}", "x");
  if (!URL.canParse(url)) return false;
  const { protocol, origin } = new URL(url);
  return protocol === "https:" || isLocalOrigin(origin);
}

export const configFile = z.strictObject({
  model: modelSetting.optional(),
  models: z
    .strictObject(
      Object.fromEntries(MODEL_KEYS.map((key) => [key, modelSetting.optional()])) as Record<
        ModelKey,
        z.ZodOptional<typeof modelSetting>
      >,
    )
    .optional(),
  /** Of every `openai:` model that names none itself. */
  base_url: serverUrl.optional(),
  jobs: whole(256),
  /** What a run may use up, by scope. */
  budget: writtenBudgets.optional(),
  limits: limits.optional(),
  mounts: z.array(mount).max(50).optional(),
  /** Variables whose values are secret, besides those that are named like a key. */
  secrets: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be names of variables, never values"))
    .max(200)
    .optional(),
  /** A shell command run on each new question. */
  notify: z.string().min(1).max(4000).optional(),
  web: web.optional(),
  /** Packages of lock files: from the cache on this machine, or also downloaded. */
  install: z.enum(["cache", "network"]).optional(),
  /** Hosts that packages may be downloaded from; npm's own when left out. */
  registries: z.array(host).min(1).max(20).optional(),
  sandbox: z
    .literal("required", {
      error:
        "can only be `required`; nothing but the flag --dangerously-no-sandbox turns the sandbox off",
    })
    .optional(),
});
export type ConfigFile = z.infer<typeof configFile>;
