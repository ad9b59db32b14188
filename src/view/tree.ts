/** The coloured tree of a run: one function for the live tree, `fractal tree` and the tests. */
import stringWidth from "string-width";
import type { RunState, TaskState } from "../domain/run-state.ts";
import type { Colour } from "../domain/task.ts";
import { tokensIn } from "../domain/usage.ts";
import { workedMsOf } from "../rules/money/worked-time.ts";
import { colourOf, descendantsOf, statusOf, waitsFor } from "../rules/status.ts";
import { type Branch, branchesOf } from "./branches.ts";
import { costText, durationText, number } from "./money.ts";
import { type Paint, paintOf, signOf } from "./paint.ts";
import { costOfTask, tallyOf, tallyText } from "./tally.ts";
import { count, cut, modelText, oneLine } from "./text.ts";

export interface TreeOptions {
  /** Columns; Infinity cuts nothing. */
  width: number;
  colour: boolean;
  /** Milliseconds since 1970, for what is running. */
  now: number;
  /** Lines at most: finished parts are folded first, then the tree is cut. */
  rows?: number;
}

/** The tree of a run and a last line of totals. */
export function renderTree(state: RunState, options: TreeOptions): string {
  const paint = paintOf(options.colour);
  const totals = cut(totalsOf(state), options.width);
  const rows = options.rows === undefined ? undefined : Math.max(2, options.rows - 1);
  let lines = branchesOf(state);
  if (rows !== undefined && lines.length > rows)
    lines = branchesOf(state, (id) => colourOf(state, id) === "green");
  const hidden = rows === undefined ? 0 : lines.length - rows;
  // What a person must see first is never what is cut.
  const kept = hidden > 0 && rows !== undefined ? mostUrgent(lines, state, rows - 1) : lines;
  return [
    ...kept.map((line) => renderLine(state, line, options, paint)),
    ...(hidden > 0 ? [paint.dim(`… ${count(lines.length - kept.length, "more task")}`)] : []),
    paint.bold(totals),
  ].join("\n");
}

const URGENCY: { readonly [C in Colour]: number } = { red: 0, yellow: 1, dim: 2, green: 3 };

/** The most urgent branches with all that is above them, in the order of the tree. */
function mostUrgent(branches: Branch[], state: RunState, rows: number): Branch[] {
  const order = branches
    .map((branch) => ({ ...branch, urgency: URGENCY[colourOf(state, branch.task.id)] }))
    .sort((a, b) => a.urgency - b.urgency);
  const chosen = new Set<string>();
  for (const { task } of order) {
    const path: string[] = [];
    for (let at: string | null = task.id; at !== null && !chosen.has(at); ) {
      path.push(at);
      at = state.tasks.get(at)?.parent ?? null;
    }
    if (chosen.size + path.length <= rows) for (const id of path) chosen.add(id);
  }
  return branches.filter((branch) => chosen.has(branch.task.id));
}

function renderLine(state: RunState, branch: Branch, options: TreeOptions, paint: Paint): string {
  const { task } = branch;
  const status = statusOf(state, task.id);
  const colour = colourOf(state, task.id);
  const unchecked = task.unchecked && status === "done";
  const sign = signOf(status, colour, paint) + (unchecked ? paint.yellow(" unchecked") : "");
  const facts = factsOf(state, task, branch.folded, options.now).map(oneLine);
  const taken = stringWidth(branch.lead) + stringWidth(sign) + task.id.length + 2;
  const room = Math.max(0, options.width - taken);
  const title = cut(oneLine(task.contract.title), Math.max(12, room));
  const rest = cut(
    facts.map((fact) => ` · ${fact}`).join(""),
    Math.max(0, room - stringWidth(title)),
  );
  const words = colour === "dim" ? paint.dim(title) : title;
  return `${paint.dim(branch.lead)}${sign} ${paint.cyan(task.id)} ${words}${paint.dim(rest)}`;
}

/** What is worth knowing about a task beside its title, the most urgent first. */
function factsOf(state: RunState, task: TaskState, folded: boolean, now: number): string[] {
  const facts: string[] = [];
  const status = statusOf(state, task.id);
  const question = task.question === undefined ? undefined : state.questions.get(task.question);
  const waits = waitsFor(state, task.id);
  if (question !== undefined) facts.push(`asks ${question.id}: ${question.title}`);
  else if (task.takenBy !== undefined) facts.push(`taken by ${task.takenBy}`);
  else if (waits !== "") facts.push(`waits for ${waits}`);
  if (task.endReason !== undefined && status !== "done") facts.push(task.endReason);
  if (task.lease !== undefined) {
    const { attempt: number, role } = task.lease;
    const attempt = task.attempts.find((one) => one.number === number);
    const took = attempt === undefined ? 0 : workedMsOf(task, attempt, now);
    facts.push(`${role}, attempt ${number}, ${durationText(took)}`);
  }
  if (task.shape === "split") facts.push(tallyText(tallyOf(state, task.id)));
  if (folded) facts.push(`${count(descendantsOf(state, task.id).length, "task")} folded`);
  if (task.attempts.length > 0 && task.shape !== "split") facts.push(...attemptFacts(task));
  return facts;
}

/** `2 attempts + fixer`, the worker's model, and what all of it cost. */
function attemptFacts(task: TaskState): string[] {
  const workers = task.attempts.filter((attempt) => attempt.role === "worker");
  const others = new Set(
    task.attempts.map((attempt) => attempt.role).filter((r) => r !== "worker"),
  );
  const who = [...(workers.length === 0 ? [] : [count(workers.length, "attempt")]), ...others];
  const model = (workers.at(-1) ?? task.attempts.at(-1))?.model ?? "";
  return [
    // Of a running task the lease says it already.
    ...(task.lease === undefined ? [who.join(" + ")] : []),
    ...(model === "" ? [] : [modelText(model)]),
    costText(costOfTask(task)),
  ];
}

function totalsOf(state: RunState): string {
  return [
    costText(state.costUsd),
    count(state.calls, "model call"),
    `${number(tokensIn(state.usage))} tokens`,
  ].join(" · ");
}
