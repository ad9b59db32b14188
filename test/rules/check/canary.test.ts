/** Tests that are made to fail on purpose: which ones, how, and for which checks. */
import { describe, expect, it } from "vitest";
import {
  brokenTest,
  isTestFile,
  runsWorkInside,
  testsOf,
  withCanary,
} from "../../../src/rules/check/canary.ts";
import { aCheck } from "../../support/builders.ts";

describe("a check that the work could turn green by ending", () => {
  it.each([
    "npm test",
    "node --test test/a.test.mjs",
    "npx vitest run",
    "python3 -m pytest -q",
    "python3 -m unittest",
    "go test ./...",
    "make check",
    "npm run test:unit && npm run lint",
    "make",
    "npm t",
    "npm run spec",
    "cargo t",
    "python3 run.py",
    "./run",
    "./test",
    "test/grep",
    "node cli.mjs --latest",
    "tsc --noEmit; node a.mjs",
    "tsc || ./run",
    "grep -q a a.txt && ./run",
    "cat a.mjs | node",
    'test -z "$(node a.mjs)"',
    'test "$(node a.mjs)" = ""',
    'test "$(./run; echo $?)" = "0"',
    "test `./run` = 0",
    `echo "it's $(./run) 'b'"`,
    "sort <(./run)",
    "X=1 ./run",
    "sh -c 'grep a b'",
  ])("is one such as %s", (run) => {
    expect(runsWorkInside(aCheck("c", { run }))).toBe(true);
  });

  it.each([
    ["a compiler", { run: "tsc --noEmit" }],
    ["one that is asked for through npx", { run: "npx tsc -p . 2>&1 | tail -5" }],
    ["one that builds", { run: "cargo check && go vet ./..." }],
    ["what reads files", { run: `! grep -nE "a|b" src/*.mjs | grep -v 'x;y' > /dev/null` }],
    ["what compares files", { run: "cd out\ncmp a.txt b.txt && diff -r c d" }],
    ["what compares output", { run: `test "$(node a.mjs '1 2')" = "at 08:30\n"` }],
    ["a syntax check", { run: "node --check a.mjs" }],
    ["what must print something", { run: "npm test", stdout: "ok" }],
    ["what must fail", { run: "npm test", exit: 1 }],
    [
      "what the plan rendered",
      { run: "node --disable-sigusr1 --test test/a.test.mjs", oracle: ["test/a.test.mjs"] },
    ],
    ["our own check of a text", { run: "test -s .results/a.md", source: "built-in" as const }],
  ])("is not %s", (_, over) => {
    expect(runsWorkInside(aCheck("c", over))).toBe(false);
  });
});

it.each([
  ["test/a.mjs", true],
  ["src/a.test.ts", true],
  ["src/a.spec.jsx", true],
  ["test_calc.py", true],
  ["pkg/calc_test.go", true],
  ["src/latest.ts", false],
  ["test/data.json", false],
  ["calc.py", false],
])("knows by its name whether %s holds tests: %s", (path, holds) => {
  expect(isTestFile(path)).toBe(holds);
});

it("finds the tests that speak of what was changed, those of its name first", () => {
  const tests = [
    { path: "test/all.test.js", text: 'import "../src/sum.js";' },
    { path: "test/other.test.js", text: "summary" },
    { path: "test/sum.test.js", text: "" },
  ];
  expect(testsOf(["src/sum.js"], tests)).toEqual(["test/sum.test.js", "test/all.test.js"]);
});

describe("a test that must fail", () => {
  it("is written by the means the others use", () => {
    const of = (text: string) => withCanary("a.test.js", text).slice(text.length).trim();
    expect(of('it("a", () => expect(f()).toBe(1));')).toBe(
      ';it("also holds", () => { expect(1).toBe(2); });',
    );
    expect(of('test("a", () => assert.ok(f()));')).toBe(
      ';test("also holds", () => { assert.equal(1, 2); });',
    );
    expect(of('test("a", (t) => t.is(f(), 1));')).toContain("throw new Error");
    expect(of("if (f() !== 1) process.exit(1);")).toBe(";throw new Error('no');");
  });

  it("stands before what starts the tests", () => {
    const python = 'class A: pass\n\n\nif __name__ == "__main__":\n    unittest.main()\n';
    expect(withCanary("test_a.py", python)).toMatch(/class TestAlsoHolds[\s\S]*\nif __name__/);
    expect(withCanary("a.test.js", 'test("a", f);\ntest.run();\n')).toMatch(
      /also holds[\s\S]*\ntest\.run\(\)/,
    );
  });

  it("is in Go a function beside the others", () => {
    expect(withCanary("a_test.go", "package a\n")).toContain("func TestAlsoHolds(t *testing.T)");
  });

  it.each(["a.test.ts", "test_a.py", "a_test.go"])("or %s cannot be loaded at all", (path) => {
    expect(brokenTest(path)).not.toContain("import");
  });
});
