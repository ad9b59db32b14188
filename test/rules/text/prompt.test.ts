/** Prompt files and placeholders: nothing missing, nothing left over. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fillPrompt, parsePrompt, sectionOf, tokensOf } from "../../../src/rules/text/prompt.ts";

describe("parsePrompt", () => {
  it("gives the version and each section by its heading", () => {
    const prompt = parsePrompt(
      "---\nversion: 3\n---\n\n# System\n\nBe brief.\n\n# Task\n{{task}}\n",
    );
    expect(prompt).toEqual({ version: "3", sections: { System: "Be brief.", Task: "{{task}}" } });
  });

  it("takes a heading inside a fence, and a deeper heading, as text", () => {
    const text = "---\nversion: 1\n---\n# A\n## deeper\n````md\n```\n# not one\n````\n# B\nb";
    expect(parsePrompt(text).sections).toEqual({
      A: "## deeper\n````md\n```\n# not one\n````",
      B: "b",
    });
  });

  it.each([
    ["no front matter", "# A\na"],
    ["no version", "---\nname: x\n---\n# A\na"],
    ["no section", "---\nversion: 1\n---\n"],
    ["text before the first section", "---\nversion: 1\n---\nhello\n# A\na"],
    ["a section twice", "---\nversion: 1\n---\n# A\na\n# A\nb"],
  ])("throws for a file with %s", (_what, text) => {
    expect(() => parsePrompt(text)).toThrow();
  });

  it("throws for a section that is not there, even one every object has", () => {
    const prompt = parsePrompt("---\nversion: 1\n---\n# A\na");
    expect(sectionOf(prompt, "A")).toBe("a");
    expect(() => sectionOf(prompt, "B")).toThrow("# B");
    expect(() => sectionOf(prompt, "constructor")).toThrow();
  });
});

describe("fillPrompt", () => {
  it("puts each fact in its place, as often as it is named", () => {
    expect(fillPrompt("{{a}} and {{ b }} and {{a}}", { a: "1", b: "2" })).toBe("1 and 2 and 1");
  });

  it("throws for an unknown placeholder and for an unused fact", () => {
    expect(() => fillPrompt("{{a}}", {})).toThrow("{{a}}");
    expect(() => fillPrompt("{{toString}}", {})).toThrow();
    expect(() => fillPrompt("nothing", { a: "1" })).toThrow("a");
  });

  it("never reads a fact as a template", () => {
    const facts = fc.record({ a: fc.string(), b: fc.string() });
    fc.assert(
      fc.property(facts, ({ a, b }) => {
        expect(fillPrompt("{{a}}|{{b}}", { a, b })).toBe(`${a}|${b}`);
      }),
    );
    expect(fillPrompt("{{a}}", { a: "{{b}} $& $1" })).toBe("{{b}} $& $1");
  });
});

describe("tokensOf", () => {
  it("counts by bytes, so that other scripts do not look short", () => {
    expect(tokensOf("")).toBe(0);
    expect(tokensOf("x".repeat(330))).toBe(100);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const bytes = new TextEncoder().encode(text).length;
        expect(tokensOf(text)).toBe(Math.ceil(bytes / 3.3));
      }),
    );
  });
});
