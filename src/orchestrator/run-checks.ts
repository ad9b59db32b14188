/** Runs checks one after the other in a sandboxed folder, and keeps what each of them printed. */
import type { Check, CheckResult } from "../domain/check.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { Limits } from "../domain/limits.ts";
import type { Journal, Sandbox, SandboxResult } from "../domain/ports.ts";
import { distillOutput, isSameOutput } from "../rules/text/distill.ts";

/**
 * A result per check in their order; with `stopAtFirst` those after the first red gate are missing.
 * The files a check is made of are read-only while it runs. What ends a check early for a reason
 * that is not its own (no sandbox, a stop) is a failure.
 */
export async function runChecks(
  o: {
    checks: readonly Check[];
    folder: string;
    stopAtFirst: boolean;
    /** Files that no check may change while it runs: who does is red. */
    watched?: readonly string[];
  },
  world: { sandbox: Sandbox; journal: Pick<Journal, "putBlob">; limits: Limits },
  signal: AbortSignal,
): Promise<CheckResult[] | Failure> {
  const results: CheckResult[] = [];
  for (const check of o.checks) {
    const ran = await world.sandbox.run(
      {
        folder: o.folder,
        argv: ["/bin/sh", "-c", check.run],
        readOnly: check.oracle,
        watched: o.watched ?? [],
        ...(check.stdin === undefined ? {} : { stdin: check.stdin }),
        timeoutMs: check.timeoutMs ?? world.limits.checkTimeoutMs,
        outputBytesMax: world.limits.outputBytesMax,
      },
      signal,
    );
    if (isFailure(ran)) return ran;
    const { touched = [] } = ran;
    const passed = isGreen(ran, check) && touched.length === 0;
    results.push({
      name: check.name,
      passed,
      gates: check.gates,
      exitCode: ran.exitCode,
      durationMs: ran.durationMs,
      detail: passed ? "" : whyRed(ran, check),
      output: world.journal.putBlob(wholeOutput(ran)),
    });
    if (o.stopAtFirst && check.gates && !passed) break;
  }
  return results;
}

const PATHS_SHOWN_MAX = 10;

function whyRed(ran: SandboxResult, check: Check): string {
  const { touched = [] } = ran;
  if (touched.length === 0) return distillOutput(ran, check);
  const shown = touched.slice(0, PATHS_SHOWN_MAX).map((path) => `- ${path}`);
  const rest = touched.length - shown.length;
  return [
    "While it ran, files were changed by which work is judged; what it said does not count:",
    ...shown,
    ...(rest > 0 ? [`- and ${rest} more`] : []),
  ].join("\n");
}

/** By exit code (null when it was stopped), and by output where the check gives one; never by words. */
function isGreen(ran: SandboxResult, check: Check): boolean {
  return (
    ran.exitCode === (check.exit ?? 0) &&
    (check.stdout === undefined || isSameOutput(ran.stdout, check.stdout))
  );
}

function wholeOutput(ran: SandboxResult): string {
  const end = ran.timedOut ? "timed out" : `exit ${ran.exitCode}`;
  return [ran.stdout, ran.stderr === "" ? "" : `── stderr ──\n${ran.stderr}`, `── ${end} ──\n`]
    .filter((part) => part !== "")
    .map((part) => (part.endsWith("\n") ? part : `${part}\n`))
    .join("");
}
