/** What every model promises, run against all of them: two real SDKs over HTTP, and three without. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { anthropicModel } from "../../../src/adapters/models/anthropic.ts";
import { mailboxModel } from "../../../src/adapters/models/mailbox.ts";
import { openaiModel } from "../../../src/adapters/models/openai.ts";
import { recordedModel, recordingModel } from "../../../src/adapters/models/recorded.ts";
import { scriptedModel } from "../../../src/adapters/models/scripted.ts";
import type { ModelReply, ModelRequest } from "../../../src/domain/conversation.ts";
import type { Model } from "../../../src/domain/ports.ts";
import { NO_USAGE } from "../../../src/domain/usage.ts";
import { startModelServer } from "../../support/model-server.ts";
import { aRequest, NEVER } from "../../support/scripted.ts";

type Wanted = Pick<ModelReply, "text" | "toolCalls" | "stopReason" | "usage">;
type Open = (request: ModelRequest, wanted: Wanted) => Promise<Model>;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "fractal-models-"));
  closing.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function server(wanted: Wanted) {
  const { stopReason, usage } = wanted;
  const started = await startModelServer([
    {
      text: wanted.text,
      toolCalls: wanted.toolCalls,
      finish: stopReason === "tool-calls" ? "end" : stopReason,
      usage: {
        input: usage.inputTokens,
        output: usage.outputTokens,
        cacheRead: usage.cacheReadTokens,
        cacheWrite: usage.cacheWriteTokens,
      },
    },
  ]);
  closing.push(started.close);
  return started;
}

const limits = { timeoutMs: 10_000, idleMs: 10_000 };
const replyOf = (wanted: Wanted): ModelReply => ({ ...wanted, answeredBy: "somebody" });

/** Answers every request in a mailbox, as another program would. */
function answerMail(path: string, wanted: Wanted): void {
  const stop = new AbortController();
  closing.push(() => stop.abort());
  void (async () => {
    while (!stop.signal.aborted) {
      for (const file of readdirSync(path).filter((name) => name.endsWith(".request.json"))) {
        const stem = file.replace(".request.json", "");
        expect(JSON.parse(readFileSync(join(path, file), "utf8"))).toHaveProperty("messages");
        const { usage } = wanted;
        writeFileSync(
          join(path, `${stem}.reply.json`),
          JSON.stringify({
            text: wanted.text,
            tool_calls: wanted.toolCalls,
            stop_reason: wanted.stopReason,
            usage: {
              input_tokens: usage.inputTokens,
              output_tokens: usage.outputTokens,
              cache_read_tokens: usage.cacheReadTokens,
              cache_write_tokens: usage.cacheWriteTokens,
            },
          }),
        );
      }
      await sleep(5);
    }
  })();
}

const MODELS: [string, Open][] = [
  [
    "anthropic",
    async (_request, wanted) =>
      anthropicModel({
        model: "m",
        apiKey: "k",
        baseUrl: (await server(wanted)).anthropicUrl,
        limits,
      }),
  ],
  [
    "openai",
    async (_request, wanted) =>
      openaiModel({ model: "m", baseUrl: (await server(wanted)).openaiUrl, limits }),
  ],
  [
    "mailbox",
    async (_request, wanted) => {
      const path = folder();
      answerMail(path, wanted);
      return mailboxModel(path, { pollMs: 5 });
    },
  ],
  [
    "recorded",
    async (request, wanted) => {
      const path = folder();
      const inner = scriptedModel(() => replyOf(wanted));
      await recordingModel(inner, path, { today: () => "2026-11-21" }).ask(request, NEVER);
      return recordedModel(path, { strict: true });
    },
  ],
  ["scripted", async (_request, wanted) => scriptedModel(() => replyOf(wanted))],
];

const usage = { inputTokens: 12, outputTokens: 34, cacheReadTokens: 5, cacheWriteTokens: 6 };
const hello: Wanted = {
  text: "Hello,\n```ts\nworld\n```\n\nüñí…",
  toolCalls: [],
  stopReason: "end",
  usage,
};

describe.each(MODELS)("the %s model", (_name, open) => {
  it("gives the text, the reason to stop and every token it used", async () => {
    const request = aRequest();
    const model = await open(request, hello);
    const { toolCalls: _, ...rest } = hello;
    expect(await model.ask(request, NEVER)).toMatchObject({ ...rest, toolCalls: [] });
  });

  it("says who answered", async () => {
    const request = aRequest();
    const reply = await (await open(request, hello)).ask(request, NEVER);
    expect(reply).toHaveProperty("answeredBy", expect.stringMatching(/./));
  });

  it("gives tool calls with an id each and arguments as values", async () => {
    const toolCalls = [
      { id: "a", name: "read_file", args: { path: "src/a.ts", lines: 3 } },
      { id: "b", name: "run_tests", args: {} },
    ];
    const request = aRequest({
      tools: [{ name: "read_file", description: "Reads.", schema: { type: "object" } }],
    });
    const model = await open(request, {
      text: "",
      toolCalls,
      stopReason: "tool-calls",
      usage: NO_USAGE,
    });
    const reply = await model.ask(request, NEVER);
    expect(reply).toMatchObject({
      stopReason: "tool-calls",
      toolCalls: toolCalls.map(({ name, args }) => ({ name, args })),
    });
    const ids = "toolCalls" in reply ? reply.toolCalls.map(({ id }) => id) : [];
    expect(new Set(ids).size).toBe(2);
  });

  it.each(["length", "refusal"] as const)("tells %s from an ordinary end", async (stopReason) => {
    const request = aRequest();
    const model = await open(request, { ...hello, stopReason });
    expect(await model.ask(request, NEVER)).toMatchObject({ stopReason });
  });

  it("goes on after tool results, a wordless turn, and arguments that are no object", async () => {
    const request = aRequest({
      turn: "3",
      messages: [
        { from: "user", text: "Go." },
        { from: "model", text: "", toolCalls: [{ id: "c1", name: "read_file", args: "{broken" }] },
        { from: "tool", callId: "c1", name: "read_file", text: "", isError: true },
        { from: "user", text: "On." },
      ],
    });
    const model = await open(request, hello);
    expect(await model.ask(request, NEVER)).toMatchObject({ text: hello.text });
  });

  it("takes any id and text without throwing", async () => {
    const request = aRequest({
      taskId: "../../etc/pass wd\u0000\n😀",
      taskKey: `${"x".repeat(400)}/..`,
      turn: "parts/../1",
      system: "",
      messages: [{ from: "user", text: "\ud800 lone \u0000" }],
    });
    const model = await open(request, hello);
    expect(await model.ask(request, NEVER)).toMatchObject({ text: hello.text });
  });

  it("answers an aborted call with a failure, not a throw", async () => {
    const request = aRequest();
    const model = await open(request, hello);
    expect(await model.ask(request, AbortSignal.abort())).toMatchObject({ failure: "cancelled" });
  });
});
