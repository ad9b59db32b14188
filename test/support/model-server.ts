/** A local HTTP server that speaks the wire formats of Anthropic and OpenAI, with scripted answers and faults. */
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { ROLES, type Role } from "../../src/domain/conversation.ts";
import { parsePrompt } from "../../src/rules/text/prompt.ts";

/** One request, the same for both APIs; `body` is what came over the wire. */
export interface ServedCall {
  api: "anthropic" | "openai";
  /** Counts from 0 over the server's life. */
  index: number;
  model: string;
  /** Found by comparing the system text with prompts/*.md. */
  role: Role | undefined;
  system: string;
  messages: { role: string; text: string }[];
  /** The last message's text: usually all a script has to look at. */
  last: string;
  tools: string[];
  hasSchema: boolean;
  headers: IncomingMessage["headers"];
  body: Record<string, unknown>;
}

export interface ServedReply {
  text?: string;
  toolCalls?: { name: string; args: unknown }[];
  /** Anthropic's thinking block before the text. */
  thinking?: string;
  finish?: "end" | "length" | "refusal";
  usage?: { input: number; output: number; cacheRead?: number; cacheWrite?: number };
  /** Answer in one piece although a stream was asked for. */
  whole?: boolean;
}

export type Fault =
  | { fault: "status"; status: number; retryAfter?: string; message?: string; type?: string }
  /** Half a stream, then nothing more. */
  | { fault: "stall" }
  /** Half a stream, then the connection breaks. */
  | { fault: "cut" }
  /** Half a stream, then a clean end that never says why. */
  | { fault: "early-end" }
  /** The connection breaks before any answer. */
  | { fault: "reset" }
  /** The request is taken and never answered. */
  | { fault: "silence" }
  /** A 200 whose JSON does not parse, streamed or whole. */
  | { fault: "broken-json"; whole?: boolean }
  | { fault: "html" };

export type ServedAnswer = string | ServedReply | Fault;
export type Serve = (call: ServedCall) => ServedAnswer | Promise<ServedAnswer>;

export interface ModelServer extends AsyncDisposable {
  /** Base URL for `anthropic:` models. */
  readonly anthropicUrl: string;
  /** Base URL for `openai:` models. */
  readonly openaiUrl: string;
  readonly calls: ServedCall[];
  close(): Promise<void>;
}

/** Starts a server on a free local port. Answers in order (the last one again and again) or by a function. */
export async function startModelServer(script: Serve | ServedAnswer[]): Promise<ModelServer> {
  const calls: ServedCall[] = [];
  const serve: Serve =
    typeof script === "function"
      ? script
      : ({ index }) => script[Math.min(index, script.length - 1)] ?? "";
  const server = createServer((request, response) => {
    void handle(request, response, calls, serve).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else
        sendJson(response, 500, { error: { message: `the test's own script: ${String(error)}` } });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { anthropicUrl: url, openaiUrl: `${url}/v1`, calls, close, [Symbol.asyncDispose]: close };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  calls: ServedCall[],
  serve: Serve,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}") as Record<
    string,
    unknown
  >;
  const api = request.url?.startsWith("/v1/messages") ? "anthropic" : "openai";
  if (api === "openai" && request.url !== "/v1/chat/completions") {
    response
      .writeHead(404, { "content-type": "application/json" })
      .end('{"error":{"message":"no such path"}}');
    return;
  }
  const call = callOf(api, calls.length, request, body);
  calls.push(call);
  const answer = await serve(call);
  const reply = typeof answer === "string" ? { text: answer } : answer;
  const wire = api === "anthropic" ? anthropicWire : openaiWire;
  if ("fault" in reply)
    fail(reply, response, wire(call, { text: "Half of an answer, and then ".repeat(8) }));
  else if (body["stream"] !== true || reply.whole) sendJson(response, 200, wire(call, reply).whole);
  else sendStream(response, wire(call, reply).events).end();
}

interface Wire {
  whole: unknown;
  /** Server-sent events, in order. */
  events: string[];
}

function fail(fault: Fault, response: ServerResponse, wire: Wire): void {
  const half = wire.events.slice(0, Math.floor(wire.events.length / 2));
  switch (fault.fault) {
    case "status": {
      const after = fault.retryAfter === undefined ? {} : { "retry-after": fault.retryAfter };
      const error = {
        type: fault.type ?? "api_error",
        message: fault.message ?? `status ${fault.status}`,
      };
      sendJson(response, fault.status, { type: "error", error }, after);
      return;
    }
    case "stall":
      sendStream(response, half);
      return;
    case "cut":
      // Destroyed once the half is on its way, so that the client has seen it.
      sendStream(response, half.slice(0, -1)).write(half.at(-1) ?? "", () => response.destroy());
      return;
    case "early-end":
      sendStream(response, half).end();
      return;
    case "reset":
      response.destroy();
      return;
    case "silence":
      return;
    case "broken-json":
      if (fault.whole)
        response.writeHead(200, { "content-type": "application/json" }).end('{"id": "x", "cho');
      else sendStream(response, [...half, half.at(-1)?.replace(/\}\s*$/, "\n\n") ?? ""]).end();
      return;
    case "html":
      response
        .writeHead(200, { "content-type": "text/html" })
        .end("<html><body>Please log in to the network.</body></html>");
      return;
  }
}

