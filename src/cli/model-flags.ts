/**
 * The model flags a run was last given, so that `fractal resume` needs none of them again. The
 * journal is a file of the repository, which others may have written: its flags hold only where this
 * person's own cache says that they were given here.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { ModelFlags } from "../domain/event/run.ts";
import type { RunEvent } from "../domain/event.ts";
import type { ConfigFlags } from "./config.ts";
import type { Context } from "./context.ts";
import { EXIT, type Refusal, refuse } from "./exit.ts";
import type { Environment } from "./output.ts";
import { cacheFolder } from "./prepare.ts";

/** The flags that name models, as a journal line holds them; no field when none was typed. */
export function modelFlagsField(flags: ConfigFlags): { model_flags?: ModelFlags } {
  const given = modelFlagsOf(flags);
  return given === undefined ? {} : { model_flags: given };
}

function modelFlagsOf(flags: ConfigFlags): ModelFlags | undefined {
  const { model, models, baseUrl } = flags;
  if (model === undefined && models === undefined && baseUrl === undefined) return undefined;
  return {
    ...(model === undefined ? {} : { model }),
    ...(models === undefined ? {} : { models }),
    ...(baseUrl === undefined ? {} : { base_url: baseUrl }),
  };
}

/**
 * The context with the flags of the run's last process, unless this one names models itself. Refused
 * where nothing of this person's tells that they gave them.
 */
export function withLastModelFlags(
  context: Context,
  run: { runId: string; events: readonly RunEvent[] },
): Context | Refusal {
  const { env, configFlags } = context;
  const isNamed = [env["FRACTAL_MODEL"], env["FRACTAL_MODELS"], env["FRACTAL_BASE_URL"]].some(
    (value) => value?.trim(),
  );
  if (isNamed || modelFlagsOf(configFlags) !== undefined) return context;
  const last = run.events.findLast(isProcessStart)?.model_flags;
  if (last === undefined) return context;
  if (!isRemembered(env, run.runId, last)) return refuseFlags(run.runId, last);
  const { model, models, base_url: baseUrl } = last;
  return {
    ...context,
    configFlags: {
      ...configFlags,
      ...(model === undefined ? {} : { model }),
      ...(models === undefined ? {} : { models }),
      ...(baseUrl === undefined ? {} : { baseUrl }),
    },
  };
}

/** Keeps, outside the repository, that this person gave a run the model flags at hand. */
export function rememberModelFlags({ env, configFlags }: Context, runId: string): void {
  const given = modelFlagsOf(configFlags);
  if (given === undefined) return;
  try {
    const path = rememberedIn(env, runId);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, JSON.stringify(given));
  } catch {
    // They are asked for again, then.
  }
}

function isRemembered(env: Environment, runId: string, flags: ModelFlags): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(readFileSync(rememberedIn(env, runId), "utf8")), flags);
  } catch {
    return false;
  }
}

function rememberedIn(env: Environment, runId: string): string {
  return join(cacheFolder(env), "model-flags", `${encodeURIComponent(runId)}.json`);
}

function refuseFlags(
  runId: string,
  { model, models = [], base_url: baseUrl }: ModelFlags,
): Refusal {
  const flags = [
    ...(model === undefined ? [] : [`--model ${model}`]),
    ...models.map((pair) => `--models ${pair}`),
    ...(baseUrl === undefined ? [] : [`--base-url ${baseUrl}`]),
  ].join(" ");
  return refuse(EXIT.usage, `run ${runId} says which models to use, and not you`, {
    where: [`its journal, a file of the repository, has ${flags}`],
    next: [`fractal resume ${runId} ${flags}   # if you agree to who is paid and reads the code`],
  });
}

function isProcessStart(
  event: RunEvent,
): event is RunEvent & { event_type: "run.started" | "run.resumed" } {
  return event.event_type === "run.started" || event.event_type === "run.resumed";
}
