/** One attempt at a leaf, from lease to merge: prepare, red first, work, check, integrate. */
import type { NewEvent } from "../domain/event.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { Change, FileWrite } from "../domain/ports.ts";
import type { TaskState } from "../domain/run-state.ts";
import type { TaskId } from "../domain/task.ts";
import { type ChangedText, doubtsOf, isAllDoubtful } from "../rules/check/doubts.ts";
import {
  type BaseFindings,
  checksAfter,
  checksBefore,
  checksTouched,
  findingsAfter,
  findingsOf,
  isProven,
} from "../rules/check/gates.ts";
import { missingCommand } from "../rules/check/missing-command.ts";
import { judgeScope } from "../rules/check/scope.ts";
import { drawVerdict, failureOf } from "../rules/check/verdict.ts";
import { taskOf } from "../rules/status.ts";
import { doubtGreen } from "./canary.ts";
import { checkTree } from "./check-tree.ts";
import { askConsent } from "./consent.ts";
import { integrate, landedCommit } from "./integrate.ts";
import { profileFor } from "./journaled-model.ts";
import { keepWork, withHalfDone, withPatch } from "./keep-work.ts";
import { type Worked, workLeaf } from "./leaf-work.ts";
import { endedEvent, failedEnd, type Lease, type LeaseEnd, underLease } from "./lease.ts";
import { judgeOwnTests } from "./own-tests.ts";
import { showPackages, wouldDownload } from "./packages.ts";
import { reviewChange } from "./review-change.ts";
import { openToolbox } from "./toolbox.ts";
import { ACTOR, type World } from "./world.ts";

/** Makes one worker attempt at a leaf; everything it leads to is in the journal afterwards. */
export function attemptTask(world: World, taskId: TaskId, signal: AbortSignal): Promise<void> {
  return underLease(world, taskId, "worker", signal, (lease) =>
    tryLeaf(world, lease, signal, (folder, task) => workLeaf(world, lease, task, folder, signal)),
  );
}

/** Checks and integrates files somebody else wrote (a fixer's patch) as this lease's attempt. */
export function tryPatch(
  world: World,
  lease: Lease,
  files: FileWrite[],
  signal: AbortSignal,
): Promise<LeaseEnd> {
  return tryLeaf(world, lease, signal, async (folder, task) => {
    const toolbox = openToolbox(world, lease, task, folder, signal);
    for (const { path, text } of files) {
      if (text === null) continue;
      const call = { id: path, name: "write_file", args: { path, text } };
      const result = await toolbox.call(call, "patch");
      if (isFailure(result)) return result;
      if (result.isError) return { failure: "out-of-scope", detail: result.text, paths: [path] };
    }
    return { summary: `the fixer's patch of ${files.map((file) => file.path).join(", ")}` };
  });
}

async function tryLeaf(
  world: World,
  lease: Lease,
  signal: AbortSignal,
  doWork: (folder: string, task: TaskState) => Promise<Worked>,
): Promise<LeaseEnd> {
  const { store, repository, sandbox, spec, limits } = world;
  const task = taskOf(store.state, lease.taskId);
  const rigour = { stopAtFirst: false };
  const before = await checkTree(world, lease.base, checksBefore(task, spec), rigour, signal);
  if (isFailure(before)) return failedEnd(world, lease, before);
  const lack = missingCommand(before, checksBefore(task, spec));
  if (lack !== undefined) return failedEnd(world, lease, lack);
  const findings = findingsOf(task, spec, before);
  const found = { vacuous: findings.vacuous, not_yet: findings.notYet };
  // A crash between moving the branch and saying so: the work is already there.
  const merged = await landedCommit(world, lease);
  if (merged !== undefined) {
    const texts = await changedTexts(world, lease, merged);
    return doneEnd(world, lease, merged, isUnchecked(world, lease, task, findings, texts), found);
  }

  const judgeKept = async (candidate: string, changes: Change[], summary: string) => {
    const files = changes.map((change) => change.path);
    const more = { ...found, files, kept: candidate, summary };
    const lost = (end: LeaseEnd) => withPatch(world, lease, candidate, end);
    // A worker's step is held small; what a command or a result text may hold is not its measure.
    const isCode = task.contract.kind === "code";
    const linesMax = isCode ? limits.linesChangedMax : Number.POSITIVE_INFINITY;
    const scope =
      judgeScope(changes, task.contract, spec.protectedPaths, linesMax) ?? noChange(task, files);
    if (scope !== undefined) {
      return await lost(failedEnd(world, lease, scope, { ...more, summary: scope.detail }));
    }
    return await lost(await judge(world, lease, task, findings, candidate, files, more, signal));
  };
  // Done again it might come out otherwise, and a person would be asked without end.
  const { agreed } = task;
  if (agreed?.attempt === lease.attempt && (await isKept(world, agreed.commit))) {
    const changes = await repository.changes(lease.base, agreed.commit);
    return await judgeKept(agreed.commit, changes, agreed.said);
  }

  const name = `${store.state.runId}-${lease.taskId}-${lease.attempt}`;
  const folder = await sandbox.workspace(name);
  try {
    await repository.checkout(lease.base, folder);
    const trouble = await showPackages(world, lease.base, folder, signal);
    if (trouble !== undefined) return failedEnd(world, lease, trouble, found);
    await sandbox.handOver(folder);
    const worked = await doWork(folder, task);
    if (isFailure(worked)) {
      const half = failedEnd(world, lease, worked, found);
      // What goes on later is done again from its stored answers.
      const goesOn = half.events.length === 0 || signal.reason === "stopped";
      return goesOn ? half : await withHalfDone(world, lease, task, folder, half);
    }
    const collected = await repository.collect(folder, lease.base);
    if (isFailure(collected)) return failedEnd(world, lease, collected, found);
    const candidate = await keepWork(world, lease, task, collected.tree);
    return await judgeKept(candidate, collected.changes, worked.summary);
  } finally {
    await sandbox.discard(folder);
  }
}

