/** When green checks are not enough: what makes somebody look at a change besides. */
import { describe, expect, it } from "vitest";
import type { Spec } from "../../../src/domain/spec.ts";
import { doubtsOf } from "../../../src/rules/check/doubts.ts";
import { aCheck, aTask } from "../../support/builders.ts";

const spec = { checks: [] } as unknown as Spec;
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
    expect(doubts("", [aCheck("tests", { run: "npm test" })])[0]).toContain("one process");
    expect(doubts("", [aCheck("tests", { run: "npm test" }), RENDERED])).toEqual([]);
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
