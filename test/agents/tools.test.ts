/** The tool table: what is offered, and what a call must look like. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseToolCall, TOOLS, toolOffers } from "../../src/agents/tools.ts";

describe("toolOffers", () => {
  it("offers what is allowed and exists, each with a schema that names its arguments", () => {
    const offers = toolOffers(["ask_human", "read_file", "rm_rf"]);
    expect(offers.map(({ name }) => name)).toEqual(["read_file", "ask_human"]);
    expect(offers[0]?.schema).toMatchObject({
      type: "object",
      properties: { path: { type: "string" }, from_line: { type: "integer" } },
      required: ["path"],
    });
  });
});

describe("parseToolCall", () => {
  it("gives checked arguments without anything the schema does not know", () => {
    const call = {
      id: "1",
      name: "edit_file",
      args: { path: "a.ts", old: "x", new: "y", force: true },
    };
    expect(parseToolCall(call)).toEqual({
      name: "edit_file",
      args: { path: "a.ts", old: "x", new: "y" },
    });
  });

  it.each([
    ["an unknown tool", "delete_everything", {}, "There is no tool"],
    ["a name every object has", "constructor", {}, "There is no tool"],
    ["a missing argument", "write_file", { path: "a.ts" }, "text"],
    ["arguments that are text", "read_file", '{"path": "a', "do not fit"],
    ["no arguments", "read_file", undefined, "do not fit"],
  ])("explains %s to the model", (_what, name, args, text) => {
    expect(parseToolCall({ id: "1", name, args })).toMatchObject({
      isError: true,
      text: expect.stringContaining(text),
    });
  });

  it("gives a call or an explanation for anything", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom(...Object.keys(TOOLS))),
        fc.anything(),
        (name, args) => {
          const parsed = parseToolCall({ id: "1", name, args });
          expect("args" in parsed || parsed.isError).toBe(true);
        },
      ),
    );
  });
});
