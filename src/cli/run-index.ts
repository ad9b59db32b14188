/** A run and its index, brought up to its journal: what `query` and `status` ask. */
import { join } from "node:path";
import { currentRows } from "../rules/index-rows.ts";
import { isRefusal, type Refusal } from "./exit.ts";
import { findRun, type RunNamed } from "./find-run.ts";
import { isLive } from "./is-live.ts";
import { readVersion } from "./package-folder.ts";
import { topFolderOf } from "./top-folder.ts";
import { machine } from "./wire.ts";
import type { IndexedRun } from "./wiring.ts";

/** The run named, else the open one, else the newest; a refusal when there is none. */
export async function openRunIndex(o: RunNamed): Promise<IndexedRun | Refusal> {
  const top = await topFolderOf(o.dir);
  const found = findRun(top, o.run);
  if (isRefusal(found)) return found;
  const { runId, events, state } = found;
  const index = machine.openIndex(join(top, ".fractal", "index.db"), {
    runId,
    events,
    rows: () => currentRows(state),
    version: readVersion(),
  });
  return {
    state,
    live: await isLive(top),
    ask(sql) {
      // SQLite hears no JavaScript: a question without an end must end with Ctrl-C all the same.
      process.removeAllListeners("SIGINT").removeAllListeners("SIGTERM");
      return index.ask(sql);
    },
  };
}
