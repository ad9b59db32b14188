/** Answers kept on disk, one readable file each: plays them back, and records those of another model. */
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import type { ModelReply, ModelRequest, Role } from "../../domain/conversation.ts";
import { type Failure, isFailure } from "../../domain/failure.ts";
import type { Model } from "../../domain/ports.ts";
import { hashOfAsked, inFileName } from "./asked.ts";
import { replyOfStored, storedOfReply, storedReply } from "./stored-reply.ts";

const FRONT_MATTER = /^---\n([\s\S]*?)\n---\n(?:\n)?/;

const head = storedReply.omit({ text: true }).extend({
  answered_by: z.string().min(1),
  /** A date, `2026-11-21`. */
  recorded: z.union([z.string(), z.date()]).optional(),
  prompt_version: z.union([z.string(), z.number()]).optional(),
  /** Hash of what was asked; left out, the recording answers anything. */
  asked: z.coerce.string().optional(),
});

/** Where the answer to this call is kept: `<role>/<task key>.<attempt>.<turn>.md`. */
export function recordingPath(folder: string, request: ModelRequest): string {
  const { role, taskKey, attempt, turn } = request;
  return join(folder, role, `${inFileName(taskKey)}.${attempt}.${inFileName(turn)}.md`);
}

/**
 * Answers from recordings. One that answers something other than what is asked now sets `mismatch`;
 * under `strict` it is a failure, as a missing or unreadable one always is.
 */
export function recordedModel(folder: string, options: { strict?: boolean } = {}): Model {
  return {
    name: `recorded:${folder}`,
    async ask(request, signal) {
      if (signal.aborted) return { failure: "cancelled", detail: "the call was stopped" };
      const path = recordingPath(folder, request);
      const stored = await readRecording(path);
      if (isFailure(stored)) return stored;
      const now = hashOfAsked(request);
      const mismatch = stored.asked !== undefined && stored.asked !== now;
      if (mismatch && options.strict) {
        const detail = `the recording ${path} answers ${stored.asked}, but ${now} is asked`;
        return { failure: "config-unusable", detail };
      }
      const reply = replyOfStored(stored, request.turn, stored.answered_by);
      return mismatch ? { ...reply, mismatch } : reply;
    },
  };
}

async function readRecording(path: string) {
  let text: string;
  try {
    text = (await readFile(path, "utf8")).replaceAll("\r\n", "\n");
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const what = isMissing
      ? "there is no recording"
      : `cannot read the recording (${String(error)})`;
    return unusable(`${what} ${path}`);
  }
  const front = FRONT_MATTER.exec(text);
  if (!front) return unusable(`the recording ${path} does not open with front matter`);
  try {
    const fields = head.safeParse(parse(front[1] ?? ""));
    if (!fields.success) return unusable(`the recording ${path}: ${z.prettifyError(fields.error)}`);
    return { ...fields.data, text: text.slice(front[0].length).replace(/\n$/, "") };
  } catch (error) {
    return unusable(`the recording ${path}: ${String(error)}`);
  }
}

const unusable = (detail: string): Failure => ({ failure: "config-unusable", detail });

export interface RecordingOptions {
  /** The day to write down, `2026-11-21`. */
  today: () => string;
  /** Prompt version by role, where known. */
  promptVersions?: Partial<Record<Role, string>>;
}

/**
 * Passes calls on and keeps each answer in `folder` in the format `recordedModel` plays. Failures
 * are not kept. An answer that cannot be written down is a failure: the user asked for it.
 */
export function recordingModel(inner: Model, folder: string, options: RecordingOptions): Model {
  return {
    name: inner.name,
    async ask(request, signal) {
      const reply = await inner.ask(request, signal);
      if (isFailure(reply)) return reply;
      const path = recordingPath(folder, request);
      try {
        await writeWhole(path, renderRecording(request, reply, options));
        return reply;
      } catch (error) {
        return unusable(`cannot write the recording ${path}: ${String(error)}`);
      }
    },
  };
}

function renderRecording(
  request: ModelRequest,
  reply: ModelReply,
  options: RecordingOptions,
): string {
  const { answered_by, ...rest } = storedOfReply(reply);
  const version = options.promptVersions?.[request.role];
  const fields = {
    answered_by,
    recorded: options.today(),
    ...(version === undefined ? {} : { prompt_version: version }),
    asked: hashOfAsked(request),
    ...rest,
  };
  return `---\n${stringify(fields, { lineWidth: 0 })}---\n\n${reply.text}\n`;
}

/** Nobody ever reads half a recording. */
async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(draft, text);
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}
