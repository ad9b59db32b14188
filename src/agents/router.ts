/** Chooses who gets a stuck task next, where the rules could not. */
import { z } from "zod";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { Pack } from "../domain/pack.ts";
import type { ModelProfile } from "../domain/profile.ts";
import { renderLastTry, renderPack, renderTried } from "../rules/text/pack.ts";
import { fillPrompt, parsePrompt, sectionOf, tokensOf } from "../rules/text/prompt.ts";
import { askForAnswer } from "./ask.ts";

export interface RouteOrder {
  pack: Pack;
  profile: ModelProfile;
  /** The text of prompts/router.md. */
  prompt: string;
  identity: { taskId: string; attempt: number };
  /** False: the task cannot be split further, so `split` is not offered. */
  splittable: boolean;
}

export interface Route {
  to: "fixer" | "split" | "person";
  reason: string;
}

/** One bounded question, turn `route`. */
export async function routeTask(o: RouteOrder, signal: AbortSignal): Promise<Route | Failure> {
  const prompt = parsePrompt(o.prompt);
  const system = sectionOf(prompt, "System");
  const choices: Route["to"][] = o.splittable ? ["fixer", "split", "person"] : ["fixer", "person"];
  const tried = renderTried(o.pack);
  const last = renderLastTry(o.pack);
  const room = o.profile.contextTokens - o.profile.outputTokensMax;
  const { task, guidance } = renderPack(o.pack, {
    style: "repair",
    tokensMax: room - tokensOf(system) - tokensOf(tried) - tokensOf(last),
    canRead: false,
  });
  const facts = { task, guidance, tried, last, choices: choices.join(", ") };
  const text = fillPrompt(sectionOf(prompt, "Route"), facts);
  const answer = await askForAnswer(
    {
      profile: o.profile,
      request: {
        role: "router",
        taskId: o.identity.taskId,
        taskKey: o.pack.key,
        attempt: o.identity.attempt,
        turn: "route",
        system,
        messages: [{ from: "user", text }],
        tools: [],
      },
      schema: z.object({ reason: z.string().max(1000), to: z.enum(choices) }),
      schemaName: "route",
      roundsMax: 2,
    },
    signal,
  );
  return isFailure(answer) ? answer : { to: answer.to, reason: answer.reason };
}
