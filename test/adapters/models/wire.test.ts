/** Both SDK adapters over real HTTP: what they send, and what each fault of a server becomes. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { anthropicModel } from "../../../src/adapters/models/anthropic.ts";
import { openaiModel } from "../../../src/adapters/models/openai.ts";
import type { ModelRequest } from "../../../src/domain/conversation.ts";
import { isFailure } from "../../../src/domain/failure.ts";
import type { Model } from "../../../src/domain/ports.ts";
import { isUncharged } from "../../../src/orchestrator/reserve.ts";
import {
  type Fault,
  type ModelServer,
  type Serve,
  type ServedAnswer,
  startModelServer,
} from "../../support/model-server.ts";
import { aRequest, NEVER } from "../../support/scripted.ts";

const closing: ModelServer[] = [];
afterEach(async () => {
  for (const server of closing.splice(0)) await server.close();
});

const limits = { timeoutMs: 10_000, idleMs: 10_000 };
type Make = (server: ModelServer, some?: { timeoutMs?: number; idleMs?: number }) => Model;
const anthropic: Make = (server, some) =>
  anthropicModel({
    model: "claude-x",
    apiKey: "secret-key",
    baseUrl: server.anthropicUrl,
    limits: { ...limits, ...some },
  });
const openai: Make = (server, some) =>
  openaiModel({
    model: "gpt-x",
    apiKey: "secret-key",
    baseUrl: server.openaiUrl,
    limits: { ...limits, ...some },
  });

async function serving(script: Serve | ServedAnswer[]): Promise<ModelServer> {
  const server = await startModelServer(script);
  closing.push(server);
  return server;
}

it.each([
  ["anthropic", anthropic],
  ["openai", openai],
] as const)("%s does not follow a server to another one, with key and prompt", async (_, make) => {
  const other = await serving(() => ({ text: "stolen" }));
  const sender = createServer((request, response) => {
    const to = new URL(request.url ?? "", other.openaiUrl).href;
    response.writeHead(307, { location: to }).end();
  });
  await new Promise<void>((resolve) => sender.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void sender.close());
  const { port } = sender.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/v1`;
  const model = make({ ...other, anthropicUrl: url, openaiUrl: url });
  expect(await model.ask(aRequest(), NEVER)).toMatchObject({ failure: "config-unusable" });
  expect(other.calls).toEqual([]);
});

const FAULTS: [string, Fault, object][] = [
  [
    "429 with Retry-After in seconds",
    { fault: "status", status: 429, retryAfter: "7" },
    { failure: "model-unavailable", retryAfterMs: 7000 },
  ],
  ["429 without Retry-After", { fault: "status", status: 429 }, { failure: "model-unavailable" }],
  ["408", { fault: "status", status: 408 }, { failure: "model-unavailable" }],
  ["500", { fault: "status", status: 500 }, { failure: "model-unavailable" }],
  ["503", { fault: "status", status: 503 }, { failure: "model-unavailable" }],
  [
    "529",
    { fault: "status", status: 529, type: "overloaded_error" },
    { failure: "model-unavailable" },
  ],
  ["401", { fault: "status", status: 401 }, { failure: "credentials-missing" }],
  ["403", { fault: "status", status: 403 }, { failure: "credentials-missing" }],
  [
    "a prompt that is too long",
    { fault: "status", status: 400, message: "prompt is too long: 210000 tokens > 200000 maximum" },
    { failure: "context-overflow" },
  ],
  [
    "llama-server's overflow",
    {
      fault: "status",
      status: 400,
      type: "exceed_context_size_error",
      message: "the request exceeds the available context size",
    },
    { failure: "context-overflow" },
  ],
  ["413", { fault: "status", status: 413 }, { failure: "context-overflow" }],
  [
    "an unknown model",
    { fault: "status", status: 404, message: "model not found" },
    { failure: "config-unusable" },
  ],
  [
    "a filtered prompt",
    { fault: "status", status: 400, message: "blocked by content_filter" },
    { failure: "refused" },
  ],
  ["a stream cut by the network", { fault: "cut" }, { failure: "model-unavailable" }],
  [
    "a stream that ends early and cleanly",
    { fault: "early-end" },
    { failure: "model-unavailable" },
  ],
  ["a reset connection", { fault: "reset" }, { failure: "model-unavailable" }],
  ["broken JSON in a stream", { fault: "broken-json" }, { failure: "model-unavailable" }],
  [
    "broken JSON in one piece",
    { fault: "broken-json", whole: true },
    { failure: "model-unavailable" },
  ],
  ["a page of HTML", { fault: "html" }, { failure: "model-unavailable" }],
];

describe.each([
  ["anthropic", anthropic],
  ["openai", openai],
] as const)("%s over HTTP", (name, make) => {
  it.each(FAULTS)(
    "turns %s into a failure, after a single request",
    async (_what, fault, wanted) => {
      const server = await serving([fault]);
      expect(await make(server).ask(aRequest(), NEVER)).toMatchObject(wanted);
      expect(server.calls).toHaveLength(1);
    },
  );

  it("gives no delay where the server gave none", async () => {
    const failure = await make(await serving([{ fault: "status", status: 429 }])).ask(
      aRequest(),
      NEVER,
    );
    expect(failure).not.toHaveProperty("retryAfterMs");
  });

  it("reads a date in Retry-After", async () => {
    const retryAfter = new Date(Date.now() + 3_600_000).toUTCString();
    const failure = await make(await serving([{ fault: "status", status: 503, retryAfter }])).ask(
      aRequest(),
      NEVER,
    );
    const delayMs = "retryAfterMs" in failure ? (failure.retryAfterMs ?? 0) : 0;
    expect(Math.round(delayMs / 600_000)).toBe(6);
  });

  it("names the variable of a key that is refused, and never the key", async () => {
    const server = await serving([{ fault: "status", status: 401, message: "bad key" }]);
    const failure = await make(server).ask(aRequest(), NEVER);
    const variable = name === "anthropic" ? "ANTHROPIC_API_KEY" : "OPENAI_API_KEY";
    expect(failure).toMatchObject({ variable, detail: expect.stringContaining(variable) });
    expect(JSON.stringify(failure)).not.toContain("secret-key");
  });

  it("is unavailable when no server is there, and was not charged", async () => {
    const server = await startModelServer([]);
    await server.close();
    const failure = await make(server).ask(aRequest(), NEVER);
    expect(failure).toMatchObject({ failure: "model-unavailable" });
    expect(isFailure(failure) && isUncharged(failure)).toBe(true);
    const stopped = await make(server).ask(aRequest(), AbortSignal.abort());
    expect(isFailure(stopped) && isUncharged(stopped)).toBe(true);
  });

  it.each([
    // Turned away before a model saw it.
    ...[400, 401, 402, 403, 404, 413, 422, 429, 503, 529].map((status) => [
      `status ${status}`,
      { fault: "status", status } as const,
      false,
    ]),
    // A gateway may say so after the model has worked.
    ...[408, 500, 502, 504].map((status) => [
      `status ${status}`,
      { fault: "status", status } as const,
      true,
    ]),
    ["half a stream", { fault: "cut" } as const, true],
    ["a stream without its end", { fault: "early-end" } as const, true],
    ["a reset connection", { fault: "reset" } as const, true],
  ] as [string, Fault, boolean][])("after %s may have been charged: %s", async (_, fault, may) => {
    const failure = await make(await serving([fault])).ask(aRequest(), NEVER);
    expect(isFailure(failure) && !isUncharged(failure)).toBe(may);
  });

  it("gives up on a server that never answers, and on an answer that stalls", async () => {
    const silent = await serving([{ fault: "silence" }]);
    const late = await make(silent, { timeoutMs: 50 }).ask(aRequest(), NEVER);
    expect(late).toMatchObject({
      failure: "model-unavailable",
      detail: expect.stringContaining("no answer"),
    });
    const stalling = await serving([{ fault: "stall" }]);
    const stalled = await make(stalling, { idleMs: 50 }).ask(aRequest(), NEVER);
    expect(stalled).toMatchObject({
      failure: "model-unavailable",
      detail: expect.stringContaining("stalled"),
    });
  });

  it.each(["silence", "stall"] as const)("stops at once when aborted during %s", async (fault) => {
    const stop = new AbortController();
    const server = await serving(() => {
      setTimeout(() => stop.abort(), 20);
      return { fault };
    });
    expect(await make(server).ask(aRequest(), stop.signal)).toMatchObject({ failure: "cancelled" });
  });

  it("takes an answer in one piece from a server that does not stream", async () => {
    const server = await serving([
      { text: "whole", whole: true, toolCalls: [{ name: "t", args: { a: 1 } }] },
    ]);
    expect(await make(server).ask(aRequest(), NEVER)).toMatchObject({
      text: "whole",
      toolCalls: [{ name: "t", args: { a: 1 } }],
      stopReason: "tool-calls",
    });
  });

  it("hands on arguments that do not parse as the text they are", async () => {
    const server = await serving([{ toolCalls: [{ name: "t", args: '{"a": ' }] }]);
    expect(await make(server).ask(aRequest(), NEVER)).toMatchObject({
      toolCalls: [{ name: "t", args: '{"a": ' }],
    });
  });

  const schema = (json: z.ZodType) => ({ name: "answer", json: { ...z.toJSONSchema(json) } });

  it("asks again without the schema when the server refuses the schema", async () => {
    const refusal: Fault = { fault: "status", status: 400, message: "this schema is too complex" };
    const server = await serving(({ hasSchema }) => (hasSchema ? refusal : '{"a":1}'));
    const request = aRequest({ schema: schema(z.object({ a: z.number() })) });
    expect(await make(server).ask(request, NEVER)).toMatchObject({ text: '{"a":1}' });
    expect(server.calls.map(({ hasSchema }) => hasSchema)).toEqual([true, false]);
  });

  it("offers tools with their schemas", async () => {
    const server = await serving(["ok"]);
    const tool = {
      name: "read_file",
      description: "Reads.",
      schema: { type: "object", properties: {} },
    };
    await make(server).ask(aRequest({ tools: [tool] }), NEVER);
    expect(server.calls[0]?.tools).toEqual(["read_file"]);
    expect(JSON.stringify(server.calls[0]?.body["tools"])).toContain('"properties":{}');
  });

  it("sends a temperature only when one is set", async () => {
    const server = await serving(["ok"]);
    await make(server).ask(aRequest(), NEVER);
    await make(server).ask(aRequest({ temperature: 0 }), NEVER);
    expect(server.calls.map(({ body }) => body["temperature"])).toEqual([undefined, 0]);
  });
});

async function bodyOf(make: Make, request: ModelRequest): Promise<Record<string, unknown>> {
  const server = await serving(["ok"]);
  await make(server).ask(request, NEVER);
  return server.calls[0]?.body ?? {};
}

describe("anthropic's own wire format", () => {
  it("sends the key in its header, and marks the system text for the cache", async () => {
    const server = await serving(["ok"]);
    await anthropic(server).ask(aRequest({ outputTokensMax: 321 }), NEVER);
    expect(server.calls[0]?.headers.authorization).toBe("Bearer secret-key");
    expect(server.calls[0]?.body).toMatchObject({
      model: "claude-x",
      max_tokens: 321,
      stream: true,
      system: [{ text: "You help.", cache_control: { type: "ephemeral" } }],
    });
    expect(JSON.stringify(server.calls[0]?.body["messages"])).not.toContain("cache_control");
  });

  it("enforces a schema it can express and leaves out one it would falsify", async () => {
    const json = z.toJSONSchema(z.object({ a: z.array(z.string().max(5)).max(3) }));
    const held = await bodyOf(anthropic, aRequest({ schema: { name: "x", json: { ...json } } }));
    expect(held["output_config"]).toMatchObject({
      format: { type: "json_schema", schema: { type: "object" } },
    });
    const free = z.toJSONSchema(z.object({ a: z.record(z.string(), z.number()), b: z.unknown() }));
    const left = await bodyOf(anthropic, aRequest({ schema: { name: "x", json: { ...free } } }));
    expect(left).not.toHaveProperty("output_config");
  });

  it("joins tool results and the user's words into one turn, and caches a conversation that goes on", async () => {
    const body = await bodyOf(
      anthropic,
      aRequest({
        tools: [{ name: "t", description: "", schema: { type: "object" } }],
        messages: [
          { from: "user", text: "Go." },
          { from: "model", text: "Yes.", toolCalls: [{ id: "c1", name: "t", args: { a: 1 } }] },
          { from: "tool", callId: "c1", name: "t", text: "done", isError: false },
          { from: "user", text: "On." },
        ],
      }),
    );
    expect(body["messages"]).toEqual([
      { role: "user", content: [{ type: "text", text: "Go." }] },
      {
        role: "assistant",
        content: [
          { type: "text", text: "Yes." },
          { type: "tool_use", id: "c1", name: "t", input: { a: 1 } },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "c1", content: "done", is_error: false },
          { type: "text", text: "On.", cache_control: { type: "ephemeral" } },
        ],
      },
    ]);
  });

  it("gives thinking back with the turn it belongs to", async () => {
    const server = await serving([
      { thinking: "hm", text: "I look.", toolCalls: [{ name: "t", args: {} }] },
      "done",
    ]);
    const model = anthropic(server);
    const first = await model.ask(aRequest(), NEVER);
    if (!("toolCalls" in first)) throw new Error(first.detail);
    expect(first.text).toBe("I look.");
    const [call] = first.toolCalls;
    const messages: ModelRequest["messages"] = [
      { from: "user", text: "Go." },
      { from: "model", text: first.text, toolCalls: first.toolCalls },
      { from: "tool", callId: call?.id ?? "", name: "t", text: "x", isError: false },
    ];
    await model.ask(aRequest({ turn: "2", messages }), NEVER);
    expect(JSON.stringify(server.calls[1]?.body["messages"])).toContain(
      '"thinking":"hm","signature":"sig"',
    );
  });
});

describe("openai's own wire format", () => {
  it("needs no key for another server, and limits the answer by the name such servers know", async () => {
    const server = await serving(["ok"]);
    const model = openaiModel({ model: "local", baseUrl: server.openaiUrl, limits });
    expect(await model.ask(aRequest({ outputTokensMax: 99 }), NEVER)).toMatchObject({ text: "ok" });
    expect(server.calls[0]?.body).toMatchObject({ model: "local", max_tokens: 99, stream: true });
    expect(server.calls[0]?.body["messages"]).toEqual([
      { role: "system", content: "You help." },
      { role: "user", content: "Say hello." },
    ]);
  });

  it("keeps the bounds of a schema for a server that makes a grammar of it", async () => {
    const json = z.toJSONSchema(z.object({ a: z.array(z.string().max(5)).max(3) }));
    const body = await bodyOf(openai, aRequest({ schema: { name: "plan", json: { ...json } } }));
    expect(body["response_format"]).toMatchObject({
      type: "json_schema",
      json_schema: {
        name: "plan",
        strict: true,
        schema: { properties: { a: { maxItems: 3, items: { maxLength: 5 } } } },
      },
    });
  });

  it("sends tool calls and their results as chat messages", async () => {
    const body = await bodyOf(
      openai,
      aRequest({
        messages: [
          { from: "user", text: "Go." },
          { from: "model", text: "Yes.", toolCalls: [{ id: "c1", name: "t", args: { a: 1 } }] },
          { from: "tool", callId: "c1", name: "t", text: "done", isError: false },
        ],
      }),
    );
    expect((body["messages"] as unknown[]).slice(2)).toEqual([
      {
        role: "assistant",
        content: "Yes.",
        tool_calls: [{ id: "c1", type: "function", function: { name: "t", arguments: '{"a":1}' } }],
      },
      { role: "tool", tool_call_id: "c1", content: "done" },
    ]);
  });
});
