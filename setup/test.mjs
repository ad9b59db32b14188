/** Everything `npm test` checks, step by step, ending with one plain line of numbers. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const packageDir = fileURLToPath(new URL("../", import.meta.url));
const reports = mkdtempSync(join(tmpdir(), "fractal-test-"));
// What a test that was cut short leaves behind goes with this folder. The sandbox's user works
// below it.
const temp = join(reports, "tmp");
mkdirSync(temp);
chmodSync(reports, 0o755);

/** @param {string} project */
const vitest = (project) => [
  "vitest",
  ...["run", "--project", project, "--reporter=default", "--reporter=json"],
  `--outputFile.json=${join(reports, `${project}.json`)}`,
];
const STEPS = [
  ["format and lint", "biome", "check", "--error-on-warnings", "."],
  ["types", "tsc", "--noEmit"],
  ["unused code", "knip", "--no-config-hints"],
  ["unused code but for tests", "knip", "--production"],
  ["unit tests", ...vitest("unit")],
  ["end-to-end tests", ...vitest("e2e")],
];

// The pinned Node and the tools of this package come first, whatever started this.
const env = { ...process.env, TMPDIR: temp };
env["PATH"] = [join(packageDir, "node_modules/.bin"), env["PATH"]].join(delimiter);
// All of them, whatever came of the one before: who cannot look at the machine sees everything at once.
const failedSteps = STEPS.filter(([name = "", program = "", ...args]) => {
  process.stdout.write(`\n── ${name}\n`);
  const { status, error } = spawnSync(program, args, { cwd: packageDir, stdio: "inherit", env });
  if (error) process.stdout.write(`${error.message}\n`);
  return status !== 0;
}).map(([name]) => name);

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const project of ["unit", "e2e"]) {
  const file = join(reports, `${project}.json`);
  if (!existsSync(file)) continue;
  const report = JSON.parse(readFileSync(file, "utf8"));
  counts.passed += report.numPassedTests;
  counts.failed += report.numFailedTests;
  counts.skipped += report.numPendingTests + report.numTodoTests;
}
rmSync(reports, { recursive: true, force: true });

// A step that fails without a failing test (a lint error, a file that does not load) counts as one.
if (failedSteps.length > 0) {
  counts.failed = Math.max(counts.failed, 1);
  process.stdout.write(`\nfailed: ${failedSteps.join(", ")}\n`);
  process.exitCode = 1;
}
process.stdout.write(
  `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`,
);
