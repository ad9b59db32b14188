/** The model and tool calls of one attempt, with what was asked and what was answered. */
import { z } from "zod";
import type { RunEvent } from "../domain/event.ts";
import type { Failure } from "../domain/failure.ts";
import type { Usage } from "../domain/usage.ts";

export type Blob = (hash: string) => string | undefined;

/** One model call or tool call; texts are undefined when their blob is gone. */
export type TaskCall =
  | {
      kind: "model";
      attempt: number;
      turn: string;
      role: string;
      model: string;
      /** The version of the prompt file. */
      promptVersion: string;
      prompt: string | undefined;
      reply: string | undefined;
      answeredBy?: string;
      stopReason?: string;
      mismatch?: boolean;
      usage?: Usage;
      costUsd?: number | null;
      durationMs?: number;
      failure?: Failure;
    }
  | {
      kind: "tool";
      attempt: number;
      turn: string;
      tool: string;
      args: string | undefined;
      output: string | undefined;
      isError?: boolean;
      /** The task may not do this. */
      refused?: boolean;
      durationMs?: number;
    };

/** The calls of a task in the order they were made; one without an answer was cut off. */
export function callsOf(events: readonly RunEvent[], taskId: string, blob: Blob): TaskCall[] {
  const calls: TaskCall[] = [];
  const lastOpen = (kind: TaskCall["kind"], attempt: number, turn: string) =>
    calls.findLast(
      (call) =>
        call.kind === kind &&
        call.attempt === attempt &&
        call.turn === turn &&
        call.durationMs === undefined,
    );
  for (const event of events) {
    if (event.task_id !== taskId) continue;
    switch (event.event_type) {
      case "call.started":
        calls.push({
          kind: "model",
          attempt: event.attempt,
          turn: event.turn,
          role: event.role,
          model: event.model,
          promptVersion: event.prompt,
          prompt: requestText(blob(event.request)),
          reply: undefined,
        });
        break;
      case "call.answered": {
        const call = lastOpen("model", event.attempt, event.turn);
        if (call === undefined) break;
        Object.assign(call, {
          reply: replyText(blob(event.reply)),
          answeredBy: event.answered_by,
          stopReason: event.stop_reason,
          mismatch: event.mismatch === true,
          usage: event.usage,
          costUsd: event.cost_usd,
          durationMs: event.duration_ms,
        });
        break;
      }
      case "call.failed": {
        const call = lastOpen("model", event.attempt, event.turn);
        if (call) Object.assign(call, { failure: event.failure, durationMs: event.duration_ms });
        break;
      }
      case "tool.called":
        calls.push({
          kind: "tool",
          attempt: event.attempt,
          turn: event.turn,
          tool: event.tool,
          args: blob(event.args),
          output: undefined,
        });
        break;
      case "tool.returned": {
        const call = lastOpen("tool", event.attempt, event.turn);
        if (call === undefined) break;
        Object.assign(call, {
          output: blob(event.output),
          isError: event.is_error,
          ...(event.refused ? { refused: true } : {}),
          durationMs: event.duration_ms,
        });
        break;
      }
      default:
        break;
    }
  }
  return calls;
}

const stored = z.looseObject({
  system: z.string().optional(),
  messages: z
    .array(z.looseObject({ from: z.string(), text: z.string(), name: z.string().optional() }))
    .optional(),
  text: z.string().optional(),
  toolCalls: z.array(z.looseObject({ name: z.string(), args: z.unknown() })).optional(),
});

/** A stored request as a person reads it: system text and messages; else as it was stored. */
function requestText(text: string | undefined): string | undefined {
  const request = parseStored(text);
  if (request?.messages === undefined) return text;
  const messages = request.messages.map(
    (message) =>
      `[${message.name ? `${message.from} ${message.name}` : message.from}]\n${message.text}`,
  );
  return [...(request.system ? [`[system]\n${request.system}`] : []), ...messages].join("\n\n");
}

/** A stored reply as a person reads it: its text and its tool calls; else as it was stored. */
function replyText(text: string | undefined): string | undefined {
  const reply = parseStored(text);
  if (reply?.text === undefined) return text;
  const calls = (reply.toolCalls ?? []).map(
    (call) => `[calls ${call.name}] ${JSON.stringify(call.args)}`,
  );
  return [reply.text, ...calls].filter((part) => part !== "").join("\n");
}

function parseStored(text: string | undefined): z.infer<typeof stored> | undefined {
  if (text === undefined || !text.startsWith("{")) return undefined;
  try {
    return stored.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
