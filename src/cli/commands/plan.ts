/** `fractal plan`: the tree, the coverage and a forecast of a specification; nothing is written. */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { planJson, renderPlan } from "../../view/plan.ts";
import { renderProgress } from "../../view/progress.ts";
import { loadConfig } from "../config.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, isRefusal, refuse } from "../exit.ts";
import { refuseMissingKeys, resolveModels } from "../models.ts";
import { parseSpecInput, readSpecInput } from "../spec-input.ts";
import { topFolderOf } from "../top-folder.ts";

export interface PlanFlags {
  out?: string;
  record?: string;
  strict: boolean;
}

/** Plans to the leaves, shows the plan, and writes it to `--out`. */
export async function planCommand(
  context: Context,
  path: string,
  flags: PlanFlags,
): Promise<ExitCode> {
  const { out, dir, env, streams } = context;
  const top = await topFolderOf(dir);
  const input = await readSpecInput({ path, dir, top, stdin: streams.stdin });
  if (isRefusal(input)) return out.refuse(input);
  const spec = parseSpecInput(input);
  if (isRefusal(spec)) return out.refuse(spec);
  const config = await loadConfig({ dir: top, env, flags: context.configFlags });
  if (isRefusal(config)) return out.refuse(config);
  const wire = await context.wire();
  const models = resolveModels(config, env, wire.recordingsOf(input));
  if (isRefusal(models)) return out.refuse(models);
  const keyless = refuseMissingKeys(models, env);
  if (keyless !== undefined) return out.refuse(keyless);

  const planned = await wire.planSpec(
    {
      dir: top,
      input,
      spec,
      config,
      models,
      strict: flags.strict,
      ...(flags.record === undefined ? {} : { record: flags.record }),
      onEvent(event, state) {
        const line = renderProgress(event, state);
        if (line !== undefined) out.note(line);
      },
    },
    context.signal,
  );
  if (isRefusal(planned)) return out.refuse(planned);

  if (flags.out !== undefined) {
    const file = resolve(dir, flags.out);
    try {
      await writeFile(file, planned.file);
    } catch (error) {
      return out.refuse(
        refuse(EXIT.environment, `${flags.out} cannot be written`, {
          where: [(error as Error).message],
        }),
      );
    }
  }
  const source = { spec, state: planned.state, roles: planned.roles };
  out.show(
    () => planJson(source),
    () => renderPlan(source, out.look),
  );
  if (!out.json) {
    out.note(
      flags.out === undefined
        ? `Nothing was written. To keep it: fractal plan ${path} --out plan.json`
        : `Written to ${flags.out}. To carry out exactly that: fractal run ${flags.out}`,
    );
  }
  return EXIT.done;
}
