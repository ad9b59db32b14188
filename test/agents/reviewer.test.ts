/** Second opinions: on a planner's own checks, and on work that no check covers. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ScriptedAnswer, scriptedModel } from "../../src/adapters/models/scripted.ts";
import { reviewChecks, reviewWork } from "../../src/agents/reviewer.ts";
import { aPack, aProfile, listening, NEVER } from "../support/scripted.ts";

const prompt = readFileSync(join(import.meta.dirname, "../../prompts/reviewer.md"), "utf8");
const identity = { taskId: "fr-1", attempt: 1 };
const verdicts = (...all: [string, boolean][]) =>
  JSON.stringify({ verdicts: all.map(([id, accept]) => ({ id, accept, reason: `for ${id}` })) });

async function review(count: number, answers: ScriptedAnswer[]) {
  const model = listening(scriptedModel(answers));
  const checks = Array.from({ length: count }, (_, n) => ({
    id: `c${n + 1}`,
    text: `f(${n}) returns ${n}`,
    requirement: "R1: gives it back.",
  }));
  const options = { profile: aProfile(model), prompt, identity, taskKey: "core", checks };
  return { model, opinions: await reviewChecks(options, NEVER) };
}

describe("reviewChecks", () => {
  it("judges each check by its id, shown with its requirement", async () => {
    const { model, opinions } = await review(2, [verdicts(["c1", true], ["c2", false])]);
    expect(opinions).toEqual({
      c1: { accept: true, reason: "for c1" },
      c2: { accept: false, reason: "for c2" },
    });
    expect(model.asked[0]).toMatchObject({ role: "reviewer", turn: "checks" });
    expect(model.asked[0]?.messages[0]?.text).toMatch(/R1: gives it back\.[\s\S]*f\(1\) returns 1/);
  });

  it("does not accept a check the reviewer is silent about", async () => {
    const { opinions } = await review(2, [verdicts(["c1", true])]);
    expect(opinions).toMatchObject({ c1: { accept: true }, c2: { accept: false } });
  });

  it("cannot be answered for a check that was not asked about", async () => {
    const other = verdicts(["c9", true]);
    expect((await review(1, [other, other])).opinions).toMatchObject({
      failure: "answer-unusable",
    });
  });

  it("asks nothing about no checks, and in several calls about many", async () => {
    expect(await review(0, [])).toMatchObject({ opinions: {}, model: { asked: [] } });
    const { model, opinions } = await review(30, [verdicts(["c1", true]), verdicts(["c30", true])]);
    expect(model.asked.map(({ turn }) => turn)).toEqual(["checks", "checks-2"]);
    expect(opinions).toMatchObject({
      c1: { accept: true },
      c29: { accept: false },
      c30: { accept: true },
    });
  });
});

describe("reviewWork", () => {
  it("judges the change against the contract", async () => {
    const model = listening(scriptedModel(['{"reason":"No code.","accept":false}']));
    const diff = "--- a/src/double.ts\n+++ b/src/double.ts\n+```\n+TODO";
    const doubts = ["src/double.ts speaks of `reallyExit`."];
    const options = { profile: aProfile(model), prompt, identity, pack: aPack(), diff, doubts };
    expect(await reviewWork(options, NEVER)).toEqual({ accept: false, reason: "No code." });
    const text = model.asked[0]?.messages[0]?.text ?? "";
    expect(text).toContain("Doubles a number.");
    expect(text).toContain("+TODO");
    expect(text).toContain("- src/double.ts speaks of `reallyExit`.");
    expect(text).toContain("````diff");
  });
});
