/** One HTTP call to a model: watched for time and stalls, its body told apart, its trouble a failure. */
import type { ModelReply } from "../../domain/conversation.ts";
import type { Failure } from "../../domain/failure.ts";
import { type Asked, failureOf } from "./trouble.ts";

export interface CallLimits {
  /** The whole call, in ms. */
  timeoutMs: number;
  /** Longest silence between two pieces of an answer that has begun, in ms. */
  idleMs: number;
}

export const CALL_LIMITS: CallLimits = { timeoutMs: 600_000, idleMs: 120_000 };

/**
 * A server may not send a call on to another one: not every header with a key is taken off on the way,
 * and the code in the prompt never.
 */
export const STAYS = { redirect: "manual" } as const;

export interface Watch {
  signal: AbortSignal;
  /** A piece of the answer came. */
  heard(): void;
}

/** Runs a call under its limits; whatever it throws comes back as a failure. */
export async function callModel(
  asked: Asked,
  limits: CallLimits,
  signal: AbortSignal,
  run: (watch: Watch) => Promise<ModelReply>,
): Promise<ModelReply | Failure> {
  const stop = new AbortController();
  let why = "";
  const end = (reason: string) => {
    why ||= reason;
    stop.abort();
  };
  const limit = setTimeout(end, limits.timeoutMs, `no answer within ${limits.timeoutMs / 1000} s`);
  let idle: NodeJS.Timeout | undefined;
  const heard = () => {
    clearTimeout(idle);
    idle = setTimeout(end, limits.idleMs, `the answer stalled for ${limits.idleMs / 1000} s`);
  };
  const cancelled = {
    failure: "cancelled" as const,
    detail: `${asked.name}: the call was stopped`,
  };
  if (signal.aborted) {
    clearTimeout(limit);
    return { ...cancelled, uncharged: true };
  }
  try {
    const reply = await run({ signal: AbortSignal.any([signal, stop.signal]), heard });
    if (signal.aborted) return cancelled;
    return why === "" ? reply : { failure: "model-unavailable", detail: `${asked.name}: ${why}` };
  } catch (error) {
    if (signal.aborted) return cancelled;
    if (why !== "") return { failure: "model-unavailable", detail: `${asked.name}: ${why}` };
    return failureOf(error, asked);
  } finally {
    clearTimeout(limit);
    clearTimeout(idle);
  }
}

/** Whether the server streams, answers at once, or is not a model server at all (which throws). */
export function bodyKindOf(response: Response): "stream" | "json" {
  const type = response.headers.get("content-type") ?? "";
  if (type.includes("text/event-stream")) return "stream";
  if (type.includes("json")) return "json";
  throw new Error(
    `the server answered ${type || "without a content type"} instead of a model's reply; is the address right?`,
  );
}

/** Ends a call whose stream stopped without saying why the model stopped: half an answer is none. */
export function endedEarly(): Error {
  return new Error("the stream ended before the answer did");
}
