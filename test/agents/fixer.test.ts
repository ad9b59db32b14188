/** Help for a stuck task: each kind, and answers that are no help. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ScriptedAnswer, scriptedModel } from "../../src/adapters/models/scripted.ts";
import { fixTask } from "../../src/agents/fixer.ts";
import { aPack, aProfile, listening, NEVER } from "../support/scripted.ts";

const prompt = readFileSync(join(import.meta.dirname, "../../prompts/fixer.md"), "utf8");
const F = "```";

const pack = aPack({
  tried: ["attempt 1: returned 5", "attempt 2: returned 7"],
  guidance: [{ from: "person", text: "Mind the sign." }],
  last: {
    number: 2,
    style: "fresh",
    reason: "double(3) returned 7",
    files: [{ path: "src/double.ts", text: "wrong code\n" }],
  },
});

async function fix(answers: ScriptedAnswer[], splittable = true) {
  const model = listening(scriptedModel(answers));
  const options = {
    pack,
    profile: aProfile(model),
    prompt,
    identity: { taskId: "fr-1", attempt: 4 },
    splittable,
  };
  return { model, answer: await fixTask(options, NEVER) };
}
const decided = (some: object) =>
  JSON.stringify({
    cause: "Wrong sign.",
    kind: "guidance",
    text: "",
    question: "",
    options: [],
    ...some,
  });

describe("fixTask", () => {
  it("is shown what was tried, the last code and verdict, and the advice so far", async () => {
    const { model } = await fix([decided({ text: "Do it." })]);
    const text = model.asked[0]?.messages[0]?.text ?? "";
    for (const part of [
      "attempt 1: returned 5",
      "wrong code",
      "returned 7",
      "Mind the sign.",
      "double(2) returns 4",
    ]) {
      expect(text).toContain(part);
    }
    expect(model.asked[0]).toMatchObject({
      role: "fixer",
      taskKey: "core",
      attempt: 4,
      turn: "decide",
    });
  });

  it("gives guidance and split with their cause", async () => {
    expect((await fix([decided({ text: "Negate it." })])).answer).toEqual({
      kind: "guidance",
      text: "Wrong sign.\n\nNegate it.",
    });
    const split = (await fix([decided({ kind: "split", text: "First a, then b." })])).answer;
    expect(split).toEqual({ kind: "split", text: "Wrong sign.\n\nFirst a, then b." });
  });

  it("gives a question for a person", async () => {
    const asks = decided({ kind: "person", question: "Which sign?", options: ["plus", "minus"] });
    expect((await fix([asks])).answer).toEqual({
      kind: "person",
      question: "Which sign?",
      why: "Wrong sign.",
      options: ["plus", "minus"],
    });
  });

  it("asks for the files of a patch in a turn of their own", async () => {
    const file = `${F}ts src/double.ts\nexport const double = 2;\n${F}`;
    const { model, answer } = await fix([decided({ kind: "patch", text: "One line." }), file]);
    expect(answer).toEqual({
      kind: "patch",
      files: [{ path: "src/double.ts", text: "export const double = 2;\n" }],
      text: "Wrong sign.\n\nOne line.",
    });
    expect(model.asked.map(({ turn, schema }) => [turn, schema !== undefined])).toEqual([
      ["decide", true],
      ["patch", false],
    ]);
    expect(model.asked[1]?.messages[0]?.text).toContain("One line.");
  });

  it("offers no split where none is possible", async () => {
    const { model, answer } = await fix(
      [decided({ kind: "split", text: "a, b" }), decided({ text: "Do it." })],
      false,
    );
    expect(answer).toMatchObject({ kind: "guidance" });
    expect(model.asked).toHaveLength(2);
    expect(model.asked[0]?.messages[0]?.text).not.toContain("patch, split");
  });

  it.each<[string, ScriptedAnswer[]]>([
    ["empty help", [decided({}), decided({ text: " " }), decided({ kind: "person", text: "x" })]],
    ["prose", ["Try again!", "Try again!", "Try again!"]],
    ["a patch without files", [decided({ kind: "patch", text: "x" }), "I changed it."]],
    [
      "a cut-off patch",
      [
        decided({ kind: "patch", text: "x" }),
        { text: `${F}ts src/double.ts\nx\n${F}`, stopReason: "length" },
      ],
    ],
  ])("fails on %s", async (_what, answers) => {
    expect((await fix(answers)).answer).toMatchObject({ failure: "answer-unusable" });
  });
});
