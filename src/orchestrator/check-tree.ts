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
  let looked: Promise<TreeFacts> | undefined;
  /** Looked up once, and only where something is run. */
  const run: RunCheck = async (check) => {
    looked ??= factsOf(world, commit, checks);
    return runOne(world, commit, check, await looked, signal);
  };
  const results: CheckResult[] = [];
  for (const check of checks) {
    const { stdin, exit, stdout, examples } = check;
    const key = JSON.stringify([tree, check.run, stdin, exit, stdout, examples]);
    const first = checked.get(key) ?? (await run(check));
    if (isFailure(first)) return first;
    const isDoubted = confirmsRed && check.gates && !first.passed && !first.confirmed;
    const result = isDoubted ? await confirm(run, check, first) : first;
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

/** What the checks of one tree need to know of its files. */
interface TreeFacts {
  files: readonly string[];
  /** Those that judge or configure. */
  watched: string[];
  /** Those that were rendered from examples; empty where no check compares. */
  rendered: ReadonlySet<string>;
}

type RunCheck = (check: Check) => Promise<CheckedResult | Failure>;

async function factsOf(
  { repository, spec }: World,
  commit: string,
  checks: readonly Check[],
): Promise<TreeFacts> {
  const files = await repository.listFiles(commit);
  const watched = files.filter((path) => protectedBy(path, spec.protectedPaths) !== undefined);
  const rendered = new Set<string>();
  for (const path of checks.some(compares) ? files.filter(mayBeRendered) : []) {
    if (isRenderedText((await repository.readFile(commit, path)) ?? "")) rendered.add(path);
  }
  return { files, watched, rendered };
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
  { files, watched, rendered }: TreeFacts,
  signal: AbortSignal,
): Promise<CheckedResult | Failure> {
  const { sandbox, limits, store, spec } = world;
  const hidden = compares(check) ? hiddenFrom(check, files, rendered, spec) : [];
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
  run: RunCheck,
  check: Check,
  red: CheckedResult,
): Promise<CheckedResult | Failure> {
  const again = await run(check);
  if (isFailure(again)) return again;
  if (!again.passed) return { ...red, confirmed: true };
  const detail = `It was red, and green when it ran once more on the same files.\n${red.detail}`;
  return { ...red, flaky: true, detail };
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
