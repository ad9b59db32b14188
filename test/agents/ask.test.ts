/** One question until its answer fits: what the model is shown, how often, and what it costs to be wrong. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { scriptedModel } from "../../src/adapters/models/scripted.ts";
import { askForAnswer, promptTokensOf } from "../../src/agents/ask.ts";
import type { ModelReply } from "../../src/domain/conversation.ts";
import type { Failure } from "../../src/domain/failure.ts";
import { aProfile, aRequest, listening, NEVER } from "../support/scripted.ts";

const schema = z.object({ size: z.enum(["S", "M"]), parts: z.array(z.string().max(5)).max(2) });

function ask(answers: (string | Partial<ModelReply> | Failure)[], roundsMax = 3, some = {}) {
  const model = listening(scriptedModel(answers));
  const { outputTokensMax: _, ...request } = aRequest({ turn: "size" });
  const options = {
    profile: aProfile(model, some),
    request,
    schema,
    schemaName: "size",
    roundsMax,
  };
  return { model, answer: askForAnswer(options, NEVER) };
}

describe("askForAnswer", () => {
  it("gives the parsed answer, and its shape to the provider as well as to the prompt", async () => {
    const { model, answer } = ask(['{"size":"S","parts":[]}']);
    expect(await answer).toEqual({ size: "S", parts: [] });
    const [asked] = model.asked;
    expect(asked?.schema).toMatchObject({
      name: "size",
      json: { type: "object", additionalProperties: false },
    });
    expect(asked?.messages).toHaveLength(1);
    expect(asked?.messages[0]?.text).toMatch(/^Say hello\.[\s\S]*"maxItems":2/);
  });

  it("shows an unusable answer back with every reason, under a turn name of its own", async () => {
    const { model, answer } = ask([
      '{"size":"XXL","parts":["abcdefgh"]}',
      '{"size":"M","parts":["a"]}',
    ]);
    expect(await answer).toEqual({ size: "M", parts: ["a"] });
    expect(model.asked.map(({ turn }) => turn)).toEqual(["size", "size.2"]);
    const [, shown, trouble] = model.asked[1]?.messages ?? [];
    expect(shown).toMatchObject({ from: "model", text: '{"size":"XXL","parts":["abcdefgh"]}' });
    expect(trouble?.text).toMatch(/size[\s\S]*parts\.0/);
  });

  it("asks no more often than allowed, and fails with the last trouble", async () => {
    const { model, answer } = ask(["no", "no", '{"size":"S","parts":[]}'], 2);
    expect(await answer).toMatchObject({
      failure: "answer-unusable",
      detail: expect.stringContaining("no JSON"),
    });
    expect(model.asked).toHaveLength(2);
  });

  it("does not put an empty answer into the conversation", async () => {
    const { model, answer } = ask(["", '{"size":"S","parts":[]}']);
    await answer;
    expect(model.asked[1]?.messages.map(({ from }) => from)).toEqual(["user", "user"]);
  });

  it("shows only the beginning of an endless answer back", async () => {
    const { model, answer } = ask([`{"size": ${"x".repeat(100_000)}`, '{"size":"S","parts":[]}']);
    await answer;
    expect(model.asked[1]?.messages[1]?.text.length).toBeLessThan(10_000);
  });

  it("takes a cut-off answer for unusable even when it happens to parse", async () => {
    const cut: Partial<ModelReply> = { text: '{"size":"S","parts":[]}', stopReason: "length" };
    expect(await ask([cut], 1).answer).toMatchObject({
      failure: "answer-unusable",
      detail: expect.stringContaining("cut off"),
    });
  });

  it("ends at once with the model's own failure or refusal", async () => {
    const down: Failure = { failure: "model-unavailable", detail: "down", retryAfterMs: 5 };
    expect(await ask([down, '{"size":"S","parts":[]}']).answer).toEqual(down);
    const no = ask([{ text: "I will not.", stopReason: "refusal" }, '{"size":"S","parts":[]}']);
    expect(await no.answer).toEqual({ failure: "refused", detail: "I will not." });
    expect(no.model.asked).toHaveLength(1);
  });

  it("asks nothing when the prompt leaves no room for an answer", async () => {
    const { model, answer } = ask(["x"], 3, { contextTokens: 300 });
    expect(await answer).toMatchObject({ failure: "context-overflow" });
    expect(model.asked).toEqual([]);
  });

  it("lets the answer take what the prompt leaves, and no more", async () => {
    const { model, answer } = ask(['{"size":"S","parts":[]}'], 1, { contextTokens: 2000 });
    await answer;
    const [asked] = model.asked;
    if (!asked) throw new Error("nothing was asked");
    expect(asked.outputTokensMax + promptTokensOf(asked)).toBe(2000);
  });
});
