/** The Model port over @anthropic-ai/sdk: streamed, cached, structured, with our own limits. */
import Anthropic from "@anthropic-ai/sdk";
import { Stream } from "@anthropic-ai/sdk/core/streaming";
import { transformJSONSchema } from "@anthropic-ai/sdk/lib/transform-json-schema";
import type { ModelReply, ModelRequest, StopReason } from "../../domain/conversation.ts";
import type { Model } from "../../domain/ports.ts";
import { anthropicMessages, type KeptBlocks, keptBlocks } from "./anthropic-messages.ts";
import { bodyKindOf, type CallLimits, callModel, endedEarly, STAYS, type Watch } from "./call.ts";
import { isEnforceable } from "./schema.ts";
import { isSchemaRefusal } from "./trouble.ts";

export interface AnthropicOptions {
  /** As the provider knows it: `claude-haiku-5-5`. */
  model: string;
  apiKey: string;
  baseUrl?: string;
  limits: CallLimits;
}

export const ANTHROPIC_KEY = "ANTHROPIC_API_KEY";

/** A model of Anthropic's. Retries are the caller's: the SDK's own are off. */
export function anthropicModel(options: AnthropicOptions): Model {
  const name = `anthropic:${options.model}`;
  const client = new Anthropic({
    apiKey: options.apiKey,
    // Null, not left out: otherwise the SDK reads another address from the environment.
    baseURL: options.baseUrl ?? null,
    fetchOptions: STAYS,
    maxRetries: 0,
    timeout: options.limits.timeoutMs,
    logLevel: "off",
  });
  const kept = keptBlocks();
  return {
    name,
    ask: (request, signal) =>
      callModel({ name, keyVariable: ANTHROPIC_KEY }, options.limits, signal, async (watch) => {
        const message = await send(client, paramsOf(options.model, request, kept), watch);
        kept.keep(message.content);
        return replyOf(message);
      }),
  };
}

function paramsOf(
  model: string,
  request: ModelRequest,
  kept: KeptBlocks,
): Anthropic.MessageCreateParamsStreaming {
  const { schema, temperature, tools } = request;
  const format =
    schema && isEnforceable(schema.json)
      ? { type: "json_schema" as const, schema: transformJSONSchema(schema.json) }
      : undefined;
  return {
    model,
    stream: true,
    max_tokens: request.outputTokensMax,
    // Tools and system come first on the wire: one mark caches both for the next task.
    system: [{ type: "text", text: request.system, cache_control: { type: "ephemeral" } }],
    messages: anthropicMessages(request.messages, kept, tools.length > 0),
    ...(tools.length > 0
      ? {
          tools: tools.map((tool) => ({
            name: tool.name,
            description: tool.description,
            input_schema: tool.schema as Anthropic.Tool.InputSchema,
          })),
        }
      : {}),
    ...(format ? { output_config: { format } } : {}),
    ...(temperature === undefined ? {} : { temperature }),
  };
}

async function send(
  client: Anthropic,
  params: Anthropic.MessageCreateParamsStreaming,
  watch: Watch,
): Promise<Anthropic.Message> {
  try {
    return await sendOnce(client, params, watch);
  } catch (error) {
    if (!params.output_config || !isSchemaRefusal(error)) throw error;
    // The shape also stands in the prompt, so a schema that is too rich for the provider is left out.
    const { output_config: _, ...plain } = params;
    return sendOnce(client, plain, watch);
  }
}

async function sendOnce(
  client: Anthropic,
  params: Anthropic.MessageCreateParamsStreaming,
  watch: Watch,
): Promise<Anthropic.Message> {
  const response = await client.messages.create(params, { signal: watch.signal }).asResponse();
  if (bodyKindOf(response) === "json") return (await response.json()) as Anthropic.Message;
  const stream = Stream.fromSSEResponse<Anthropic.RawMessageStreamEvent>(
    response,
    new AbortController(),
    client,
  );
  return gather(stream, watch);
}

/** Puts the events of a stream together; one that never says why the model stopped throws. */
async function gather(
  stream: AsyncIterable<Anthropic.RawMessageStreamEvent>,
  watch: Watch,
): Promise<Anthropic.Message> {
  let message: Anthropic.Message | undefined;
  const json = new Map<number, string>();
  for await (const event of stream) {
    watch.heard();
    if (event.type === "message_start") message = { ...event.message, content: [] };
    else if (!message) throw new Error("the stream began in the middle of an answer");
    else if (event.type === "content_block_start")
      message.content[event.index] = event.content_block;
    else if (event.type === "content_block_delta") addDelta(message, json, event);
    else if (event.type === "message_delta") {
      message.stop_reason = event.delta.stop_reason ?? message.stop_reason;
      const { output_tokens, input_tokens, cache_creation_input_tokens, cache_read_input_tokens } =
        event.usage;
      const { usage } = message;
      usage.output_tokens = output_tokens;
      usage.input_tokens = input_tokens ?? usage.input_tokens;
      usage.cache_creation_input_tokens =
        cache_creation_input_tokens ?? usage.cache_creation_input_tokens;
      usage.cache_read_input_tokens = cache_read_input_tokens ?? usage.cache_read_input_tokens;
    }
  }
  if (!message || message.stop_reason === null) throw endedEarly();
  for (const [index, text] of json) {
    const block = message.content[index];
    if (block?.type === "tool_use") block.input = parseInput(text);
  }
  return message;
}

function addDelta(
  message: Anthropic.Message,
  json: Map<number, string>,
  event: Anthropic.RawContentBlockDeltaEvent,
): void {
  const block = message.content[event.index];
  const { delta } = event;
  if (delta.type === "text_delta" && block?.type === "text") block.text += delta.text;
  else if (delta.type === "thinking_delta" && block?.type === "thinking")
    block.thinking += delta.thinking;
  else if (delta.type === "signature_delta" && block?.type === "thinking")
    block.signature = delta.signature;
  else if (delta.type === "input_json_delta") {
    json.set(event.index, (json.get(event.index) ?? "") + delta.partial_json);
  }
}

/** Arguments that do not parse stay text: the tool's schema will say so to the model. */
function parseInput(text: string): unknown {
  try {
    return text === "" ? {} : JSON.parse(text);
  } catch {
    return text;
  }
}

function replyOf(message: Anthropic.Message): ModelReply {
  const { content, usage } = message;
  return {
    text: content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join(""),
    toolCalls: content.flatMap((block) =>
      block.type === "tool_use" ? [{ id: block.id, name: block.name, args: block.input }] : [],
    ),
    stopReason: stopReasonOf(message.stop_reason),
    usage: {
      inputTokens: usage.input_tokens,
      outputTokens: usage.output_tokens,
      cacheReadTokens: usage.cache_read_input_tokens ?? 0,
      cacheWriteTokens: usage.cache_creation_input_tokens ?? 0,
    },
    answeredBy: message.model,
  };
}

function stopReasonOf(reason: Anthropic.StopReason | null): StopReason {
  switch (reason) {
    case "tool_use":
      return "tool-calls";
    case "max_tokens":
    case "model_context_window_exceeded":
      return "length";
    case "refusal":
      return "refusal";
    case "end_turn":
    case "stop_sequence":
    case "pause_turn":
      return "end";
    case null:
      throw new Error("the answer does not say why it stopped");
  }
}
