import { describe, expect, it } from "vitest";
import { describeContract } from "../../../src/rules/people/describe.ts";
import { aCheck, aContract } from "../../support/builders.ts";

describe("the words of a contract", () => {
  it("say what for, which requirements, files and interfaces, in this order", () => {
    const signature = {
      file: "a.ts",
      name: "f",
      declaration: "export function f(): void",
      doc: "",
    };
    const words = describeContract(
      aContract("Parse", {
        purpose: " Turns text into durations. \n",
        requirements: ["R1", "R2"],
        files: ["a.ts", "b.ts"],
        interfaces: [signature],
        command: "make",
      }),
    );
    expect(words).toEqual({
      title: "Parse",
      description: [
        "Turns text into durations. ",
        "",
        "Requirements: R1, R2",
        "",
        "Files:",
        "- a.ts",
        "- b.ts",
        "",
        "Interfaces:",
        "- export function f(): void",
        "",
        "Command: make",
      ]
        .join("\n")
        .replace("durations. ", "durations."),
      acceptance: "",
    });
  });

  it("say what must be true: examples, the spec's own checks, and why there is none", () => {
    const checks = [
      aCheck("planned"),
      aCheck("compile", { source: "spec", run: "tsc" }),
      aCheck("style", { source: "spec", run: "lint", gates: false }),
    ];
    const of = (over: Parameters<typeof aContract>[1]) =>
      describeContract(aContract("T", over)).acceptance;
    expect(of({ examples: ["f() is 1"], checks })).toBe(
      "- f() is 1\n- compile: tsc\n- style: lint (advises)",
    );
    expect(of({ checks: [aCheck("planned")] })).toBe("- planned: node --test planned.test.mjs");
    expect(of({ unchecked: "prose" })).toBe("- unchecked: prose");
  });

  it("are the same for the same contract, and cut where Beads would be flooded", () => {
    const long = aContract("T", { purpose: "x".repeat(60_000) });
    expect(describeContract(long)).toEqual(describeContract(structuredClone(long)));
    expect(describeContract(long).description).toHaveLength(16_002);
    expect(describeContract(long).description).toMatch(/x\n…$/);
  });
});
