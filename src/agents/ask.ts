/** Asks a model for an answer that fits a schema, showing it its own mistakes a bounded number of times. */
import { z } from "zod";
import type { Message, ModelReply, ModelRequest } from "../domain/conversation.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { ModelProfile } from "../domain/profile.ts";
import { parseJsonAnswer } from "../rules/text/answer.ts";
import { tokensOf } from "../rules/text/prompt.ts";

/** What a role asks; the profile adds how much may be answered and how warm. */
export type Question = Omit<ModelRequest, "outputTokensMax" | "temperature" | "schema">;

/** With less room than this left for the answer, asking is a waste. */
const ANSWER_TOKENS_MIN = 256;
const SHOWN_BACK_MAX = 6000;

/**
 * One call within the model's context: the answer may take what the prompt leaves, at most the
 * profile's own limit. A prompt that leaves no room is `context-overflow` without a call.
 */
export async function askModel(
  o: {
    profile: ModelProfile;
    request: Question & Pick<ModelRequest, "schema">;
    temperature?: number;
  },
  signal: AbortSignal,
): Promise<ModelReply | Failure> {
  const { profile, request } = o;
  const room = profile.contextTokens - promptTokensOf(request);
  if (room < Math.min(ANSWER_TOKENS_MIN, profile.outputTokensMax)) {
    const detail = `The prompt leaves no room for an answer in ${profile.model.name}'s context of ${profile.contextTokens} tokens.`;
    return { failure: "context-overflow", detail };
  }
  const temperature = o.temperature ?? profile.temperature;
  return profile.model.ask(
    {
      ...request,
      outputTokensMax: Math.min(profile.outputTokensMax, room),
      ...(temperature === undefined ? {} : { temperature }),
    },
    signal,
  );
}

/** The estimated size of everything a call sends. */
export function promptTokensOf(
  request: Pick<ModelRequest, "system" | "messages" | "tools" | "schema">,
): number {
  const tools = request.tools.length > 0 ? tokensOf(JSON.stringify(request.tools)) : 0;
  const schema = request.schema ? tokensOf(JSON.stringify(request.schema.json)) : 0;
  return request.messages.reduce(
    (sum, message) => sum + messageTokensOf(message),
    tokensOf(request.system) + tools + schema,
  );
}

function messageTokensOf(message: Message): number {
  const calls = message.from === "model" ? JSON.stringify(message.toolCalls) : "";
  return tokensOf(message.text) + tokensOf(calls) + 8;
}

/**
 * One question. The schema goes to the provider as JSON Schema and into the prompt, since not every
 * server enforces it. An unusable answer is shown back with what is wrong, at most `roundsMax - 1`
 * times, under the turn names `<turn>`, `<turn>.2`, …; the last one's trouble is the failure.
 */
export async function askForAnswer<T>(
  o: {
    profile: ModelProfile;
    request: Question;
    schema: z.ZodType<T>;
    schemaName: string;
    roundsMax: number;
  },
  signal: AbortSignal,
): Promise<T | Failure> {
  const json = jsonSchemaOf(o.schema);
  const messages = withShape(o.request.messages, json);
  let trouble = "It was never asked.";
  for (let round = 1; round <= Math.max(1, o.roundsMax); round += 1) {
    const turn = round === 1 ? o.request.turn : `${o.request.turn}.${round}`;
    const request = { ...o.request, turn, messages, schema: { name: o.schemaName, json } };
    const reply = await askModel({ profile: o.profile, request }, signal);
    if (isFailure(reply)) return reply;
    const answer = readAnswer(reply, o.schema);
    if ("value" in answer) return answer.value;
    if (answer.failure.failure !== "answer-unusable") return answer.failure;
    trouble = answer.failure.detail;
    messages.push(...shownBack(reply.text, trouble));
  }
  return { failure: "answer-unusable", detail: trouble };
}

/** A zod schema as the JSON Schema a provider is given. */
export function jsonSchemaOf(schema: z.ZodType): Record<string, unknown> {
  const json = z.toJSONSchema(schema, { unrepresentable: "any" });
  delete json.$schema;
  return { ...json };
}

/** The answer's shape stands last in the prompt, so that everything before it can be cached. */
function withShape(messages: Message[], json: Record<string, unknown>): Message[] {
  const text = `Answer with one JSON object and nothing else. It must fit this JSON Schema:\n${JSON.stringify(json)}`;
  const last = messages.at(-1);
  if (last?.from !== "user") return [...messages, { from: "user", text }];
  return [...messages.slice(0, -1), { from: "user", text: `${last.text}\n\n${text}` }];
}

function readAnswer<T>(
  reply: ModelReply,
  schema: z.ZodType<T>,
): { value: T } | { failure: Failure } {
  if (reply.stopReason === "refusal") {
    const detail = reply.text.trim().slice(0, 1000) || "The model refused to answer.";
    return { failure: { failure: "refused", detail } };
  }
  if (reply.stopReason === "length") {
    const detail = "The answer was cut off at the output limit. Answer shorter.";
    return { failure: { failure: "answer-unusable", detail } };
  }
  const parsed = parseJsonAnswer(reply.text);
  if (isFailure(parsed)) return { failure: parsed };
  const checked = schema.safeParse(parsed.value);
  if (checked.success) return { value: checked.data };
  const detail = `The JSON does not fit the schema:\n${issuesOf(checked.error)}`;
  return { failure: { failure: "answer-unusable", detail } };
}

/** The first ten problems of an answer, a line each, with where they are. */
export function issuesOf(error: z.ZodError): string {
  const lines = error.issues
    .slice(0, 10)
    .map((issue) => `- ${issue.path.map(String).join(".") || "(the whole)"}: ${issue.message}`);
  const rest = error.issues.length - lines.length;
  return rest > 0 ? `${lines.join("\n")}\n- and ${rest} more` : lines.join("\n");
}

function shownBack(text: string, trouble: string): Message[] {
  const again: Message = {
    from: "user",
    text: `That answer cannot be used. ${trouble}\n\nAnswer again with the whole JSON object and nothing else.`,
  };
  // Providers refuse an empty message, so an empty answer is only spoken of.
  if (text.trim() === "") return [again];
  const shown = text.length > SHOWN_BACK_MAX ? `${text.slice(0, SHOWN_BACK_MAX)}\n[…]` : text;
  return [{ from: "model", text: shown, toolCalls: [] }, again];
}
