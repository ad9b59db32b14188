/** Merges a run's branch into the branch the user is on, or says what is in the way. */
import { isFailure } from "../domain/failure.ts";
import { renderInstant } from "../domain/instant.ts";
import { landedFindings } from "../rules/fsck/fsck-branch.ts";
import { walkHistory } from "../rules/fsck/fsck-history.ts";
import { notYet } from "../rules/work/mergeable.ts";
import { isKnownIn } from "../rules/work/merged.ts";
import { EXIT, isRefusal, type Refusal, refuse } from "./exit.ts";
import { isOpen, readableRuns, telemetryOf } from "./find-run.ts";
import { refusalOfMerge, refuseCheckout, refuseLocked } from "./refuse-merge.ts";
import { openRunStore } from "./run-store.ts";
import type { Secrets } from "./secrets.ts";
import { topFolderOf } from "./top-folder.ts";
import { machine } from "./wire.ts";
import { openRunWork, type RunWork } from "./work.ts";

/** What came of it. */
export interface MergeEnd {
  work: RunWork;
  /** The user's branch. */
  into: string;
  how: "fast-forward" | "merge" | "already";
  /** The commit the user's branch was at; empty where it had none. */
  before: string;
  after: string;
  /** A merge that was cut off before this one, and what became of it. */
  earlier?: "finished" | "undone";
  /** Why it is not in the run's journal yet; absent where it is. */
  untold?: string;
}

/** A merge that was tried; `tried` is absent where git was never asked. */
interface Ended {
  end: MergeEnd | Refusal;
  tried?: Pick<BesideEvent, "into" | "result" | "before" | "after">;
}

type BesideEvent = Parameters<typeof machine.leaveBeside>[2];

/** One at a time in a checkout. A run may be at work meanwhile: its branch's tip is read once. */
export async function mergeRun(o: {
  dir: string;
  run?: string;
  /** Makes a merge commit also where a fast-forward would do. */
  commits: boolean;
  /** Also when the run is not done, or its branch was changed since it was checked. */
  anyway: boolean;
  /** Who asks for it. */
  by: string;
  /** What git and the user's hooks are not given. */
  secrets: Secrets;
}): Promise<MergeEnd | Refusal> {
  const top = await topFolderOf(o.dir);
  const work = await openRunWork(o);
  if (isRefusal(work)) return work;
  if ((await machine.surveyFolder(top)).repository?.top === undefined) {
    const what = `${o.dir} is a bare repository, or inside .git: there is no branch to merge into`;
    return refuse(EXIT.usage, what, { next: ["cd into a checkout, or make one with git clone"] });
  }
  const found = await machine.readCheckout(top);
  const lock = machine.takeMergeLock(found.gitDir);
  if (lock === undefined) {
    return refuse(EXIT.usage, "another fractal merge is at work in this checkout");
  }
  try {
    const { end, tried } = await mergeLocked(work, top, o);
    const left = machine.readBeside(telemetryOf(top), work.state.runId);
    if (tried === undefined && left.length === 0) return end;
    const at = renderInstant(machine.systemClock.now());
    const about = { task_id: null, actor: o.by, event_type: "run.merged" } as const;
    const event = tried && { ...about, ...tried, tip: work.tip, at };
    const untold = tell(work, { top, commonDir: found.commonDir, ...o }, event);
    return isRefusal(end) || untold === undefined ? end : { ...end, untold };
  } finally {
    lock.release();
  }
}

