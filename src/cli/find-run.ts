/** The runs a repository has, and which of them is meant. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { RunEvent } from "../domain/event.ts";
import type { RunState } from "../domain/run-state.ts";
import { replay } from "../rules/replay.ts";
import { EXIT, isRefusal, type Refusal, refuse } from "./exit.ts";
import { machine } from "./wire.ts";

/** A run by its name, else the open one, else the newest, of the repository around `dir`. */
export interface RunNamed {
  dir: string;
  run?: string | undefined;
}

export interface FoundRun {
  runId: string;
  events: RunEvent[];
  state: RunState;
}

/** Where journals lie, below the repository's top folder. */
export function telemetryOf(top: string): string {
  return join(top, "telemetry");
}

/** Where the tree lies, below the repository's top folder. */
export function beadsOf(top: string): string {
  return join(top, ".beads");
}

/** The ids of all runs, newest first. */
export function runIds(telemetry: string): string[] {
  if (!existsSync(telemetry)) return [];
  const startedAt = (id: string) => statSync(join(telemetry, id)).birthtimeMs;
  return readdirSync(telemetry)
    .filter((id) => existsSync(join(telemetry, id, "events.jsonl")))
    .sort((a, b) => startedAt(b) - startedAt(a));
}

/** A journal with a line that cannot be believed is neither read nor written. */
export function refuseDamaged(damage: {
  file: string;
  line: number;
  message: string;
  newer?: number;
}): Refusal {
  const isNewer = damage.newer !== undefined;
  return refuse(
    EXIT.environment,
    isNewer ? "a newer fractal wrote this journal" : "the journal is damaged",
    {
      where: [`${damage.file}:${damage.line} ${damage.message}`],
      next: [
        isNewer
          ? "go on with that fractal or a newer one; nothing was changed"
          : "restore the file from a backup, or start again with --new",
      ],
    },
  );
}

/** A run with its journal read and replayed; a damaged journal is refused with its line. */
function readRun(telemetry: string, runId: string): FoundRun | Refusal | undefined {
  const events = machine.readJournal(telemetry, runId);
  if (!Array.isArray(events)) {
    return refuseDamaged(events);
  }
  // A process that died before its first line was whole never began.
  if (events.length === 0) return undefined;
  return { runId, events, state: replay(events) };
}

/**
 * A run is open until its root is done, accepted or cancelled; and when it was cut off after that,
 * before it had told the tracker and said so.
 */
export function isOpen(state: RunState): boolean {
  const end = state.tasks.get(state.rootId)?.end;
  if (end === "cancelled") return false;
  return (end !== "done" && end !== "accepted") || state.stopped === undefined;
}

/** Every run that can be read, newest first; damaged ones are left out. */
export function readableRuns(top: string): FoundRun[] {
  const telemetry = telemetryOf(top);
  return runIds(telemetry).flatMap((id) => {
    const run = readRun(telemetry, id);
    return run === undefined || isRefusal(run) ? [] : [run];
  });
}

/**
 * The damage of a run of this specification that may be open still: to begin another beside it would
 * lose its place. Undefined where there is none.
 */
export function damagedRun(top: string, specPath: string): Refusal | undefined {
  const telemetry = telemetryOf(top);
  for (const id of runIds(telemetry)) {
    const { events, damage } = machine.inspectJournal(top, telemetry, id);
    if (damage === undefined) continue;
    const state = events.length === 0 ? undefined : replay(events);
    if (state === undefined || (state.spec.path === specPath && isOpen(state))) {
      return refuseDamaged(damage);
    }
  }
  return undefined;
}

/** The run named, else the open one, else the newest. */
export function findRun(top: string, named: string | undefined): FoundRun | Refusal {
  const telemetry = telemetryOf(top);
  if (named !== undefined) {
    const run = runIds(telemetry).includes(named) ? readRun(telemetry, named) : undefined;
    return run ?? unknownRun(telemetry, named);
  }
  let newest: FoundRun | Refusal | undefined;
  for (const id of runIds(telemetry)) {
    const run = readRun(telemetry, id);
    if (run !== undefined && !isRefusal(run) && isOpen(run.state)) return run;
    newest ??= run;
  }
  return newest ?? noRun(top);
}

/** The refusal of a run that is not here, with those that are. */
export function unknownRun(telemetry: string, named: string): Refusal {
  const ids = runIds(telemetry);
  return refuse(EXIT.usage, `there is no run ${named} here`, {
    where: ids.length === 0 ? [telemetry] : [`runs here: ${ids.join(", ")}`],
  });
}

/** The refusal where there is no run at all. */
export function noRun(top: string): Refusal {
  return refuse(EXIT.usage, "there is no run here yet", {
    where: [top],
    next: ["fractal run spec.md"],
  });
}
