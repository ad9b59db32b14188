/** Commands fractal runs on the machine itself, by the source: each is out of a terminal's reach. */
import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const STARTS = /\b(?:execa|spawn|execFile|execSync|spawnSync)\(/g;
// Text that is rendered into tests, and runs in the sandbox.
const RENDERED = ["src/rules/plan/oracle-helpers.ts", "src/rules/plan/oracle-asking.ts"];
const files = globSync("src/**/*.ts").filter((file) => !RENDERED.includes(file));
const starting = files.filter((file) => readFileSync(file, "utf8").match(STARTS) !== null);

describe("Ctrl-C in the terminal", () => {
  it("is for fractal alone: every command is started in a process group of its own", () => {
    expect(starting.length).toBeGreaterThan(5);
    const reachable = starting.filter((file) => {
      const text = readFileSync(file, "utf8");
      return text.match(STARTS)?.length !== text.match(/\bdetached: true\b/g)?.length;
    });
    expect(reachable).toEqual([]);
  });
});
