/** The attempts at one task: outcome, verdict, prompt and reply, tool calls, files, cost, timing. */
import type { CheckResult } from "../domain/check.ts";
import type { Attempt, TaskState } from "../domain/run-state.ts";
import { costText, durationText, usageText } from "./money.ts";
import type { Paint } from "./paint.ts";
import { renderTable } from "./table.ts";
import type { Blob, TaskCall } from "./task-calls.ts";
import { block, count, headOf, modelText } from "./text.ts";

/** Lines shown of a prompt, reply or output without `--full`. */
const LINES_SHOWN = 12;

interface Options {
  /** The run, for the names of its refs. */
  runId: string;
  width: number;
  colour: boolean;
  full: boolean;
  tables: boolean;
}

/** A table of all attempts, then each one in detail. */
export function renderAttempts(
  task: TaskState,
  calls: TaskCall[],
  blob: Blob,
  paint: Paint,
  options: Options,
): string[] {
  if (task.attempts.length === 0) return ["", paint.bold("Attempts"), "  none yet"];
  const rows = task.attempts.map((attempt) => [
    `${attempt.number}`,
    attempt.role,
    modelText(attempt.model),
    outcomeText(task, attempt),
    count(attempt.calls, "call"),
    usageText(attempt.usage),
    costText(attempt.costUsd),
    attempt.endedAt === undefined ? "" : durationText(attempt.workedMs),
  ]);
  const head = ["#", "role", "model", "outcome", "calls", "tokens", "cost", "time"];
  return [
    "",
    paint.bold("Attempts"),
    ...renderTable(head, rows, { aligned: options.tables, colour: options.colour }).map(
      (line) => `  ${line}`,
    ),
    ...task.attempts.flatMap((attempt) => {
      const own = calls.filter((call) => call.attempt === attempt.number);
      return renderAttempt(task, attempt, own, blob, paint, options);
    }),
  ];
}

function outcomeText(task: TaskState, attempt: Attempt): string {
  if (attempt.outcome !== undefined) return attempt.outcome;
  return task.lease?.attempt === attempt.number ? "running" : "cut off";
}

function renderAttempt(
  task: TaskState,
  attempt: Attempt,
  calls: TaskCall[],
  blob: Blob,
  paint: Paint,
  options: Options,
): string[] {
  const hint = `fractal show ${task.id} --full`;
  const text = (body: string, indent = "    ") => {
    const lines = block(body, options.width, indent);
    return options.full ? lines : headOf(lines, LINES_SHOWN, `${indent}… `, hint);
  };
  const lines = [
    "",
    `${paint.bold(`Attempt ${attempt.number}`)} · ${attempt.role} · ${outcomeText(task, attempt)}`,
  ];
  const part = (name: string, body: string) => {
    if (body.trim() !== "") lines.push(`  ${paint.dim(name)}`, ...text(body));
  };
  part("summary", attempt.summary);
  if (attempt.failure) part(`failure: ${attempt.failure.failure}`, attempt.failure.detail);
  for (const result of attempt.verdict?.results ?? []) {
    lines.push(`  ${checkLine(result, attempt.vacuous, paint)}`);
    if (!result.passed) lines.push(...text(outputOf(result, blob, options.full)));
  }
  if (attempt.refusedCalls !== undefined) {
    part("refused", `${count(attempt.refusedCalls, "call")} outside of what the task may do`);
  }
  part("doubts", (attempt.doubts ?? []).join("\n"));
  part("files", attempt.files.join("\n"));
  if (attempt.kept !== undefined) {
    part("kept as", `refs/fractal/${options.runId}/${task.id}.${attempt.number}`);
    part("to look at it", `fractal diff ${task.id} --attempt ${attempt.number}`);
  }
  const isRunning = attempt.outcome === undefined && task.lease?.attempt === attempt.number;
  for (const call of calls) lines.push(...renderCall(call, isRunning, paint, text));
  return lines;
}

/** The whole output where it is asked for and still stored, else the distilled detail. */
function outputOf(result: CheckResult, blob: Blob, full: boolean): string {
  const whole = full && result.output !== undefined ? blob(result.output) : undefined;
  return whole ?? result.detail;
}

function checkLine(result: CheckResult, vacuous: string[], paint: Paint): string {
  const sign = result.passed ? paint.green("✓ passed") : paint.red("✗ failed");
  const notes = [
    ...(result.gates ? [] : ["advises only"]),
    ...(vacuous.includes(result.name)
      ? ["proves nothing: green before the work, or by any failure"]
      : []),
    ...(result.passed || result.exitCode === null ? [] : [`exit ${result.exitCode}`]),
    durationText(result.durationMs),
  ];
  return `${sign} check ${result.name} ${paint.dim(`· ${notes.join(" · ")}`)}`;
}

function renderCall(
  call: TaskCall,
  isRunning: boolean,
  paint: Paint,
  text: (body: string, indent?: string) => string[],
): string[] {
  const unanswered = isRunning ? "not answered yet" : "no answer";
  const time = call.durationMs === undefined ? unanswered : durationText(call.durationMs);
  if (call.kind === "tool") {
    const word = call.refused === true ? " refused" : " error";
    const end = call.isError === true ? paint.red(word) : "";
    return [
      `  ${paint.cyan(`tool ${call.tool}`)}${end} ${paint.dim(`· turn ${call.turn} · ${time}`)}`,
      ...text(argsText(call.args)),
      ...text(call.output ?? "", "    → "),
    ];
  }
  const who = call.answeredBy === undefined ? "" : ` · ${answererText(call.answeredBy)}`;
  const cost = call.usage === undefined ? "" : ` · ${costText(call.costUsd ?? undefined)}`;
  const stop = call.stopReason === undefined ? "" : ` · stopped: ${call.stopReason}`;
  const mismatch =
    call.mismatch === true ? paint.yellow(" · asked something else when recorded") : "";
  const said = call.failure
    ? `${call.failure.failure}: ${call.failure.detail}`
    : (call.reply ?? "");
  return [
    `  ${paint.cyan(`${call.role} turn ${call.turn}`)} ${paint.dim(`· ${call.model} · ${time}${cost}${who}${stop}`)}${mismatch}`,
    paint.dim(`    prompt (${call.promptVersion})`),
    ...text(call.prompt ?? "(not stored)", "      "),
    ...(call.durationMs === undefined ? [] : [paint.dim("    reply"), ...text(said, "      ")]),
  ];
}

function answererText(name: string): string {
  return name === "written by hand" ? name : `answered by ${name}`;
}

/** Arguments a line each; the text of a file as it is, not as JSON. */
function argsText(args: string | undefined): string {
  if (args === undefined) return "(arguments not stored)";
  let value: unknown;
  try {
    value = JSON.parse(args);
  } catch {
    return args;
  }
  if (typeof value !== "object" || value === null) return args;
  return Object.entries(value)
    .map(([name, one]) => `${name}: ${typeof one === "string" ? one : JSON.stringify(one)}`)
    .join("\n");
}
