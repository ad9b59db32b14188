/** Runs checks on a commit, each in a fresh sandboxed folder; one tree is checked once. */
import type { Check, CheckResult } from "../domain/check.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import { compares, hiddenFrom } from "../rules/check/hidden.ts";
import { protectedBy } from "../rules/check/protected.ts";
import { isRenderedText, mayBeRendered } from "../rules/plan/oracle.ts";
import { showPackages } from "./packages.ts";
import { runChecks } from "./run-checks.ts";
import type { CheckedResult, World } from "./world.ts";

/** What is made of a red result. */
export interface Rigour {
  /** The checks after the first red gate are left out. */
  stopAtFirst: boolean;
  /**
   * A red gate is run once more on the same files before it counts: where more hangs on it than one
   * more attempt. Green then, it is flaky, and said to be.
   */
  confirmsRed?: boolean;
}

/**
 * The results, in the order of `checks`; with `stopAtFirst` those after the first red gate are
 * missing. What ran on the same tree before is not run again, unless a red is to be confirmed.
 */
export async function checkTree(
  world: World,
  commit: string,
  checks: readonly Check[],
  { stopAtFirst, confirmsRed = false }: Rigour,
  signal: AbortSignal,
): Promise<CheckResult[] | Failure> {
  if (checks.length === 0) return [];
  const { checked } = world;
  const tree = await world.repository.treeOf(commit);
  const results: CheckResult[] = [];
  for (const check of checks) {
    const { run, stdin, exit, stdout, examples } = check;
    const key = JSON.stringify([tree, run, stdin, exit, stdout, examples]);
    const first = checked.get(key) ?? (await runOne(world, commit, check, signal));
    if (isFailure(first)) return first;
    const isDoubted = confirmsRed && check.gates && !first.passed && !first.confirmed;
    const result = isDoubted ? await confirm(world, commit, check, first, signal) : first;
    if (isFailure(result)) return result;
    // Of a flaky check nothing is known.
    if (result.flaky === undefined) checked.set(key, result);
    else checked.delete(key);
    const { confirmed: _, ...shown } = result;
    results.push({ ...shown, name: check.name, gates: check.gates });
    if (stopAtFirst && check.gates && !result.passed) break;
  }
  return results;
}

/**
 * In a folder of its own, which holds the commit's files and nothing else: whatever code a check
 * ran, it can neither prepare the next one nor change the files that judge while they do. What says
 * what is expected of the work is left out where its answers are compared from outside.
 */
async function runOne(
  world: World,
  commit: string,
  check: Check,
  signal: AbortSignal,
): Promise<CheckedResult | Failure> {
  const { repository, sandbox, limits, store, spec } = world;
  const files = await repository.listFiles(commit);
  const watched = files.filter((path) => protectedBy(path, spec.protectedPaths) !== undefined);
  const hidden = compares(check) ? await hiddenFiles(world, commit, check, files) : [];
  const folder = await freshFolder(world, commit, hidden, signal);
  if (isFailure(folder)) return folder;
  try {
    const ran = await runChecks(
      { checks: [check], folder, stopAtFirst: false, watched },
      { sandbox, journal: store.journal, limits },
      signal,
    );
    if (isFailure(ran)) return ran;
    const [result] = ran;
    if (result === undefined) throw new Error(`check ${check.name} gave no result`);
    return result;
  } finally {
    await sandbox.discard(folder);
  }
}

/** Runs a red check again: red again, or flaky. */
async function confirm(
  world: World,
  commit: string,
  check: Check,
  red: CheckedResult,
  signal: AbortSignal,
): Promise<CheckedResult | Failure> {
  const again = await runOne(world, commit, check, signal);
  if (isFailure(again)) return again;
  if (!again.passed) return { ...red, confirmed: true };
  const detail = `It was red, and green when it ran once more on the same files.\n${red.detail}`;
  return { ...red, flaky: true, detail };
}

async function hiddenFiles(
  { repository, spec }: World,
  commit: string,
  check: Check,
  files: readonly string[],
): Promise<string[]> {
  const rendered = new Set<string>();
  for (const path of files.filter(mayBeRendered)) {
    if (isRenderedText((await repository.readFile(commit, path)) ?? "")) rendered.add(path);
  }
  return hiddenFrom(check, files, rendered, spec);
}

let folders = 0;

async function freshFolder(
  world: World,
  commit: string,
  hidden: readonly string[],
  signal: AbortSignal,
): Promise<string | Failure> {
  folders += 1;
  const { repository, sandbox } = world;
  const folder = await sandbox.workspace(`${world.store.state.runId}-check-${folders}`);
  const without = hidden.map((path) => ({ path, text: null }));
  const shown = hidden.length === 0 ? commit : await repository.write(commit, without);
  await repository.checkout(shown, folder);
  const trouble = await showPackages(world, commit, folder, signal);
  if (trouble !== undefined) {
    await sandbox.discard(folder);
    return trouble;
  }
  await sandbox.handOver(folder);
  return folder;
}
