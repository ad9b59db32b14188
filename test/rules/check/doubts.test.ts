/** When green checks are not enough: what makes somebody look at a change besides. */
import { describe, expect, it } from "vitest";
import type { Spec } from "../../../src/domain/spec.ts";
import { doubtsOf, isAllDoubtful } from "../../../src/rules/check/doubts.ts";
import { aCheck, aTask } from "../../support/builders.ts";

const spec = { checks: [] } as unknown as Spec;
const NONE_VACUOUS = { vacuous: [], notYet: [] };
const RENDERED = aCheck("examples", {
  run: "node --disable-sigusr1 --test test/t.test.mjs",
  oracle: ["test/t.test.mjs"],
});
const doubts = (text: string, checks = [RENDERED], vacuous: string[] = [], path = "src/a.ts") =>
  doubtsOf(aTask("t", { parent: "r", contract: { checks } }), spec, { vacuous, notYet: [] }, [
    { path, text },
  ]);

describe("green checks", () => {
  it("are enough where a rendered one was red before and the change is plain", () => {
    expect(doubts("export const f = (a) => a + 1; process.exit(f(1));")).toEqual([]);
  });

  it("are not where none was red before, or all share a process with the work", () => {
    expect(doubts("", [RENDERED], ["examples"])[0]).toContain("red before");
    expect(doubts("", [aCheck("tests", { run: "npm test" })])[0]).toContain("ends well");
    expect(doubts("", [aCheck("tests", { run: "npm test" }), RENDERED])).toEqual([]);
  });

  it.each(["make", "npm t", "npm run spec", "cargo t", "python3 run.py", "./run"])(
    "are not where `%s` is all there is, and the work may end it",
    (run) => {
      expect(doubts("process.exit(0);", [aCheck("c", { run })])).toEqual([
        expect.stringContaining("as it could at once"),
        expect.stringContaining("`process.exit`"),
      ]);
    },
  );

  it.each([
    "process.exit(0)",
    "import os; os._exit(0)",
    "sys.exit()",
    "Deno.exit(0)",
    "Runtime.getRuntime().halt(0)",
    "System.exit(0)",
    "std::process::exit(0)",
    "os.Exit(0)",
    "raise SystemExit",
  ])("are not where the change begins to say %s and one of them runs in that process", (text) => {
    const checks = [RENDERED, aCheck("tests", { run: "npm t" })];
    const of = (before: string) =>
      doubtsOf(aTask("t", { parent: "r", contract: { checks } }), spec, NONE_VACUOUS, [
        { path: "src/a.ts", text: `${text}\n`, before },
      ]);
    expect(of("")).toEqual([expect.stringContaining("src/a.ts speaks of")]);
    if (!text.includes("_exit")) expect(of(`// old\n${text}`)).toEqual([]);
  });

  it.each([
    'readFileSync("te" + "st/a" + ".txt")',
    "readFileSync(new URL(name, import.meta.url))",
    'import { readFileSync as r } from "node:fs"',
    "const r = fs.readFileSync;",
    "const { readFile: r } = fs;",
    "readdirSync('.')",
    'import { execSync } from "node:child_process"',
    "process.getBuiltinModule(x)",
    "await import(name)",
    'require("./" + name)',
    "fs[name](0)",
  ])("are not where rendered tests could be read by %s", (text) => {
    expect(doubts(text)).toEqual([expect.stringContaining("src/a.ts speaks of")]);
    expect(doubts(text, [aCheck("prints", { run: "node a.mjs", stdout: "1" })])).toEqual([]);
  });

  it("are enough for what reads and loads files by their names", () => {
    expect(
      doubts(
        'import { readFileSync } from "node:fs"; readFileSync("data.json", "utf8"); await import("./c.ts");',
      ),
    ).toEqual([]);
  });

  it("are not for what nobody can read", () => {
    const found = doubtsOf(
      aTask("t", { parent: "r", contract: { checks: [RENDERED] } }),
      spec,
      NONE_VACUOUS,
      [{ path: "src/a.ts", text: undefined }],
    );
    expect(found).toEqual([expect.stringContaining("no UTF-8 text")]);
  });

  it("prove nothing where all of them are in doubt", () => {
    const all = (text: string, checks = [RENDERED], path = "src/a.ts") =>
      isAllDoubtful(aTask("t", { parent: "r", contract: { checks } }), spec, NONE_VACUOUS, [
        { path, text },
      ]);
    expect(all("", [aCheck("c", { run: "./run" })])).toBe(true);
    expect(all("process.reallyExit(0)")).toBe(true);
    expect(all("", [aCheck("c", { run: "./run" }), RENDERED])).toBe(false);
    // It steers what is run besides, and no rendered test.
    expect(all("export default {};", [RENDERED], "vitest.config.ts")).toBe(false);
  });

  it.each([
    "process.reallyExit(0)",
    'process["exit"](0)',
    "if (process.env.NODE_TEST_CONTEXT) x()",
    'import inspector from "node:inspector"',
    "assert.equal = () => {}",
    'readFileSync("test/a.test.mjs")',
    "open('/proc/self/maps')",
    "import os; os._exit(0)",
    "sys.modules['x'] = y",
    'process.on("exit", f)',
  ])("are not where the change says %s", (text) => {
    expect(doubts(text)).toEqual([expect.stringContaining("src/a.ts speaks of")]);
  });

  it("are not where the change makes a file that judges or configures, a plain package apart", () => {
    const of = (path: string, text: string) => doubts(text, [RENDERED], [], path);
    expect(of("vitest.config.ts", "export default {};")).toEqual([
      "vitest.config.ts judges or configures work itself.",
    ]);
    expect(of("package.json", '{ "scripts": { "test": "true" } }')).toHaveLength(1);
    expect(of("package.json", '{ "name": "a", "bin": "a.mjs" }')).toEqual([]);
  });

  it("are enough for a test that speaks of tests", () => {
    const text = 'import { test } from "node:test"; assert.equal(a === b, true);';
    expect(doubts(text, [RENDERED], [], "test/a.test.mjs")).toEqual([]);
    expect(doubts("const assertion = { assert: a == b }; assert.equal(a, b);")).toEqual([]);
  });
});
