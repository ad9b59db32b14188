import { describe, expect, it } from "vitest";
import { describeContract } from "../../../src/rules/people/describe.ts";
import { issueOfQuestion, issueOfTask } from "../../../src/rules/people/tracked.ts";
import { aContract, aQuestion, aTask } from "../../support/builders.ts";

describe("the issue of a task", () => {
  it("has its words, its place and what makes it ours", () => {
    const contract = aContract("Parse", { size: "M", examples: ["it parses"] });
    const task = { ...aTask("x.a1", { parent: "x", dependsOn: ["x.a0"], priority: 1 }), contract };
    expect(issueOfTask("r1", { ...task, described: describeContract(contract) })).toEqual({
      id: "x.a1",
      title: "Parse",
      description: "Parse.",
      acceptance: "- it parses",
      status: "open",
      priority: 1,
      labels: [],
      parent: "x",
      dependsOn: ["x.a0"],
      type: "task",
      meta: { run: "r1", key: "x.a1", size: "M", kind: "code" },
    });
  });

  it("of the root is an epic that people can filter for", () => {
    const { type, labels, parent } = issueOfTask("r1", aTask("x"));
    expect({ type, labels, parent }).toEqual({ type: "epic", labels: ["fractal"], parent: null });
  });
});

describe("the issue of a question", () => {
  const question = aQuestion("x.a1.q1", "x.a1", {
    title: "Which one?\nA or B",
    why: "The text says both.",
    options: ["A", "B"],
    tried: "1: check failed",
  });
  const of = (over = {}, isSplit = false) =>
    issueOfQuestion("r1", { ...question, ...over }, () => isSplit);

  it("is a person's to answer, and blocks just what waits for it", () => {
    expect(of()).toMatchObject({
      id: "x.a1.q1",
      title: "Which one?",
      labels: ["human"],
      parent: null,
      dependsOn: [],
      blocks: ["x.a1"],
      meta: { run: "r1", key: "x.a1.q1", kind: "question", about: "x.a1" },
    });
  });

  it("says what is asked, why, the options, what was tried, what waits and how to answer", () => {
    const { description } = of();
    const parts = [
      "A or B",
      "Why: The text says both.",
      "Options:\n- A\n- B",
      "Tried:\n1: check failed",
      "Waiting for this: x.a1. Everything else goes on.",
      'fractal answer x.a1.q1 "…"',
      "bd human respond x.a1.q1",
    ];
    let at = -1;
    for (const part of parts) {
      expect(description.indexOf(part)).toBeGreaterThan(at);
      at = description.indexOf(part);
    }
    expect(of({ options: [], tried: "" }).description).not.toMatch(/Options|Tried/);
  });

  it("about a split task has no edge: that would block the whole subtree", () => {
    expect(of({}, true)).toMatchObject({ blocks: [], meta: { about: "x.a1" } });
  });

  it("about the run names no task", () => {
    const run = of({ about: null, blocks: [] });
    expect(run.meta).not.toHaveProperty("about");
    expect(run.description).toMatch("Waiting for this: the run.");
  });

  it("has a title that Beads takes, whatever was asked", () => {
    expect(of({ title: "x".repeat(400) }).title).toHaveLength(255);
    expect(of({ title: "\nsecond line" }).title).toBe("A question");
  });
});
