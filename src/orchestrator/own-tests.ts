/** Tests that a worker wrote itself: they must fail without the work they are about. */
import type { Check } from "../domain/check.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { Change, FileWrite } from "../domain/ports.ts";
import { brokenTest, isTestFile, runsTestsInside } from "../rules/check/canary.ts";
import { checkTree } from "./check-tree.ts";
import type { World } from "./world.ts";

/**
 * Judges the tests among the changes of a candidate on which `checks` are green: put on the base
 * alone, at least one check must be red. Doubts are for the reviewer: where nothing runs the tests,
 * or tests are all there is, nobody can say so.
 */
export async function judgeOwnTests(
  world: World,
  o: { base: string; candidate: string; changes: readonly Change[]; checks: readonly Check[] },
  signal: AbortSignal,
): Promise<{ doubts: string[] } | Failure> {
  const { repository } = world;
  const isOwnTest = (change: Change) => change.kind !== "deleted" && isTestFile(change.path);
  const own = o.changes.filter(isOwnTest).map((change) => change.path);
  if (own.length === 0) return { doubts: [] };
  const checks = o.checks.filter((check) => check.gates && runsTestsInside(check));
  const isGreenWith = async (on: string, files: FileWrite[]) => {
    const tree = await repository.write(on, files);
    const commit = await repository.commit(tree, [on], "Tests alone\n");
    const results = await checkTree(world, commit, checks, { stopAtFirst: true }, signal);
    return isFailure(results) ? results : results.every((one) => one.passed);
  };
  const alone: FileWrite[] = [];
  for (const path of own) {
    alone.push({ path, text: (await repository.readFile(o.candidate, path)) ?? "" });
  }
  const without = await isGreenWith(o.base, alone);
  if (isFailure(without)) return without;
  if (!without) return { doubts: [] };
  const named = own.join(", ");
  for (const path of own) {
    const unrun = await isGreenWith(o.candidate, [{ path, text: brokenTest(path) }]);
    if (isFailure(unrun)) return unrun;
    if (unrun) return { doubts: [`No check runs ${path}.`] };
  }
  if (own.length === o.changes.length) {
    return { doubts: [`Only tests were written (${named}), and they pass as everything was.`] };
  }
  const detail = `These tests pass without the work as well, so they prove nothing about it: ${named}. They must fail on the files as they were, and pass on the new ones.`;
  return { failure: "check-failed", detail, checks: ["own tests"] };
}
