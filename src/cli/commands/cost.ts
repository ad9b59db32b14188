/** `fractal cost`: what a run spent and has reserved, and what is left of its budgets. */
import { type CostBy, costJson, renderCost } from "../../view/cost.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, isRefusal } from "../exit.ts";

/** Prints the money and tokens of the run named, the open one, or the newest. */
export async function costCommand(
  context: Context,
  run: string | undefined,
  by: CostBy,
): Promise<ExitCode> {
  const { out, dir } = context;
  const wire = await context.wire();
  const found = await wire.openRunForReading({ dir, run });
  if (isRefusal(found)) return out.refuse(found);
  out.show(
    () => costJson(found.state, by, context.now()),
    () => renderCost(found.state, by, { ...out.look, now: context.now() }),
  );
  return EXIT.done;
}
