/** Who gets a stuck task next. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { scriptedModel } from "../../src/adapters/models/scripted.ts";
import { routeTask } from "../../src/agents/router.ts";
import { aPack, aProfile, listening, NEVER } from "../support/scripted.ts";

const prompt = readFileSync(join(import.meta.dirname, "../../prompts/router.md"), "utf8");

async function route(answers: string[], splittable = true) {
  const model = listening(scriptedModel(answers));
  const pack = aPack({ tried: ["attempt 1: too long"] });
  const options = {
    pack,
    profile: aProfile(model),
    prompt,
    identity: { taskId: "fr-1", attempt: 4 },
    splittable,
  };
  return { model, answer: await routeTask(options, NEVER) };
}

describe("routeTask", () => {
  it.each(["fixer", "split", "person"])("may send it to: %s", async (to) => {
    const { answer, model } = await route([JSON.stringify({ reason: "Because.", to })]);
    expect(answer).toEqual({ to, reason: "Because." });
    expect(model.asked[0]?.messages[0]?.text).toContain("attempt 1: too long");
  });

  it("is a failure when no allowed choice is made", async () => {
    const split = JSON.stringify({ reason: "Large.", to: "split" });
    expect((await route([split, split], false)).answer).toMatchObject({
      failure: "answer-unusable",
    });
  });
});
