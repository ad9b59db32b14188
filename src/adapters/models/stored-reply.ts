/** A reply as it stands in files: the fields people and programs write, and what they become. */
import { z } from "zod";
import type { ModelReply } from "../../domain/conversation.ts";

const count = z.number().int().nonnegative().default(0);

/** Snake case, as in the journal; everything but the answer itself may be left out. */
export const storedReply = z.object({
  text: z.string().optional(),
  tool_calls: z
    .array(
      z.object({
        id: z.string().min(1).optional(),
        name: z.string().min(1),
        args: z.unknown().optional(),
      }),
    )
    .optional(),
  stop_reason: z.enum(["end", "tool-calls", "length", "refusal"]).optional(),
  usage: z
    .object({
      input_tokens: count,
      output_tokens: count,
      cache_read_tokens: count,
      cache_write_tokens: count,
    })
    .optional(),
  answered_by: z.string().min(1).optional(),
});
export type StoredReply = z.infer<typeof storedReply>;

/** The reply of the port; tool calls without an id are numbered within their turn. */
export function replyOfStored(stored: StoredReply, turn: string, answeredBy: string): ModelReply {
  const toolCalls = (stored.tool_calls ?? []).map(({ id, name, args }, index) => ({
    id: id ?? `${turn}-${index + 1}`,
    name,
    args: args ?? {},
  }));
  return {
    text: stored.text ?? "",
    toolCalls,
    stopReason: stored.stop_reason ?? (toolCalls.length > 0 ? "tool-calls" : "end"),
    usage: {
      inputTokens: stored.usage?.input_tokens ?? 0,
      outputTokens: stored.usage?.output_tokens ?? 0,
      cacheReadTokens: stored.usage?.cache_read_tokens ?? 0,
      cacheWriteTokens: stored.usage?.cache_write_tokens ?? 0,
    },
    answeredBy: stored.answered_by ?? answeredBy,
  };
}

/** The other way round, without what is empty. */
export function storedOfReply(reply: ModelReply): Omit<StoredReply, "text"> {
  const { usage, toolCalls } = reply;
  return {
    answered_by: reply.answeredBy,
    ...(reply.stopReason === "end" || reply.stopReason === "tool-calls"
      ? {}
      : { stop_reason: reply.stopReason }),
    ...(Object.values(usage).some((tokens) => tokens > 0)
      ? {
          usage: {
            input_tokens: usage.inputTokens,
            output_tokens: usage.outputTokens,
            cache_read_tokens: usage.cacheReadTokens,
            cache_write_tokens: usage.cacheWriteTokens,
          },
        }
      : {}),
    ...(toolCalls.length > 0
      ? { tool_calls: toolCalls.map(({ id, name, args }) => ({ id, name, args })) }
      : {}),
  };
}
