/** The command line as people type it: help, flags, slips, exit codes. */
import { describe, expect, it } from "vitest";
import { EXIT, EXIT_MEANING } from "../../src/cli/exit.ts";
import { aState, aTask } from "../support/builders.ts";
import { runLine } from "./fake-world.ts";

const COMMANDS = [
  "run",
  "plan",
  "resume",
  "tree",
  "show",
  "why",
  "status",
  "cost",
  "query",
  "graph",
  "diff",
  "merge",
  "answer",
  "cancel",
  "pause",
  "unpause",
  "fsck",
  "replay",
  "gc",
  "config",
  "doctor",
];
const state = aState({ tasks: [aTask("fr-k", { title: "A tool" })] });

describe("help", () => {
  it("lists exactly the commands there are, and every exit code", async () => {
    const { code, stdout, stderr } = await runLine(["--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    const listed = [...stdout.matchAll(/^ {2}([a-z]+) .*/gm)].map((match) => match[1]);
    expect(listed.filter((word) => word !== "fractal")).toEqual(COMMANDS);
    for (const [number, meaning] of Object.entries(EXIT_MEANING)) {
      expect(stdout).toMatch(new RegExp(`^ {2}${number} +${meaning}$`, "m"));
    }
    expect(Object.values(EXIT).map(String).sort()).toEqual(Object.keys(EXIT_MEANING).sort());
  });

  it.each([...COMMANDS.filter((name) => name !== "config"), "config show"])(
    "of %s ends with two or three examples that begin with it",
    async (name) => {
      const { code, stdout } = await runLine([...name.split(" "), "--help"]);
      const examples = stdout.slice(stdout.indexOf("Examples:")).trim().split("\n").slice(1);
      expect(code).toBe(0);
      expect(examples.length).toBeGreaterThanOrEqual(2);
      expect(examples.length).toBeLessThanOrEqual(3);
      for (const example of examples)
        expect(example).toMatch(new RegExp(`^ {2}fractal ${name}\\b`));
    },
  );

  it("is what stands there without a command, or for `help`", async () => {
    const { code, stdout } = await runLine([]);
    expect(code).toBe(0);
    expect(stdout).toContain("Usage: fractal <command>");
    expect((await runLine(["help"])).stdout).toBe(stdout);
    expect((await runLine(["help", "run"])).stdout).toBe((await runLine(["run", "--help"])).stdout);
  });

  it.each(COMMANDS)("of %s is within 80 columns, but for long examples", async (name) => {
    const { stdout } = await runLine([name, "--help"]);
    const lines = stdout.split("\n").filter((line) => !line.startsWith("  fractal "));
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  it.each(["--version", "-V", "-v", "version"])("tells the version for %s", async (word) => {
    expect((await runLine([word])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("shows no short form and no variable for leaving the sandbox", async () => {
    const { stdout } = await runLine(["run", "--help"]);
    expect(stdout).toMatch(/^ {2}--dangerously-no-sandbox/m);
    expect(stdout).not.toContain("FRACTAL_DANGEROUSLY");
  });
});

describe("what is typed wrongly", () => {
  it.each([
    [["tre"], "→ did you mean tree?"],
    [["list"], "unknown command 'list'\n  → fractal --help\n"],
    [["help", "list"], "unknown command 'list'\n  → fractal --help\n"],
    [["tre", "-h"], "→ did you mean tree?"],
    [["tree", "--jsno"], "→ did you mean --json?"],
    [["run"], "fractal: missing required argument 'spec'\n  → fractal run --help\n"],
    [["show"], "missing required argument 'id'"],
    [["run", "spec.md", "-j", "none"], "whole number"],
    [["tree", "a", "b"], "too many arguments"],
    [["tree", "-C", "/nowhere/at/all"], "There is no such folder"],
    [["config", "shwo"], "Allowed choices are show"],
    [["tree", "--dangerously-no-sandbox"], "unknown option"],
  ])("%j ends with exit 2, says what was meant, and shows no stack", async (line, hint) => {
    const { code, stdout, stderr } = await runLine(line, { state });
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(hint);
    expect(stderr).toContain("(exit 2)");
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

it("a line that is typed wrongly is data, too, under --json", async () => {
  const { code, stdout } = await runLine(["tree", "--jsno", "--json"], { state });
  expect(code).toBe(2);
  expect(JSON.parse(stdout).error).toEqual({
    message: "unknown option '--jsno'",
    where: [],
    next: ["did you mean --json?", "fractal tree --help"],
    exit_code: 2,
  });
});

describe("flags for all commands", () => {
  it("hold before and after the command", async () => {
    const before = await runLine(["--json", "tree"], { state });
    const after = await runLine(["tree", "--json"], { state });
    expect(before.stdout).toBe(after.stdout);
    expect(JSON.parse(after.stdout)).toMatchObject({
      schema_version: 1,
      data: { run_id: "k3f9x2" },
    });
  });

  it("may be given by the environment", async () => {
    expect((await runLine(["tree"], { state, env: { FRACTAL_JSON: "1" } })).stdout).toMatch(/^\{/);
    expect((await runLine(["tree"], { state, env: { FRACTAL_JSON: "0" } })).stdout).not.toMatch(
      /^\{/,
    );
  });

  it.each([
    ["piped: none", [], {}, false, false],
    ["at a terminal: colours", [], {}, true, true],
    ["NO_COLOR: none", [], { NO_COLOR: "1" }, true, false],
    ["CLICOLOR=0: none", [], { CLICOLOR: "0" }, true, false],
    ["--color over NO_COLOR", ["--color"], { NO_COLOR: "1" }, false, true],
    ["--no-color at a terminal", ["--no-color"], {}, true, false],
    ["FORCE_COLOR when piped", [], { FORCE_COLOR: "1" }, false, true],
    ["FRACTAL_COLOR=0 at a terminal", [], { FRACTAL_COLOR: "0" }, true, false],
  ])("colours, %s", async (_, flags, env, terminal, expected) => {
    const { stdout } = await runLine([...flags, "tree"], { state, env, terminal });
    expect(stdout.includes(String.fromCharCode(27))).toBe(expected);
  });
});

it("a dumb terminal gets lines, no table", async () => {
  const line = ["config", "--no-color", "-C", "/"];
  const { stdout } = await runLine(line, { terminal: true, env: { TERM: "dumb" } });
  expect(stdout).toMatch(/^jobs\t/);
});

describe("a refusal", () => {
  it("says what, what next, and the code; as data too under --json", async () => {
    const plain = await runLine(["tree"]);
    expect(plain).toMatchObject({ code: 2, stdout: "" });
    expect(plain.stderr).toBe(
      "fractal: there is no run here yet\n  → fractal run spec.md\n  (exit 2)\n",
    );
    const json = await runLine(["tree", "--json"]);
    expect(JSON.parse(json.stdout)).toEqual({
      schema_version: 1,
      error: {
        message: "there is no run here yet",
        where: [],
        next: ["fractal run spec.md"],
        exit_code: 2,
      },
    });
  });
});
