/** What a call asks, as a hash: the same question gives the same hash in every run. */
import { createHash } from "node:crypto";
import type { ModelRequest } from "../../domain/conversation.ts";

/**
 * Hash of system, messages, tools and schema. Task ids, attempts, turn names, limits and warmth are
 * left out: they do not change the question. Ids of tool calls are random, so they are numbered.
 */
export function hashOfAsked(request: ModelRequest): string {
  const numbers = new Map<string, number>();
  const numberOf = (id: string) => {
    const number = numbers.get(id) ?? numbers.size + 1;
    numbers.set(id, number);
    return number;
  };
  const messages = request.messages.map((message) => {
    if (message.from === "user") return [message.from, message.text];
    if (message.from === "tool") {
      return [message.from, numberOf(message.callId), message.name, message.text, message.isError];
    }
    const calls = message.toolCalls.map(({ id, name, args }) => [numberOf(id), name, args]);
    return [message.from, message.text, calls];
  });
  const asked = [request.role, request.system, messages, request.tools, request.schema ?? null];
  return createHash("sha256")
    .update(JSON.stringify(sorted(asked)))
    .digest("hex")
    .slice(0, 16);
}

/** Keys in order, so that a schema built in another order is the same question. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

/** A key or id as part of a file name: anything odd becomes `%` and its code. */
export function inFileName(text: string): string {
  const escaped = text.replace(/[^A-Za-z0-9._-]/gu, (char) =>
    [...new TextEncoder().encode(char)]
      .map((byte) => `%${byte.toString(16).padStart(2, "0")}`)
      .join(""),
  );
  const shown = escaped.replace(/^\.+/, (dots) => "%2e".repeat(dots.length)) || "%";
  if (shown.length <= 150) return shown;
  return `${shown.slice(0, 120)}%${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
}
