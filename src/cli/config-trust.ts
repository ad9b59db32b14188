/** What the file of a repository may set: it is written by others, so nothing that spends, sends or runs. */
import { DEFAULT_LIMITS } from "../domain/limits.ts";
import type { InputProblem } from "../domain/spec.ts";
import { SIZES, type Size } from "../domain/task.ts";
import type { Layer } from "./config.ts";
import { type ConfigFile, LIMIT_FIELD } from "./config-schema.ts";

type Trust =
  | { may: "anyone" }
  /** Down from what holds without it, never up. */
  | { may: "lower" }
  /** Only in the person's own file, environment or flags. */
  | { may: "yours"; because: string; flag?: string };

type Limit = keyof typeof LIMIT_FIELD;

/** Every key of the file, so that a new one does not build before somebody has judged it. */
const TRUST: { readonly [Key in keyof Required<Omit<ConfigFile, "limits">>]: Trust } = {
  model: { may: "yours", because: "chooses who is paid and who reads the code", flag: "--model" },
  models: { may: "yours", because: "chooses who is paid and who reads the code", flag: "--models" },
  base_url: { may: "yours", because: "sends keys and code to a server", flag: "--base-url" },
  notify: { may: "yours", because: "runs a command on this machine" },
  web: { may: "yours", because: "lets tasks read the web" },
  install: { may: "yours", because: "lets packages be installed" },
  registries: { may: "yours", because: "says where packages are downloaded from" },
  // Tightened in budget.ts, unit by unit.
  budget: { may: "anyone" },
  // Only ever fewer; without a word, for what is too much differs between machines.
  jobs: { may: "anyone" },
  mounts: { may: "anyone" },
  // Names alone, and only ever more of them.
  secrets: { may: "anyone" },
  sandbox: { may: "anyone" },
};

const LIMIT_TRUST: { readonly [Key in Limit]: Trust["may"] } = {
  // More of these is more that is paid for.
  attempts_max: "lower",
  attempts_after_guidance: "lower",
  plan_rounds_max: "lower",
  questions_per_task_max: "lower",
  repairs_max: "lower",
  depth_max: "lower",
  children_max: "lower",
  tasks_max: "lower",
  turns_max: "lower",
  pack_tokens_max: "lower",
  call_timeout_ms: "lower",
  breaker_failures: "lower",
  deaths_max: "lower",
  refused_calls_max: "lower",
  output_bytes_max: "lower",
  // Larger pieces, and more failures or a longer quiet before a person looks, are less that is judged.
  leaf_size_max: "lower",
  lines_changed_max: "lower",
  review_failures_max: "lower",
  review_quiet_ms: "lower",
  // How long its checks take and when to rest is the project's to know.
  check_timeout_ms: "anyone",
  backoff_base_ms: "anyone",
  backoff_max_ms: "anyone",
  outage_ms: "anyone",
};

/** Folders of dependencies, by their usual names: nobody keeps a key there. */
const DEPENDENCIES = new Set([
  ...["node_modules", "bower_components", ".yarn", ".pnpm-store", ".venv", "venv", ".tox"],
  ...["vendor", "target", ".gradle", ".m2", "_build", "elm-stuff"],
]);

/** True for a folder of dependencies in the checkout, which anyone may have shown to models. */
export function isDependencies(mount: string): boolean {
  if (mount.startsWith("/")) return false;
  return DEPENDENCIES.has(mount.replace(/\/+$/, "").split("/").at(-1) ?? "");
}

function rankOf(limit: number | Size): number {
  return typeof limit === "number" ? limit : SIZES.indexOf(limit);
}

/**
 * The layers with no more of the repository's file than it may say. What the person has settled is
 * simply theirs; anything else it may not say is a problem, with where to agree to it.
 */
export function trustedLayers(
  layers: readonly Layer[],
  userPath: string,
  jobsDefault: number,
): { layers: Layer[]; problems: InputProblem[] } {
  const theirs = layers.find((layer) => layer.source === "repository");
  if (theirs === undefined) return { layers: [...layers], problems: [] };
  const own = layers.filter((layer) => layer !== theirs);
  const value: ConfigFile = { ...theirs.value, limits: { ...theirs.value.limits } };
  const problems: InputProblem[] = [];
  const refuse = (key: string, why: string, instead: string) => {
    problems.push({ file: theirs.originOf(key), message: `\`${key}\` ${why}: ${instead}` });
  };
  for (const key of Object.keys(TRUST) as (keyof typeof TRUST)[]) {
    const trust = TRUST[key];
    if (trust.may !== "yours" || value[key] === undefined) continue;
    delete value[key];
    // Whoever names a model has chosen, whichever of the two keys it was.
    const same = key === "model" || key === "models" ? (["model", "models"] as const) : [key];
    if (own.some((layer) => same.some((one) => layer.value[one] !== undefined))) continue;
    const flag = trust.flag === undefined ? "" : `, or give ${trust.flag}`;
    refuse(key, `${trust.because}, so a repository may not`, `put it into ${userPath}${flag}`);
  }
  for (const mount of value.mounts ?? []) {
    if (isDependencies(mount) || own.some((layer) => layer.value.mounts?.includes(mount))) continue;
    const why = `would show models the folder ${mount}, which is in no commit`;
    refuse("mounts", why, `to agree, put it into ${userPath}`);
  }
  const jobs = own.find((layer) => layer.value.jobs !== undefined)?.value.jobs ?? jobsDefault;
  if ((value.jobs ?? 0) > jobs) delete value.jobs;
  for (const key of Object.keys(LIMIT_FIELD) as Limit[]) {
    const wanted = value.limits?.[key];
    if (LIMIT_TRUST[key] !== "lower" || wanted === undefined) continue;
    const said = own.find((layer) => layer.value.limits?.[key] !== undefined)?.value.limits?.[key];
    const holds = said ?? DEFAULT_LIMITS[LIMIT_FIELD[key]];
    if (rankOf(wanted) <= rankOf(holds)) continue;
    delete value.limits?.[key];
    if (said !== undefined) continue;
    const why = `is ${wanted}, above the usual ${holds}; a repository may only lower it`;
    refuse(`limits.${key}`, why, `to agree, put it into ${userPath}`);
  }
  return {
    layers: layers.map((layer) => (layer === theirs ? { ...theirs, value } : layer)),
    problems,
  };
}