/** Whether a commit is still there; what is lost is done again. */
function isKept({ repository }: World, commit: string): Promise<boolean> {
  return repository.treeOf(commit).then(
    () => true,
    () => false,
  );
}

/** An attempt that changed nothing did not do the work, unless there is nothing to change. */
function noChange(task: TaskState, files: string[]): Failure | undefined {
  if (files.length > 0 || task.contract.files.length === 0) return undefined;
  const detail = `no file was changed; expected ${task.contract.files.join(", ")}`;
  return { failure: "answer-unusable", detail };
}

type Ended = Partial<Extract<NewEvent, { event_type: "attempt.ended" }>>;

async function judge(
  world: World,
  lease: Lease,
  task: TaskState,
  findings: BaseFindings,
  candidate: string,
  files: string[],
  more: Ended,
  signal: AbortSignal,
): Promise<LeaseEnd> {
  const { spec, store, repository } = world;
  const checks = checksAfter(task, spec, findings);
  const said = more.summary ?? "";
  // To check it, what its lock file names is downloaded: only once a person has said yes to that.
  const early = wouldDownload(world, files)
    ? await askConsent(world, lease, candidate, { said, isChecked: false })
    : undefined;
  if (early !== undefined) return "events" in early ? early : failedEnd(world, lease, early, more);
  // What a check says once only is not the worker's failure.
  const rigour = { stopAtFirst: true, confirmsRed: true };
  const first = await checkTree(world, candidate, checks, rigour, signal);
  if (isFailure(first)) return failedEnd(world, lease, first, more);
  const about = { commit: candidate, base: lease.base, changed: files };
  const results = await doubtGreen(world, about, checks, first, signal);
  if (isFailure(results)) return failedEnd(world, lease, results, more);
  const verdict = drawVerdict(results, checks);
  if (!verdict.passed) {
    const failure = missingCommand(results, checks) ?? failureOf(verdict);
    return failedEnd(world, lease, failure, { ...more, verdict });
  }
  const changes = await repository.changes(lease.base, candidate);
  const own = await judgeOwnTests(world, { base: lease.base, candidate, changes, checks }, signal);
  if (isFailure(own)) return failedEnd(world, lease, own, { ...more, verdict });
  const texts = await changedTexts(world, lease, candidate, changes);
  const shown = findingsAfter(findings, task, spec, results);
  const doubts = [...doubtsOf(task, spec, shown, texts, results), ...own.doubts];
  const { vacuous } = shown;
  const judged: Ended = { ...more, vacuous, verdict, ...(doubts.length > 0 ? { doubts } : {}) };
  if (doubts.length > 0) {
    const refusal = await reviewChange(world, lease, candidate, doubts, signal);
    if (refusal !== undefined) return failedEnd(world, lease, refusal, judged);
  }
  const asked = await askConsent(world, lease, candidate, { said, isChecked: true });
  if (asked !== undefined) return "events" in asked ? asked : failedEnd(world, lease, asked, more);
  const integrated = await integrate(
    world,
    lease,
    candidate,
    (landed) => [...checks, ...checksTouched(store.state, task.id, files, landed)],
    signal,
  );
  if (isFailure(integrated)) return failedEnd(world, lease, integrated, more);
  const unchecked = isUnchecked(world, lease, task, shown, texts);
  return doneEnd(world, lease, integrated, unchecked, judged);
}

function doneEnd(
  world: World,
  lease: Lease,
  commit: string,
  unchecked: boolean,
  more: Ended,
): LeaseEnd {
  return {
    events: [
      endedEvent(world, lease, "succeeded", more),
      {
        task_id: lease.taskId,
        actor: ACTOR,
        event_type: "task.done",
        attempt: lease.attempt,
        commit,
        unchecked,
      },
    ],
  };
}

/** Whether nothing proves the work: no check does, or all that does is in doubt and nobody judged it. */
function isUnchecked(
  world: World,
  lease: Lease,
  task: TaskState,
  findings: BaseFindings,
  texts: readonly ChangedText[],
): boolean {
  if (!isProven(task, world.spec, findings)) return true;
  if (profileFor(world, lease, "reviewer") !== undefined) return false;
  return isAllDoubtful(task, world.spec, findings, texts);
}

/** What the commit has in place of what the work began from. */
async function changedTexts(
  { repository }: World,
  { base }: Lease,
  commit: string,
  changes?: readonly Change[],
): Promise<ChangedText[]> {
  const texts: ChangedText[] = [];
  for (const { path, kind } of changes ?? (await repository.changes(base, commit))) {
    if (kind === "deleted") continue;
    const text = await repository.readFile(commit, path);
    texts.push({ path, text, before: await repository.readFile(base, path) });
  }
  return texts;
}
