/** What of a specification one task is shown. */
import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { Spec } from "../../../src/domain/spec.ts";
import { parseSpec } from "../../../src/rules/spec/spec.ts";
import { contextOf, renderSlice, unitsOf } from "../../../src/rules/spec/spec-slice.ts";
import { tokensOf } from "../../../src/rules/text/prompt.ts";

function specOf(text: string): Spec {
  const spec = parseSpec("spec.md", text, "hash");
  if ("problems" in spec) throw new Error(JSON.stringify(spec.problems));
  return spec;
}

let standard: Spec;
beforeAll(async () => {
  standard = specOf(await readFile("test/fixtures/specs/standard.md", "utf8"));
});
const all = (spec: Spec) => spec.requirements.map(({ id }) => id);

describe("units of ownership", () => {
  it("are single requirements where there are few", () => {
    const spec = specOf("# T\n\n- R1: one\n- R2: two\n");
    expect(unitsOf(spec, ["R2", "R1"]).map(({ id, requirements }) => [id, requirements])).toEqual([
      ["R2", ["R2"]],
      ["R1", ["R1"]],
    ]);
  });

  it("are headings of a long document, and hold every requirement exactly once", () => {
    const units = unitsOf(standard, all(standard));
    expect(units.length).toBeLessThanOrEqual(60);
    expect(units.filter(({ id }) => id.startsWith("h")).length).toBeGreaterThan(10);
    expect(units.flatMap(({ requirements }) => requirements).sort()).toEqual(all(standard).sort());
  });

  it("hold each of any requirements exactly once, within any limit", () => {
    const ids = all(standard);
    fc.assert(
      fc.property(fc.subarray(ids), fc.integer({ min: 1, max: 80 }), (some, unitsMax) => {
        const units = unitsOf(standard, some, unitsMax);
        expect(units.length).toBeLessThanOrEqual(Math.max(1, unitsMax));
        expect(units.flatMap(({ requirements }) => requirements).sort()).toEqual([...some].sort());
        expect(new Set(units.map(({ id }) => id)).size).toBe(units.length);
      }),
      { numRuns: 60 },
    );
  });
});

describe("the text a task is shown", () => {
  it("is whole where it fits, under its headings, with lines", () => {
    const spec = specOf("# T\n\n## A\n\n- R1: one\n\n## B\n\n- R2: two\n- R3: three\n");
    const ids = ["R2", "R3"];
    expect(renderSlice(spec, ids, unitsOf(spec, ids), 1000)).toBe(
      "## B\n\nR2 (line 9): two\n\nR3 (line 10): three",
    );
  });

  it("is the outline with beginnings where it does not fit, and never over the budget", () => {
    const units = unitsOf(standard, all(standard));
    for (const tokensMax of [20_000, 8000, 2000, 500, 200]) {
      const text = renderSlice(standard, all(standard), units, tokensMax);
      expect(tokensOf(text)).toBeLessThanOrEqual(tokensMax);
      expect(text).toContain("this is its outline");
    }
    const text = renderSlice(standard, all(standard), units, 12_000);
    for (const { id } of units) expect(text).toContain(id);
  });

  it("holds all of an owner's text once a heading is its own", () => {
    const unit = unitsOf(standard, all(standard)).find(({ id }) => id.startsWith("h"));
    const ids = unit?.requirements ?? [];
    const text = renderSlice(standard, ids, unitsOf(standard, ids), 6000);
    for (const requirement of standard.requirements.filter(({ id }) => ids.includes(id))) {
      expect(text).toContain(requirement.text);
    }
  });
});

describe("the context of a task", () => {
  const spec = specOf(`# Links

A protocol between two sides.

## Terms

- **frame**: what is sent at once.
- **window**: how many are under way.

## Sending

- R1: sends a frame at a time, in the sense of R2
- R2: counts them
- R3: ends
`);

  it("is the introduction, what is mentioned by id, and the terms that are used", () => {
    const text = contextOf(spec, ["R1"], 1000);
    expect(text).toContain("# Links");
    expect(text).toContain("A protocol between two sides.");
    expect(text).toContain("R2: counts them");
    expect(text).toContain("**frame**");
    expect(text).not.toContain("**window**");
    expect(text).not.toContain("R3");
  });

  it("stays within its budget", () => {
    for (const tokensMax of [1000, 100, 30]) {
      expect(
        tokensOf(contextOf(standard, all(standard).slice(0, 9), tokensMax)),
      ).toBeLessThanOrEqual(tokensMax);
    }
  });
});
