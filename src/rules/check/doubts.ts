/** Why green checks may say too little about a change: then somebody looks at it besides. */
import type { CheckResult } from "../../domain/check.ts";
import type { TaskState } from "../../domain/run-state.ts";
import type { Spec } from "../../domain/spec.ts";
import { judgesFromOutside } from "../plan/oracle.ts";
import { isTestFile, runsWorkInside } from "./canary.ts";
import { type BaseFindings, checksAfter, isProven, ownChecks, provingChecks } from "./gates.ts";
import { isPackageList } from "./manifest.ts";
import { protectedBy } from "./protected.ts";
import { unbackedIn } from "./unbacked.ts";

/** A changed file as it stands now. */
export interface ChangedText {
  path: string;
  /** Undefined where it is no text. */
  text: string | undefined;
  /** As it stood before the work; undefined where it was not there, or was no text. */
  before?: string | undefined;
}

/**
 * Words that work has seldom use for, and tampering with whoever judges it has: what ends, patches
 * or recognises a test process, and what reads tests.
 */
const TAMPERING: readonly RegExp[] = [
  /\breallyExit\b|\bprocess\.(?:binding|_linkedBinding|dlopen|ppid)\b|\bos\._exit\b/,
  /\bNODE_TEST_CONTEXT\b|\bNODE_OPTIONS\b|\bJEST_WORKER_ID\b|\bPYTEST_CURRENT_TEST\b|\bVITEST\b/,
  /\bnode:(?:inspector|test)\b|\brequire\.cache\b|\bModule\._(?:load|cache)\b|\bregisterHooks\b/,
  /(?<![\w.])(?=[\w.]*\bassert\b)[\w.]+\s*=[^=>]|\bimport\s+(?:_pytest|pytest)\b|\bsys\.(?:modules|settrace)\b/,
  /\/proc\/|[\w-]\.(?:test|spec)\.[cm]?[jt]sx?\b|\btest_\w+\.py\b|\bconftest\b|\bsitecustomize\b/,
  /process\s*\[|globalThis\s*\[\s*["'`]process|\bprocess\.on\(\s*["'`]exit/,
];

/** What ends a process, with success where it likes: a doubt where that process is the judge. */
const ENDING =
  /\b(?:process|Deno|Bun)\.(?:exit|abort|kill)\b|\b(?:sys|os|syscall)\.(?:exit|Exit|abort|kill|execv\w*)\b|\bSystemExit\b|\b(?:Runtime\b.{0,200}\.(?:halt|exit)|System\.exit)\b|\b_?exit!?\s*\(/g;

/** What reads files whose names are not written there, or has others read them: tests may be among them. */
const READING =
  /\breadFile(?:Sync)?\b(?!\s*(?:[,}]|\(\s*["'][^"']*["']\s*[,)]))[^,)\n]*|\bcreateReadStream\b|\b(?:readdir|opendir|openAsBlob|glob)(?:Sync)?\s*\(|\bopenSync\b|\bchild_process\b|\bgetBuiltinModule\b|\b(?:import|require)\s*\(\s*(?!["'][^"']*["']\s*[,)])[^\s)]|\bcreateRequire\b|\bfs(?:Promises)?\s*\[/;

/** What is doubtful about it, a line each; empty where its checks are strong. */
export function doubtsOf(
  task: TaskState,
  spec: Spec,
  findings: BaseFindings,
  changed: readonly ChangedText[],
  results: readonly CheckResult[] = [],
): string[] {
  const isCode = task.contract.kind === "code";
  return [
    ...doubtsOfChecks(task, spec, findings),
    ...doubtsOfFailures(task, spec, results),
    ...(isCode ? changed.flatMap((one) => steering(one, spec)) : []),
    ...doubtsOfTexts(task, spec, findings, changed),
  ];
}

/** True when all that proves the work is in doubt: until somebody judges it, nothing is proven. */
export function isAllDoubtful(
  task: TaskState,
  spec: Spec,
  findings: BaseFindings,
  changed: readonly ChangedText[],
): boolean {
  const doubts = [
    ...doubtsOfChecks(task, spec, findings),
    ...doubtsOfTexts(task, spec, findings, changed),
  ];
  return doubts.length > 0;
}

function doubtsOfChecks(task: TaskState, spec: Spec, findings: BaseFindings): string[] {
  if (!isProven(task, spec, findings))
    return ["No check of its own was red before the work and asks for more than a failure."];
  return provingChecks(task, spec, findings).every(runsWorkInside)
    ? ["Its checks are green as soon as the work they run ends well, as it could at once."]
    : [];
}

/** What was to fail, and did: perhaps for no better reason than that it does not work. */
function doubtsOfFailures(task: TaskState, spec: Spec, results: readonly CheckResult[]): string[] {
  const gating = ownChecks(task, spec).filter(({ gates }) => gates);
  const crashed = results
    .filter(({ name }) => gating.some((check) => check.name === name))
    .flatMap((one) => one.crashed ?? []);
  return [
    ...unbackedIn(gating).map(
      ({ words }) =>
        `Any failure satisfies this, and no other check asks the same for more: ${words}`,
    ),
    ...crashed.map((what) => `It failed as it had to, but by an error that nobody caught: ${what}`),
  ];
}

function doubtsOfTexts(
  task: TaskState,
  spec: Spec,
  findings: BaseFindings,
  changed: readonly ChangedText[],
): string[] {
  if (task.contract.kind !== "code") return [];
  const checks = checksAfter(task, spec, findings);
  const mayEnd = checks.some((check) => check.gates && runsWorkInside(check));
  const mayRead = checks.some(judgesFromOutside);
  return changed.flatMap((one) => doubtsIn(one, spec, mayEnd, mayRead));
}

/** What a package says of itself that decides what is run, or loaded instead of what is asked for. */
const PACKAGE_STEERS =
  /"(?:scripts|imports|exports|overrides|workspaces|jest|mocha|ava|tap|c8|nyc)"\s*:/;

/** A plan may let a task make a file that judges or configures, where there is none yet. */
function steering(one: ChangedText, spec: Spec): string[] {
  return isOfWork(one) && steers(one, spec)
    ? [`${one.path} judges or configures work itself.`]
    : [];
}

function steers({ path, text }: ChangedText, spec: Spec): boolean {
  if (protectedBy(path, spec.protectedPaths) === undefined || isPackageList(path)) return false;
  return !/(?:^|\/)package\.json$/.test(path) || text === undefined || PACKAGE_STEERS.test(text);
}

/** A test may speak of tests. */
function isOfWork({ path }: ChangedText): boolean {
  return !isTestFile(path) && !path.endsWith(".md");
}

/** What a file says that belongs to tampering, or that it says nothing a reader could follow. */
function doubtsIn(one: ChangedText, spec: Spec, mayEnd: boolean, mayRead: boolean): string[] {
  const { path, text, before = "" } = one;
  if (text === undefined) return [`${path} is no UTF-8 text, so nobody can read what it does.`];
  if (!isOfWork(one) || steers(one, spec)) return [];
  const found = TAMPERING.flatMap((words) => words.exec(text)?.[0]?.trim() ?? []);
  const endings = text.match(ENDING) ?? [];
  // A program that ends as it did is no news.
  if (mayEnd && endings.length > (before.match(ENDING) ?? []).length)
    found.push(...endings.slice(0, 1));
  const reading = READING.exec(text)?.[0]?.trim();
  if (mayRead && reading !== undefined) found.push(reading.slice(0, 60));
  return found.length === 0
    ? []
    : [`${path} speaks of ${found.map((word) => `\`${word.replaceAll("`", "'")}\``).join(", ")}.`];
}
