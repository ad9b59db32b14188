/** `fractal plan`: the tree, the coverage and a forecast of a specification; nothing is written. */
import { access, constants, stat, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { planJson, renderPlan } from "../../view/plan.ts";
import { renderProgress } from "../../view/progress.ts";
import { refuseTaskBudgets } from "../budget.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, isRefusal, type Refusal, refuse } from "../exit.ts";
import { readOrder } from "../order.ts";
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
  const { out, dir } = context;
  const order = await readOrder(context, path);
  if (isRefusal(order)) return out.refuse(order);
  // Before anything is paid for: a plan that cannot be kept would be lost.
  const unwritable = flags.out === undefined ? undefined : await refuseOut(dir, flags.out);
  if (unwritable !== undefined) return out.refuse(unwritable);
  const noTask = refuseTaskBudgets(context.configFlags.budget ?? []);
  if (noTask !== undefined) return out.refuse(noTask);
  const { input, spec, config, budget, models } = order;
  const wire = await context.wire();
  const planned = await wire.planSpec(
    {
      dir: await topFolderOf(dir),
      input,
      spec,
      config,
      budget,
      models,
      strict: flags.strict,
      secrets: context.secrets,
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
    try {
      await writeFile(resolve(dir, flags.out), planned.file);
    } catch (error) {
      return out.refuse(cannotWrite(flags.out, error));
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

/** Refuses a file that cannot be written; nothing is made of it yet. */
async function refuseOut(dir: string, out: string): Promise<Refusal | undefined> {
  const file = resolve(dir, out);
  try {
    const found = await stat(file).catch(() => undefined);
    if (found?.isDirectory()) throw new Error(`${file} is a folder`);
    await access(found === undefined ? dirname(file) : file, constants.W_OK);
    return undefined;
  } catch (error) {
    return cannotWrite(out, error);
  }
}

function cannotWrite(out: string, error: unknown): Refusal {
  return refuse(EXIT.environment, `${out} cannot be written`, {
    where: [(error as Error).message],
    next: ["name a file in a folder that is there, and give the same command again"],
  });
}
