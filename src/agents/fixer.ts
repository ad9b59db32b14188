/** Help for a stuck task from a stronger model: guidance, a patch, a split, or a question to a person. */
import { z } from "zod";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { Pack } from "../domain/pack.ts";
import type { FileWrite } from "../domain/ports.ts";
import type { ModelProfile } from "../domain/profile.ts";
import { parseFileBlocks } from "../rules/text/answer.ts";
import { declaredFilesOf, renderLastTry, renderPack, renderTried } from "../rules/text/pack.ts";
import { fillPrompt, parsePrompt, sectionOf, tokensOf } from "../rules/text/prompt.ts";
import { askForAnswer, askModel, type Question } from "./ask.ts";

export type FixerAnswer =
  | { kind: "guidance"; text: string }
  | { kind: "patch"; files: FileWrite[]; text: string }
  | { kind: "split"; text: string }
  | { kind: "person"; question: string; why: string; options: string[] };

export interface FixOrder {
  pack: Pack;
  profile: ModelProfile;
  /** The text of prompts/fixer.md. */
  prompt: string;
  identity: { taskId: string; attempt: number };
  /** False: the task cannot be split further, so `split` is not offered. */
  splittable: boolean;
}

const ROUNDS_MAX = 3;

/** Every field is asked for, so that a grammar can hold any model to it; unused ones are empty. */
function decisionOf(kinds: readonly [string, ...string[]]) {
  return z
    .object({
      cause: z.string().max(2000).describe("What is really wrong, in a sentence or two"),
      kind: z.enum(kinds),
      text: z
        .string()
        .max(8000)
        .describe("The guidance, the steps of the split, or what the patch changes"),
      question: z.string().max(2000).describe("For a person; else empty"),
      options: z
        .array(z.string().max(500))
        .max(6)
        .describe("Possible answers to the question; else empty"),
    })
    .superRefine((decision, context) => {
      const field = decision.kind === "person" ? "question" : "text";
      if (decision[field].trim() !== "") return;
      context.addIssue({
        code: "custom",
        path: [field],
        message: `must not be empty for ${decision.kind}`,
      });
    });
}

/**
 * One question decides the kind of help (turn `decide`); a patch is then asked for as whole files
 * (turn `patch`). An answer that stays unusable is a failure: the task goes to a person.
 */
export async function fixTask(o: FixOrder, signal: AbortSignal): Promise<FixerAnswer | Failure> {
  const prompt = parsePrompt(o.prompt);
  const system = sectionOf(prompt, "System");
  const facts = factsOf(o, tokensOf(system));
  const kinds = ["guidance", "patch", ...(o.splittable ? ["split"] : []), "person"];
  const ask = (turn: string, text: string): Question => ({
    role: "fixer",
    taskId: o.identity.taskId,
    taskKey: o.pack.key,
    attempt: o.identity.attempt,
    turn,
    system,
    messages: [{ from: "user", text }],
    tools: [],
  });
  const decide = fillPrompt(sectionOf(prompt, "Decide"), { ...facts, kinds: kinds.join(", ") });
  const decision = await askForAnswer(
    {
      profile: o.profile,
      request: ask("decide", decide),
      schema: decisionOf(kinds as [string, ...string[]]),
      schemaName: "fix",
      roundsMax: ROUNDS_MAX,
    },
    signal,
  );
  if (isFailure(decision)) return decision;
  const { cause, text, question, options } = decision;
  const withCause = [cause, text].filter((part) => part.trim() !== "").join("\n\n");
  if (decision.kind === "person") return { kind: "person", question, why: cause || text, options };
  if (decision.kind === "split") return { kind: "split", text: withCause };
  if (decision.kind === "guidance") return { kind: "guidance", text: withCause };

  const paths = declaredFilesOf(o.pack);
  const named = paths.map((path) => `\`${path}\``).join(", ");
  const patch = fillPrompt(sectionOf(prompt, "Patch"), {
    ...facts,
    decision: withCause,
    paths: named,
  });
  const reply = await askModel({ profile: o.profile, request: ask("patch", patch) }, signal);
  if (isFailure(reply)) return reply;
  if (reply.stopReason === "refusal")
    return { failure: "refused", detail: reply.text.slice(0, 1000) };
  if (reply.stopReason === "length") {
    return { failure: "answer-unusable", detail: "The patch was cut off at the output limit." };
  }
  const parsed = parseFileBlocks(reply.text, paths);
  return isFailure(parsed) ? parsed : { kind: "patch", files: parsed.files, text: withCause };
}

function factsOf(o: FixOrder, systemTokens: number): Record<string, string> {
  const tried = renderTried(o.pack);
  const last = renderLastTry(o.pack);
  const { contextTokens, outputTokensMax } = o.profile;
  const taken = systemTokens + tokensOf(tried) + tokensOf(last);
  const facts = renderPack(o.pack, {
    style: "repair",
    tokensMax: contextTokens - outputTokensMax - taken,
    canRead: false,
  });
  return { ...facts, tried, last };
}
