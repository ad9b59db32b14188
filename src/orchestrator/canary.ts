/** Finds green checks that say nothing: they stay green when a test they run is made to fail. */
import type { Check, CheckResult } from "../domain/check.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import {
  brokenTest,
  isTestFile,
  runsWorkInside,
  testsOf,
  withCanary,
} from "../rules/check/canary.ts";
import { judgesFromOutside } from "../rules/plan/oracle.ts";
import { checkTree } from "./check-tree.ts";
import type { World } from "./world.ts";

/** Test files that are made to fail for one change, at most; and how many are read to find them. */
const CANARIES_MAX = 2;
const TESTS_READ_MAX = 100;

/** A tree that checks were green on, and where it comes from. */
export interface Doubted {
  commit: string;
  /** What the work began from. */
  base: string;
  /** The files that differ. */
  changed: readonly string[];
}

/**
 * The results, with those red whose check stays green although a test it runs was made to fail, and
 * did not before the work.
 */
export async function doubtGreen(
  world: World,
  about: Doubted,
  checks: readonly Check[],
  results: readonly CheckResult[],
  signal: AbortSignal,
): Promise<CheckResult[] | Failure> {
  const isDoubted = (check: Check) =>
    check.gates &&
    runsWorkInside(check) &&
    results.some((one) => one.name === check.name && one.passed);
  const doubted = checks.filter(isDoubted);
  if (doubted.length === 0) return [...results];
  const tests = (await relatedTests(world, about)).slice(0, CANARIES_MAX);
  const found = new Map<string, string>();
  for (const check of doubted) {
    for (const path of tests) {
      const silent = await isSilenced(world, about, check, path, signal);
      if (isFailure(silent)) return silent;
      if (silent) found.set(check.name, path);
    }
  }
  return results.map((result) => {
    const path = found.get(result.name);
    if (path === undefined) return result;
    const detail = `It stays green when ${path} is made to fail, so what it says counts for nothing: the change ends, skips or silences tests while they run. The work must leave the process that tests it alone.`;
    return { ...result, passed: false, detail };
  });
}

/** Tests that were there before and speak of what was changed; what the plan rendered needs no canary. */
async function relatedTests(world: World, { commit, base, changed }: Doubted): Promise<string[]> {
  const { repository, store } = world;
  const rendered = new Set(
    [...store.state.tasks.values()].flatMap(({ contract }) =>
      contract.checks.filter(judgesFromOutside).flatMap(({ oracle }) => oracle),
    ),
  );
  const before = new Set(await repository.listFiles(base));
  const paths = (await repository.listFiles(commit)).filter(
    (path) => isTestFile(path) && before.has(path) && !rendered.has(path),
  );
  const tests: { path: string; text: string }[] = [];
  for (const path of paths.slice(0, TESTS_READ_MAX)) {
    const text = await repository.readFile(commit, path);
    if (text !== undefined) tests.push({ path, text });
  }
  return testsOf(changed, tests);
}

async function isSilenced(
  world: World,
  { commit, base }: Doubted,
  check: Check,
  path: string,
  signal: AbortSignal,
): Promise<boolean | Failure> {
  const text = (await world.repository.readFile(commit, path)) ?? "";
  const isGreen = (on: string, put: string) => isGreenWith(world, on, check, path, put, signal);
  const withFailing = await isGreen(commit, withCanary(path, text));
  if (withFailing !== true) return withFailing;
  // It may not run this file at all.
  const withBroken = await isGreen(commit, brokenTest(path));
  if (withBroken !== false) return isFailure(withBroken) ? withBroken : false;
  // Or count such a test for nothing, whatever the work is.
  const before = await isGreen(base, withCanary(path, text));
  return isFailure(before) ? before : !before;
}

/** Whether a check is green on a commit with this text in place of a file. */
async function isGreenWith(
  world: World,
  commit: string,
  check: Check,
  path: string,
  text: string,
  signal: AbortSignal,
): Promise<boolean | Failure> {
  const tree = await world.repository.write(commit, [{ path, text }]);
  const changed = await world.repository.commit(tree, [commit], "A test that must fail\n");
  const results = await checkTree(world, changed, [check], { stopAtFirst: false }, signal);
  if (isFailure(results)) return results;
  return results.every((one) => one.passed);
}
