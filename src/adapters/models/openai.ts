/** The Model port over openai's chat completions: OpenAI itself, and every server that speaks like it. */
import OpenAI from "openai";
import { Stream } from "openai/core/streaming";
import type { Message, ModelReply, ModelRequest } from "../../domain/conversation.ts";
import type { Model } from "../../domain/ports.ts";
import { bodyKindOf, type CallLimits, callModel, STAYS, type Watch } from "./call.ts";
import { completionReply, gatherCompletion } from "./openai-reply.ts";
import { isAllRequired, isEnforceable, withoutBounds } from "./schema.ts";
import { isSchemaRefusal } from "./trouble.ts";

export interface OpenAiOptions {
  /** As the server knows it: `gpt-5.4-mini`, `qwen2.5-coder:7b`. */
  model: string;
  /** Needed by OpenAI itself; most local servers want none. */
  apiKey?: string;
  /** Another server, such as `http://127.0.0.1:11434/v1`. */
  baseUrl?: string;
  limits: CallLimits;
}

export const OPENAI_KEY = "OPENAI_API_KEY";
const OPENAI_URL = "https://api.openai.com/v1";

/** A model behind the chat completions API. Retries are the caller's: the SDK's own are off. */
export function openaiModel(options: OpenAiOptions): Model {
  const name = `openai:${options.model}`;
  const client = new OpenAI({
    // The SDK insists on some key, and would else look for one in the environment.
    apiKey: options.apiKey ?? "none",
    adminAPIKey: null,
    organization: null,
    project: null,
    baseURL: options.baseUrl ?? OPENAI_URL,
    fetchOptions: STAYS,
    maxRetries: 0,
    timeout: options.limits.timeoutMs,
    logLevel: "off",
  });
  return {
    name,
    ask: (request, signal) =>
      callModel({ name, keyVariable: OPENAI_KEY }, options.limits, signal, (watch) =>
        send(client, paramsOf(options, request), watch, options.model),
      ),
  };
}

type Params = OpenAI.ChatCompletionCreateParamsStreaming;

function paramsOf(options: OpenAiOptions, request: ModelRequest): Params {
  const { temperature, tools, outputTokensMax } = request;
  return {
    model: options.model,
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: "system", content: request.system }, ...request.messages.map(messageOf)],
    // OpenAI's newer models refuse the old name; other servers know no other.
    ...(options.baseUrl === undefined
      ? { max_completion_tokens: outputTokensMax }
      : { max_tokens: outputTokensMax }),
    ...(tools.length > 0
      ? {
          tools: tools.map(({ name, description, schema }) => ({
            type: "function" as const,
            function: { name, description, parameters: schema },
          })),
        }
      : {}),
    ...(request.schema
      ? { response_format: formatOf(request.schema, options.baseUrl === undefined) }
      : {}),
    ...(temperature === undefined ? {} : { temperature }),
  };
}

function formatOf(
  schema: NonNullable<ModelRequest["schema"]>,
  isOpenAi: boolean,
): OpenAI.ResponseFormatJSONSchema {
  const strict = isEnforceable(schema.json) && isAllRequired(schema.json);
  // Other servers make a grammar of it, and a grammar needs the bounds to come to an end.
  const json =
    isOpenAi && strict ? (withoutBounds(schema.json) as Record<string, unknown>) : schema.json;
  return { type: "json_schema", json_schema: { name: schema.name, schema: json, strict } };
}

function messageOf(message: Message): OpenAI.ChatCompletionMessageParam {
  if (message.from === "user") return { role: "user", content: message.text };
  if (message.from === "tool") {
    return { role: "tool", tool_call_id: message.callId, content: message.text };
  }
  if (message.toolCalls.length === 0) return { role: "assistant", content: message.text };
  return {
    role: "assistant",
    content: message.text,
    tool_calls: message.toolCalls.map(({ id, name, args }) => ({
      id,
      type: "function",
      function: { name, arguments: typeof args === "string" ? args : JSON.stringify(args ?? {}) },
    })),
  };
}

async function send(
  client: OpenAI,
  params: Params,
  watch: Watch,
  model: string,
): Promise<ModelReply> {
  try {
    return await sendOnce(client, params, watch, model);
  } catch (error) {
    if (!params.response_format || !isSchemaRefusal(error)) throw error;
    // The shape also stands in the prompt, so a server that knows no schemas is asked without.
    const { response_format: _, ...plain } = params;
    return sendOnce(client, plain, watch, model);
  }
}

async function sendOnce(
  client: OpenAI,
  params: Params,
  watch: Watch,
  model: string,
): Promise<ModelReply> {
  const response = await client.chat.completions
    .create(params, { signal: watch.signal })
    .asResponse();
  // Some servers ignore `stream` and answer at once.
  if (bodyKindOf(response) === "json") {
    return completionReply((await response.json()) as OpenAI.ChatCompletion, model);
  }
  const chunks = Stream.fromSSEResponse<OpenAI.ChatCompletionChunk>(
    response,
    new AbortController(),
    client,
  );
  return gatherCompletion(chunks, watch, model);
}
