/** Puts a chat completion together, streamed or whole, as servers of many makes send it. */
import type OpenAI from "openai";
import type { ModelReply, StopReason, ToolCall } from "../../domain/conversation.ts";
import { NO_USAGE, type Usage } from "../../domain/usage.ts";
import { endedEarly, type Watch } from "./call.ts";

interface Gathered {
  text: string;
  refusal: string;
  calls: { id: string; name: string; args: string }[];
  finish: string | null;
  usage: Usage;
  model: string;
}

/** Reads a stream to its end. One that ends without a `finish_reason` throws: half an answer is none. */
export async function gatherCompletion(
  chunks: AsyncIterable<OpenAI.ChatCompletionChunk>,
  watch: Watch,
  model: string,
): Promise<ModelReply> {
  const gathered: Gathered = {
    text: "",
    refusal: "",
    calls: [],
    finish: null,
    usage: NO_USAGE,
    model,
  };
  const places = new Map<number, number>();
  for await (const chunk of chunks) {
    watch.heard();
    if (chunk.model) gathered.model = chunk.model;
    if (chunk.usage) gathered.usage = usageOf(chunk.usage);
    const choice = chunk.choices?.[0];
    if (!choice) continue;
    gathered.text += choice.delta?.content ?? "";
    gathered.refusal += choice.delta?.refusal ?? "";
    for (const call of choice.delta?.tool_calls ?? []) addCall(gathered, places, call);
    gathered.finish = choice.finish_reason ?? gathered.finish;
  }
  return replyOf(gathered);
}

/** Some servers send every call whole and all at index 0, so a new id begins a new call. */
function addCall(
  { calls }: Gathered,
  places: Map<number, number>,
  call: OpenAI.ChatCompletionChunk.Choice.Delta.ToolCall,
): void {
  const index = call.index ?? calls.length;
  const place = places.get(index);
  const known = place === undefined ? undefined : calls[place];
  if (known && (!call.id || call.id === known.id)) {
    known.name += known.name === call.function?.name ? "" : (call.function?.name ?? "");
    known.args += call.function?.arguments ?? "";
    return;
  }
  places.set(index, calls.length);
  calls.push({
    id: call.id ?? "",
    name: call.function?.name ?? "",
    args: call.function?.arguments ?? "",
  });
}

/** A completion that came in one piece. */
export function completionReply(completion: OpenAI.ChatCompletion, model: string): ModelReply {
  const choice = completion.choices?.[0];
  if (!choice) throw new Error("the server's answer holds no choice");
  const calls = (choice.message.tool_calls ?? []).flatMap((call) =>
    call.type === "function"
      ? [{ id: call.id ?? "", name: call.function.name, args: call.function.arguments }]
      : [],
  );
  return replyOf({
    text: choice.message.content ?? "",
    refusal: choice.message.refusal ?? "",
    calls,
    finish: choice.finish_reason,
    usage: completion.usage ? usageOf(completion.usage) : NO_USAGE,
    model: completion.model || model,
  });
}

function replyOf({ text, refusal, calls, finish, usage, model }: Gathered): ModelReply {
  if (finish === null || finish === undefined) throw endedEarly();
  const toolCalls = calls.map(
    ({ id, name, args }, index): ToolCall => ({
      id: id || `call-${index + 1}`,
      name,
      args: parseArgs(args),
    }),
  );
  const stopReason = refusal !== "" ? "refusal" : stopReasonOf(finish, toolCalls.length > 0);
  return { text: text || refusal, toolCalls, stopReason, usage, answeredBy: model };
}

/** Arguments that do not parse stay text: the tool's schema will say so to the model. */
function parseArgs(args: unknown): unknown {
  if (typeof args !== "string") return args;
  try {
    return args.trim() === "" ? {} : JSON.parse(args);
  } catch {
    return args;
  }
}

/** Servers invent further reasons; what is not known to be bad is an ordinary end. */
function stopReasonOf(finish: string, hasCalls: boolean): StopReason {
  if (finish === "length") return "length";
  if (finish === "content_filter") return "refusal";
  return hasCalls ? "tool-calls" : "end";
}

function usageOf(usage: OpenAI.CompletionUsage): Usage {
  const details = usage.prompt_tokens_details;
  const cacheReadTokens = details?.cached_tokens ?? 0;
  const cacheWriteTokens = details?.cache_write_tokens ?? 0;
  return {
    // OpenAI counts cached tokens among the prompt's; here each token is in one place.
    inputTokens: Math.max(0, (usage.prompt_tokens ?? 0) - cacheReadTokens - cacheWriteTokens),
    outputTokens: usage.completion_tokens ?? 0,
    cacheReadTokens,
    cacheWriteTokens,
  };
}
