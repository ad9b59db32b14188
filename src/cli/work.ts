/** What a run came to in git: opened for `fractal diff` and `fractal merge`. */
import type { RunEvent } from "../domain/event.ts";
import type { Change } from "../domain/ports.ts";
import type { RunState } from "../domain/run-state.ts";
import { EXIT, isRefusal, type Refusal, refuse } from "./exit.ts";
import { findRun, type RunNamed, telemetryOf } from "./find-run.ts";
import { refuseFolder } from "./refuse-folder.ts";
import { topFolderOf } from "./top-folder.ts";
import { machine } from "./wire.ts";

/** The patch of any change is shown whole, as far as memory goes. */
const PATCH_BYTES_MAX = 2 ** 28;

/** A run with its branch. */
export interface RunWork {
  state: RunState;
  events: RunEvent[];
  /** The tip of its branch, and the commit it began from. */
  tip: string;
  base: string;
  /** The commits beyond the base, oldest first, with their `<task> <attempt>`. */
  commits: ReadonlyMap<string, readonly string[]>;
  /** Names below refs/fractal/<run>. */
  refs: ReadonlyMap<string, string>;
  blob(hash: string): string | undefined;
  /** Undefined where one of the commits is gone. */
  patch(from: string, to: string): Promise<string | undefined>;
  /** Paths are those of the whole repository. */
  changes(from: string, to: string): Promise<Change[]>;
  treeOf(commit: string): Promise<string>;
}

/** The run named, else the open one, else the newest; a refusal where it has no branch. */
export async function openRunWork(o: RunNamed): Promise<RunWork | Refusal> {
  const top = await topFolderOf(o.dir);
  const found = findRun(top, o.run);
  if (isRefusal(found)) return found;
  const { runId, state, events } = found;
  const survey = await machine.surveyFolder(top);
  if (survey.repository === undefined) {
    return (
      refuseFolder(top, survey) ?? refuse(EXIT.usage, `${top} is in no git repository any more`)
    );
  }
  const branch = await machine.readRunBranch(top, runId);
  if (branch.tip === undefined) {
    return refuse(EXIT.environment, `the branch ${state.branch} is not there`, {
      next: [`fractal fsck ${runId}   # says what else is missing`],
    });
  }
  const repository = await machine.openRepository({ checkout: top, runId, root: "." });
  return {
    state,
    events,
    tip: branch.tip,
    base: branch.refs.get("base") ?? state.base,
    commits: branch.commits,
    refs: branch.refs,
    blob: (hash) => machine.readRunBlob(telemetryOf(top), runId, hash),
    async patch(from, to) {
      try {
        return await repository.diff(from, to, PATCH_BYTES_MAX);
      } catch {
        return undefined;
      }
    },
    changes: repository.changes,
    treeOf: repository.treeOf,
  };
}
