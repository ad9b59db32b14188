/** Boils the output of a failed check down to what the next attempt needs: case, got, expected. */
import type { Check } from "../../domain/check.ts";
import { type FailingCase, failingCases } from "./failing-cases.ts";
import { firstError } from "./first-error.ts";
import { plainOutput } from "./plain-output.ts";

const CASES_MAX = 3;
const CASE_LINES_MAX = 14;
const LINE_CHARS_MAX = 400;
const DETAIL_CHARS_MAX = 3000;
const TAIL_LINES_MAX = 15;
const TEXT_CHARS_MAX = 400_000;
const SOURCE_LINE_CHARS_MAX = 2000;
const SHOWN_WHOLE_LINES_MAX = 12;

/** What one run of a check printed and how it ended. */
export interface CheckOutput {
  stdout: string;
  stderr: string;
  exitCode: number | null;
  timedOut: boolean;
  /** The folder it ran in, as it saw it. */
  place?: string;
}

/**
 * Why the check failed: the first failing cases, or the first error with its line, or the last
 * lines. No stacks, times, or places outside the work: the same failure gives the same text.
 */
export function distillOutput(output: CheckOutput, check: Check): string {
  return limited(explain(output, check)).trim();
}

/** The same of cases that are known as such. */
export function distillCases(cases: FailingCase[]): string {
  return limited(showCases(cases, "")).trim();
}

/** Two outputs that differ in white space at the ends of lines or of the text are the same. */
export function isSameOutput(got: string, expected: string): boolean {
  return withoutTrailingSpace(got) === withoutTrailingSpace(expected);
}

function explain(output: CheckOutput, check: Check): string[] {
  if (output.timedOut) return ["It did not end within the time limit and was stopped."];
  const exit = check.exit ?? 0;
  const stdout = plainOutput(output.stdout, output.place);
  const text = withinReason(`${stdout}\n${plainOutput(output.stderr, output.place)}`);
  if (output.exitCode === exit && check.stdout !== undefined) {
    return differentOutput(stdout, check.stdout);
  }
  const cases = failingCases(text);
  if (cases.length > 0) return showCases(cases, text);
  const error = firstError(text);
  if (error !== undefined) return [...error.said, ...andMore(error.count - 1, "error")];
  const tail = lastLines(text);
  const ended = `It exited with ${output.exitCode ?? "a signal"}, expected ${exit}`;
  return tail.length === 0 ? [`${ended}, and printed nothing.`] : [`${ended}:`, ...tail];
}

function showCases(cases: FailingCase[], text: string): string[] {
  const shown = cases.slice(0, CASES_MAX).map((one) => {
    // A test file that could not be run has no case of its own to tell.
    const said = /^'?test failed'?$/.test(one.said.join("")) ? firstError(text)?.said : undefined;
    return { title: one.title, said: (said ?? one.said).slice(0, CASE_LINES_MAX) };
  });
  return [
    ...shown.flatMap(({ title, said }) => [`- ${title}`, ...said.map((line) => `  ${line}`)]),
    ...andMore(cases.length - shown.length, "failing case"),
  ];
}

function andMore(count: number, what: string): string[] {
  return count <= 0 ? [] : [`and ${count} more ${what}${count === 1 ? "" : "s"}`];
}

function differentOutput(got: string, expected: string): string[] {
  const gotLines = withoutTrailingSpace(got).split("\n");
  const expectedLines = withoutTrailingSpace(expected).split("\n");
  const isShort = Math.max(gotLines.length, expectedLines.length) <= SHOWN_WHOLE_LINES_MAX;
  const indented = (lines: string[]) => lines.map((line) => `  ${line}`);
  if (isShort) {
    return ["It printed:", ...indented(gotLines), "expected:", ...indented(expectedLines)];
  }
  const at = expectedLines.findIndex((line, index) => line !== gotLines[index]);
  const line = at < 0 ? expectedLines.length : at;
  return [
    `Line ${line + 1} of what it printed is different:`,
    ...indented([gotLines[line] ?? "(the output ends before it)"]),
    "expected:",
    ...indented([expectedLines[line] ?? "(the end of the output)"]),
  ];
}

/** Runners tell what failed near the start or the end, in lines people can read. */
function withinReason(text: string): string {
  const half = TEXT_CHARS_MAX / 2;
  const ends = text.length <= TEXT_CHARS_MAX ? [text] : [text.slice(0, half), text.slice(-half)];
  return ends.join("\n").replace(new RegExp(`^(.{${SOURCE_LINE_CHARS_MAX}}).+$`, "gm"), "$1");
}

/** The end of an output, without stacks and empty lines. */
function lastLines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "" && !isFrame(line))
    .slice(-TAIL_LINES_MAX);
}

/** A line of a stack: `at name (file:1:2)`. */
function isFrame(line: string): boolean {
  return /^\s+at ./.test(line) && /:\d+:\d+$|\)$/.test(line);
}

function withoutTrailingSpace(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")
    .trimEnd();
}

function limited(lines: string[]): string {
  const cut = (text: string, charsMax: number) =>
    text.length <= charsMax ? text : `${text.slice(0, charsMax)}…`;
  return cut(lines.map((line) => cut(line, LINE_CHARS_MAX)).join("\n"), DETAIL_CHARS_MAX);
}
