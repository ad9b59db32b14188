/** What commands ask for, built over the machine of wire.ts. */
import { openRunForActing } from "./acting.ts";
import { collectGarbage } from "./collecting.ts";
import { isRefusal, type Refusal } from "./exit.ts";
import { findRun, type RunNamed, runIds, telemetryOf } from "./find-run.ts";
import { inspectRuns } from "./inspecting.ts";
import { isLive } from "./is-live.ts";
import { mergeRun } from "./merging.ts";
import { planSpec } from "./planning.ts";
import { probeMachine } from "./probing.ts";
import { openRunIndex } from "./run-index.ts";
import { topFolderOf } from "./top-folder.ts";
import { machine } from "./wire.ts";
import type { RunForReading, Wire } from "./wiring.ts";
import { openRunWork } from "./work.ts";

export const wired: Wire = {
  openRunForReading,
  openRunForActing,
  openRunIndex,
  openHuman: ({ mayAsk, colour }) =>
    machine.terminalHuman({
      input: process.stdin,
      output: process.stderr,
      env: process.env,
      mayAsk,
      colour,
      onInterrupt: () => process.kill(process.pid, "SIGINT"),
    }),
  inspectRuns,
  openRunWork,
  isRun: async ({ dir, run }) => runIds(telemetryOf(await topFolderOf(dir))).includes(run),
  mergeRun,
  collectGarbage,
  planSpec,
  probe: probeMachine,
};

async function openRunForReading(o: RunNamed): Promise<RunForReading | Refusal> {
  const top = await topFolderOf(o.dir);
  const found = findRun(top, o.run);
  if (isRefusal(found)) return found;
  const telemetry = telemetryOf(top);
  return {
    events: found.events,
    state: found.state,
    blob: (hash) => machine.readRunBlob(telemetry, found.runId, hash),
    live: await isLive(top),
  };
}