function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  response
    .writeHead(status, { "content-type": "application/json", ...headers })
    .end(JSON.stringify(value));
}

function sendStream(response: ServerResponse, events: string[]): ServerResponse {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const event of events) response.write(event);
  return response;
}

// ── What came in ───────────────────────────────────────────────────────────

function callOf(
  api: ServedCall["api"],
  index: number,
  request: IncomingMessage,
  body: Record<string, unknown>,
): ServedCall {
  const all = ((body["messages"] ?? []) as { role: string; content: unknown }[]).map(
    ({ role, content }) => ({
      role,
      text: textOf(content),
    }),
  );
  const system =
    api === "anthropic"
      ? textOf(body["system"])
      : (all.find(({ role }) => role === "system")?.text ?? "");
  const messages = all.filter(({ role }) => role !== "system");
  const tools = (body["tools"] ?? []) as { name?: string; function?: { name: string } }[];
  return {
    api,
    index,
    model: String(body["model"]),
    role: roleOf(system),
    system,
    messages,
    last: messages.at(-1)?.text ?? "",
    tools: tools.map((tool) => tool.name ?? tool.function?.name ?? ""),
    hasSchema: "output_config" in body || "response_format" in body,
    headers: request.headers,
    body,
  };
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((block: { text?: string; content?: unknown }) => block.text ?? textOf(block.content))
    .join("\n");
}

const PROMPTS = join(import.meta.dirname, "..", "..", "prompts");

/** Which role's prompt the system text begins with, up to its first placeholder. */
function roleOf(system: string): Role | undefined {
  return ROLES.find((role) => {
    if (!existsSync(join(PROMPTS, `${role}.md`))) return false;
    const { sections } = parsePrompt(readFileSync(join(PROMPTS, `${role}.md`), "utf8"));
    return Object.entries(sections).some(([name, text]) => {
      const start = text.split("{{")[0]?.trim().slice(0, 200) ?? "";
      return /system/i.test(name) && start !== "" && system.startsWith(start);
    });
  });
}

// ── What goes out ──────────────────────────────────────────────────────────

const DEFAULT_USAGE = { input: 100, output: 20, cacheRead: 0, cacheWrite: 0 };
const piecesOf = (text: string) => text.match(/[\s\S]{1,40}/g) ?? [];

