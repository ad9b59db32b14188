/** Runs checks on a commit in a fresh sandboxed folder; one tree is checked once. */
import type { Check, CheckResult } from "../domain/check.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import { runChecks } from "./run-checks.ts";
import type { World } from "./world.ts";

/**
 * The results, in the order of `checks`; with `stopAtFirst` those after the first red gate are
 * missing. What ran on the same tree before is not run again.
 */
export async function checkTree(
  world: World,
  commit: string,
  checks: readonly Check[],
  stopAtFirst: boolean,
  signal: AbortSignal,
): Promise<CheckResult[] | Failure> {
  if (checks.length === 0) return [];
  const { repository, sandbox, checked } = world;
  const tree = await repository.treeOf(commit);
  const keyOf = (check: Check) =>
    JSON.stringify([tree, check.run, check.stdin, check.exit, check.stdout]);
  const results: CheckResult[] = [];
  let folder: string | undefined;
  try {
    for (const check of checks) {
      const known = checked.get(keyOf(check));
      let result: CheckResult;
      if (known === undefined) {
        folder ??= await freshFolder(world, commit);
        const ran = await runChecks(
          { checks: [check], folder, stopAtFirst: false },
          { sandbox, journal: world.store.journal, limits: world.limits },
          signal,
        );
        if (isFailure(ran)) return ran;
        const first = ran[0];
        if (first === undefined) throw new Error(`check ${check.name} gave no result`);
        result = first;
        checked.set(keyOf(check), result);
      } else {
        result = { ...known, name: check.name, gates: check.gates };
      }
      results.push(result);
      if (stopAtFirst && check.gates && !result.passed) break;
    }
    return results;
  } finally {
    if (folder !== undefined) await sandbox.discard(folder);
  }
}

let folders = 0;

/** Each check run starts from the commit's files alone, in a folder nobody else uses. */
async function freshFolder(world: World, commit: string): Promise<string> {
  folders += 1;
  const folder = await world.sandbox.workspace(`${world.store.state.runId}-check-${folders}`);
  await world.repository.checkout(commit, folder);
  await world.sandbox.handOver(folder);
  return folder;
}
