/** What a task may reach outside the sandbox: what it declares, as far as the user's settings allow. */
import type { ParsedToolCall } from "../agents/tools.ts";
import type { ToolResult } from "../domain/contained.ts";
import type { Failure } from "../domain/failure.ts";
import { hostsNeeded } from "../domain/needs.ts";
import type { WebText } from "../domain/ports.ts";
import type { TaskState } from "../domain/run-state.ts";
import { needsOf } from "../rules/check/needs.ts";
import { quoted } from "../rules/text/quote.ts";
import type { World } from "./world.ts";

/** A page is shown a piece at a time: so much of it. */
const PIECE_CHARS_MAX = 16_000;

export interface Reach {
  /** The tools of the web it is offered. */
  tools: string[];
  /** The hosts it declares. */
  hosts: string[];
}

/** What the contract of a task, and those above it, say it needs; nothing where nobody allows it. */
export function reachOf(world: World, task: TaskState): Reach {
  const needs = needsOf(world.store.state, task);
  const hosts = hostsNeeded(needs);
  const tools = [
    ...(hosts.length > 0 && (world.web?.hosts.length ?? 0) > 0 ? ["fetch_url"] : []),
    ...(needs.includes("search") && world.web?.searches === true ? ["search_web"] : []),
  ];
  return { tools, hosts };
}

type WebCall = Extract<ParsedToolCall, { name: "fetch_url" | "search_web" }>;

/** Carries a call of the web out; what comes back is quoted as material. */
export async function readWeb(
  world: World,
  reach: Reach,
  call: WebCall,
  signal: AbortSignal,
): Promise<ToolResult | Failure> {
  const { web } = world;
  if (web === undefined) throw new Error("a tool of the web was allowed without a web");
  const found =
    call.name === "fetch_url"
      ? await web.fetch(call.args.url, reach.hosts, signal)
      : await web.search(call.args.query, signal);
  if (signal.aborted) return { failure: "cancelled", detail: "stopped" };
  return resultOf(call, found);
}

function resultOf(call: WebCall, found: WebText): ToolResult {
  if ("trouble" in found) {
    const { trouble: text, refused } = found;
    return { text, isError: true, ...(refused ? { refused } : {}) };
  }
  const from = call.name === "fetch_url" ? (call.args.from_char ?? 0) : 0;
  const piece = found.text.slice(from, from + PIECE_CHARS_MAX);
  const rest = found.text.length - from - piece.length;
  const more = rest > 0 ? `\n\n${rest} characters follow: from_char ${from + piece.length}.` : "";
  const what = call.name === "fetch_url" ? "a web page" : "what a web search found";
  return { text: `${quoted(`${what} (${found.from})`, piece)}${more}`, isError: false };
}
