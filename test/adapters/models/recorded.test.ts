/** Recordings: readable files that say who answered, warn when the question changed, and never pass for another. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hashOfAsked, inFileName } from "../../../src/adapters/models/asked.ts";
import {
  recordedModel,
  recordingModel,
  recordingPath,
} from "../../../src/adapters/models/recorded.ts";
import { openScript, scriptedModel } from "../../../src/adapters/models/scripted.ts";
import type { ModelReply } from "../../../src/domain/conversation.ts";
import { isFailure } from "../../../src/domain/failure.ts";
import { aRequest, NEVER } from "../../support/scripted.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fractal-recorded-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const options = { today: () => "2026-11-21", promptVersions: { worker: "3" } };
const keep = (answer: string | Partial<ModelReply>, request = aRequest()) =>
  recordingModel(scriptedModel([answer]), folder, options).ask(request, NEVER);
const write = (name: string, text: string) => {
  mkdirSync(join(folder, "worker"), { recursive: true });
  writeFileSync(join(folder, "worker", name), text);
};

describe("recording", () => {
  it("writes one readable file, named by role, task key, attempt and turn", async () => {
    await keep({
      text: "Hello.\n\nBye.",
      answeredBy: "somebody",
      usage: { inputTokens: 1, outputTokens: 2, cacheReadTokens: 0, cacheWriteTokens: 0 },
    });
    expect(readdirSync(folder, { recursive: true }).sort()).toEqual([
      "worker",
      "worker/core.1.1.md",
    ]);
    expect(readFileSync(join(folder, "worker", "core.1.1.md"), "utf8")).toBe(
      [
        "---",
        "answered_by: somebody",
        "recorded: 2026-11-21",
        'prompt_version: "3"',
        `asked: ${hashOfAsked(aRequest())}`,
        "usage:",
        "  input_tokens: 1",
        "  output_tokens: 2",
        "  cache_read_tokens: 0",
        "  cache_write_tokens: 0",
        "---",
        "",
        "Hello.",
        "",
        "Bye.",
        "",
      ].join("\n"),
    );
  });

  it("passes the inner model's failure on and keeps nothing", async () => {
    const inner = scriptedModel([{ failure: "model-unavailable", detail: "down" }]);
    const model = recordingModel(inner, folder, options);
    expect(await model.ask(aRequest(), NEVER)).toMatchObject({ failure: "model-unavailable" });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("says so when it cannot write", async () => {
    writeFileSync(join(folder, "worker"), "in the way");
    expect(await keep("x")).toMatchObject({
      failure: "config-unusable",
      detail: expect.stringContaining("core.1.1.md"),
    });
  });

  it("plays back any text and any tool calls as they were", async () => {
    const calls = fc.array(
      fc.record({
        id: fc.string({ minLength: 1 }),
        name: fc.string({ minLength: 1 }),
        args: fc.jsonValue(),
      }),
      { maxLength: 3 },
    );
    // YAML and files know no lone surrogates and no bare carriage returns.
    const text = fc.string({ unit: "grapheme" }).filter((one) => !/\r/.test(one));
    await fc.assert(
      fc.asyncProperty(text, calls, async (words, toolCalls) => {
        fc.pre(
          JSON.stringify(toolCalls) ===
            JSON.stringify(
              JSON.parse(JSON.stringify(toolCalls), (k, v) => (k === "__proto__" ? undefined : v)),
            ),
        );
        const plain = toolCalls.map((call) => ({ ...call, args: call.args ?? {} }));
        await keep({ text: words, toolCalls: plain });
        const played = await recordedModel(folder, { strict: true }).ask(aRequest(), NEVER);
        if (isFailure(played)) throw new Error(played.detail);
        expect(played.text).toBe(words);
        expect(JSON.stringify(played.toolCalls)).toBe(JSON.stringify(plain));
      }),
      { numRuns: 100 },
    );
  });
});

describe("playing recordings", () => {
  it("names the file that is missing", async () => {
    const request = aRequest({ taskKey: "core.a b", attempt: 2, turn: "decide" });
    const failure = await recordedModel(folder).ask(request, NEVER);
    expect(failure).toMatchObject({
      failure: "config-unusable",
      detail: expect.stringContaining("worker/core.a%20b.2.decide.md"),
    });
  });

  it("warns when something else is asked now, and refuses when strict", async () => {
    await keep("Hello.");
    const other = aRequest({ system: "You do not help." });
    expect(await recordedModel(folder).ask(other, NEVER)).toMatchObject({
      text: "Hello.",
      mismatch: true,
    });
    expect(await recordedModel(folder, { strict: true }).ask(other, NEVER)).toMatchObject({
      failure: "config-unusable",
    });
    expect(await recordedModel(folder).ask(aRequest(), NEVER)).not.toHaveProperty("mismatch");
  });

  it("plays a file written by hand, without hash or usage", async () => {
    write(
      "core.1.1.md",
      "---\r\nanswered_by: written by hand\r\nrecorded: 2026-11-21\r\n---\r\nHello.\r\n",
    );
    expect(await recordedModel(folder, { strict: true }).ask(aRequest(), NEVER)).toMatchObject({
      text: "Hello.",
      answeredBy: "written by hand",
      stopReason: "end",
    });
  });

  it("keeps a hash of digits alone apart from a number", async () => {
    write("core.1.1.md", "---\nanswered_by: x\nasked: 1234567890123456\n---\nHello.\n");
    expect(await recordedModel(folder).ask(aRequest(), NEVER)).toMatchObject({ mismatch: true });
  });

  it.each([
    ["no front matter", "Hello."],
    ["nobody who answered", "---\nrecorded: 2026-11-21\n---\nHello."],
    ["broken YAML", "---\nanswered_by: [x\n---\nHello."],
    ["a wrong field", "---\nanswered_by: x\nusage: {input_tokens: many}\n---\nHello."],
  ])("refuses a file with %s, by name", async (_what, text) => {
    write("core.1.1.md", text);
    const failure = await recordedModel(folder).ask(aRequest(), NEVER);
    expect(failure).toMatchObject({
      failure: "config-unusable",
      detail: expect.stringContaining("core.1.1.md"),
    });
  });
});

describe("what was asked, as a hash", () => {
  it("is the same in every run: ids, attempt, turn, limits and warmth do not count", () => {
    const call = (id: string) =>
      aRequest({
        messages: [
          { from: "user", text: "Go." },
          { from: "model", text: "", toolCalls: [{ id, name: "t", args: {} }] },
          { from: "tool", callId: id, name: "t", text: "x", isError: false },
        ],
      });
    const other = {
      ...call("b"),
      taskId: "fr-9",
      attempt: 4,
      turn: "7",
      outputTokensMax: 1,
      temperature: 1,
    };
    expect(hashOfAsked(other)).toBe(hashOfAsked(call("a")));
    const ordered = { name: "s", json: { a: 1, b: { c: 2, d: 3 } } };
    const shuffled = { name: "s", json: { b: { d: 3, c: 2 }, a: 1 } };
    expect(hashOfAsked(aRequest({ schema: shuffled }))).toBe(
      hashOfAsked(aRequest({ schema: ordered })),
    );
  });

  it.each([
    ["system text", { system: "x" }],
    ["messages", { messages: [] }],
    ["role", { role: "fixer" as const }],
    ["tools", { tools: [{ name: "t", description: "", schema: {} }] }],
    ["schema", { schema: { name: "s", json: {} } }],
  ])("changes with the %s", (_what, some) => {
    expect(hashOfAsked(aRequest(some))).not.toBe(hashOfAsked(aRequest()));
  });
});

describe("names in file names", () => {
  it("stay one harmless segment, and different names stay different", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
        expect(inFileName(a)).toMatch(/^[%A-Za-z0-9_-][%A-Za-z0-9._-]*$/);
        expect(inFileName(a).length).toBeLessThanOrEqual(150);
        const same = Buffer.from(a).equals(Buffer.from(b));
        if (!same) expect(inFileName(a)).not.toBe(inFileName(b));
      }),
    );
    const long = "x".repeat(500);
    expect(inFileName(`${long}a`)).not.toBe(inFileName(`${long}b`));
  });

  it("keep a task key as it reads", () => {
    expect(
      recordingPath("r", aRequest({ taskKey: "core.parse-line", attempt: 3, turn: "parts.2" })),
    ).toBe(join("r", "worker", "core.parse-line.3.parts.2.md"));
  });
});

describe("a script in a file", () => {
  it("gives each answer once, to the first call it fits", async () => {
    const path = join(folder, "script.yaml");
    writeFileSync(
      path,
      "- {role: fixer, text: fix}\n- {task: core, turn: 2, text: second}\n- {text: any}\n",
    );
    const model = await openScript(path);
    if (isFailure(model)) throw new Error(model.detail);
    expect(await model.ask(aRequest(), NEVER)).toMatchObject({ text: "any" });
    expect(await model.ask(aRequest({ turn: "2" }), NEVER)).toMatchObject({ text: "second" });
    expect(await model.ask(aRequest({ turn: "2" }), NEVER)).toMatchObject({
      failure: "config-unusable",
      detail: expect.stringContaining("worker core"),
    });
  });

  it("is a failure when it cannot be read or is no script", async () => {
    expect(await openScript(join(folder, "none"))).toMatchObject({ failure: "config-unusable" });
    writeFileSync(join(folder, "bad.yaml"), "- {role: king}\n");
    expect(await openScript(join(folder, "bad.yaml"))).toMatchObject({
      failure: "config-unusable",
    });
  });
});
