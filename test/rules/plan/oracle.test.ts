/** Examples rendered to tests: green on what is right, red with the case on what is not. */
import { execFile, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { inspect, promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Example, Runnable } from "../../../src/domain/example.ts";
import type { Acceptance } from "../../../src/domain/plan.ts";
import type { Spec } from "../../../src/domain/spec.ts";
import { type Judged, judgeAnswers } from "../../../src/rules/check/answers.ts";
import { askingOf } from "../../../src/rules/check/asking.ts";
import { describeExample } from "../../../src/rules/plan/example.ts";
import {
  isRunnable,
  oraclePath,
  renderOracle,
  renderTests,
} from "../../../src/rules/plan/oracle.ts";
import { parseSpec } from "../../../src/rules/spec/spec.ts";

const SPEC = parseSpec("spec.md", "# T\n\n- R1: `f(1)` returns `2`.\n- R2: more\n", "hash") as Spec;
const call = (name: string, args: unknown[], rest: object, file = "src/a.mjs"): Example => ({
  kind: "call",
  file,
  name,
  args,
  ...rest,
});
const run = promisify(execFile);

/** What one of the two ways to try examples is told: by who asks, or by a rendered test. */
const told = (judged: readonly Judged[]) =>
  judged.flatMap(({ title, said }) => (said.length > 0 ? [title, ...said] : [])).join("\n");

/**
 * Runs the rendered tests in a folder with these files: what was printed, and whether all passed.
 * The same examples, asked and then compared, must come to the same.
 */
async function tried(examples: Example[], files: Record<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), "fractal-oracle-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const all = { ...files, [oraclePath("k")]: renderTests("k", examples) };
  for (const [path, text] of Object.entries(all)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const judged = await askedIn(folder, env, examples.filter(isRunnable));
  const args = ["--disable-sigusr1", "--test", "--test-reporter=tap", oraclePath("k")];
  try {
    const { stdout } = await run(process.execPath, args, { cwd: folder, env });
    expect(told(judged)).toBe("");
    return { passed: true, output: stdout, judged };
  } catch (error) {
    const output = (error as { stdout: string }).stdout;
    const isOk = [...output.matchAll(/^(ok|not ok) \d+/gm)].map(([, how]) => how === "ok");
    expect(judged.map(({ said }) => said.length === 0)).toEqual(isOk);
    return { passed: false, output, judged };
  }
}

/** Asks the work for the examples, in a folder without the test file, and compares what it says. */
async function askedIn(folder: string, env: NodeJS.ProcessEnv, examples: Runnable[]) {
  const { argv, stdin } = askingOf(examples);
  const path = join(folder, oraclePath("k"));
  await rename(path, `${folder}.aside`);
  const done = spawnSync(process.execPath, argv.slice(1), { cwd: folder, env, input: stdin });
  await rename(`${folder}.aside`, path);
  expect(done.status).toBe(0);
  return judgeAnswers(examples, String(done.stdout), (value) => inspect(value));
}

const MODULE = `
export function f(x) { return x + 1; }
export async function later(x) { return Object.assign(Object.create(null), { x, gone: undefined }); }
export function boom(x) { if (x) throw new RangeError("bad " + x); return "fine"; }
export const LIMIT = 5;
export function stub() { throw new Error("not implemented: k"); }
`;

describe("rendered tests", () => {
  it("pass on what is as the examples say", async () => {
    const { passed, output } = await tried(
      [
        call("f", [1], { value: 2 }),
        call("later", [["a"]], { value: { x: ["a"] } }),
        call("boom", [7], { error: "bad 7" }),
        call("boom", [7], { error: "" }),
        call("LIMIT", [], { value: 5 }),
        call("typed", [null], { value: [null] }, "src/b.ts"),
        { kind: "command", run: "cat; exit 3", stdin: "in\n", exit: 3, stdout: "in" },
        { kind: "command", run: "test -f src/a.mjs", exit: 0 },
      ],
      { "src/a.mjs": MODULE, "src/b.ts": "export const typed = <T>(x: T): T[] => [x];\n" },
    );
    expect(output.match(/^ok /gm)?.length).toBe(8);
    expect(passed).toBe(true);
  });

  it("fail with the case, what came, and what was expected", async () => {
    const { passed, output, judged } = await tried(
      [
        call("f", [1], { value: 3 }),
        call("boom", [1], { value: "fine" }),
        call("boom", [0], { error: "bad" }),
        call("boom", [1], { error: "good" }),
        call("nope", [], { value: 1 }),
        call("x", [], { value: 1 }, "src/broken.mjs"),
        call("x", [], { error: "" }, "src/missing.mjs"),
        call("stub", [], { error: "" }),
        { kind: "command", run: "echo no >&2; exit 1", exit: 0 },
        { kind: "command", run: "echo a", exit: 0, stdout: "b" },
      ],
      { "src/a.mjs": MODULE, "src/broken.mjs": "export const x = 1;\nexport const y = {{;\n" },
    );
    expect(passed).toBe(false);
    expect(output.match(/^not ok /gm)?.length).toBe(10);
    for (const said of [
      "f(1) returns 3",
      "returned 2, expected 3",
      "threw RangeError: bad 1 (a.mjs line 4), expected 'fine'",
      "returned 'fine', expected an error with 'bad'",
      "expected an error with 'good'",
      "src/a.mjs exports no nope",
      "(broken.mjs line 2)",
      "Cannot find module 'src/missing.mjs'",
      "not implemented: k",
      "exited with 1, expected 0: no",
      "printed 'a', expected 'b'",
    ]) {
      expect(output.replaceAll("''", "'")).toContain(said);
      expect(told(judged).replaceAll(/\/\S*?(?=src\/)/g, "")).toContain(said);
    }
  });

  it("start a server once, wait for it, and stop it", async () => {
    const request = (path: string, more = {}): Example => ({
      kind: "http",
      start: "node server.mjs",
      method: "POST",
      path,
      body: "x",
      status: 200,
      ...more,
    });
    const server = `import { createServer } from "node:http";
let count = 0;
createServer((request, response) => {
  response.statusCode = request.url === "/count" ? 200 : 404;
  response.end("asked " + (request.method === "POST" ? ++count : count));
}).listen(process.env.PORT);`;
    const { output, passed } = await tried(
      [
        request("/count", { contains: "asked 1" }),
        request("/count", { contains: "asked 2" }),
        request("/gone", { status: 404 }),
      ],
      { "server.mjs": server },
    );
    expect(output.match(/^ok /gm)?.length).toBe(3);
    expect(passed).toBe(true);
    const broken = await tried([request("/")], { "server.mjs": "throw new Error('no port');" });
    expect(broken.output).toMatch(/no answer: .*it ended with 1/);
    expect(broken.output).toContain("no port");
  });

  it("are source text that parses, whatever the values", () => {
    const example = fc.oneof(
      fc.record({
        kind: fc.constant("call" as const),
        file: fc.string({ minLength: 1 }),
        name: fc.string({ minLength: 1 }),
        args: fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 3 }),
        value: fc.jsonValue(),
      }),
      fc.record({
        kind: fc.constant("call" as const),
        file: fc.string({ unit: "binary", minLength: 1 }),
        name: fc.string({ minLength: 1 }),
        args: fc.constant([
          JSON.parse('{"__proto__": {"a": 1}, "\\u2028": "</script>`$\\u007bx}"}'),
        ]),
        error: fc.string({ unit: "binary" }),
      }),
      fc.record({
        kind: fc.constant("command" as const),
        run: fc.string({ unit: "binary", minLength: 1 }),
        exit: fc.nat(255),
        stdout: fc.string(),
      }),
    );
    fc.assert(
      fc.property(fc.array(example, { minLength: 1, maxLength: 4 }), (examples) => {
        const text = renderTests("k", examples as Example[]);
        expect(() => stripTypeScriptTypes(text)).not.toThrow();
        expect(text.match(/^test\(/gm)?.length).toBe(examples.length);
      }),
      { numRuns: 200 },
    );
  });

  it("keep a key called __proto__", async () => {
    const value = JSON.parse('{"__proto__": 1}');
    const { passed } = await tried([call("same", [value], { value })], {
      "src/a.mjs":
        "export const same = (x) => { if (!Object.hasOwn(x, '__proto__')) throw new Error('lost'); return x; };",
    });
    expect(passed).toBe(true);
  });
});