async function mergeLocked(
  work: RunWork,
  top: string,
  o: { commits: boolean; anyway: boolean; secrets: Secrets },
): Promise<Ended> {
  const { state, tip } = work;
  const recovered = await machine.recoverMerge(await machine.readCheckout(top));
  if (recovered.kind === "locked") return { end: refuseLocked(recovered.paths, state.runId) };
  if (recovered.kind === "stuck") {
    const end = refuse(EXIT.usage, recovered.why, {
      where: recovered.paths,
      next: [
        "git status   # shows them; git checkout HEAD -- FILE takes one back",
        `fractal merge ${state.runId}   # goes on when that is settled`,
      ],
    });
    return { end };
  }
  const earlier = recovered.kind === "none" ? {} : { earlier: recovered.kind };
  const checkout = await machine.readCheckout(top);
  const { head = "", branch } = checkout;
  const into = branch ?? "HEAD";
  const already = (): MergeEnd => ({
    ...{ work, into, how: "already", before: head, after: head },
    ...earlier,
  });
  if (head !== "" && (await machine.isWithin(top, tip, head))) {
    // By the user's own git, or by a fractal that was cut off before it could say so.
    const isNews = branch !== undefined && work.commits.size > 0 && !isKnown(work, top, into);
    const tried = { into, result: "found", before: head, after: head } as const;
    return { end: already(), ...(isNews ? { tried } : {}) };
  }
  const refusal = (await refuseRun(work, top, o.anyway)) ?? refuseCheckout(checkout, state.runId);
  if (refusal !== undefined) return { end: refusal };
  const merged = await machine.mergeIntoCheckout(checkout, {
    commit: tip,
    message: `Merge fractal run ${state.runId}: ${state.spec.title}`,
    commits: o.commits,
    isUnrelated: state.base === "",
    env: o.secrets.environment(),
  });
  if (merged.kind === "already") return { end: already() };
  if (merged.kind === "merged") {
    const { how, before, after } = merged;
    const end = { work, into, how, before, after, ...earlier };
    return { end, tried: { into, result: how, before, after } };
  }
  const end = refusalOfMerge(merged, state, into);
  return { end, tried: { into, result: merged.kind, before: head, after: head } };
}

/** Whether the journal tells that the run's commit is in that branch, or will. */
function isKnown({ state, events, tip }: RunWork, top: string, into: string): boolean {
  const left = machine.readBeside(telemetryOf(top), state.runId).map(({ event }) => event);
  return isKnownIn([...events, ...left], into, tip);
}

/**
 * Writes a merge into the run's journal: at once where nobody is at work on the repository, else
 * whoever is does. It is done either way; where it cannot be written, that is returned.
 */
function tell(
  { state: { runId } }: RunWork,
  o: { top: string; commonDir: string; secrets: Secrets },
  event: BesideEvent | undefined,
): string | undefined {
  try {
    const lock = machine.takeLock(o.commonDir);
    if (isFailure(lock)) return lock.detail;
    if (lock === undefined) {
      if (event === undefined) return undefined;
      machine.leaveBeside(telemetryOf(o.top), runId, o.secrets.scrubbed(event));
      return undefined;
    }
    try {
      const store = openRunStore(o.top, runId, o.secrets);
      if (isRefusal(store)) return store.what;
      if (event !== undefined) store.record([event]);
      return undefined;
    } finally {
      lock.release();
    }
  } catch (error) {
    // Git has merged, whatever the disk says of the journal.
    return error instanceof Error ? error.message : String(error);
  }
}

/** What of the run itself is in the way. */
async function refuseRun(
  work: RunWork,
  top: string,
  anyway: boolean,
): Promise<Refusal | undefined> {
  const { state, events, tip, commits, refs } = work;
  const { runId } = state;
  const history = walkHistory(events, runId);
  const lost = landedFindings(state, history, { tip, commits, refs });
  if (lost.length > 0) {
    return refuse(EXIT.failed, `${state.branch} lacks work that is done`, {
      where: lost.map(({ detail }) => detail),
      next: [`fractal fsck ${runId}`],
    });
  }
  const why = anyway ? undefined : notYet(state, events, await work.treeOf(tip));
  if (why === undefined) return undefined;
  const done = readableRuns(top).find((run) => !isOpen(run.state) && run.runId !== runId);
  return refuse(EXIT.usage, `run ${runId} ${why}`, {
    next: [
      `fractal tree ${runId}   # what is missing`,
      `fractal merge ${runId} --anyway   # takes what is merged so far; each piece passed its checks`,
      ...(done === undefined
        ? []
        : [`fractal merge ${done.runId}   # another run, which has ended`]),
    ],
  });
}
