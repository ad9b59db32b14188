/** Runs checks on a commit in a fresh sandboxed folder; one tree is checked once. */
import type { Check, CheckResult } from "../domain/check.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
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
  let folder: string | undefined;
  try {
    for (const check of checks) {
      const key = JSON.stringify([tree, check.run, check.stdin, check.exit, check.stdout]);
      const known = checked.get(key);
      if (known === undefined && folder === undefined) {
        const made = await freshFolder(world, commit, signal);
        if (isFailure(made)) return made;
        folder = made;
      }
      const first = known ?? (await runOne(world, check, folder ?? "", signal));
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
  } finally {
    if (folder !== undefined) await world.sandbox.discard(folder);
  }
}

async function runOne(
  world: World,
  check: Check,
  folder: string,
  signal: AbortSignal,
): Promise<CheckedResult | Failure> {
  const { sandbox, limits, store } = world;
  const ran = await runChecks(
    { checks: [check], folder, stopAtFirst: false },
    { sandbox, journal: store.journal, limits },
    signal,
  );
  if (isFailure(ran)) return ran;
  const [result] = ran;
  if (result === undefined) throw new Error(`check ${check.name} gave no result`);
  return result;
}

/** Runs a red check again, in a folder of its own: red again, or flaky. */
async function confirm(
  world: World,
  commit: string,
  check: Check,
  red: CheckedResult,
  signal: AbortSignal,
): Promise<CheckedResult | Failure> {
  const folder = await freshFolder(world, commit, signal);
  if (isFailure(folder)) return folder;
  try {
    const again = await runOne(world, check, folder, signal);
    if (isFailure(again)) return again;
    if (!again.passed) return { ...red, confirmed: true };
    const detail = `It was red, and green when it ran once more on the same files.\n${red.detail}`;
    return { ...red, flaky: true, detail };
  } finally {
    await world.sandbox.discard(folder);
  }
}

let folders = 0;

/** Each check run starts from the commit's files alone, in a folder nobody else uses. */
async function freshFolder(
  world: World,
  commit: string,
  signal: AbortSignal,
): Promise<string | Failure> {
  folders += 1;
  const folder = await world.sandbox.workspace(`${world.store.state.runId}-check-${folders}`);
  await world.repository.checkout(commit, folder);
  const trouble = await showPackages(world, commit, folder, signal);
  if (trouble !== undefined) {
    await world.sandbox.discard(folder);
    return trouble;
  }
  await world.sandbox.handOver(folder);
  return folder;
}
