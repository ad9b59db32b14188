import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ROLES } from "../../../src/domain/conversation.ts";
import type { Contract } from "../../../src/domain/task.ts";
import { allowedTools, refuseTool as refuse } from "../../../src/rules/check/permission.ts";
import { aContract } from "../../support/builders.ts";

const code = aContract("T", { files: ["src/a.ts", "test/a.test.ts"] });
const text = aContract("T", { kind: "text", files: [".results/t.md"] });
const command = aContract("T", { kind: "command", command: "make" });

const tools = (contract: Contract, reaches: string[] = []) =>
  allowedTools("worker", contract, reaches);
const refuseTool = (contract: Contract, tool: string, args: unknown) =>
  refuse(tools(contract), contract, tool, args);

describe("the tools on a task's list", () => {
  it("are all for code, no commands for text, and none for a command", () => {
    expect(tools(code)).toContain("run_command");
    expect(tools(text)).not.toContain("run_command");
    expect(tools(text)).toContain("write_file");
    expect(tools(command)).toEqual([]);
  });

  it("are the only ones", () => {
    expect(refuseTool(text, "run_command", { command: "ls" })).toMatch("not on this task's list");
    expect(refuseTool(command, "read_file", { path: "a" })).toMatch("not on this task's list");
    fc.assert(
      fc.property(fc.string(), (tool) => {
        fc.pre(!tools(code).includes(tool));
        expect(refuseTool(code, tool, {})).toBeDefined();
      }),
    );
  });

  it("are a role's own: who only answers has none", () => {
    for (const role of ROLES) {
      const all = allowedTools(role, code, ["fetch_url", "search_web"]);
      if (role !== "worker") expect(all).toEqual(role === "fixer" ? ["write_file"] : []);
    }
  });

  it("reach the web only where the task may", () => {
    expect(tools(code)).not.toContain("fetch_url");
    expect(tools(code, ["fetch_url"])).toContain("fetch_url");
    expect(tools(code, ["fetch_url"])).not.toContain("search_web");
    expect(tools(text, ["search_web"])).toContain("search_web");
    // Nothing else gets on the list that way.
    expect(tools(text, ["run_command"])).not.toContain("run_command");
    expect(refuseTool(code, "fetch_url", { url: "https://example.org" })).toMatch("not on this");
  });
});

describe("reading", () => {
  const READING = ["read_file", "list_files", "search_files"];

  it.each([".", "./", "src", "src/", "./src/a.ts"])("%s of the workspace is allowed", (path) => {
    for (const tool of READING) expect(refuseTool(code, tool, { path })).toBeUndefined();
    expect(refuseTool(code, "search_files", { pattern: "x" })).toBeUndefined();
  });

  it.each(["/etc/passwd", "../x", "src/../../x", "~/.ssh/id\u0000", ".git/config"])(
    "%j is refused, with the reason",
    (path) => {
      for (const tool of READING) {
        expect(refuseTool(code, tool, { path })).toMatch("only files of the workspace");
      }
    },
  );
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
      expect(refuseTool(code, tool, { path })).toMatch(
        /src\/a\.ts, test\/a\.test\.ts.*request_file/,
      );
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
