/** Checks run in the real sandbox: by exit code and output, one after the other, kept in blobs. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { createSandbox, type OpenSandbox } from "../../src/adapters/sandbox/sandbox.ts";
import type { Check } from "../../src/domain/check.ts";
import { isFailure } from "../../src/domain/failure.ts";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import type { Sandbox } from "../../src/domain/ports.ts";
import { runChecks } from "../../src/orchestrator/run-checks.ts";
import { aCheck } from "../support/builders.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let home: string;
let sandbox: OpenSandbox;
let folder: string;
const blobs: string[] = [];
const journal = { putBlob: (text: string) => `blob${blobs.push(text) - 1}` };

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "fractal-checks-"));
  chmodSync(home, 0o755);
  const opened = await createSandbox({
    mode: "contained",
    checkout: home,
    root: "pkg",
    runId: "r1",
    cache: join(home, "cache"),
  });
  if (isFailure(opened)) throw new Error(opened.detail);
  sandbox = opened;
  folder = await sandbox.workspace("checks");
  mkdirSync(join(folder, "test"));
  writeFileSync(join(folder, "test/sum.test.mjs"), SUM_TEST);
  await sandbox.handOver(folder);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const SUM_TEST = `import assert from "node:assert/strict";
import { test } from "node:test";
test("sum(1, 2) returns 3", () => assert.fail("returned 4, expected 3"));
`;

async function results(checks: Check[], stopAtFirst = false, inside: Sandbox = sandbox) {
  const ran = await runChecks(
    { checks, folder, stopAtFirst },
    { sandbox: inside, journal, limits: DEFAULT_LIMITS },
    new AbortController().signal,
  );
  if (isFailure(ran)) throw new Error(ran.detail);
  return ran;
}

it.each<[string, Partial<Check>, boolean]>([
  ["exit 0 where nothing else is expected", { run: "true" }, true],
  ["another exit code", { run: "exit 1" }, false],
  ["the exit code that is expected", { run: "exit 2", exit: 2 }, true],
  ["exit 0 where a failure is expected", { run: "true", exit: 2 }, false],
  [
    "the expected output, but for white space at ends",
    { run: "printf 'a  \\nb'", stdout: "a\nb\n" },
    true,
  ],
  ["another output", { run: "echo a", stdout: "b" }, false],
  ["the expected output with the wrong exit code", { run: "echo a; exit 1", stdout: "a" }, false],
  ["its input", { run: "tr a-z A-Z", stdin: "abc", stdout: "ABC" }, true],
  ["success in words alone", { run: "echo '# fail 0'; echo all tests passed; exit 1" }, false],
  ["more time than it may take", { run: "sleep 60", timeoutMs: 300 }, false],
])("judges by exit code and output: %s", async (_, over, passed) => {
  const [result] = await results([aCheck("c", over)]);
  expect(result).toMatchObject({ name: "c", passed, gates: true });
  expect(result?.detail === "").toBe(passed);
});

it("tells the failing case without a path of this machine, and keeps the whole output", async () => {
  const [result] = await results([aCheck("sum", { run: "node --test test/sum.test.mjs" })]);
  expect(result?.detail).toBe("- sum(1, 2) returns 3\n  returned 4, expected 3");
  const blob = blobs[Number(result?.output?.slice(4))];
  expect(blob).toContain("AssertionError");
  expect(blob).toMatch(/── exit 1 ──\n$/);
  const [again] = await results([aCheck("sum", { run: "node --test test/sum.test.mjs" })]);
  expect(again?.detail).toBe(result?.detail);
});

it("stops at the first red gate when told to, and goes on past advice", async () => {
  const checks = [
    aCheck("advice", { run: "false", gates: false }),
    aCheck("red", { run: "false" }),
    aCheck("after", { run: "true" }),
  ];
  expect((await results(checks, true)).map((one) => one.name)).toEqual(["advice", "red"]);
  expect((await results(checks)).map((one) => one.name)).toEqual(["advice", "red", "after"]);
});

it("keeps a check's own files from what it runs", async () => {
  const run = "echo > test/sum.test.mjs; rm -rf test; mv test other; node --test test/sum.test.mjs";
  const [result] = await results([aCheck("sly", { run, oracle: ["test/sum.test.mjs", "gone"] })]);
  expect(result?.passed).toBe(false);
  expect(readFileSync(join(folder, "test/sum.test.mjs"), "utf8")).toBe(SUM_TEST);
});

it("hands on what is not the check's fault", async () => {
  const stopped = await runChecks(
    { checks: [aCheck("c", { run: "true" })], folder, stopAtFirst: false },
    { sandbox, journal, limits: DEFAULT_LIMITS },
    AbortSignal.abort(),
  );
  expect(stopped).toMatchObject({ failure: "cancelled" });
});
