/** One attempt of a worker: whole files in one reply, or a loop of tool calls, until a report. */
import type { ModelReply } from "../domain/conversation.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { AttemptStyle, Limits } from "../domain/limits.ts";
import type { Pack } from "../domain/pack.ts";
import type { ModelProfile } from "../domain/profile.ts";
import { type Report, report } from "../domain/report.ts";
import { parseAsking, parseFileBlocks, parseTextResult } from "../rules/text/answer.ts";
import { declaredFilesOf, renderPack } from "../rules/text/pack.ts";
import {
  fillPrompt,
  type PromptFile,
  parsePrompt,
  sectionOf,
  tokensOf,
} from "../rules/text/prompt.ts";
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
  const reply = await askModel(
    { profile: o.profile, request, ...(temperature === undefined ? {} : { temperature }) },
    signal,
  );
  if (isFailure(reply)) return reply;
  const handed = readFiles(reply, o.pack);
  if (isFailure(handed)) return handed;
  const declared = declaredFilesOf(o.pack);
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

function readFiles(reply: ModelReply, pack: Pack): ReturnType<typeof parseFileBlocks> {
  const trouble = troubleOf(reply);
  if (trouble) return trouble;
  const asking = parseAsking(reply.text);
  if (asking) return asking;
  const declared = declaredFilesOf(pack);
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