function anthropicWire(call: ServedCall, reply: ServedReply): Wire {
  const usage = { ...DEFAULT_USAGE, ...reply.usage };
  const calls = reply.toolCalls ?? [];
  const stop = {
    end: calls.length > 0 ? "tool_use" : "end_turn",
    length: "max_tokens",
    refusal: "refusal",
  }[reply.finish ?? "end"];
  const content = [
    ...(reply.thinking === undefined
      ? []
      : [{ type: "thinking", thinking: reply.thinking, signature: "sig" }]),
    ...(reply.text === undefined ? [] : [{ type: "text", text: reply.text }]),
    ...calls.map(({ name, args }, n) => ({
      type: "tool_use",
      id: `toolu_${call.index}_${n}`,
      name,
      input: args,
    })),
  ];
  const message = {
    id: `msg_${call.index}`,
    type: "message",
    role: "assistant",
    model: `${call.model}-served`,
    stop_sequence: null,
  };
  const tokens = {
    input_tokens: usage.input,
    cache_read_input_tokens: usage.cacheRead,
    cache_creation_input_tokens: usage.cacheWrite,
  };
  const event = (value: { type: string }) =>
    `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
  const blocks = content.flatMap((block, index) => {
    const at = <T extends object>(type: string, rest: T) => event({ type, index, ...rest });
    const delta = (value: object) => at("content_block_delta", { delta: value });
    const start = { type: block.type } as Record<string, unknown>;
    const deltas: string[] = [];
    if ("thinking" in block) {
      Object.assign(start, { thinking: "", signature: "" });
      deltas.push(delta({ type: "thinking_delta", thinking: block.thinking }));
      deltas.push(delta({ type: "signature_delta", signature: block.signature }));
    } else if ("text" in block) {
      start["text"] = "";
      deltas.push(...piecesOf(block.text).map((text) => delta({ type: "text_delta", text })));
    } else {
      Object.assign(start, { id: block.id, name: block.name, input: {} });
      const json = typeof block.input === "string" ? block.input : JSON.stringify(block.input);
      deltas.push(
        ...piecesOf(json).map((partial_json) => delta({ type: "input_json_delta", partial_json })),
      );
    }
    return [
      at("content_block_start", { content_block: start }),
      ...deltas,
      at("content_block_stop", {}),
    ];
  });
  return {
    whole: {
      ...message,
      content,
      stop_reason: stop,
      usage: { ...tokens, output_tokens: usage.output },
    },
    events: [
      event({
        type: "message_start",
        ...{
          message: {
            ...message,
            content: [],
            stop_reason: null,
            usage: { ...tokens, output_tokens: 1 },
          },
        },
      }),
      event({ type: "ping" }),
      ...blocks,
      event({
        type: "message_delta",
        ...{
          delta: { stop_reason: stop, stop_sequence: null },
          usage: { output_tokens: usage.output },
        },
      }),
      event({ type: "message_stop" }),
    ],
  };
}

function openaiWire(call: ServedCall, reply: ServedReply): Wire {
  const given = { ...DEFAULT_USAGE, ...reply.usage };
  const calls = (reply.toolCalls ?? []).map(({ name, args }, n) => ({
    index: n,
    id: `call_${call.index}_${n}`,
    type: "function",
    function: { name, arguments: typeof args === "string" ? args : JSON.stringify(args) },
  }));
  const finish = {
    end: calls.length > 0 ? "tool_calls" : "stop",
    length: "length",
    refusal: "content_filter",
  }[reply.finish ?? "end"];
  const head = { id: `chatcmpl-${call.index}`, created: 1, model: `${call.model}-served` };
  const usage = {
    prompt_tokens: given.input + given.cacheRead + given.cacheWrite,
    completion_tokens: given.output,
    total_tokens: given.input + given.output,
    prompt_tokens_details: { cached_tokens: given.cacheRead, cache_write_tokens: given.cacheWrite },
  };
  const event = (value: object) =>
    `data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", ...value })}\n\n`;
  const delta = (value: object, finish_reason: string | null = null) =>
    event({ choices: [{ index: 0, delta: value, finish_reason }] });
  const callDeltas = calls.flatMap((one) => [
    delta({ tool_calls: [{ ...one, function: { name: one.function.name, arguments: "" } }] }),
    ...piecesOf(one.function.arguments).map((piece) =>
      delta({ tool_calls: [{ index: one.index, function: { arguments: piece } }] }),
    ),
  ]);
  const message = {
    role: "assistant",
    content: reply.text ?? null,
    ...(calls.length > 0 ? { tool_calls: calls.map(({ index: _, ...one }) => one) } : {}),
  };
  return {
    whole: {
      ...head,
      object: "chat.completion",
      choices: [{ index: 0, message, finish_reason: finish }],
      usage,
    },
    events: [
      delta({ role: "assistant", content: "" }),
      ...piecesOf(reply.text ?? "").map((content) => delta({ content })),
      ...callDeltas,
      delta({}, finish),
      event({ choices: [], usage }),
      "data: [DONE]\n\n",
    ],
  };
}
