/** What runs left that may be taken away, and which of it is the only copy of work nobody merged. */
import type { Cached } from "../../domain/cached.ts";
import type { RunState } from "../../domain/run-state.ts";

export type GarbageKind =
  | ("workspaces" | "attempts" | "unmerged" | "branch" | "journal")
  | ("packages" | "copies");

/** What is known of one run. */
export interface RunLeft {
  runId: string;
  /** Undefined where its journal is gone, or cannot be read. */
  state: RunState | undefined;
  /** It may still be gone on with. */
  isOpen: boolean;
  /** Its journal is there and cannot be read: nobody knows what it needs. */
  isDamaged: boolean;
  /** A person named it. */
  isNamed: boolean;
  /** Names below refs/fractal/<run>: `base`, `<task>.<attempt>`. */
  refs: readonly string[];
  hasBranch: boolean;
  /** The `<task> <attempt>` in the trailers of the commits that the branch has now. */
  landed: ReadonlySet<string>;
  /** The branch is more than where it began. */
  hasCommits: boolean;
  /** Branches and tags that have what the run's branch has. */
  mergedInto: readonly string[];
  workspaces: number;
  journalBytes: number;
}

/** One thing that may be taken away. */
export interface Garbage {
  /** Null: it is of no run, and kept in the cache for all that this user has. */
  runId: string | null;
  kind: GarbageKind;
  /** How many refs or folders. */
  count: number;
  /** Names below refs/fractal/<run>, of attempts. */
  refs: string[];
  /** Set where it is the last place of work that was not merged: what is lost with it. */
  onlyCopy?: string;
}

/** How long what the cache keeps for all runs must not have been used: it can be made again. */
export const UNUSED_MS = 30 * 24 * 3_600_000;

/** What of the cache nobody has used for long, by kind; workspaces of these runs are their own matter. */
export function unusedOf(
  cached: readonly Cached[],
  runIds: ReadonlySet<string>,
  now: number,
): (Garbage & { paths: string[]; lastMs: number })[] {
  const isOld = ({ kind, path, lastUsedMs }: Cached) =>
    lastUsedMs <= now - UNUSED_MS &&
    !(kind === "workspaces" && runIds.has(path.slice(path.lastIndexOf("/") + 1)));
  const old = Map.groupBy(cached.filter(isOld), ({ kind }) => kind);
  return [...old].map(([kind, all]) => ({
    ...{ runId: null, kind, count: all.length, refs: [] },
    paths: all.map(({ path }) => path).sort(),
    lastMs: Math.max(...all.map(({ lastUsedMs }) => lastUsedMs)),
  }));
}

/** Why nothing of a run is taken away; undefined where something may be. */
export function whyKept(run: RunLeft): string | undefined {
  if (run.isDamaged) return "its journal cannot be read";
  if (run.isOpen) return "it is open";
  // Work trees of one repository share refs and not journals.
  if (run.state === undefined && !run.isNamed) {
    return `its journal is not here, perhaps in another work tree; if it is nowhere: fractal gc ${run.runId}`;
  }
  return undefined;
}

/** What may be taken away of a run that has ended. */
export function garbageOf(run: RunLeft): Garbage[] {
  if (whyKept(run) !== undefined) return [];
  const { runId, hasBranch, mergedInto } = run;
  const merged = new Set(mergedAttempts(run));
  const names = run.refs.filter((name) => name !== "base");
  const done = names.filter((name) => merged.has(name));
  const lost = names.filter((name) => !merged.has(name));
  const found: Garbage[] = [];
  const add = (one: Omit<Garbage, "runId">) => {
    if (one.count > 0) found.push({ runId, ...one });
  };
  add({ kind: "workspaces", count: run.workspaces, refs: [] });
  add({ kind: "attempts", count: done.length, refs: done });
  const unmerged = "work of attempts that was not merged";
  add({ kind: "unmerged", count: lost.length, refs: lost, onlyCopy: unmerged });
  const isBranchMerged = mergedInto.length > 0 || !run.hasCommits;
  add({
    kind: "branch",
    count: hasBranch || run.refs.includes("base") ? 1 : 0,
    refs: run.refs.filter((name) => name === "base"),
    ...(isBranchMerged || !hasBranch ? {} : { onlyCopy: "a branch that is merged nowhere" }),
  });
  const gone = patchesOnly(run);
  add({
    kind: "journal",
    count: run.journalBytes > 0 ? 1 : 0,
    refs: [],
    ...(gone === 0 ? {} : { onlyCopy: `the patches of ${gone} attempts that were not merged` }),
  });
  return found;
}

/** Those whose work the branch has still: somebody may have moved it since the journal said so. */
function mergedAttempts({ state, landed }: RunLeft): string[] {
  return [...(state?.tasks.values() ?? [])].flatMap((task) =>
    task.attempts
      .filter(
        ({ outcome, number }) => outcome === "succeeded" && landed.has(`${task.id} ${number}`),
      )
      .map((attempt) => `${task.id}.${attempt.number}`),
  );
}

/** Attempts whose work is in the journal alone: their refs are gone. */
function patchesOnly({ state, refs }: RunLeft): number {
  const there = new Set(refs);
  const attempts = [...(state?.tasks.values() ?? [])].flatMap((task) =>
    task.attempts.filter(
      (attempt) => attempt.patch !== undefined && !there.has(`${task.id}.${attempt.number}`),
    ),
  );
  return attempts.length;
}

/** What was asked to be taken away besides what nobody misses. */
export interface Wanted {
  unmerged: boolean;
  branches: boolean;
  journals: boolean;
}

/** The flag that a thing needs and was not given; undefined where it may go. */
export function flagMissing(one: Garbage, wanted: Wanted): string | undefined {
  if (one.kind === "branch" && !wanted.branches) return "--branches";
  if (one.kind === "journal" && !wanted.journals) return "--telemetry";
  return one.onlyCopy !== undefined && !wanted.unmerged ? "--unmerged" : undefined;
}
