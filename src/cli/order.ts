/** What is to be run, and with which settings: read and judged before anything is made for it. */
import type { Budgets } from "../domain/budget.ts";
import type { Limits } from "../domain/limits.ts";
import type { Spec } from "../domain/spec.ts";
import type { Contract } from "../domain/task.ts";
import { type PlanFile, parsePlanFile } from "../rules/plan/plan-file.ts";
import { reviewPlans } from "../rules/plan/plan-tree.ts";
import { tightened } from "./budget.ts";
import { type Config, loadConfig, placeOf } from "./config.ts";
import { isDependencies } from "./config-trust.ts";
import type { Context } from "./context.ts";
import { EXIT, isRefusal, type Refusal, refuse } from "./exit.ts";
import { type RoleModels, refuseMissingKeys, resolveModels } from "./models.ts";
import { bundledRecordings } from "./recordings.ts";
import type { Secrets } from "./secrets.ts";
import { parseSpecInput, readSpecInput, type SpecInput } from "./spec-input.ts";
import { topFolderOf } from "./top-folder.ts";

/** What is to be run: a specification, or a plan made of one; and with which settings. */
export interface Order {
  input: SpecInput;
  spec: Spec;
  plan?: PlanFile;
  config: Config;
  /** What a new run of it may use up. */
  budget: Budgets;
  models: RoleModels;
}

/** Reads the file or stdin that `fractal run` names, and the settings. */
export async function readOrder(context: Context, path: string): Promise<Order | Refusal> {
  const { dir, streams } = context;
  const top = await topFolderOf(dir);
  const input = await readSpecInput({ path, dir, top, stdin: streams.stdin });
  if (isRefusal(input)) return input;
  return orderOf(context, top, input, path.endsWith(".json"));
}

/** The order in a text that was read before: of a specification, or of a plan. */
export async function orderOf(
  context: Context,
  top: string,
  given: SpecInput,
  isPlan: boolean,
): Promise<Order | Refusal> {
  const { secrets } = context;
  const config = await loadConfig({ dir: top, env: context.env, flags: context.configFlags });
  if (isRefusal(config)) return config;
  for (const name of secrets.declare(config.secrets)) {
    context.out.note(`The value of ${name} is too short to be kept out of texts as a secret.`);
  }
  // Known by its own bytes; what is worked with is what the journal keeps.
  const input = { ...given, text: secrets.scrub(given.text) };
  if (input.text !== given.text) context.out.note(noteOnSecrets(given, secrets));
  const wanted = wantedOf(input, isPlan ? input.text : undefined);
  if (isRefusal(wanted)) return wanted;
  const hidden = refuseMounts(wanted.spec, config, given.path);
  if (hidden !== undefined) return hidden;
  const models = resolveModels(config, context.env, bundledRecordings(wanted.input));
  if (isRefusal(models)) return models;
  const budget = tightened(config.budget, wanted.spec.budget);
  return refuseMissingKeys(models, context.env) ?? { ...wanted, config, budget, models };
}

/** What is in no commit is shown to models where it is a dependency, or where the person said so. */
function refuseMounts(spec: Spec, config: Config, path: string): Refusal | undefined {
  const agreed = config.layers.find((layer) => layer.source === "user")?.value.mounts ?? [];
  const hidden = spec.mounts.filter((mount) => !isDependencies(mount) && !agreed.includes(mount));
  if (hidden.length === 0) return undefined;
  return refuse(EXIT.usage, "the specification would show models what is in no commit", {
    where: hidden.map((mount) => `${path} \`mounts\`: ${mount}`),
    next: [
      "to agree, list them under `mounts` in your own file, see: fractal config show --origin",
    ],
  });
}

/** Where a specification holds a secret, which nobody will be shown. */
function noteOnSecrets({ path, text }: SpecInput, secrets: Secrets): string {
  const places = secrets.find(text).map(({ name, at }) => {
    return `${path}:${text.slice(0, at).split("\n").length} (${name})`;
  });
  return `Secrets are left out of what is worked on: ${places.join(", ")}`;
}

/** A plan brings its own specification; both are journaled, and the plan's bytes name the run. */
function wantedOf(
  input: SpecInput,
  planText: string | undefined,
): Pick<Order, "input" | "spec" | "plan"> | Refusal {
  if (planText === undefined) {
    const spec = parseSpecInput(input);
    return isRefusal(spec) ? spec : { input, spec };
  }
  const plan = parsePlanFile(planText);
  if ("problems" in plan) {
    return refuse(EXIT.usage, `${input.path} is not a plan that can be run`, {
      where: plan.problems.map((problem) => placeOf({ ...problem, file: input.path })),
      next: ["fractal plan spec.md --out plan.json   # makes one"],
    });
  }
  const specInput = { ...input, text: plan.spec };
  const spec = parseSpecInput(specInput);
  return isRefusal(spec) ? spec : { input: { ...specInput, hash: input.hash }, spec, plan };
}

/** A given plan that does not pass review, with all that is wrong; undefined when it can be run. */
export function refusePlan(
  path: string,
  plan: PlanFile,
  facts: { spec: Spec; root: Contract; limits: Limits; existingFiles: readonly string[] },
): Refusal | undefined {
  const wrong = reviewPlans({
    ...facts,
    plans: new Map(Object.entries(plan.splits)),
    allowSharedFiles: plan.shared_files === "allow",
  });
  if (wrong.length === 0) return undefined;
  return refuse(EXIT.usage, `${path} holds a plan that cannot be carried out`, {
    where: wrong.map((problem) => `${path} ${problem}`),
    next: ["put this right in the file, and give the same command again"],
  });
}
