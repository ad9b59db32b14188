/** `fractal tree`: where every task of a run stands. */
import { renderNext } from "../../view/next.ts";
import { renderTree } from "../../view/tree.ts";
import { treeJson } from "../../view/tree-json.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, isRefusal } from "../exit.ts";

/** Prints the tree of the run named, the open one, or the newest. */
export async function treeCommand(context: Context, run: string | undefined): Promise<ExitCode> {
  const { out, dir } = context;
  const wire = await context.wire();
  const found = await wire.openRunForReading({ dir, run });
  if (isRefusal(found)) return out.refuse(found);
  const { state, live } = found;
  out.show(
    () => ({ ...treeJson(state), live }),
    () => renderTree(state, { ...out.look, now: context.now() }),
  );
  if (!out.json && out.look.tables) {
    out.note(["", ...(live ? ["  it is running now"] : renderNext(state))].join("\n"));
  }
  return EXIT.done;
}
