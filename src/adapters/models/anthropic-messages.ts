/** A conversation as Anthropic's API wants it: alternating turns, tool results first, cache marks. */
import type Anthropic from "@anthropic-ai/sdk";
import type { Message } from "../../domain/conversation.ts";

/** Blocks of past replies, by the id of their first tool call. */
export interface KeptBlocks {
  keep(content: Anthropic.ContentBlock[]): void;
  of(callId: string): Anthropic.ContentBlockParam[] | undefined;
}

const REPLIES_MAX = 200;

/**
 * Remembers the blocks of replies that called tools, thinking included: the provider wants them
 * back as they were. After a restart they are gone, and the turn is sent without its thinking.
 */
export function keptBlocks(): KeptBlocks {
  const blocks = new Map<string, Anthropic.ContentBlock[]>();
  return {
    keep(content) {
      const first = content.find((block) => block.type === "tool_use");
      if (!first || !content.some((block) => block.type.includes("thinking"))) return;
      blocks.set(first.id, content);
      const oldest = blocks.keys().next().value;
      if (blocks.size > REPLIES_MAX && oldest !== undefined) blocks.delete(oldest);
    },
    of: (callId) => blocks.get(callId) as Anthropic.ContentBlockParam[] | undefined,
  };
}

/** With `marked`, the last message carries a cache mark, for conversations that go on. */
export function anthropicMessages(
  messages: Message[],
  kept: KeptBlocks,
  marked: boolean,
): Anthropic.MessageParam[] {
  const turns: { role: "user" | "assistant"; content: Anthropic.ContentBlockParam[] }[] = [];
  for (const message of messages) {
    const role = message.from === "model" ? "assistant" : "user";
    const content = blocksOf(message, kept);
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...content);
    else turns.push({ role, content: [...content] });
  }
  const block = turns.at(-1)?.content.at(-1);
  if (marked && (block?.type === "text" || block?.type === "tool_result")) {
    block.cache_control = { type: "ephemeral" };
  }
  return turns;
}

function blocksOf(message: Message, kept: KeptBlocks): Anthropic.ContentBlockParam[] {
  if (message.from === "user") return [{ type: "text", text: message.text || "(empty)" }];
  if (message.from === "tool") {
    const { callId, text, isError } = message;
    return [
      { type: "tool_result", tool_use_id: callId, content: text || "(empty)", is_error: isError },
    ];
  }
  const [first] = message.toolCalls;
  const remembered = first && kept.of(first.id);
  if (remembered) return remembered;
  const said: Anthropic.ContentBlockParam[] =
    message.text.trim() === "" ? [] : [{ type: "text", text: message.text.trimEnd() }];
  const calls = message.toolCalls.map(
    ({ id, name, args }): Anthropic.ContentBlockParam => ({
      type: "tool_use",
      id,
      name,
      // Whatever the model sent as arguments, the provider takes back an object alone.
      input:
        typeof args === "object" && args !== null && !Array.isArray(args) ? args : { value: args },
    }),
  );
  const blocks = [...said, ...calls];
  return blocks.length > 0 ? blocks : [{ type: "text", text: "(empty)" }];
}
