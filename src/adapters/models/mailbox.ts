/** A model that is a folder: each call is a request file, answered by a person or another program. */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { ModelReply, ModelRequest } from "../../domain/conversation.ts";
import type { Failure } from "../../domain/failure.ts";
import type { Model } from "../../domain/ports.ts";
import { hashOfAsked, inFileName } from "./asked.ts";
import { replyOfStored, storedReply } from "./stored-reply.ts";

const REQUEST = /^(\d{4,})-(.+)\.request\.json$/;
const POLL_MS = 200;

export interface MailboxOptions {
  /** How often replies are looked for, in ms. */
  pollMs?: number;
}

/**
 * Writes `NNNN-ROLE-TASK.request.json` and waits for `NNNN-ROLE-TASK.reply.json` (`{text?,
 * tool_calls?, usage?}`) or `.reply.md` (the text alone). A reply that cannot be used is explained in
 * `NNNN-ROLE-TASK.error.txt` and waited for again. A request of the same call that is already there,
 * from before a restart, is used again with its reply. Stopping leaves every file in place.
 */
export function mailboxModel(folder: string, options: MailboxOptions = {}): Model {
  return {
    name: `mailbox:${folder}`,
    async ask(request, signal) {
      let stem: string;
      try {
        stem = post(folder, request);
      } catch (error) {
        const detail = `the mailbox ${folder} cannot be written: ${String(error)}`;
        return { failure: "config-unusable", detail };
      }
      return collect(stem, request, options.pollMs ?? POLL_MS, signal);
    },
  };
}

/**
 * Where request and reply of this call stand, without ending. All of it happens in one go, without
 * waiting, so that calls made at once never take the same number.
 */
function post(folder: string, request: ModelRequest): string {
  mkdirSync(folder, { recursive: true });
  const mark = {
    task_id: request.taskId,
    attempt: request.attempt,
    turn: request.turn,
    asked: hashOfAsked(request),
  };
  const label = `${request.role}-${inFileName(request.taskId)}`;
  const posted = readdirSync(folder).flatMap((file) => {
    const [, number = "", about = ""] = REQUEST.exec(file) ?? [];
    return number === ""
      ? []
      : [{ number: Number(number), about, stem: join(folder, `${number}-${about}`) }];
  });
  const same = posted.find(({ about, stem }) => about === label && isSame(stem, mark));
  if (same) return same.stem;
  const number = Math.max(0, ...posted.map((one) => one.number)) + 1;
  const name = `${String(number).padStart(4, "0")}-${label}`;
  const stem = join(folder, name);
  const letter = {
    answer_in: `${name}.reply.md (the text alone) or ${name}.reply.json`,
    ...letterOf(request, mark),
  };
  writeWhole(`${stem}.request.json`, `${JSON.stringify(letter, null, 2)}\n`);
  return stem;
}

function letterOf(request: ModelRequest, mark: Record<string, unknown>) {
  return {
    role: request.role,
    task: request.taskKey,
    ...mark,
    system: request.system,
    messages: request.messages,
    tools: request.tools,
    response_schema: request.schema?.json ?? null,
    output_tokens_max: request.outputTokensMax,
  };
}

function isSame(stem: string, mark: Record<string, unknown>): boolean {
  try {
    const letter = JSON.parse(readFileSync(`${stem}.request.json`, "utf8")) as Record<
      string,
      unknown
    >;
    return Object.entries(mark).every(([key, value]) => letter[key] === value);
  } catch {
    return false;
  }
}

async function collect(
  stem: string,
  request: ModelRequest,
  pollMs: number,
  signal: AbortSignal,
): Promise<ModelReply | Failure> {
  let seen = "";
  let explained = "";
  while (!signal.aborted) {
    const found = findReply(stem);
    // Text is taken when it has stood still for one look: a half-written one looks whole, too.
    if (found && (found.isJson || found.version === seen)) {
      const reply = readReply(found, request);
      if ("reply" in reply) {
        rmSync(`${stem}.error.txt`, { force: true });
        return reply.reply;
      }
      if (found.version === seen && found.version !== explained) {
        explained = found.version;
        tryToExplain(stem, reply.trouble);
      }
    }
    seen = found?.version ?? "";
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
  }
  return { failure: "cancelled", detail: "the call was stopped; its request stays in the mailbox" };
}

interface Found {
  path: string;
  isJson: boolean;
  /** Changes whenever the file does. */
  version: string;
}

function findReply(stem: string): Found | undefined {
  for (const ending of [".reply.json", ".reply.md"]) {
    const path = `${stem}${ending}`;
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isFile() && stat.size > 0) {
      return {
        path,
        isJson: ending === ".reply.json",
        version: `${path} ${stat.size} ${stat.mtimeMs}`,
      };
    }
  }
  return undefined;
}

function readReply(
  found: Found,
  request: ModelRequest,
): { reply: ModelReply } | { trouble: string } {
  try {
    const text = readFileSync(found.path, "utf8").replace(/^\uFEFF/, "");
    const stored = storedReply
      .refine((one) => one.text !== undefined || (one.tool_calls?.length ?? 0) > 0, {
        message: "give `text`, `tool_calls` or both",
      })
      .safeParse(found.isJson ? JSON.parse(text) : { text });
    if (stored.success) return { reply: replyOfStored(stored.data, request.turn, "mailbox") };
    return { trouble: z.prettifyError(stored.error) };
  } catch (error) {
    return { trouble: String(error) };
  }
}

function tryToExplain(stem: string, trouble: string): void {
  const shape =
    '{"text": "…", "tool_calls": [{"name": "…", "args": {}}], "usage": {"input_tokens": 1, "output_tokens": 1}}';
  try {
    writeWhole(
      `${stem}.error.txt`,
      `The reply cannot be used:\n${trouble}\n\nWrite it again. A .reply.json looks like this, each part optional:\n${shape}\nA .reply.md holds the text alone.\n`,
    );
  } catch {
    // The explanation is a courtesy; the wait goes on without it.
  }
}

function writeWhole(path: string, text: string): void {
  const draft = `${path}.tmp`;
  writeFileSync(draft, text);
  renameSync(draft, path);
}
