/** Rolls a split task up: its own checks on the branch as it is; red makes one bounded repair leaf. */
import type { Check, CheckResult, Verdict } from "../domain/check.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { RunState, TaskState } from "../domain/run-state.ts";
import type { Contract, TaskId } from "../domain/task.ts";
import { leafChecks, owedToRollUp } from "../rules/check/gates.ts";
import { drawVerdict } from "../rules/check/verdict.ts";
import { descendantsOf, isLost, mayRollUp, taskOf } from "../rules/status.ts";
import { doubtGreen } from "./canary.ts";
import { checkTree } from "./check-tree.ts";
import { createdEvent } from "./tracked.ts";
import { ACTOR, type World } from "./world.ts";

/** What a contract may hold (domain/task.ts). */
const PURPOSE_CHARS_MAX = 64_000;

/**
 * Checks a split task whose children are settled. Green: done. Red: a repair leaf, at most
 * `repairsMax` an episode; after them the red verdict stands and a person is asked. Trouble outside
 * is returned; what changed meanwhile leaves everything as it is, to be looked at again.
 */
export async function rollUpTask(
  world: World,
  taskId: TaskId,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const { store, repository, limits } = world;
  const task = taskOf(store.state, taskId);
  const commit = await repository.head();
  const tree = await repository.treeOf(commit);
  const landed = await repository.landed();
  const checks = rollUpChecks(world, task);
  const rigour = { stopAtFirst: false, confirmsRed: true };
  const first = await checkTree(world, commit, checks, rigour, signal);
  if (isFailure(first)) return first;
  const work = workBelow(store.state, task);
  const results = work
    ? await doubtGreen(world, { ...work, commit }, checks, first, signal)
    : first;
  if (isFailure(results)) return results;
  // Meanwhile a person may have reopened what is below, added to it, or put it aside.
  if (signal.aborted || isLost(store.state, task) || !mayRollUp(store.state, task))
    return undefined;
  const missing = missingWork(store.state, task, landed);
  const verdict = missing ?? drawVerdict(results, checks);
  const about = { task_id: taskId, actor: ACTOR } as const;
  const rolledUp = { ...about, event_type: "task.rolled_up", verdict, tree } as const;
  if (verdict.passed) {
    const unchecked = verdict.gatesGreen === 0 && !areProven(store.state, task);
    store.record([rolledUp, { ...about, event_type: "task.done", commit, unchecked }]);
    return undefined;
  }
  const red = checks.filter((check) => check.gates && isRed(check, results));
  const repair = repairOf(world, task, red, verdict.reason);
  // Where no file may be changed nothing can be repaired, nor what is only sometimes red, nor what
  // somebody took off the branch.
  if (
    missing !== undefined ||
    verdict.results.some((result) => result.flaky) ||
    task.repairs >= limits.repairsMax ||
    repair.contract.files.length === 0
  ) {
    store.record([rolledUp]);
    return undefined;
  }
  // Known here first: what the tracker is told of is owed to it from now on, whoever is killed.
  store.record([rolledUp, createdEvent(repair)]);
  return undefined;
}

/**
 * The verdict where the branch has lost work that is said to be done below: somebody moved it back.
 * Undefined where all of it is there.
 */
function missingWork(
  state: RunState,
  task: TaskState,
  landed: ReadonlySet<string>,
): Verdict | undefined {
  const lost = descendantsOf(state, task.id).filter(
    ({ shape, end, commit }) =>
      shape === "leaf" && end === "done" && commit !== undefined && !landed.has(commit),
  );
  if (lost.length === 0) return undefined;
  const which = lost.map(({ id, commit }) => `${id} (${commit?.slice(0, 12)})`).join(", ");
  const reason = `${state.branch} no longer has the work of ${which}: somebody moved it back. Put it back (git reflog, or refs/fractal/${state.runId}), then answer; or reopen what shall be done again: bd reopen ${lost[0]?.id}`;
  const name = "the work is on the branch";
  const result = {
    name,
    passed: false,
    gates: true,
    exitCode: null,
    durationMs: 0,
    detail: reason,
  };
  return { passed: false, gatesGreen: 0, results: [result], reason };
}

/**
 * Its own roll-up checks, and the `leaf` ones that were not yet green when its leaves began; the
 * root's are all `leaf` checks and the spec's `final` ones.
 */
function rollUpChecks(world: World, task: TaskState): Check[] {
  const own = task.contract.checks;
  const leafOnes = leafChecks(world.spec);
  if (task.parent !== null) {
    const owed = owedToRollUp(world.store.state, task);
    return [...own, ...leafOnes.filter((check) => owed.has(check.name))];
  }
  return [...own, ...leafOnes, ...world.spec.checks.filter((check) => check.when === "final")];
}

/** What was merged below a task: the commit it all began from, and the files; nothing, where nothing was. */
function workBelow(state: RunState, task: TaskState) {
  const merged = descendantsOf(state, task.id)
    .flatMap((one) => one.attempts)
    .filter((attempt) => attempt.outcome === "succeeded")
    .sort((a, b) => a.startedAt - b.startedAt);
  const base = merged[0]?.base;
  if (base === undefined) return undefined;
  return { base, changed: [...new Set(merged.flatMap((attempt) => attempt.files))] };
}

/** What is done below it is proven; nothing done there proves nothing. */
function areProven(state: RunState, task: TaskState): boolean {
  const left = task.children
    .map((id) => taskOf(state, id))
    .filter((one) => one.end !== "cancelled");
  return left.length > 0 && left.every((one) => one.end === "done" && !one.unchecked);
}

function isRed(check: Check, results: CheckResult[]): boolean {
  return results.some((result) => result.name === check.name && !result.passed);
}

function repairOf(world: World, task: TaskState, red: Check[], reason: string) {
  const { state } = world.store;
  // Its own too: who got children from a person was a leaf. Folders are no files to be written.
  const files = new Set(
    [task, ...descendantsOf(state, task.id)]
      .flatMap((one) => one.contract.files)
      .filter((file) => !file.endsWith("/")),
  );
  const made = task.children.filter((id) => taskOf(state, id).origin === "repair").length;
  const slug = `r${made + 1}`;
  // What a person answered about the whole is for whoever mends it.
  const said = task.guidance.map(({ text }) => text);
  const contract: Contract = {
    title: `Repair: ${task.contract.title}`.slice(0, 255),
    purpose: ["The parts are done, but together they do not pass.", reason, ...said]
      .join("\n\n")
      .slice(0, PURPOSE_CHARS_MAX),
    kind: "code",
    size: "S",
    requirements: [],
    files: [...files].sort(),
    interfaces: [],
    checks: red.map((check) => ({ ...check, when: "own" as const })),
    examples: [],
    risks: [],
  };
  return {
    id: `${task.id}.${slug}`,
    key: task.parent === null ? slug : `${task.key}.${slug}`,
    parent: task.id,
    dependsOn: [],
    priority: task.priority,
    contract,
    leaf: true,
    origin: "repair" as const,
  };
}