describe("the checks of a task", () => {
  const of = (example: Example, more: Partial<Acceptance> = {}): Acceptance => ({
    part: "a",
    requirement: "R1",
    example,
    ...more,
  });
  const parts = {
    key: "a.b",
    when: "own" as const,
    spec: SPEC,
    files: ["src/a.mjs"],
    accepted: () => false,
    present: [],
  };
  const given = of(call("f", [1], { value: 2 }), { quote: "`f(1)` returns `2`" });
  const invented = of(call("f", [2], { value: 3 }), { requirement: "R2" });

  it("gate where the specification says so, and only advise where the planner does", () => {
    const { checks, files } = renderOracle({ ...parts, acceptance: [given, invented] });
    expect(checks).toEqual([
      {
        name: "examples",
        run: "node --disable-sigusr1 --test test/a.b.test.mjs",
        when: "own",
        source: "quoted",
        requirements: ["R1"],
        gates: true,
        oracle: ["test/a.b.test.mjs"],
        examples: [given.example],
      },
      {
        name: "advice",
        run: "node --disable-sigusr1 --test test/a.b.advice.test.mjs",
        when: "own",
        source: "planner",
        requirements: ["R2"],
        gates: false,
        oracle: ["test/a.b.advice.test.mjs"],
        examples: [invented.example],
      },
    ]);
    expect(files.map(({ path }) => path)).toEqual(checks.flatMap(({ oracle }) => oracle));
    expect(files[0]?.text).not.toContain("f(2)");
  });

  it("gate with the planner's own once somebody else accepted them", () => {
    const { checks } = renderOracle({
      ...parts,
      acceptance: [given, invented],
      accepted: ({ requirement }) => requirement === "R2",
    });
    expect(checks.map(({ source, gates, requirements }) => [source, gates, requirements])).toEqual([
      ["planner", true, ["R1", "R2"]],
    ]);
  });

  it("never gate by a person's or a model's opinion", () => {
    const opinions = [
      of({ kind: "person", what: "pretty" }, { quote: "more" }),
      of({ kind: "judgement", what: "clean" }),
    ];
    expect(renderOracle({ ...parts, acceptance: opinions, accepted: () => true })).toEqual({
      checks: [],
      files: [],
    });
  });

  it("take another file than the one that an earlier plan made", () => {
    const first = renderOracle({ ...parts, acceptance: [given] });
    const second = renderOracle({ ...parts, acceptance: [given], present: first.checks });
    expect(second.checks.map(({ name, oracle }) => [name, oracle])).toEqual([
      ["examples 2", ["test/a.b.2.test.mjs"]],
    ]);
  });

  it("are the commands themselves in other languages", () => {
    const command = (run_: string) =>
      of({ kind: "command", run: run_, stdin: "x", exit: 1, stdout: "y" });
    const python = { ...SPEC, language: "python" };
    const { checks, files } = renderOracle({
      ...parts,
      spec: python,
      acceptance: [command("python a.py"), command("python a.py")],
      accepted: () => true,
    });
    expect(files).toEqual([]);
    expect(
      checks.map(({ name, run: command_, stdin, exit, stdout, oracle }) => [
        name,
        command_,
        stdin,
        exit,
        stdout,
        oracle,
      ]),
    ).toEqual([
      ["python a.py", "python a.py", "x", 1, "y", []],
      ["python a.py (2)", "python a.py", "x", 1, "y", []],
    ]);
  });
});

it.each<[Example, string]>([
  [
    call("parse", ["1h", { a: [1, null] }], { value: [true] }),
    'parse("1h", { "a": [1, null] }) returns [true]',
  ],
  [call("parse", [], { error: "no" }), 'parse() fails with "no"'],
  [call("parse", [{}], { error: "" }), "parse({}) fails"],
  [
    { kind: "command", run: "cat", stdin: "a", exit: 0, stdout: "a" },
    '`cat` given "a" exits with 0 and prints "a"',
  ],
  [{ kind: "http", start: "s", method: "GET", path: "/", status: 200 }, "GET / answers 200"],
  [{ kind: "person", what: "pretty" }, "a person agrees: pretty"],
])("an example in words: %#", (example, said) => {
  expect(describeExample(example)).toBe(said);
});
