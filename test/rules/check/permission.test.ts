import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allowedTools, refuseTool } from "../../../src/rules/check/permission.ts";
import { aContract } from "../../support/builders.ts";

const code = aContract("T", { files: ["src/a.ts", "test/a.test.ts"] });
const text = aContract("T", { kind: "text", files: [".results/t.md"] });
const command = aContract("T", { kind: "command", command: "make" });

describe("the tools on a task's list", () => {
  it("are all for code, no commands for text, and none for a command", () => {
    expect(allowedTools(code)).toContain("run_command");
    expect(allowedTools(text)).not.toContain("run_command");
    expect(allowedTools(text)).toContain("write_file");
    expect(allowedTools(command)).toEqual([]);
  });

  it("are the only ones", () => {
    expect(refuseTool(text, "run_command", { command: "ls" })).toMatch("not on this task's list");
    expect(refuseTool(command, "read_file", { path: "a" })).toMatch("not on this task's list");
    fc.assert(
      fc.property(fc.string(), (tool) => {
        fc.pre(!allowedTools(code).includes(tool));
        expect(refuseTool(code, tool, {})).toBeDefined();
      }),
    );
  });

  it("may all be used to read and run", () => {
    for (const tool of ["read_file", "list_files", "search_files", "run_tests", "ask_human"]) {
      expect(refuseTool(code, tool, { path: "../../etc/passwd" })).toBeUndefined();
    }
  });
});

describe("writing", () => {
  it.each(["src/a.ts", "./src/a.ts", "test/a.test.ts"])(
    "%s, which is the task's, is allowed",
    (path) => {
      expect(refuseTool(code, "write_file", { path })).toBeUndefined();
      expect(refuseTool(code, "edit_file", { path })).toBeUndefined();
    },
  );

  it.each([
    "src/b.ts",
    "../src/a.ts",
    "src/../src/a.ts",
    "src/x/../a.ts",
    "/src/a.ts",
    "/etc/passwd",
    "src//a.ts",
    "src/a.ts/",
    "SRC/A.TS",
    "src\\a.ts",
    "",
    ".git/config",
  ])("%j is refused, in words the model can act on", (path) => {
    for (const tool of ["write_file", "edit_file"]) {
      expect(refuseTool(code, tool, { path })).toMatch(/src\/a\.ts, test\/a\.test\.ts.*ask_human/);
    }
  });

  it.each([undefined, null, 7, "text", [], {}, { path: 7 }, { path: null }])(
    "with the arguments %j is refused",
    (args) => {
      expect(refuseTool(code, "write_file", args)).toBe("`path` is missing");
    },
  );

  it("is allowed for no path but a declared one, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (path) => {
        fc.pre(!code.files.includes(path.replace(/^\.\//, "")));
        expect(refuseTool(code, "write_file", { path })).toBeDefined();
      }),
    );
  });
});
