/** `fractal answer`: lists the open questions, or answers one. */

import { isFailure } from "../../domain/failure.ts";
import type { Question, RunState } from "../../domain/run-state.ts";
import { problemOfAnswer } from "../../rules/money/budget-answer.ts";
import { paintOf } from "../../view/paint.ts";
import { renderQuestion } from "../../view/show.ts";
import { oneLine } from "../../view/text.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, isRefusal, type Refusal, refusalOf, refuse } from "../exit.ts";
import { resolveId } from "../resolve-id.ts";
import type { RunForActing, Wire } from "../wiring.ts";

/** With an id and a text it answers; at a terminal it asks; else it lists. */
export async function answerCommand(
  context: Context,
  id: string | undefined,
  text: string,
  flags: { run?: string },
): Promise<ExitCode> {
  const { out, dir } = context;
  const wire = await context.wire();
  const found = await wire.openRunForReading({ dir, run: flags.run });
  if (isRefusal(found)) return out.refuse(found);
  const { state } = found;
  const questions = id === undefined ? openQuestionsOf(state) : questionOf(state, id);
  if (isRefusal(questions)) return out.refuse(questions);
  const human = wire.openHuman({ mayAsk: context.mayAsk, colour: out.noteLook.colour });
  const asks = text === "" && human.present && !out.json;
  if (text === "" && !asks) {
    if (id !== undefined && !out.json) {
      return out.refuse(
        refuse(EXIT.usage, `an answer to ${id} is needed, and nobody can be asked here`, {
          next: [`fractal answer ${id} "your answer"`],
        }),
      );
    }
    list(context, questions);
    return EXIT.done;
  }
  if (questions.length === 0) {
    out.note("No question is open.");
    return EXIT.done;
  }
  const acting = await wire.openRunForActing({
    dir,
    run: state.runId,
    by: context.person,
    secrets: context.secrets,
  });
  if (isRefusal(acting)) return out.refuse(acting);
  try {
    return asks
      ? await askEach(context, human, acting, questions)
      : await answerTyped(context, acting, questions[0], text);
  } finally {
    await acting.close();
  }
}

function openQuestionsOf(state: RunState): Question[] {
  return [...state.questions.values()].filter((question) => question.state === "open");
}

/** The open question of this id, or of the task of this id. */
function questionOf(state: RunState, typed: string): Question[] | Refusal {
  const id = resolveId(state, typed);
  if (isRefusal(id)) return id;
  const question = state.questions.get(state.tasks.get(id)?.question ?? id);
  if (question === undefined) {
    return refuse(EXIT.usage, `nothing is asked about ${id}`, {
      next: ["fractal answer   # lists what is asked"],
    });
  }
  if (question.state === "open") return [question];
  const by = question.by === undefined ? "" : ` by ${question.by}`;
  return refuse(EXIT.usage, `${question.id} is no longer open: ${question.state}${by}`);
}

function list(context: Context, questions: Question[]): void {
  const { out } = context;
  const { width, colour } = out.look;
  const paint = paintOf(colour);
  out.show(
    () => questions,
    () =>
      questions.length === 0
        ? "No question is open."
        : questions.map((one) => renderQuestion(one, paint, width).join("\n")).join("\n\n"),
  );
}

async function askEach(
  context: Context,
  human: ReturnType<Wire["openHuman"]>,
  acting: RunForActing,
  questions: Question[],
): Promise<ExitCode> {
  for (const question of questions) {
    if (context.signal.aborted) return EXIT.interrupted;
    const { title, why, options, tried } = question;
    const about = question.about ?? "the run";
    const answer = await human.ask({ title, why, options, tried, about }, context.signal);
    if (answer === undefined) {
      context.out.note(`${question.id} stays open.`);
      continue;
    }
    const code = await answerOne(context, acting, question, answer);
    if (code !== EXIT.done) return code;
  }
  return context.signal.aborted ? EXIT.interrupted : EXIT.done;
}

/** The number of an option stands for its words: who reads the answer does not see the list. */
async function answerTyped(
  context: Context,
  acting: RunForActing,
  question: Question | undefined,
  text: string,
): Promise<ExitCode> {
  if (question === undefined) return EXIT.done;
  const { id, options } = question;
  const isNumber = (words: string) => /^\d+$/.test(words.trim());
  if (!isNumber(text) || options.length === 0 || options.some(isNumber)) {
    return answerOne(context, acting, question, text);
  }
  const chosen = options[Number(text) - 1];
  if (chosen !== undefined) return answerOne(context, acting, question, chosen);
  return context.out.refuse(
    refuse(EXIT.usage, `${id} has no option ${text}`, {
      where: options.map((option, at) => `${at + 1}. ${option}`),
      next: [`fractal answer ${id} "your answer"   # a number alone is that of an option`],
    }),
  );
}

async function answerOne(
  context: Context,
  acting: RunForActing,
  question: Question,
  text: string,
): Promise<ExitCode> {
  const problem = problemOfAnswer(acting.state, question, text);
  if (problem !== undefined) {
    return context.out.refuse(
      refuse(EXIT.usage, `${question.id} cannot be answered so`, {
        where: [problem],
        next: question.options.map((option) => `fractal answer ${question.id} "${option}"`),
      }),
    );
  }
  const done = await acting.act("answer", question.id, text);
  if (isFailure(done)) return context.out.refuse(refusalOf(done));
  const next =
    done.via === "controller"
      ? "the run that is at work picks it up"
      : "fractal resume   # goes on with it";
  context.out.show(
    () => ({ answered: question.id, text, via: done.via }),
    () => `Answered ${question.id}: ${oneLine(text)}\n  → ${next}`,
  );
  return EXIT.done;
}
