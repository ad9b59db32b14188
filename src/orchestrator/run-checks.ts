/** Runs checks one after the other in a sandboxed folder, and keeps what each of them printed. */
import { inspect } from "node:util";
import type { Check, CheckResult } from "../domain/check.ts";
import type { SandboxResult } from "../domain/contained.ts";
import type { Runnable } from "../domain/example.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { Limits } from "../domain/limits.ts";
import type { Journal, Sandbox } from "../domain/ports.ts";
import { judgeAnswers } from "../rules/check/answers.ts";
import { ANSWER_BYTES_MAX, askingOf } from "../rules/check/asking.ts";
import { crashIn, onlyFails } from "../rules/check/crash.ts";
import { distillCases, distillOutput, isSameOutput } from "../rules/text/distill.ts";
import { plainOutput } from "../rules/text/plain-output.ts";

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
    const { examples } = check;
    const { outputBytesMax } = world.limits;
    const { stdin } = check;
    const command =
      examples === undefined
        ? { argv: ["/bin/sh", "-c", check.run], ...(stdin === undefined ? {} : { stdin }) }
        : askingOf(examples);
    const ran = await world.sandbox.run(
      {
        folder: o.folder,
        ...command,
        readOnly: check.oracle,
        watched: o.watched ?? [],
        timeoutMs: check.timeoutMs ?? world.limits.checkTimeoutMs,
        outputBytesMax: examples === undefined ? outputBytesMax : ANSWER_BYTES_MAX,
      },
      signal,
    );
    if (isFailure(ran)) return ran;
    const found = examples === undefined ? judgeEnd(ran, check) : judgeTold(ran, check, examples);
    const { touched = [] } = ran;
    const passed = found.red === undefined && touched.length === 0;
    results.push({
      name: check.name,
      passed,
      gates: check.gates,
      exitCode: found.exitCode,
      durationMs: ran.durationMs,
      detail: touched.length > 0 ? whyMeddled(touched) : (found.red ?? ""),
      output: world.journal.putBlob(found.output),
      ...(passed && found.crashed.length > 0 ? { crashed: found.crashed } : {}),
    });
    if (o.stopAtFirst && check.gates && !passed) break;
  }
  return results;
}

/** What one run came to, apart from what it did to files. */
interface Found {
  /** Why it is red; undefined where it is as expected. */
  red: string | undefined;
  exitCode: number | null;
  output: string;
  crashed: string[];
}

/** By exit code (null when it was stopped), and by output where the check gives one; never by words. */
function judgeEnd(ran: SandboxResult, check: Check): Found {
  const isGreen =
    ran.exitCode === (check.exit ?? 0) &&
    (check.stdout === undefined || isSameOutput(ran.stdout, check.stdout));
  const crash = onlyFails(check) ? crashIn(ran.stderr) : undefined;
  return {
    red: isGreen ? undefined : distillOutput(ran, check),
    exitCode: ran.exitCode,
    output: wholeOutput(ran, ran.stdout),
    crashed: crash === undefined ? [] : [crashText(check.run, crash)],
  };
}

/** By what the work answered, which is compared here: what is expected of it never was where it ran. */
function judgeTold(ran: SandboxResult, check: Check, examples: readonly Runnable[]): Found {
  const judged = judgeAnswers(examples, ran.stdout, show);
  const red = judged
    .filter(({ said }) => said.length > 0)
    .map(({ title, said }) => ({ title, said: said.map((line) => plainOutput(line, ran.place)) }));
  const lines = judged.flatMap(({ title, said }, at) => [
    `${said.length === 0 ? "ok" : "not ok"} ${at + 1} - ${title}`,
    ...said.map((line) => `  ${line}`),
  ]);
  // Who asks ends well once all is told; what takes too much is ended from here.
  const isWhole = ran.exitCode === 0;
  const isLost = ran.exitCode === null || ran.stdout === "" || red.length === 0;
  const why = isLost ? distillOutput(ran, check) : distillCases(red);
  return {
    red: isWhole && red.length === 0 ? undefined : why,
    exitCode: isWhole && red.length > 0 ? 1 : ran.exitCode,
    output: wholeOutput(ran, lines.join("\n")),
    crashed: judged.flatMap(({ title, crash }) => (crash ? [crashText(title, crash)] : [])),
  };
}

const show = (value: unknown) =>
  inspect(value, {
    depth: 8,
    breakLength: Number.POSITIVE_INFINITY,
    maxArrayLength: 60,
    maxStringLength: 600,
  });

const crashText = (what: string, crash: string) => `${what.slice(0, 300)}: ${crash}`;

const PATHS_SHOWN_MAX = 10;
const STDERR_CHARS_MAX = 1_000_000;

function whyMeddled(touched: readonly string[]): string {
  const shown = touched.slice(0, PATHS_SHOWN_MAX).map((path) => `- ${path}`);
  const rest = touched.length - shown.length;
  return [
    "While it ran, files were changed by which work is judged; what it said does not count:",
    ...shown,
    ...(rest > 0 ? [`- and ${rest} more`] : []),
  ].join("\n");
}

function wholeOutput(ran: SandboxResult, stdout: string): string {
  const end = ran.timedOut ? "timed out" : `exit ${ran.exitCode}`;
  const stderr = ran.stderr.slice(-STDERR_CHARS_MAX);
  return [stdout, stderr === "" ? "" : `── stderr ──\n${stderr}`, `── ${end} ──\n`]
    .filter((part) => part !== "")
    .map((part) => (part.endsWith("\n") ? part : `${part}\n`))
    .join("");
}
