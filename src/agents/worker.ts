/** One attempt of a worker: whole files in one reply, or a loop of tool calls, until a report. */
import type { ModelReply } from "../domain/conversation.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { AttemptStyle, Limits } from "../domain/limits.ts";
import type { Pack } from "../domain/pack.ts";
import type { ModelProfile } from "../domain/profile.ts";
import { type Report, report } from "../domain/report.ts";
import {
  parseAsking,
  parseFileBlocks,
  parseRequests,
  parseTextResult,
} from "../rules/text/answer.ts";
import { declaredFilesOf, renderPack } from "../rules/text/pack.ts";
import {
  fillPrompt,
  type PromptFile,
  parsePrompt,
  sectionOf,
  tokensOf,
} from "../rules/text/prompt.ts";
import { fenced } from "../rules/text/quote.ts";
import { askModel, type Question } from "./ask.ts";
import { runToolLoop } from "./tool-loop.ts";
import type { Toolbox } from "./tools.ts";

export interface WorkOrder {
  pack: Pack;
  profile: ModelProfile;
  /** The text of prompts/worker.md. */
  prompt: string;
  identity: { taskId: string; attempt: number };
  style: AttemptStyle;
  toolbox: Toolbox;
  limits: Limits;
}

/**
 * Works on a task in the profile's protocol. Both change the workspace through the toolbox alone.
 * A reply that asks is `worker-asks` or `capability-missing`; one that is cut off, empty or cannot
 * be read is `answer-unusable`; too many turns are `turn-limit`.
 */
export async function workTask(
  o: WorkOrder,
  signal: AbortSignal,
): Promise<{ report: Report } | Failure> {
  const prompt = parsePrompt(o.prompt);
  if (o.profile.protocol === "tools") {
    const request = requestOf(o, prompt, "tools");
    return runToolLoop({ ...o, request, temperature: warmthOf(o) }, signal);
  }
  return workInFiles(
    o,
    requestOf(o, prompt, o.pack.contract.kind === "text" ? "text" : "files"),
    signal,
  );
}

function requestOf(o: WorkOrder, prompt: PromptFile, way: "files" | "text" | "tools"): Question {
  const system = sectionOf(prompt, `System ${way}`);
  const { contextTokens, outputTokensMax } = o.profile;
  const room = contextTokens - outputTokensMax - tokensOf(system);
  const facts = renderPack(o.pack, {
    style: o.style,
    tokensMax: Math.min(o.limits.packTokensMax, room),
    canRead: way === "tools",
  });
  const paths = declaredFilesOf(o.pack)
    .map((path) => `\`${path}\``)
    .join(", ");
  const ending = fillPrompt(sectionOf(prompt, `Ending ${way}`), { paths: paths || "the task" });
  const text = fillPrompt(sectionOf(prompt, "Task"), { ...facts, ending });
  return {
    role: "worker",
    taskId: o.identity.taskId,
    taskKey: o.pack.key,
    attempt: o.identity.attempt,
    turn: "1",
    system,
    messages: [{ from: "user", text }],
    tools: way === "tools" ? o.toolbox.offers : [],
  };
}

/** A new sample must differ from the last one, so it is taken a little warmer where warmth is set. */
function warmthOf(o: WorkOrder): number | undefined {
  const { temperature } = o.profile;
  if (temperature === undefined || !o.pack.last || o.style !== "fresh") return temperature;
  return Math.min(1, Math.max(temperature + 0.2, 0.7));
}

async function workInFiles(
  o: WorkOrder,
  request: Question,
  signal: AbortSignal,
): Promise<{ report: Report } | Failure> {
  const temperature = warmthOf(o);
  const warmth = temperature === undefined ? {} : { temperature };
  let reply = await askModel({ profile: o.profile, request, ...warmth }, signal);
  if (isFailure(reply)) return reply;
  const asked = await carryRequests(o, request, reply, signal);
  if (isFailure(asked)) return asked;
  if (asked !== undefined) {
    reply = await askModel({ profile: o.profile, request: asked.request, ...warmth }, signal);
    if (isFailure(reply)) return reply;
  }
  const handed = readFiles(reply, o.pack, asked?.granted ?? []);
  if (isFailure(handed)) return handed;
  const declared = [...declaredFilesOf(o.pack), ...(asked?.granted ?? [])];
  const strays: { path: string; said: string }[] = [];
  for (const [index, { path, text }] of handed.files.entries()) {
    const args = { path, text: text ?? "" };
    const result = await o.toolbox.call(
      { id: `file-${index + 1}`, name: "write_file", args },
      request.turn,
    );
    if (isFailure(result)) return result;
    if (!result.isError) continue;
    if (declared.includes(path)) {
      return { failure: "answer-unusable", detail: `${path} could not be written: ${result.text}` };
    }
    strays.push({ path, said: result.text });
  }
  if (strays.length > 0) {
    const detail = strays.map(({ said }) => said).join("\n");
    return { failure: "out-of-scope", detail, paths: strays.map(({ path }) => path) };
  }
  const summary = handed.rest.slice(0, 2000) || `Wrote ${handed.files.length} files.`;
  return {
    report: report.parse({
      summary,
      files_changed: handed.files.map(({ path }) => path).slice(0, 100),
    }),
  };
}

/**
 * Where a reply asks for more files: the question that tells what came of it, and what was granted.
 * It is put once in an attempt; undefined where nothing is asked for.
 */
async function carryRequests(
  o: WorkOrder,
  request: Question,
  reply: ModelReply,
  signal: AbortSignal,
): Promise<{ request: Question; granted: string[] } | Failure | undefined> {
  const wanted = o.pack.contract.kind === "code" ? parseRequests(reply.text) : [];
  if (wanted.length === 0 || signal.aborted) return undefined;
  const granted: string[] = [];
  const said: string[] = [];
  for (const [index, args] of wanted.entries()) {
    const call = (name: string, more: object) =>
      o.toolbox.call({ id: `${name}-${index + 1}`, name, args: more }, request.turn);
    const answer = await call("request_file", args);
    if (isFailure(answer)) return answer;
    said.push(`- ${answer.text}`);
    if (answer.isError) continue;
    granted.push(args.path.replace(/^\.\//, ""));
    const now = await call("read_file", { path: args.path });
    if (isFailure(now)) return now;
    said.push(
      now.isError ? "It does not exist yet." : `It stands like this:\n\n${fenced(now.text, "")}`,
    );
  }
  const text = `${said.join("\n")}\n\nNow write all your files, whole.`;
  const { messages } = request;
  return {
    granted,
    request: {
      ...request,
      turn: "2",
      messages: [
        ...messages,
        { from: "model", text: reply.text, toolCalls: [] },
        { from: "user", text },
      ],
    },
  };
}

function readFiles(
  reply: ModelReply,
  pack: Pack,
  granted: readonly string[],
): ReturnType<typeof parseFileBlocks> {
  const trouble = troubleOf(reply);
  if (trouble) return trouble;
  const asking = parseAsking(reply.text);
  if (asking) return asking;
  const declared = [...declaredFilesOf(pack), ...granted];
  return pack.contract.kind === "text"
    ? parseTextResult(reply.text, declared[0] ?? "")
    : parseFileBlocks(reply.text, declared);
}

function troubleOf(reply: ModelReply): Failure | undefined {
  if (reply.stopReason === "refusal") {
    return { failure: "refused", detail: reply.text.trim().slice(0, 1000) || "The model refused." };
  }
  if (reply.stopReason === "length") {
    const detail =
      "The reply was cut off at the model's output limit before the files were complete.";
    return { failure: "answer-unusable", detail };
  }
  return undefined;
}
