/** A model that plays a script: for tests, demos and dry runs. */
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { z } from "zod";
import { type ModelReply, type ModelRequest, ROLES } from "../../domain/conversation.ts";
import { type Failure, isFailure } from "../../domain/failure.ts";
import type { Model } from "../../domain/ports.ts";
import { NO_USAGE } from "../../domain/usage.ts";
import { replyOfStored, storedReply } from "./stored-reply.ts";

/** Text, a reply as far as it matters, or a failure. */
export type ScriptedAnswer = string | Partial<ModelReply> | Failure;

/** Either answers in order, or a function of the request; `undefined` means it has none. */
export type Script =
  | ScriptedAnswer[]
  | ((request: ModelRequest) => ScriptedAnswer | undefined | Promise<ScriptedAnswer | undefined>);

/** Plays the script. A call it has no answer for is a failure that names the call. */
export function scriptedModel(script: Script, name = "scripted:test"): Model {
  const rest = Array.isArray(script) ? [...script] : [];
  const answerTo = Array.isArray(script) ? () => rest.shift() : script;
  return {
    name,
    async ask(request, signal) {
      if (signal.aborted) return { failure: "cancelled", detail: "the call was stopped" };
      try {
        const answer = await answerTo(request);
        if (signal.aborted) return { failure: "cancelled", detail: "the call was stopped" };
        return answer === undefined ? unscripted(name, request) : replyOf(answer, name);
      } catch (error) {
        return { failure: "config-unusable", detail: `${name}: ${String(error)}` };
      }
    },
  };
}

function unscripted(name: string, { role, taskKey, attempt, turn }: ModelRequest): Failure {
  const detail = `${name} has no answer for ${role} ${taskKey}, attempt ${attempt}, turn ${turn}`;
  return { failure: "config-unusable", detail };
}

function replyOf(answer: ScriptedAnswer, name: string): ModelReply | Failure {
  if (isFailure(answer)) return answer;
  const given: Partial<ModelReply> = typeof answer === "string" ? { text: answer } : answer;
  const toolCalls = given.toolCalls ?? [];
  return {
    text: "",
    stopReason: toolCalls.length > 0 ? "tool-calls" : "end",
    usage: NO_USAGE,
    answeredBy: name,
    ...given,
    toolCalls,
  };
}

const line = storedReply.extend({
  role: z.enum([...ROLES] as [string, ...string[]]).optional(),
  task: z.string().optional(),
  attempt: z.number().int().optional(),
  turn: z.coerce.string().optional(),
});

/**
 * Reads a script from a YAML or JSON file: a list of replies, each with the role, task key, attempt
 * and turn it is for, where that matters. Every reply is given once, the first that fits.
 */
export async function openScript(path: string): Promise<Model | Failure> {
  try {
    const lines = z.array(line).safeParse(parse(await readFile(path, "utf8")));
    if (!lines.success) {
      return { failure: "config-unusable", detail: `${path}: ${z.prettifyError(lines.error)}` };
    }
    const rest = [...lines.data];
    return scriptedModel((request) => {
      const place = rest.findIndex(
        (one) =>
          (one.role ?? request.role) === request.role &&
          (one.task ?? request.taskKey) === request.taskKey &&
          (one.attempt ?? request.attempt) === request.attempt &&
          (one.turn ?? request.turn) === request.turn,
      );
      const [found] = place < 0 ? [] : rest.splice(place, 1);
      return found && replyOfStored(found, request.turn, `scripted:${path}`);
    }, `scripted:${path}`);
  } catch (error) {
    return {
      failure: "config-unusable",
      detail: `cannot read the script ${path}: ${String(error)}`,
    };
  }
}
