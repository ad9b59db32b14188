/** What commands ask of wire.ts, the only file that names adapters. */
import type { Budgets } from "../domain/budget.ts";
import type { RunEvent } from "../domain/event.ts";
import type { Failure } from "../domain/failure.ts";
import type { Answer } from "../domain/index-tables.ts";
import type { Human } from "../domain/ports.ts";
import type { RunState } from "../domain/run-state.ts";
import type { Spec } from "../domain/spec.ts";
import type { RunFacts } from "../rules/fsck/fsck.ts";
import type { ForecastLine, ForecastRole } from "../rules/plan/forecast.ts";
import type { Collection } from "./collecting.ts";
import type { Config } from "./config.ts";
import type { Refusal } from "./exit.ts";
import type { RunNamed } from "./find-run.ts";
import type { MergeEnd } from "./merging.ts";
import type { RoleModels } from "./models.ts";
import type { Secrets } from "./secrets.ts";
import type { SpecInput } from "./spec-input.ts";
import type { RunWork } from "./work.ts";

/** A run's journal, read without the lock. */
export interface RunForReading {
  events: RunEvent[];
  state: RunState;
  /** A stored text by its hash. */
  blob(hash: string): string | undefined;
  /** True while a controller holds the lock. */
  live: boolean;
}

/** A run with its index: asked in SQL, one statement that only reads. */
export interface IndexedRun {
  state: RunState;
  /** True while a controller holds the lock. */
  live: boolean;
  ask(sql: string): Answer | { trouble: string };
}
/** What a person may do to a run. */
export type Act = "answer" | "cancel" | "pause" | "unpause";

/** A run on which a person acts: with the lock through the journal, else through Beads. */
export interface RunForActing {
  state: RunState;
  /** `text` is the answer, or why it is cancelled. Tells who carries it out. */
  act(kind: Act, id: string, text: string): Promise<{ via: "journal" | "controller" } | Failure>;
  /** Lets go of the lock where it was taken. */
  close(): Promise<void>;
}

/** A specification to be planned, and with which models. */
export interface PlanOrder {
  dir: string;
  input: SpecInput;
  spec: Spec;
  config: Config;
  models: RoleModels;
  /** What planning it may use up. */
  budget: Budgets;
  record?: string;
  strict: boolean;
  secrets: Secrets;
  onEvent(event: RunEvent, state: RunState): void;
}

/** A planned specification: nothing of it is in Beads. */
export interface PlannedRun {
  /** The tree as it would be, with what planning cost. */
  state: RunState;
  /** The plan as `fractal run` takes it: the text of `plan.json`. */
  file: string;
  /** What the forecast needs to know of the models. */
  roles: Record<ForecastLine["role"], ForecastRole>;
}

/** What there is of runs to be judged, and what could not be looked at. */
export interface Inspection {
  runs: RunFacts[];
  unseen: { what: string; why: string }[];
}

/** One thing the program needs from the machine, and whether it is there. */
export interface Probe {
  name: string;
  state: "ok" | "warning" | "missing";
  /** What was found: a version, a path, a reason. */
  found: string;
  /** The command that puts it right, where one does. */
  fix?: string;
}

export interface Wire {
  /** A refusal when there is none. */
  openRunForReading(o: RunNamed): Promise<RunForReading | Refusal>;
  /** Everything about the run named, or about each run of the repository. Writes nothing. */
  inspectRuns(o: RunNamed): Promise<Inspection | Refusal>;
  openRunForActing(o: RunNamed & { by: string; secrets: Secrets }): Promise<RunForActing | Refusal>;
  /** As `openRunForReading`; the index is brought up to the journal, in memory if need be. */
  openRunIndex(o: RunNamed): Promise<IndexedRun | Refusal>;
  /** As `openRunForReading`, with the run's branch. */
  openRunWork(o: RunNamed): Promise<RunWork | Refusal>;
  /** Whether there is a run of this id. */
  isRun(o: { dir: string; run: string }): Promise<boolean>;
  mergeRun(o: {
    dir: string;
    run?: string;
    commits: boolean;
    anyway: boolean;
    by: string;
    secrets: Secrets;
  }): Promise<MergeEnd | Refusal>;
  collectGarbage(o: {
    dir: string;
    runs: readonly string[];
    onlyLooks: boolean;
    now: number;
  }): Promise<Collection | Refusal>;
  /** The person at this terminal. */
  openHuman(o: { mayAsk: boolean; colour: boolean }): Human;
  /** Plans a specification to the leaves. Writes no issue and no branch. */
  planSpec(o: PlanOrder, signal: AbortSignal): Promise<PlannedRun | Refusal>;
  /** bd, bubblewrap, the sandbox's self-test, journal and lock: what only adapters can tell. */
  probe(o: { dir: string }, signal: AbortSignal): Promise<Probe[]>;
}
