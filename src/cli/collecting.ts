/** What ended runs left, and taking it away: behind `fractal gc`. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { isFailure } from "../domain/failure.ts";
import {
  type Garbage,
  garbageOf,
  type RunLeft,
  UNUSED_MS,
  unusedOf,
  whyKept,
} from "../rules/work/garbage.ts";
import { EXIT, type Refusal, refusalOf, refuse } from "./exit.ts";
import { isOpen, readableRuns, runIds, telemetryOf, unknownRun } from "./find-run.ts";
import { refuseFolder } from "./refuse-folder.ts";
import { topFolderOf } from "./top-folder.ts";
import { machine } from "./wire.ts";

/** One thing with its size and age. */
export interface GarbageFound extends Garbage {
  title: string;
  bytes: number;
  /** When something last happened to it, ms since 1970; undefined where nobody knows. */
  lastMs: number | undefined;
  /** Of the cache: what it is made of. */
  paths?: string[];
}

/** All that was found. */
export interface Collection {
  garbage: GarbageFound[];
  /** Runs of which nothing is taken away, and why. */
  kept: { runId: string; why: string }[];
  /** Why nothing of the cache is, where something could be. */
  keptCache?: string;
  /** Takes these away; returns those that are gone. What a run began to use meanwhile stays. */
  remove(garbage: readonly GarbageFound[]): Promise<GarbageFound[]>;
  /** Lets go of the lock. */
  close(): void;
}

const UNUSED_DAYS = UNUSED_MS / 86_400_000;

type KeptRef = Awaited<ReturnType<typeof machine.listKept>>[number];

/** Looks at the runs named, else at all; holds the lock unless it is only a look. */
export async function collectGarbage(o: {
  dir: string;
  runs: readonly string[];
  onlyLooks: boolean;
  /** Milliseconds since 1970. */
  now: number;
  /** Instead of the user's cache. */
  cache?: string;
}): Promise<Collection | Refusal> {
  const top = await topFolderOf(o.dir);
  const survey = await machine.surveyFolder(top);
  if (survey.repository === undefined) {
    return (
      refuseFolder(top, survey) ??
      refuse(EXIT.usage, `${top} is in no git repository`, {
        next: ["fractal gc -C DIR   # in a repository in which fractal has run"],
      })
    );
  }
  const lock = o.onlyLooks ? undefined : machine.takeLock(survey.repository.commonDir);
  if (isFailure(lock)) return refusalOf(lock);
  if (!o.onlyLooks && lock === undefined) {
    return refuse(EXIT.usage, "a fractal run is at work in this repository", {
      next: ["fractal gc --dry-run   # only lists", "wait for it, or stop it with Ctrl-C"],
    });
  }
  const refs = await machine.listKept(top);
  const telemetry = telemetryOf(top);
  const known = new Set([...runIds(telemetry), ...refs.map(({ runId }) => runId)]);
  const unknown = o.runs.find((id) => !known.has(id));
  if (unknown !== undefined) {
    lock?.release();
    return unknownRun(telemetry, unknown);
  }
  const readable = new Map(readableRuns(top).map((run) => [run.runId, run.state]));
  const journals = new Set(runIds(telemetry));
  const garbage: GarbageFound[] = [];
  const kept: Collection["kept"] = [];
  for (const runId of o.runs.length > 0 ? o.runs : known) {
    const own = refs.filter((ref) => ref.runId === runId);
    const state = readable.get(runId);
    const branch = own.find(({ name }) => name === "branch");
    const base = own.find(({ name }) => name === "base");
    const { workspaces } = await machine.findLeftovers(runId);
    const left: RunLeft = {
      runId,
      state,
      isOpen: state !== undefined && isOpen(state),
      isDamaged: state === undefined && journals.has(runId),
      isNamed: o.runs.includes(runId),
      refs: own.filter(({ name }) => name !== "branch").map(({ name }) => name),
      hasBranch: branch !== undefined,
      landed: new Set([...(await machine.readRunBranch(top, runId)).commits.values()].flat()),
      hasCommits: branch !== undefined && branch.commit !== base?.commit,
      mergedInto: branch === undefined ? [] : await machine.elsewhere(top, branch.commit),
      workspaces: workspaces.length,
      journalBytes: machine.folderBytes(join(telemetry, runId)),
    };
    const why = whyKept(left);
    if (why !== undefined) kept.push({ runId, why });
    for (const one of garbageOf(left)) {
      const bytes = await bytesOf(one, left, own);
      const lastMs = state?.lastAtMs ?? (Math.max(0, ...own.map(({ atMs }) => atMs)) || undefined);
      garbage.push({ ...one, title: state?.spec.title ?? "", bytes, lastMs });
    }
  }
  const base = machine.cacheBase(o.cache);
  const unused = o.runs.length > 0 ? [] : unusedOf(machine.listCached(base), known, o.now);
  const isUsed = unused.length > 0 && machine.isCacheUsed(base);
  for (const one of isUsed ? [] : unused) {
    const bytes = one.paths.reduce((sum, path) => sum + machine.folderBytes(path), 0);
    garbage.push({ ...one, title: `unused for ${UNUSED_DAYS} days`, bytes });
  }
  const keptCache = isUsed ? { keptCache: "a run of yours is at work, here or elsewhere" } : {};
  return { garbage, kept, ...keptCache, remove, close: () => lock?.release() };

  async function bytesOf(one: Garbage, left: RunLeft, own: KeptRef[]): Promise<number> {
    if (one.kind === "journal") return left.journalBytes;
    if (one.kind === "workspaces") {
      const { workspaces } = await machine.findLeftovers(left.runId);
      return workspaces.reduce((sum, folder) => sum + machine.folderBytes(folder), 0);
    }
    return machine.bytesOnlyIn(top, refsOf(one, own));
  }

  async function remove(chosen: readonly GarbageFound[]): Promise<GarbageFound[]> {
    const cached = chosen.filter(({ runId }) => runId === null);
    const ofRuns = chosen.filter((one) => one.runId !== null);
    // Workspaces and refs first, the journal that knows of them last.
    for (const { runId } of ofRuns.filter(({ kind }) => kind === "workspaces")) {
      await machine.removeWorkspaces(runId ?? "");
    }
    const going = ofRuns.flatMap((one) =>
      refsOf(
        one,
        refs.filter(({ runId }) => runId === one.runId),
      ),
    );
    await machine.removeRefs(top, going);
    const journalsGone = ofRuns.filter(({ kind }) => kind === "journal");
    for (const { runId } of journalsGone) machine.removeJournal(telemetry, runId ?? "");
    // Derived: made anew, without these runs, when it is asked next.
    for (const end of journalsGone.length === 0 ? [] : ["", "-wal", "-shm"]) {
      rmSync(join(top, ".fractal", `index.db${end}`), { force: true });
    }
    return [...ofRuns, ...(await removeCached(cached))];
  }

  async function removeCached(cached: readonly GarbageFound[]): Promise<GarbageFound[]> {
    const paths = cached.flatMap((one) => one.paths ?? []);
    if (paths.length === 0) return [];
    const gone = await machine.removeCached(base, paths, o.now - UNUSED_MS);
    return cached.flatMap((one) => {
      const left = one.paths?.filter((path) => gone?.includes(path)) ?? [];
      return left.length === 0 ? [] : [{ ...one, paths: left, count: left.length }];
    });
  }
}

function refsOf(one: Garbage, own: readonly KeptRef[]): KeptRef[] {
  const names = new Set(one.kind === "branch" ? ["branch", ...one.refs] : one.refs);
  return own.filter(({ name }) => names.has(name));
}
