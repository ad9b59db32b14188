/** Gathers what `fractal fsck` judges: journal, blobs, leftovers, branch and Beads. Writes nothing. */
import { existsSync } from "node:fs";
import { isFailure } from "../domain/failure.ts";
import type { TrackedTask } from "../domain/ports.ts";
import { blobsNamed } from "../rules/fsck/blobs-named.ts";
import type { RunFacts } from "../rules/fsck/fsck.ts";
import type { Refusal } from "./exit.ts";
import { beadsOf, noRun, type RunNamed, runIds, telemetryOf, unknownRun } from "./find-run.ts";
import { PACKAGE } from "./package-folder.ts";
import { topFolderOf } from "./top-folder.ts";
import { machine } from "./wire.ts";
import type { Inspection } from "./wiring.ts";

/** The run named, or each run of the repository around `dir`, newest first. */
export async function inspectRuns(o: RunNamed): Promise<Inspection | Refusal> {
  const top = await topFolderOf(o.dir);
  const telemetry = telemetryOf(top);
  const all = runIds(telemetry);
  if (o.run !== undefined && !all.includes(o.run)) return unknownRun(telemetry, o.run);
  const ids = o.run === undefined ? all : [o.run];
  if (ids.length === 0) return noRun(top);
  const survey = await machine.surveyFolder(top);
  const { repository } = survey;
  const unseen: Inspection["unseen"] = [];
  if (repository === undefined) {
    const why = survey.refusal ?? `${top} is in no git repository`;
    unseen.push({ what: "lock and branch", why });
  }
  const live = repository !== undefined && machine.isLockHeld(repository.commonDir);
  const runs: RunFacts[] = [];
  for (const runId of ids) {
    // In this order: what is said in the journal was true of the branch before.
    const journal = machine.inspectJournal(top, telemetry, runId);
    const named = journal.events.flatMap(blobsNamed);
    const { workspaces, processes } = await machine.findLeftovers(runId);
    runs.push({
      runId,
      live,
      journal,
      badBlobs: machine.inspectBlobs(telemetry, runId, named),
      leftovers: { workspaces, ...(processes === undefined ? {} : { processes }) },
      ...(repository === undefined ? {} : { branch: await machine.readRunBranch(top, runId) }),
    });
  }
  if (runs.some((run) => run.leftovers.processes === undefined)) {
    unseen.push({ what: "processes", why: "only Linux tells which run in a folder" });
  }
  if (live) return { runs, unseen };
  const beads = await readBeads(top);
  if (Array.isArray(beads)) return { runs: runs.map((run) => ({ ...run, beads })), unseen };
  return { runs, unseen: [...unseen, { what: "Beads", why: beads.why }] };
}

async function readBeads(top: string): Promise<TrackedTask[] | { why: string }> {
  const beadsDir = beadsOf(top);
  if (!existsSync(beadsDir)) return { why: `there is no ${beadsDir}` };
  const bd = await machine.findBd({ env: process.env, packageDir: PACKAGE });
  if (isFailure(bd)) return { why: bd.detail };
  const issues = await machine.readBeads({ bd: bd.path, beadsDir, actor: "fractal", cwd: top });
  return isFailure(issues) ? { why: issues.detail } : issues;
}
