/** Everything about one task on one page: what it must achieve, what was tried, what it cost. */
import type { RunEvent } from "../domain/event.ts";
import type { Question, RunState, TaskState } from "../domain/run-state.ts";
import { needsMissing, needsOf } from "../rules/check/needs.ts";
import { workedMsOf } from "../rules/money/worked-time.ts";
import { colourOf, statusOf, waitsFor } from "../rules/status.ts";
import { costText, durationText, usageText } from "./money.ts";
import { type Paint, paintOf, signOf } from "./paint.ts";
import { requirementsOf } from "./requirements.ts";
import { renderAttempts } from "./show-attempts.ts";
import { costOfTask, tallyOf, tallyText, usageOfTask } from "./tally.ts";
import { type Blob, callsOf } from "./task-calls.ts";
import { block, oneLine } from "./text.ts";

export interface ShowOptions {
  /** Columns; Infinity wraps nothing. */
  width: number;
  colour: boolean;
  /** Milliseconds since 1970, for what is running. */
  now: number;
  /** Whole prompts, replies and outputs instead of their first lines. */
  full: boolean;
  /** False when piped: no tables. */
  tables: boolean;
}

/** What `show` tells, from the state, the events behind it and the journal's blobs. */
export interface ShowSource {
  state: RunState;
  events: readonly RunEvent[];
  blob: Blob;
}

/** One task as text. Undefined when the run has neither a task nor a question of that id. */
export function renderShow(
  source: ShowSource,
  id: string,
  options: ShowOptions,
): string | undefined {
  const paint = paintOf(options.colour);
  const question = source.state.questions.get(id);
  if (question !== undefined) return renderQuestion(question, paint, options.width).join("\n");
  const task = source.state.tasks.get(id);
  if (task === undefined) return undefined;
  return [
    ...heading(source.state, task, paint, options),
    ...contractLines(source, task, paint, options),
    ...talkLines(source.state, task, paint, options),
    ...renderAttempts(task, callsOf(source.events, id, source.blob), source.blob, paint, {
      ...options,
      runId: source.state.runId,
    }),
  ].join("\n");
}

/** A section's title, with an empty line before it. */
export function section(title: string, paint: Paint): string[] {
  return ["", paint.bold(title)];
}

function heading(state: RunState, task: TaskState, paint: Paint, options: ShowOptions): string[] {
  const status = statusOf(state, task.id);
  const colour = colourOf(state, task.id);
  const unchecked = task.unchecked && status === "done" ? paint.yellow(" unchecked") : "";
  const waits = waitsFor(state, task.id);
  const { contract } = task;
  const facts: [string, string][] = [
    ["key", task.key],
    ["kind", `${contract.kind}, size ${contract.size}, ${shapeText(task)}`],
    ["priority", `${task.priority} (0 first)`],
    ["parent", task.parent ?? "none"],
    ["depends on", task.dependsOn.join(", ") || "nothing"],
    ...(waits === "" ? [] : [["waits for", waits] as [string, string]]),
    ...(task.children.length === 0
      ? []
      : [["children", tallyText(tallyOf(state, task.id))] as [string, string]]),
    ...(task.endReason === undefined ? [] : [["reason", task.endReason] as [string, string]]),
    ...(task.commit === undefined ? [] : [["commit", task.commit] as [string, string]]),
    ["branch", state.branch],
    ["tokens", usageText(usageOfTask(task))],
    ["cost", costText(costOfTask(task))],
    ["time", durationText(workedMs(task, options.now))],
  ];
  return [
    `${signOf(status, colour, paint)}${unchecked} ${paint.cyan(task.id)} ${paint.bold(oneLine(contract.title))}`,
    ...facts.map(([name, value]) => `  ${paint.dim(name.padEnd(11))}${oneLine(value)}`),
  ];
}

function shapeText(task: TaskState): string {
  if (task.shape === "split") return `split into ${task.children.length}`;
  return task.shape === "leaf" ? "a leaf" : "not planned yet";
}

