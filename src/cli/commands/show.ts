/** `fractal show`: everything about one task or question. */
import { renderShow } from "../../view/show.ts";
import { showJson } from "../../view/show-json.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, isRefusal } from "../exit.ts";
import { resolveId } from "../resolve-id.ts";

/** Prints one task or question of a run. */
export async function showCommand(
  context: Context,
  typed: string,
  flags: { full?: boolean; run?: string },
): Promise<ExitCode> {
  const { out, dir } = context;
  const wire = await context.wire();
  const found = await wire.openRunForReading({ dir, run: flags.run });
  if (isRefusal(found)) return out.refuse(found);
  const { state } = found;
  const id = resolveId(state, typed);
  if (isRefusal(id)) return out.refuse(id);
  out.show(
    () => showJson(found, id),
    () =>
      renderShow(found, id, { ...out.look, now: context.now(), full: flags.full === true }) ?? "",
  );
  return EXIT.done;
}
