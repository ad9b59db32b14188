/** What is left of the output of a failed check: the case, what it got, what was expected. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { distillOutput, isSameOutput } from "../../../src/rules/text/distill.ts";
import { plainOutput } from "../../../src/rules/text/plain-output.ts";
import { aCheck } from "../../support/builders.ts";

/** As printed by the real runner in `/work`. */
const recorded = (name: string) =>
  readFileSync(new URL(`../../fixtures/outputs/${name}.txt`, import.meta.url), "utf8");

const distill = (stdout: string, over: { stderr?: string; exitCode?: number | null } = {}) =>
  distillOutput(
    { stdout, stderr: "", exitCode: 1, timedOut: false, place: "/work", ...over },
    aCheck("works"),
  );

describe("failing cases", () => {
  it.each<[string, string[]]>([
    [
      "node-spec",
      [
        '- parse("1h") returns 3600',
        "  got 60",
        "  expected 3600",
        "- obj",
        "  got { a: 1, b: [ 1, 2 ] }",
        "  expected { a: 2, b: [ 1, 2, 3 ] }",
        "- throws",
        "  TypeError: Cannot read properties of null (reading 'x')",
        "  at test/a.test.mjs:5",
        "and 3 more failing cases",
      ],
    ],
    [
      "node-oracle",
      [
        '- parse("1h") returns 3600',
        "  returned 60, expected 3600",
        '- parse("2h") returns 3600',
        "  The expression evaluated to a falsy value:",
        "    assert.ok(false)",
        "- custom",
        "  one is not two",
        "  got 1",
        "  expected 2",
        "and 2 more failing cases",
      ],
    ],
    [
      "vitest",
      [
        "- b.test.ts",
        "  Error: Cannot find module './nope.ts' imported from b.test.ts",
        "  at b.test.ts:1",
        "- parse > hours",
        "  expected 60 to be 3600",
        "- parse > obj",
        "  expected { a: 1, b: [ 1 ] } to deeply equal { a: 2, b: [ 1, 2 ] }",
        "and 2 more failing cases",
      ],
    ],
    [
      "jest",
      [
        "- parse › hours",
        "  got 60",
        "  expected 3600",
        "- parse › throws",
        "  TypeError: Cannot read properties of null (reading 'x')",
        "  at a.test.js:5",
      ],
    ],
    ["unittest", ["- test_hours", "  AssertionError: 60 != 3600"]],
    [
      "go-test",
      [
        "- TestHours",
        "  a_test.go:3: Parse(1h) = 60, want 3600",
        "- TestSub/a_b",
        "  a_test.go:4: no",
      ],
    ],
    [
      "cargo-test",
      [
        "- tests::hours",
        "  assertion `left == right` failed",
        "  left: 60",
        "  right: 3600",
        "  at src/lib.rs:9",
      ],
    ],
  ])("of %s are named with what they got and what was expected", (name, lines) => {
    expect(distill(recorded(name))).toBe(lines.join("\n"));
  });

  it("of TAP show a long difference as a difference", () => {
    const said = distill(recorded("node-tap"));
    expect(said).toContain('- parse("1h") returns 3600\n  got 60\n  expected 3600\n');
    expect(said).toContain("  +   a: 1,\n  -   a: 2,");
    expect(said).toContain("and 2 more failing cases");
  });

  it("of pytest come with the explanation of the assertion", () => {
    expect(distill(recorded("pytest"))).toContain(
      "- test_hours\n  AssertionError: assert 60 == 3600\n   +  where 60 = parse('1h')\n  at test_a.py:3",
    );
  });

  it("show why a test file could not be run at all", () => {
    const printed = recorded("node-spec");
    const last = printed.slice(printed.indexOf("test at test/b.test.mjs"));
    const crash = printed.replace(/✖ failing tests:[\s\S]*/, `✖ failing tests:\n\n${last}`);
    expect(distill(crash)).toBe(
      [
        "- test/b.test.mjs",
        "  Error: Cannot find module 'test/nope.mjs' imported from test/b.test.mjs",
        "  at test/b.test.mjs:1",
      ].join("\n"),
    );
  });
});

describe("first errors", () => {
  it.each([
    ["tsc", "a.ts:1: TS2322: Type 'string' is not assignable to type 'number'.\nand 1 more error"],
    [
      "tsc-pretty",
      "a.ts:1: TS2322: Type 'string' is not assignable to type 'number'.\nand 1 more error",
    ],
    ["gcc", "h.c:1: error: ‘x’ undeclared (first use in this function)"],
    ["rustc", "r.rs:1: error[E0308]: mismatched types"],
    ["python", "d.py:2: ValueError: bad thing"],
    ["node-syntax", "b.mjs:1: SyntaxError: Unexpected token ';'\nexport const a = ;"],
  ])("of %s come with their line", (name, said) => {
    expect(distill("", { stderr: recorded(name) })).toBe(said);
  });

  it("of an uncaught error keep all lines of its message and no stack", () => {
    const said = distill("", { stderr: recorded("node-throw") });
    expect(said).toMatch(/^e\.mjs:1: Error: boom\nline two\n/);
    expect(said).not.toContain("at ModuleJob");
  });
});

