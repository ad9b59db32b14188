/**
 * Tests made to fail on purpose. Most runners load the work into the process that judges it, where
 * it can end the run, patch an assertion or silence a reporter: such a check stays green even with a
 * test in it that cannot pass, and so gives itself away.
 */
import type { Check } from "../../domain/check.ts";
import { endsWithWork, judgesFromOutside } from "../plan/oracle.ts";

/**
 * Whether the work could turn a check green by ending the process that judges it: whatever only
 * looks at how a command ended, where that runs the work.
 */
export function runsWorkInside(check: Check): boolean {
  if (judgesFromOutside(check) || check.source === "built-in") return false;
  return endsWithWork(check);
}

const SCRIPT = /\.[cm]?[jt]sx?$/;

/** Whether a file holds tests that can be made to fail, by its name. */
export function isTestFile(path: string): boolean {
  const name = path.split("/").at(-1) ?? "";
  if (/^test_.*\.py$|_test\.py$|_test\.go$/.test(name)) return true;
  if (!SCRIPT.test(name)) return false;
  return /[._-](?:test|spec)\.[^.]+$/.test(name) || /(?:^|\/)(?:__tests__|tests?)\//.test(path);
}

/** The check that runs one test file and nothing else; undefined where its runner is not known. */
export function checkOfTest(path: string, text: string): Check | undefined {
  const runner = runnerOf(path, text);
  if (runner === undefined) return undefined;
  const run = `${runner} '${path.replaceAll("'", "'\\''")}'`;
  const name = `own test ${path}`.slice(0, 120);
  return { name, run, when: "own", source: "built-in", requirements: [], gates: true, oracle: [] };
}

function runnerOf(path: string, text: string): string | undefined {
  if (/["']node:test["']/.test(text)) return "node --test";
  if (!path.endsWith(".py")) return undefined;
  return /\bunittest\b/.test(text) ? "python3 -m unittest -q" : "python3 -m pytest -q";
}

/** Of these test files, the ones that probably try what was changed: most likely ones first. */
export function testsOf(
  changed: readonly string[],
  tests: readonly { path: string; text: string }[],
): string[] {
  const mentions = ({ path, text }: { path: string; text: string }, file: string) => {
    if (path === file) return 0;
    const stem = stemOf(file);
    if (stemOf(path).replace(/[._-]?(?:test|spec)[._-]?/, "") === stem) return 3;
    if (file.endsWith(".go") && folderOf(path) === folderOf(file)) return 2;
    return new RegExp(`(?<![\\w-])${escaped(stem)}(?![\\w-])`).test(text) ? 1 : 0;
  };
  return tests
    .map((test) => ({ test, weight: Math.max(0, ...changed.map((file) => mentions(test, file))) }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ test }) => test.path);
}

/** The test file with one test more, which must fail, written the way the others are. */
export function withCanary(path: string, text: string): string {
  if (path.endsWith(".py")) return insertedBefore(text, /^if __name__\b.*$/m, PYTHON);
  if (path.endsWith(".go")) return `${text}\nfunc TestAlsoHolds(t *testing.T) { t.Error("no") }\n`;
  return insertedBefore(text, /^[ \t]*\w+\.run\(\);?[ \t]*$/m, script(text));
}

/** What cannot even be loaded: whoever runs this file is red, whatever else the work does. */
export function brokenTest(path: string): string {
  if (path.endsWith(".py")) return "raise SystemError('no')\n";
  return path.endsWith(".go") ? "no\n" : THROWS;
}

const THROWS = "throw new Error('no');\n";

const PYTHON = `
import unittest as _unittest


class TestAlsoHolds(_unittest.TestCase):
    def test_also_holds(self):
        self.assertEqual(1, 2)


`;

function script(text: string): string {
  const test = /(?<![.\w$])(test|it)\s*\(/.exec(text)?.[1];
  const body = test === undefined ? THROWS : `${test}("also holds", () => { ${failing(text)} });\n`;
  return `\n;${body}`;
}

/** By the means the tests use: where these were tampered with, it does not fail. */
function failing(text: string): string {
  if (/(?<![.\w$])expect\s*\(/.test(text)) return "expect(1).toBe(2);";
  return /(?<![.\w$])assert\s*[.(]/.test(text) ? "assert.equal(1, 2);" : THROWS.trim();
}

/** Before the last line that matches: what begins the tests must stay behind them. */
function insertedBefore(text: string, line: RegExp, piece: string): string {
  const last = [...text.matchAll(new RegExp(line.source, "gm"))].at(-1);
  if (last === undefined) return `${text}${piece}`;
  return `${text.slice(0, last.index)}${piece}${text.slice(last.index)}`;
}

function stemOf(path: string): string {
  return (path.split("/").at(-1) ?? "").replace(/\.[^.]+$/, "");
}

function folderOf(path: string): string {
  return path.split("/").slice(0, -1).join("/");
}

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
