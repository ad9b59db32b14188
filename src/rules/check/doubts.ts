/** Why green checks may say too little about a change: then somebody looks at it besides. */
import type { TaskState } from "../../domain/run-state.ts";
import type { Spec } from "../../domain/spec.ts";
import { isTestFile, runsTestsInside } from "./canary.ts";
import { type BaseFindings, isProven, provingChecks } from "./gates.ts";
import { protectedBy } from "./protected.ts";

/** A changed file as it stands now. */
export interface ChangedText {
  path: string;
  text: string;
}

/**
 * Words that work has seldom use for, and tampering with whoever judges it has: what ends, patches
 * or recognises a test process, and what reads tests.
 */
const TAMPERING: readonly RegExp[] = [
  /\breallyExit\b|\bprocess\.(?:binding|_linkedBinding|dlopen|ppid)\b|\bos\._exit\b/,
  /\bNODE_TEST_CONTEXT\b|\bNODE_OPTIONS\b|\bJEST_WORKER_ID\b|\bPYTEST_CURRENT_TEST\b|\bVITEST\b/,
  /\bnode:(?:inspector|test)\b|\brequire\.cache\b|\bModule\._(?:load|cache)\b|\bregisterHooks\b/,
  /\bassert(?:\.\w+)*\s*=[^=>]|\bimport\s+(?:_pytest|pytest)\b|\bsys\.(?:modules|settrace)\b/,
  /\/proc\/|[\w-]+\.(?:test|spec)\.[cm]?[jt]sx?\b|\btest_\w+\.py\b|\bconftest\b|\bsitecustomize\b/,
  /process\s*\[|globalThis\s*\[\s*["'`]process|\bprocess\.on\(\s*["'`]exit/,
];

/** What is doubtful about it, a line each; empty where its checks are strong. */
export function doubtsOf(
  task: TaskState,
  spec: Spec,
  findings: BaseFindings,
  changed: readonly ChangedText[],
): string[] {
  const proving = provingChecks(task, spec, findings);
  return [
    ...(isProven(task, spec, findings) ? [] : ["No check of its own was red before the work."]),
    ...(proving.length > 0 && proving.every(runsTestsInside)
      ? ["Its checks run in one process with the work they judge."]
      : []),
    ...(task.contract.kind === "code" ? changed.flatMap((one) => doubtsIn(one, spec)) : []),
  ];
}

/** What a package says of itself that decides what is run, or loaded instead of what is asked for. */
const PACKAGE_STEERS =
  /"(?:scripts|imports|exports|overrides|workspaces|jest|mocha|ava|tap|c8|nyc)"\s*:/;

function steers({ path, text }: ChangedText, spec: Spec): boolean {
  if (protectedBy(path, spec.protectedPaths) === undefined) return false;
  return !/(?:^|\/)package\.json$/.test(path) || PACKAGE_STEERS.test(text);
}

/** What a file is, or says, that belongs to tampering. A test may speak of tests. */
function doubtsIn({ path, text }: ChangedText, spec: Spec): string[] {
  if (isTestFile(path) || path.endsWith(".md")) return [];
  // A plan may let a task make such a file, where there is none yet.
  if (steers({ path, text }, spec)) return [`${path} judges or configures work itself.`];
  const found = TAMPERING.flatMap((words) => words.exec(text)?.[0]?.trim() ?? []);
  return found.length === 0
    ? []
    : [`${path} speaks of ${found.map((word) => `\`${word}\``).join(", ")}.`];
}
