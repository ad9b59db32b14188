/** Sizes one task and decides leaf or split, until the plan passes review or the rounds are used up. */
import { type Failure, isFailure } from "../domain/failure.ts";
import type { Limits } from "../domain/limits.ts";
import type { Plan, PlanProblem } from "../domain/plan.ts";
import type { ModelProfile } from "../domain/profile.ts";
import type { Guidance, TaskState } from "../domain/run-state.ts";
import type { Spec } from "../domain/spec.ts";
import type { Signature } from "../domain/task.ts";
import { renderOffered } from "../rules/check/needs.ts";
import {
  EMPTY_PLAN,
  firstToMend,
  foldAll,
  type PlanningQuestion,
  QUESTIONS,
  type QuestionId,
  schemaOf,
  schemaOfAll,
} from "../rules/plan/planning.ts";
import { plannerFacts } from "../rules/plan/planning-facts.ts";
import type { Known } from "../rules/plan/planning-schema.ts";
import { unitsOf } from "../rules/spec/spec-slice.ts";
import { fillPrompt, type PromptFile, parsePrompt, sectionOf } from "../rules/text/prompt.ts";
import { askForAnswer, type Question } from "./ask.ts";

export interface PlanOrder {
  task: TaskState;
  /** From the parent up to the root. */
  ancestors: TaskState[];
  spec: Spec;
  guidance: readonly Guidance[];
  /** Files on the run's branch, relative to the spec's root. */
  existingFiles: string[];
  /** Signatures fixed elsewhere in the tree. */
  interfaces: Signature[];
  profile: ModelProfile;
  /** The text of prompts/planner.md. */
  prompt: string;
  identity: { taskId: string; attempt: number };
  limits: Limits;
  /** What parts may be said to need from outside the sandbox; empty: that is not asked. */
  offered: readonly string[];
  review: (plan: Plan) => PlanProblem[];
  /** Hears of every plan before it is used. */
  onRound: (round: number, plan: Plan, problems: PlanProblem[]) => void;
}

/** An answer that does not fit its schema is shown back this often, less one. */
const ANSWER_ROUNDS_MAX = 3;

/** The plan, and what was answered to make it: shown back as it was said. */
interface Draft {
  plan: Plan;
  answer: Record<string, unknown>;
}

/** What every call of one planning has in common. */
interface Planning {
  order: PlanOrder;
  prompt: PromptFile;
  /** The same text before every question, so that providers cache it. */
  prefix: string;
  known: Known;
  signal: AbortSignal;
}

/**
 * Plans one task in at most `limits.planRoundsMax` rounds: all questions in one call (turn `plan`)
 * or one call each (the question's id), as the profile says. A plan with problems is shown back
 * with all of them (turn `….r2`, …). Returned problems mean that the last plan is still invalid.
 */
export async function planTask(
  o: PlanOrder,
  signal: AbortSignal,
): Promise<{ plan: Plan; problems: PlanProblem[] } | Failure> {
  const prompt = parsePrompt(o.prompt);
  const units = unitsOf(o.spec, o.task.contract.requirements);
  const { requirements } = o.task.contract;
  const prefix = fillPrompt(sectionOf(prompt, "Task"), plannerFacts({ ...o, units }));
  const known: Known = {
    units,
    requirements,
    parts: undefined,
    offered: o.offered,
    limits: o.limits,
  };
  const planning: Planning = { order: o, prompt, prefix, known, signal };
  let last: { draft: Draft; problems: PlanProblem[] } | undefined;
  for (let round = 1; round <= Math.max(1, o.limits.planRoundsMax); round += 1) {
    const draft =
      o.profile.planning === "one"
        ? await askAll(planning, round, last)
        : await askEach(planning, round, last);
    if (isFailure(draft)) return draft;
    const problems = o.review(draft.plan);
    o.onRound(round, draft.plan, problems);
    if (problems.length === 0) return { plan: draft.plan, problems };
    last = { draft, problems };
  }
  if (last === undefined) throw new Error("there is always a first round");
  return { plan: last.draft.plan, problems: last.problems };
}

type Last = { draft: Draft; problems: PlanProblem[] } | undefined;

