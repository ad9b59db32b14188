/** `fractal fsck`: whether journal, branch, Beads and this machine agree. */
import { findingsOf } from "../../rules/fsck/fsck.ts";
import { type CheckedRun, fsckJson, renderFsck } from "../../view/fsck.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, isRefusal } from "../exit.ts";

/** Exit 0: nothing found. 1: findings. 2: there is no such run. 6: something could not be looked at. */
export async function fsckCommand(context: Context, run: string | undefined): Promise<ExitCode> {
  const { out, dir } = context;
  const wire = await context.wire();
  const found = await wire.inspectRuns({ dir, run });
  if (isRefusal(found)) return out.refuse(found);
  const runs = found.runs.map(
    (facts): CheckedRun => ({
      runId: facts.runId,
      live: facts.live,
      events: facts.journal.events.length,
      findings: findingsOf(facts),
    }),
  );
  out.show(
    () => fsckJson(runs, found.unseen),
    () => renderFsck(runs, out.look),
  );
  if (runs.some(({ live }) => live)) {
    out.note("A run is at work: its leases, workspaces, processes and Beads are not judged now.");
  }
  for (const { what, why } of found.unseen) out.note(`not looked at: ${what} (${why})`);
  if (runs.some(({ findings }) => findings.length > 0)) return EXIT.failed;
  return found.unseen.length > 0 ? EXIT.environment : EXIT.done;
}
