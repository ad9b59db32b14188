/** `fractal why`: why a task does or does not run now, and what would change that. */
import { DEFAULT_LIMITS } from "../../domain/limits.ts";
import { whyOf } from "../../rules/why.ts";
import { block } from "../../view/text.ts";
import { renderWhy, whyJson } from "../../view/why.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, isRefusal } from "../exit.ts";
import { resolveTask } from "../resolve-id.ts";

/** Judges by the journal alone, as reconcile does with every slot free. */
export async function whyCommand(
  context: Context,
  typed: string,
  flags: { run?: string },
): Promise<ExitCode> {
  const { out, dir } = context;
  const wire = await context.wire();
  const found = await wire.openRunForReading({ dir, run: flags.run });
  if (isRefusal(found)) return out.refuse(found);
  const { state, live } = found;
  const id = resolveTask(state, typed);
  if (isRefusal(id)) return out.refuse(id);
  const now = context.now();
  const why = whyOf({ state, busy: new Map(), resting: new Map() }, id, DEFAULT_LIMITS, now);
  out.show(
    () => whyJson(why, state, { now, live }),
    () => block(renderWhy(why, state, { now, live }), out.look.width).join("\n"),
  );
  return EXIT.done;
}
