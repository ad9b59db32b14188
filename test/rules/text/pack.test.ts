/** A pack as text: what it shows, what it trims first, and what it never trims. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Pack } from "../../../src/domain/pack.ts";
import { declaredFilesOf, type PackRules, renderPack } from "../../../src/rules/text/pack.ts";
import { tokensOf } from "../../../src/rules/text/prompt.ts";
import { fenced } from "../../../src/rules/text/quote.ts";
import { aPack } from "../../support/scripted.ts";

const rules = (some: Partial<PackRules> = {}): PackRules => ({
  style: "repair",
  tokensMax: 100_000,
  canRead: false,
  ...some,
});
const textOf = (pack: Pack, some?: Partial<PackRules>) =>
  Object.values(renderPack(pack, rules(some))).join("");
const tokens = (pack: Pack, some?: Partial<PackRules>) => tokensOf(textOf(pack, some));

const last = {
  number: 1,
  style: "repair" as const,
  reason: "f(3) returned 4 but must return 5",
  files: [{ path: "src/double.ts", text: "written before\n" }],
};
const full = aPack({
  context: "A word about the whole.\n".repeat(200),
  files: [{ path: "src/double.ts", text: "as it stands\n" }],
  dependencies: [
    {
      key: "b",
      title: "Research",
      declarations: ["function g(): void"],
      result: "long result\n".repeat(200),
    },
  ],
  guidance: [{ from: "person", text: "Round up." }],
  last,
});

describe("a pack after a conflict", () => {
  const conflict = "a.ts:\n<<<<<<< as it is now\nx\n=======\ny\n>>>>>>> as the last try had it";

  it.each(["repair", "cases", "fresh"] as const)(
    "shows the lines in conflict and the file as it is now (%s)",
    (style) => {
      const text = textOf({ ...full, last: { ...last, files: [], conflict } }, { style });
      expect(text).toContain(conflict);
      expect(text).toContain("as it stands");
      expect(text).not.toContain("written before");
    },
  );
});

describe("renderPack", () => {
  it("leaves out what there is nothing to say about", () => {
    const facts = renderPack(aPack({ context: "" }), rules());
    expect(facts).toMatchObject({
      context: "",
      dependencies: "",
      files: "",
      guidance: "",
      last: "",
    });
    expect(facts.task).toMatch(/^## Double a number\n\n[\s\S]*\n\n$/);
  });

  it("shows a file once: as it was written last where that is to be repaired", () => {
    const repair = textOf(full, { style: "repair" });
    expect(repair).toContain("written before");
    expect(repair).not.toContain("as it stands");
    const cases = textOf(full, { style: "cases" });
    expect(cases).not.toContain("written before");
    expect(cases).toContain("as it stands");
  });

  it("is the same whatever order siblings finished and packages are named in", () => {
    const one = { key: "a", title: "A", declarations: ["a()"] };
    const two = { key: "b", title: "B", declarations: ["b()"] };
    const there = textOf(aPack({ dependencies: [one, two], packages: ["x", "y"] }));
    expect(textOf(aPack({ dependencies: [two, one], packages: ["y", "x"] }))).toBe(there);
  });

  it("trims the context first, then results, then files that can be read", () => {
    const budget = (below: number) => ({
      tokensMax: tokens(full, { style: "cases" }) - below,
      style: "cases" as const,
    });
    const little = textOf(full, budget(200));
    expect(little).toContain("A word about the whole.");
    expect(little).toContain("[… cut]");
    expect(little).toContain("long result");
    const more = textOf(full, budget(1800));
    expect(more).not.toContain("A word about");
    expect(more).not.toContain("long result");
    expect(more).toContain("function g(): void");
    expect(textOf(full, { style: "cases", tokensMax: 1 })).toContain("as it stands");
    expect(textOf(full, { style: "cases", tokensMax: 1, canRead: true })).not.toContain(
      "as it stands",
    );
  });

  it("never trims the task, the advice or the last verdict", () => {
    fc.assert(
      fc.property(fc.integer({ min: -100, max: 5000 }), fc.boolean(), (tokensMax, canRead) => {
        const text = textOf(full, { tokensMax, canRead });
        for (const kept of [
          "Doubles a number.",
          "Round up.",
          "must return 5",
          "written before",
          "src/double.ts",
        ]) {
          expect(text).toContain(kept);
        }
      }),
    );
  });

  it("stays within the budget as long as something can go", () => {
    const floor = tokens(full, { tokensMax: 0 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4000 }), (tokensMax) => {
        expect(tokens(full, { tokensMax })).toBeLessThanOrEqual(Math.max(tokensMax + 8, floor));
      }),
    );
  });
});

describe("the files of a task", () => {
  it("are those of its contract, or the result of a text task", () => {
    expect(declaredFilesOf(aPack())).toEqual(["src/double.ts"]);
    expect(declaredFilesOf(aPack({ contract: { kind: "text", files: [] } }))).toEqual([
      ".results/core.md",
    ]);
    const named = aPack({ contract: { kind: "text", files: [".results/other.md"] } });
    expect(declaredFilesOf(named)).toEqual([".results/other.md"]);
  });
});

describe("a fence", () => {
  it("is longer than any inside it", () => {
    expect(fenced("```\nx\n```", "md")).toBe("````md\n```\nx\n```\n````");
    expect(fenced("x", "ts a.ts")).toBe("```ts a.ts\nx\n```");
  });
});
