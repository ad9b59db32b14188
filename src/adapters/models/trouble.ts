/** What went wrong on the way to a model and back, as a failure: the one place that reads SDK errors. */
import type { Failure } from "../../domain/failure.ts";

/** Who was asked, for messages; `keyVariable` is the environment variable of its key. */
export interface Asked {
  name: string;
  keyVariable: string;
}

/** The fields both SDKs put on their errors; anything may be missing. */
interface Trouble {
  status: number | undefined;
  headers: Headers | undefined;
  code: string;
  message: string;
}

const OVERFLOW =
  /context[ _](?:length|size|window)|maximum context|exceed_context_size|prompt is too long|too many (?:input )?tokens|exceeds? (?:the )?context|input is too long/i;
const REFUSED = /content_filter|content_policy|invalid_prompt|content management policy/i;
const CREDENTIALS =
  /authentication_error|permission_error|invalid_api_key|insufficient_quota|billing_error/i;

/**
 * 401, 403 and an empty account → `credentials-missing`; a prompt that is too long →
 * `context-overflow`; a filter → `refused`; any other 4xx that waiting does not cure →
 * `config-unusable`; all else (429, 408, 5xx, network, cut or unreadable answers) →
 * `model-unavailable`, with the server's `Retry-After` where it gave one. Never throws.
 */
export function failureOf(error: unknown, asked: Asked): Failure {
  const { status, headers, code, message } = troubleOf(error);
  const detail = `${asked.name}: ${message}`;
  const about = `${code} ${message}`;
  if (status === 401 || status === 402 || status === 403 || CREDENTIALS.test(code)) {
    return {
      failure: "credentials-missing",
      detail: `${detail} (check ${asked.keyVariable})`,
      variable: asked.keyVariable,
    };
  }
  if (
    status === 413 ||
    ((status === undefined || (status >= 400 && status < 500 && status !== 429)) &&
      OVERFLOW.test(about))
  ) {
    return { failure: "context-overflow", detail };
  }
  const waits = status === undefined || [408, 409, 425, 429].includes(status) || status >= 500;
  if (!waits) {
    return REFUSED.test(about)
      ? { failure: "refused", detail }
      : { failure: "config-unusable", detail };
  }
  const retryAfterMs = retryAfterOf(headers);
  return {
    failure: "model-unavailable",
    detail,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(isUncharged(status, error) ? { uncharged: true as const } : {}),
  };
}

/** Codes of connections that were never made (Node's own, and those of its resolver). */
const UNREACHED = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/**
 * True when the call cannot have been charged: it was turned away before a model saw it, or never
 * reached a server. A gateway's 500, 502 or 504 may come after the model has worked.
 */
function isUncharged(status: number | undefined, error: unknown): boolean {
  if (status !== undefined) return [409, 425, 429, 503, 529].includes(status);
  let current = error;
  for (let depth = 0; depth < 4 && current instanceof Error; depth += 1) {
    if (UNREACHED.has(String((current as NodeJS.ErrnoException).code))) return true;
    current = current.cause;
  }
  return false;
}

/** True when a server refuses the response schema itself, so that asking without it may work. */
export function isSchemaRefusal(error: unknown): boolean {
  const { status, code, message } = troubleOf(error);
  return (
    (status === 400 || status === 422 || status === 501) &&
    /schema|response_format|output_config|output_format|grammar|structured output/i.test(
      `${code} ${message}`,
    )
  );
}

function troubleOf(error: unknown): Trouble {
  const fields = (typeof error === "object" && error !== null ? error : {}) as {
    status?: unknown;
    headers?: unknown;
    code?: unknown;
    type?: unknown;
  };
  return {
    status: typeof fields.status === "number" ? fields.status : undefined,
    headers: fields.headers instanceof Headers ? fields.headers : undefined,
    code: [fields.code, fields.type].filter((part) => typeof part === "string").join(" "),
    message: messageOf(error),
  };
}

/** The message with its causes: "Connection error." alone says nothing. */
function messageOf(error: unknown): string {
  const parts: string[] = [];
  let current = error;
  for (let depth = 0; depth < 4 && current instanceof Error; depth += 1) {
    if (current.message !== "" && !parts.includes(current.message)) parts.push(current.message);
    current = current.cause;
  }
  const text = parts.join(" ← ") || String(error);
  return text.replace(/\s+/g, " ").slice(0, 600);
}

/** Seconds or a date (Retry-After), or milliseconds (retry-after-ms); at most a day. */
function retryAfterOf(headers: Headers | undefined): number | undefined {
  const inMs = headers?.get("retry-after-ms");
  const after = headers?.get("retry-after");
  if (inMs === undefined && after === undefined) return undefined;
  const given = inMs ? Number(inMs) : Number(after) * 1000;
  const delayMs = Number.isNaN(given) && after ? Date.parse(after) - Date.now() : given;
  if (!Number.isFinite(delayMs) || (!inMs && !after)) return undefined;
  return Math.min(Math.max(0, Math.round(delayMs)), 86_400_000);
}
