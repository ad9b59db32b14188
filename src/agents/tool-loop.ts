/** The tool loop of one attempt: reply, calls, results, until a report, a limit or a question. */
import type { ToolResult } from "../domain/contained.ts";
import type { Message, ModelReply, ToolCall } from "../domain/conversation.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { Limits } from "../domain/limits.ts";
import type { ModelProfile } from "../domain/profile.ts";
import { type Report, report } from "../domain/report.ts";
import { parseJsonAnswer, withoutReasoning } from "../rules/text/answer.ts";
import { askModel, issuesOf, promptTokensOf, type Question } from "./ask.ts";
import { type ParsedToolCall, parseToolCall, type Toolbox } from "./tools.ts";

/** More calls than this in one reply are refused, each with a result. */
const CALLS_PER_TURN_MAX = 16;
/** The same calls this many turns in a row are a loop that will not end by itself. */
const REPEATS_MAX = 4;
/** Unusable replies in a row before the attempt ends. */
const MISHAPS_MAX = 3;
const RESULT_CHARS_MAX = 20_000;
/** Results of so many last messages stay whole when older ones must be dropped for room. */
const RECENT_MESSAGES = 8;
const DROPPED = "[dropped to save room; ask again if you need it]";

export interface ToolLoop {
  profile: ModelProfile;
  request: Question;
  temperature: number | undefined;
  toolbox: Toolbox;
  limits: Limits;
}

/** Runs the loop for at most `limits.turnsMax` turns. */
export async function runToolLoop(
  o: ToolLoop,
  signal: AbortSignal,
): Promise<{ report: Report } | Failure> {
  let messages = [...o.request.messages];
  let mishaps = 0;
  let repeats = 0;
  let before = "";
  for (let turn = 1; turn <= o.limits.turnsMax; turn += 1) {
    if (signal.aborted) return { failure: "cancelled", detail: "The attempt was stopped." };
    messages = withRoom(o, messages);
    const reply = await askModel(
      {
        profile: o.profile,
        request: { ...o.request, turn: String(turn), messages },
        ...(o.temperature === undefined ? {} : { temperature: o.temperature }),
      },
      signal,
    );
    if (isFailure(reply)) return reply;
    if (reply.stopReason === "refusal") {
      return {
        failure: "refused",
        detail: reply.text.trim().slice(0, 1000) || "The model refused.",
      };
    }
    if (reply.toolCalls.length === 0) {
      const end = readReport(reply);
      if ("report" in end) return end;
      mishaps += 1;
      if (mishaps >= MISHAPS_MAX) return { failure: "answer-unusable", detail: end.trouble };
      messages.push(...spokenOf(reply), { from: "user", text: end.trouble });
      continue;
    }
    const made = JSON.stringify(reply.toolCalls.map(({ name, args }) => [name, args]));
    repeats = made === before ? repeats + 1 : 1;
    before = made;
    if (repeats >= REPEATS_MAX) {
      const name = reply.toolCalls[0]?.name ?? "";
      return {
        failure: "turn-limit",
        detail: `The worker repeats the same call of ${name} for ever.`,
      };
    }
    const results = await callTools(o, reply, String(turn));
    if (isFailure(results)) return results;
    mishaps = reply.stopReason === "length" ? mishaps + 1 : 0;
    if (mishaps >= MISHAPS_MAX) {
      return {
        failure: "answer-unusable",
        detail: "The worker's replies are cut off again and again.",
      };
    }
    messages.push({ from: "model", text: reply.text, toolCalls: reply.toolCalls }, ...results);
  }
  const detail = `The worker did not finish within ${o.limits.turnsMax} turns.`;
  return { failure: "turn-limit", detail };
}

/** Drops old tool results once the conversation has outgrown the model's context. */
function withRoom(o: ToolLoop, messages: Message[]): Message[] {
  const room = o.profile.contextTokens - o.profile.outputTokensMax;
  if (promptTokensOf({ ...o.request, messages }) <= room) return messages;
  return messages.map((message, index) =>
    message.from === "tool" && index < messages.length - RECENT_MESSAGES
      ? { ...message, text: DROPPED }
      : message,
  );
}

/** Providers refuse an empty message of the model's, so it is left out. */
function spokenOf(reply: ModelReply): Message[] {
  return reply.text.trim() === "" ? [] : [{ from: "model", text: reply.text, toolCalls: [] }];
}

/** A JSON object must fit the report's schema; plain words without one are the summary. */
function readReport(reply: ModelReply): { report: Report } | { trouble: string } {
  const text = withoutReasoning(reply.text)?.trim() ?? "";
  if (reply.stopReason === "length") {
    return { trouble: "Your reply was cut off at the output limit. Go on in smaller steps." };
  }
  if (text === "") {
    return { trouble: "Your reply was empty. Call a tool, or end with the JSON report." };
  }
  const parsed = parseJsonAnswer(text);
  if (isFailure(parsed)) {
    if (/[{[]\s*"/.test(text)) return { trouble: `${parsed.detail} End with the JSON report.` };
    return { report: report.parse({ summary: text.slice(0, 4000) }) };
  }
  const checked = report.safeParse(parsed.value);
  if (checked.success) return { report: checked.data };
  return { trouble: `The report does not fit:\n${issuesOf(checked.error)}` };
}

async function callTools(
  o: ToolLoop,
  reply: ModelReply,
  turn: string,
): Promise<Message[] | Failure> {
  const results: Message[] = [];
  for (const [index, call] of reply.toolCalls.entries()) {
    const result = await callTool(o, reply, call, index, turn);
    if (isFailure(result)) return result;
    const text = clip(result.text);
    results.push({ from: "tool", callId: call.id, name: call.name, text, isError: result.isError });
  }
  return results;
}

async function callTool(
  o: ToolLoop,
  reply: ModelReply,
  call: ToolCall,
  index: number,
  turn: string,
): Promise<ToolResult | Failure> {
  // The last call of a cut-off reply may lack half of its arguments, so none is carried out.
  if (reply.stopReason === "length") {
    return { text: "Not carried out: your reply was cut off. Use smaller steps.", isError: true };
  }
  if (index >= CALLS_PER_TURN_MAX) {
    const text = `Not carried out: at most ${CALLS_PER_TURN_MAX} calls in one reply.`;
    return { text, isError: true };
  }
  const parsed = parseToolCall(call);
  const isOffered = o.toolbox.offers.some(({ name }) => name === call.name);
  if ("args" in parsed && isOffered) {
    const ending = endingOf(parsed);
    if (ending !== undefined) return ending;
  }
  // What it may not do is refused there, where that is journaled and counts.
  return o.toolbox.call({ id: call.id, name: call.name, args: call.args }, turn);
}

/** The calls that end an attempt: a question, or what is missing. */
function endingOf(parsed: ParsedToolCall): Failure | undefined {
  if (parsed.name === "ask_human") {
    const { question, options } = parsed.args;
    return { failure: "worker-asks", detail: question, options: options ?? [] };
  }
  if (parsed.name === "report_missing") {
    const { what, why } = parsed.args;
    const detail = why === undefined ? what : `${what}\nNeeded for: ${why}`;
    return { failure: "capability-missing", detail };
  }
  return undefined;
}

/** Long output keeps its beginning and its end, where the answer usually is. */
function clip(text: string): string {
  if (text.length <= RESULT_CHARS_MAX) return text;
  const half = RESULT_CHARS_MAX / 2;
  const left = text.length - RESULT_CHARS_MAX;
  return `${text.slice(0, half)}\n[… ${left} characters left out …]\n${text.slice(-half)}`;
}
