/** Tests that a worker wrote itself: they must fail without the work they are about, and pass with it. */
import type { Check } from "../domain/check.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { Change, FileWrite } from "../domain/ports.ts";
import { brokenTest, checkOfTest, isTestFile, runsWorkInside } from "../rules/check/canary.ts";
import { checkTree } from "./check-tree.ts";
import type { World } from "./world.ts";

interface Written {
  base: string;
  candidate: string;
  changes: readonly Change[];
  /** What was green on the candidate. */
  checks: readonly Check[];
}

/**
 * Judges the tests among the changes of a candidate: put on the base alone, each must be red. Doubts
 * are for the reviewer: where nothing runs the tests, or tests are all there is, nobody can say so.
 */
export async function judgeOwnTests(
  world: World,
  o: Written,
  signal: AbortSignal,
): Promise<{ doubts: string[] } | Failure> {
  const isOwnTest = (change: Change) => change.kind !== "deleted" && isTestFile(change.path);
  const own = o.changes.filter(isOwnTest).map((change) => change.path);
  if (own.length === 0) return { doubts: [] };
  const tests: FileWrite[] = [];
  for (const path of own) {
    tests.push({ path, text: (await world.repository.readFile(o.candidate, path)) ?? "" });
  }
  const idle: string[] = [];
  for (const test of tests) {
    const found = await judgeTest(world, o, tests, test, signal);
    if (isFailure(found)) return found;
    if (found === "not run") return { doubts: [`No check runs ${test.path}.`] };
    if (found === "idle") idle.push(test.path);
  }
  if (idle.length === 0) return { doubts: [] };
  if (own.length === o.changes.length) {
    return {
      doubts: [`Only tests were written, and they pass as everything was: ${idle.join(", ")}.`],
    };
  }
  const detail = `These tests pass without the work as well, so they prove nothing about it: ${idle.join(", ")}. They must fail on the files as they were, and pass on the new ones.`;
  return { failure: "check-failed", detail, checks: ["own tests"] };
}

/** Whether one test needs the work; `idle` when it passes without. */
async function judgeTest(
  world: World,
  { base, candidate, checks }: Written,
  tests: readonly FileWrite[],
  { path, text }: FileWrite,
  signal: AbortSignal,
): Promise<"needs it" | "idle" | "not run" | Failure> {
  const { repository } = world;
  const isGreen = async (on: string, files: FileWrite[], by: Check[]) => {
    const tree = await repository.write(on, files);
    const commit = await repository.commit(tree, [on], "Tests alone\n");
    const results = await checkTree(world, commit, by, { stopAtFirst: true }, signal);
    return isFailure(results) ? results : results.every((one) => one.passed);
  };
  const alone = checkOfTest(path, text ?? "");
  const passes = alone === undefined ? false : await isGreen(candidate, [], [alone]);
  if (isFailure(passes)) return passes;
  // Where it cannot be run by itself, the checks that were green must notice that it is there.
  const by =
    passes && alone ? [alone] : checks.filter((check) => check.gates && runsWorkInside(check));
  const without = await isGreen(base, [...tests], by);
  if (isFailure(without)) return without;
  if (!without) return "needs it";
  const broken = await isGreen(candidate, [{ path, text: brokenTest(path) }], by);
  if (isFailure(broken)) return broken;
  return broken ? "not run" : "idle";
}