async function askAll(planning: Planning, round: number, last: Last): Promise<Draft | Failure> {
  const { prompt, known } = planning;
  const questions = QUESTIONS.map((asked) => sectionText(prompt, asked, known));
  const text = fillPrompt(sectionOf(prompt, "All"), { questions: questions.join("\n\n") });
  const answer = await ask(planning, "plan", round, text, last, schemaOfAll(known));
  if (isFailure(answer)) return answer;
  return { plan: foldAll(answer, known), answer };
}

/** Asks the questions in their order; from the second round on only from the first to mend. */
async function askEach(planning: Planning, round: number, last: Last): Promise<Draft | Failure> {
  const from: QuestionId = last ? firstToMend(last.problems.map(({ code }) => code)) : "size";
  const kept = QUESTIONS.slice(
    0,
    QUESTIONS.findIndex(({ id }) => id === from),
  );
  let draft: Draft = { plan: EMPTY_PLAN, answer: {} };
  for (const asked of QUESTIONS) {
    if (!asked.isAsked(draft.plan)) continue;
    const parts = draft.plan.parts.map(({ key }) => key);
    const known: Known = { ...planning.known, parts: parts.length > 0 ? parts : undefined };
    const answer = kept.includes(asked)
      ? (last?.draft.answer ?? {})
      : await askOne(planning, asked, known, draft, round, last);
    if (isFailure(answer)) return answer;
    const own = Object.keys(asked.shape(known)).map((name) => [name, answer[name]]);
    draft = {
      plan: asked.fold(draft.plan, answer, known),
      answer: { ...draft.answer, ...Object.fromEntries(own) },
    };
  }
  return draft;
}

function askOne(
  planning: Planning,
  asked: PlanningQuestion,
  known: Known,
  draft: Draft,
  round: number,
  last: Last,
): Promise<Record<string, unknown> | Failure> {
  const { prompt } = planning;
  const isFirst = Object.keys(draft.answer).length === 0;
  const text = fillPrompt(sectionOf(prompt, "One"), {
    decided: isFirst ? "Nothing yet." : asBlock(draft.answer),
    question: sectionText(prompt, asked, known),
  });
  return ask(planning, asked.id, round, text, last, schemaOf(asked, known));
}

async function ask(
  { order, prompt, prefix, signal }: Planning,
  turn: string,
  round: number,
  text: string,
  last: Last,
  schema: ReturnType<typeof schemaOf>,
): Promise<Record<string, unknown> | Failure> {
  const again = last
    ? fillPrompt(sectionOf(prompt, "Again"), {
        answer: asBlock(last.draft.answer),
        problems: last.problems.map(({ message }) => `- ${message}`).join("\n"),
      })
    : "";
  const request: Question = {
    role: "planner",
    taskId: order.identity.taskId,
    taskKey: order.task.key,
    attempt: order.identity.attempt,
    turn: round === 1 ? turn : `${turn}.r${round}`,
    system: sectionOf(prompt, "System"),
    messages: [
      { from: "user", text: [prefix, text, again].filter((part) => part !== "").join("\n\n") },
    ],
    tools: [],
  };
  const answer = await askForAnswer(
    { profile: order.profile, request, schema, schemaName: turn, roundsMax: ANSWER_ROUNDS_MAX },
    signal,
  );
  // The schemas of all questions are objects.
  return answer as Record<string, unknown> | Failure;
}

/** A question's text; only some of them name limits, and needs are asked for where there may be any. */
function sectionText(prompt: PromptFile, asked: PlanningQuestion, known: Known): string {
  const { limits, offered } = known;
  const template = sectionOf(prompt, asked.section);
  const facts = { leafSizeMax: limits.leafSizeMax, childrenMax: String(limits.childrenMax) };
  const used = Object.entries(facts).filter(([name]) => template.includes(`{{${name}}}`));
  const text = fillPrompt(template, Object.fromEntries(used));
  if (asked.id !== "parts" || offered.length === 0) return text;
  const needs = fillPrompt(sectionOf(prompt, "Needs"), { offered: renderOffered(offered) });
  return `${text}\n${needs}`;
}

function asBlock(value: unknown): string {
  return `\`\`\`json\n${JSON.stringify(value)}\n\`\`\``;
}