/** The time its attempts took, added up. */
function workedMs(task: TaskState, now: number): number {
  return task.attempts.reduce((sum, attempt) => sum + workedMsOf(task, attempt, now), 0);
}

function contractLines(
  source: ShowSource,
  task: TaskState,
  paint: Paint,
  options: ShowOptions,
): string[] {
  const { contract } = task;
  const wrapped = (text: string, indent = "  ") => block(text, options.width, indent);
  const lines = [...section("Purpose", paint), ...wrapped(contract.purpose)];
  const list = (title: string, items: string[]) => {
    if (items.length > 0) lines.push(...section(title, paint), ...items.flatMap((i) => wrapped(i)));
  };
  list(
    "Requirements",
    requirementsOf(source.state, task, source.blob).map((requirement) => {
      const where = requirement.line === undefined ? "" : ` (line ${requirement.line})`;
      return `${requirement.id}${where}: ${requirement.text ?? "not in the stored spec"}`;
    }),
  );
  list("Files", contract.files);
  list(
    "Interfaces",
    contract.interfaces.map((one) => `${one.file}: ${one.declaration}`),
  );
  list("Must be true", contract.examples);
  list(
    "Checks",
    contract.checks.map(
      (check) =>
        `${check.name} · ${check.when}, ${check.gates ? "gates" : "advises only"}, from ${check.source}` +
        `${check.requirements.length > 0 ? `, for ${check.requirements.join(", ")}` : ""}: ${check.run}`,
    ),
  );
  const needs = needsOf(source.state, task);
  const missing = needsMissing(needs, source.state.allows ?? []);
  list(
    "Needs from outside the sandbox",
    needs.map((need) =>
      missing.includes(need) ? `${need} (your settings do not allow it)` : need,
    ),
  );
  if (contract.command !== undefined) list("Command", [contract.command]);
  if (contract.unchecked !== undefined) list("Unchecked, because", [contract.unchecked]);
  list("Risks", contract.risks);
  list("Assumptions", task.assumptions);
  if (task.rollup !== undefined) {
    const passed = task.rollup.passed ? "passed" : `red: ${task.rollup.reason}`;
    list("Roll-up", [passed]);
  }
  return lines;
}

function talkLines(state: RunState, task: TaskState, paint: Paint, options: ShowOptions): string[] {
  const questions = task.questions.flatMap((id) => {
    const question = state.questions.get(id);
    return question === undefined ? [] : ["", ...renderQuestion(question, paint, options.width)];
  });
  const guidance = task.guidance.flatMap((one) =>
    block(`${one.from}: ${one.text}`, options.width, "  "),
  );
  return [
    ...questions,
    ...(guidance.length === 0
      ? []
      : [...section("Guidance for the next attempt", paint), ...guidance]),
  ];
}

const ANSWERED: { readonly [S in Question["state"]]: string } = {
  open: "open",
  answered: "answered",
  dismissed: "dismissed",
  moot: "closed, no longer needed",
};

/** One question: what is asked, why, the options, what was tried, the answer or how to give it. */
export function renderQuestion(question: Question, paint: Paint, width: number): string[] {
  const isOpen = question.state === "open";
  const head = `? ${question.id} ${ANSWERED[question.state]}${question.by ? ` by ${question.by}` : ""}`;
  const part = (name: string, text: string) =>
    text.trim() === "" ? [] : [paint.dim(`  ${name}`), ...block(text, width, "    ")];
  const choice = `"your answer"${question.options.length === 0 ? "" : ", or the number of an option"}`;
  return [
    `${isOpen ? paint.red(head) : paint.dim(head)}${question.about ? ` about ${question.about}` : ""}`,
    ...block(question.title, width, "  ").map((line) => paint.bold(line)),
    ...part("why", question.why),
    ...part("tried", question.tried),
    ...part("options", question.options.map((option, at) => `${at + 1}. ${option}`).join("\n")),
    ...part("answer", question.answer ?? ""),
    ...(isOpen ? [paint.dim(`  answer it: fractal answer ${question.id} ${choice}`)] : []),
  ];
}
