/** A second opinion: may a check that a planner invented gate, and is work that no check covers right? */
import { z } from "zod";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { Pack } from "../domain/pack.ts";
import type { ModelProfile } from "../domain/profile.ts";
import { renderPack } from "../rules/text/pack.ts";
import { fillPrompt, parsePrompt, sectionOf, tokensOf } from "../rules/text/prompt.ts";
import { fenced } from "../rules/text/quote.ts";
import { askForAnswer } from "./ask.ts";

export interface Opinion {
  accept: boolean;
  reason: string;
}

interface ReviewOrder {
  profile: ModelProfile;
  /** The text of prompts/reviewer.md. */
  prompt: string;
  identity: { taskId: string; attempt: number };
}

/** More examples than this are judged in several calls. */
const CHECKS_PER_CALL = 25;
const ROUNDS_MAX = 2;
// The reason comes first: a model that has to say why decides better.
const opinion = { reason: z.string().max(1000), accept: z.boolean() };

/**
 * Whether each invented check may gate. One the reviewer does not speak of is not accepted. Turns
 * are `checks`, then `checks-2`, … when there are many.
 */
export async function reviewChecks(
  o: ReviewOrder & { taskKey: string; checks: { id: string; text: string; requirement: string }[] },
  signal: AbortSignal,
): Promise<Record<string, Opinion> | Failure> {
  const prompt = parsePrompt(o.prompt);
  const opinions = new Map<string, Opinion>();
  for (let from = 0; from < o.checks.length; from += CHECKS_PER_CALL) {
    const checks = o.checks.slice(from, from + CHECKS_PER_CALL);
    const ids = checks.map(({ id }) => id) as [string, ...string[]];
    const verdict = z.object({ id: z.enum(ids), ...opinion });
    const answer = await askForAnswer(
      {
        profile: o.profile,
        request: {
          role: "reviewer",
          taskId: o.identity.taskId,
          taskKey: o.taskKey,
          attempt: o.identity.attempt,
          turn: from === 0 ? "checks" : `checks-${from / CHECKS_PER_CALL + 1}`,
          system: sectionOf(prompt, "System checks"),
          messages: [
            {
              from: "user",
              text: fillPrompt(sectionOf(prompt, "Checks"), {
                checks: checks.map(renderCheck).join(""),
              }),
            },
          ],
          tools: [],
        },
        schema: z.object({ verdicts: z.array(verdict).max(ids.length) }),
        schemaName: "checks",
        roundsMax: ROUNDS_MAX,
      },
      signal,
    );
    if (isFailure(answer)) return answer;
    for (const { id, accept, reason } of answer.verdicts) opinions.set(id, { accept, reason });
  }
  const missing: Opinion = { accept: false, reason: "The reviewer did not judge it." };
  return Object.fromEntries(o.checks.map(({ id }) => [id, opinions.get(id) ?? missing]));
}

/**
 * Whether a leaf whose checks say too little did what it should; `diff` is its change, `doubts` why
 * it is looked at. Turn `work`.
 */
export async function reviewWork(
  o: ReviewOrder & { pack: Pack; diff: string; doubts: readonly string[] },
  signal: AbortSignal,
): Promise<Opinion | Failure> {
  const prompt = parsePrompt(o.prompt);
  const system = sectionOf(prompt, "System work");
  const diff = fenced(o.diff.trimEnd(), "diff");
  const room = o.profile.contextTokens - o.profile.outputTokensMax;
  const { task, context, dependencies, guidance } = renderPack(o.pack, {
    style: "fresh",
    tokensMax: room - tokensOf(system) - tokensOf(diff),
    canRead: false,
  });
  const why = o.doubts.map((doubt) => `- ${doubt}\n`).join("");
  const facts = { task, context, dependencies, guidance, diff, doubts: why };
  return askForAnswer(
    {
      profile: o.profile,
      request: {
        role: "reviewer",
        taskId: o.identity.taskId,
        taskKey: o.pack.key,
        attempt: o.identity.attempt,
        turn: "work",
        system,
        messages: [{ from: "user", text: fillPrompt(sectionOf(prompt, "Work"), facts) }],
        tools: [],
      },
      schema: z.object(opinion),
      schemaName: "review",
      roundsMax: ROUNDS_MAX,
    },
    signal,
  );
}

function renderCheck({
  id,
  text,
  requirement,
}: {
  id: string;
  text: string;
  requirement: string;
}): string {
  return `## ${id}\n\nRequirement: ${requirement.trim()}\n\nExample:\n${fenced(text.trim(), "")}\n\n`;
}
