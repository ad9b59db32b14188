/** The model flags a run was last given, so that `fractal resume` needs none of them again. */
import type { ModelFlags, RunEvent } from "../domain/event.ts";
import type { ConfigFlags } from "./config.ts";
import type { Context } from "./context.ts";

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

/** The context with the flags of the run's last process, unless this one names models itself. */
export function withLastModelFlags(context: Context, events: readonly RunEvent[]): Context {
  const { env, configFlags } = context;
  const isNamed = [env["FRACTAL_MODEL"], env["FRACTAL_MODELS"], env["FRACTAL_BASE_URL"]].some(
    (value) => value?.trim(),
  );
  if (isNamed || modelFlagsOf(configFlags) !== undefined) return context;
  const last = events.findLast(isProcessStart)?.model_flags;
  if (last === undefined) return context;
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

function isProcessStart(
  event: RunEvent,
): event is RunEvent & { event_type: "run.started" | "run.resumed" } {
  return event.event_type === "run.started" || event.event_type === "run.resumed";
}
