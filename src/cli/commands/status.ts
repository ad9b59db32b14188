/** `fractal status`: what is wanted against what there is, as one query of the index. */
import {
  renderStatus,
  STATUS_SQL,
  statusRows,
  statusSummary,
  summaryText,
} from "../../view/status.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, isRefusal } from "../exit.ts";
import type { IndexedRun } from "../wiring.ts";

/** Prints a row a task and a line that sums up; with `sql` the query instead. */
export async function statusCommand(
  context: Context,
  run: string | undefined,
  flags: { sql?: boolean },
): Promise<ExitCode> {
  const { out, dir } = context;
  if (flags.sql === true) {
    out.show(
      () => ({ sql: STATUS_SQL }),
      () => STATUS_SQL,
    );
    return EXIT.done;
  }
  const wire = await context.wire();
  const found = await wire.openRunIndex({ dir, run });
  if (isRefusal(found)) return out.refuse(found);
  const answer = found.ask(STATUS_SQL);
  if ("trouble" in answer) throw new Error(answer.trouble);
  const rows = statusRows(answer);
  out.show(
    () => ({
      run_id: found.state.runId,
      seq: found.state.seq,
      live: found.live,
      ...statusSummary(rows),
      rows,
    }),
    () => renderStatus(rows, out.look),
  );
  if (!out.json) out.note(`\n${summaryText(rows)}\n${whereItStands(found)}`);
  return EXIT.done;
}

/** Whether anybody works on it, and if not, why not. */
function whereItStands({ state, live }: IndexedRun): string {
  const run = `run ${state.runId}`;
  if (live) return `${run} is running now`;
  if (state.stopped !== undefined) {
    return `${run} stopped: ${state.stopped.reason} (exit ${state.stopped.exitCode})`;
  }
  return `${run} was cut off; go on with: fractal resume ${state.runId}`;
}