describe("anything else", () => {
  it("is its exit code and its last lines, without a stack", () => {
    const lines = Array.from({ length: 40 }, (_, at) => `line ${at}`);
    const said = distill(`${lines.join("\n")}\n    at f (/work/a.js:1:2)\n`, { exitCode: 4 });
    expect(said).toMatch(/^It exited with 4, expected 0:\nline 25\n/);
    expect(said).toMatch(/line 39$/);
  });

  it("that printed nothing says so", () => {
    expect(distill("", { exitCode: 3 })).toBe("It exited with 3, expected 0, and printed nothing.");
  });

  it("that never ended says only that", () => {
    const output = { stdout: "1\n2\n", stderr: "", exitCode: null, timedOut: true };
    expect(distillOutput(output, aCheck("x"))).toBe(
      "It did not end within the time limit and was stopped.",
    );
  });

  it("that printed the wrong thing is shown beside what was expected", () => {
    const output = { stdout: "60\n", stderr: "", exitCode: 0, timedOut: false };
    expect(distillOutput(output, aCheck("x", { stdout: "3600\n" }))).toBe(
      "It printed:\n  60\nexpected:\n  3600",
    );
    const long = Array.from({ length: 50 }, (_, at) => `${at}\n`).join("");
    const other = { ...output, stdout: long.replace("33\n", "x\n") };
    expect(distillOutput(other, aCheck("x", { stdout: long }))).toBe(
      "Line 34 of what it printed is different:\n  x\nexpected:\n  33",
    );
  });
});

describe("the same failure gives the same text", () => {
  it("whatever the time, the colours, the folder and the temporary names", () => {
    const printed = (ms: string, folder: string, tmp: string) =>
      [
        `file://${folder}/src/a.mjs:3`,
        "throw new Error(`cannot open`)",
        "      ^",
        "",
        `\u001b[31mError: cannot open /tmp/${tmp}/x.db (${ms}ms)\u001b[39m`,
        `    at f (${folder}/src/a.mjs:3:7)`,
        `    at http://127.0.0.1:${ms}/`,
        "",
        `Duration ${ms}ms`,
      ].join("\n");
    const of = (text: string, place: string) =>
      distillOutput({ stdout: "", stderr: text, exitCode: 1, timedOut: false, place }, aCheck("x"));
    const one = of(printed("43210", "/work", "a-Xy12"), "/work");
    expect(of(printed("12345", "/var/w/r1.a(1)+", "b-Qq99"), "/var/w/r1.a(1)+")).toBe(one);
    expect(one).toContain("src/a.mjs:3: Error: cannot open /tmp/…");
  });

  it("and leaves alone what only looks like the folder", () => {
    expect(plainOutput("/workers/a /home/work/b http://x.org/work/c /work /work/d", "/work")).toBe(
      "/workers/a /home/work/b http://x.org/work/c . d",
    );
  });

  it("for any output: a bounded text, no throw, twice the same", () => {
    const line = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(
        "✖ failing tests:",
        "test at a:1:1",
        "not ok 1 - x",
        "  ---",
        "  ...",
        " FAIL  a.test.ts > b",
        "  ● a › b",
        "___ test_x ___",
        "E   assert 1 == 2",
        "FAIL: x (y)",
        "----------",
        "--- FAIL: TestX (0.00s)",
        "    a_test.go:1: x",
        "---- x stdout ----",
        "a.ts(1,2): error TS1: x",
        "Error: x",
        "    at f (/work/a.js:1:2)",
        "    actual: {",
        "    expected: 2,",
      ),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 60 }), fc.nat(255), (lines, exitCode) => {
        const output = { stdout: lines.join("\n"), stderr: "", exitCode, timedOut: false };
        const said = distillOutput(output, aCheck("x"));
        expect(said.length).toBeLessThan(3100);
        expect(distillOutput(output, aCheck("x"))).toBe(said);
      }),
      { numRuns: 500 },
    );
  });

  it("for an output of many megabytes", () => {
    for (const piece of ["x", "x\n", "a:", "(", " FAIL  ", "  ● ", "Error: ", "not ok 1 - a\n"]) {
      expect(distill(piece.repeat(2_000_000 / piece.length)).length).toBeLessThan(3100);
    }
  });
});

describe("isSameOutput", () => {
  it("looks past white space at the ends of lines and of the text, and at nothing else", () => {
    expect(isSameOutput("a  \r\nb\n\n", "a\nb")).toBe(true);
    expect(isSameOutput("a\nb", "a\n b")).toBe(false);
    expect(isSameOutput("a\n\nb", "a\nb")).toBe(false);
  });
});
