/** What is said when a run comes to rest: what was made, what it cost, what waits, what to type. */
import type { RunState } from "../domain/run-state.ts";
import type { Spec } from "../domain/spec.ts";
import { addCost, type CostUsd, tokensIn } from "../domain/usage.ts";
import type { Figures } from "../rules/money/figures.ts";
import { coverageOf } from "../rules/plan/coverage.ts";
import { colourOf, statusOf, waitsFor } from "../rules/status.ts";
import { coverageText } from "./coverage.ts";
import { costText, durationText, number, usageText } from "./money.ts";
import { renderNext } from "./next.ts";
import { type Paint, paintOf, signOf } from "./paint.ts";
import { tallyOf, tallyText } from "./tally.ts";
import { count, cut, modelText, oneLine } from "./text.ts";

export interface SummaryOptions {
  width: number;
  colour: boolean;
  /** Milliseconds since 1970. */
  now: number;
  /** The day of the price table, said with what it priced. */
  pricesDate?: string;
  /** How well slots, time and calls were used. */
  figures?: Figures;
}

/** Waiting tasks named one by one; more are in the tree. */
const WAITING_SHOWN = 5;

/** The summary of a run that came to rest. */
export function renderSummary(state: RunState, spec: Spec, options: SummaryOptions): string {
  const paint = paintOf(options.colour);
  const facts: [name: string, value: string][] = [
    ["branch", state.branch],
    ["tasks", tallyText(tallyOf(state))],
    ["coverage", coverageText(coverageOf(spec, [...state.tasks.values()]))],
    ["attempts", attemptsText(state)],
    ["tokens", `${usageText(state.usage)}, in ${count(state.calls, "model call")}`],
    ["money", moneyText(state, options.pricesDate)],
    ...forecastFacts(state),
    ["time", timeText(state, options.now)],
    ...figureFacts(options.figures),
    ["answers", answersText(state)],
  ];
  const root = state.tasks.has(state.rootId)
    ? signOf(statusOf(state, state.rootId), colourOf(state, state.rootId), paint)
    : "";
  return [
    `${root} ${paint.bold(oneLine(state.spec.title))}${stopText(state)}`,
    ...facts.map(([name, value]) => `  ${paint.dim(name.padEnd(10))}${oneLine(value)}`),
    ...warnings(state, paint),
    ...waiting(state, paint, options.width),
    "",
    paint.bold("Next"),
    ...renderNext(state),
  ].join("\n");
}

/** Why it rests although it is not done. */
function stopText({ stopped }: RunState): string {
  if (stopped === undefined || stopped.exitCode === 0) return "";
  return ` · ${oneLine(stopped.reason)} (exit ${stopped.exitCode})`;
}

function moneyText(state: RunState, pricesDate: string | undefined): string {
  const { costUsd } = state;
  const isPriced = costUsd !== undefined && costUsd > 0 && pricesDate !== undefined;
  return `${costText(costUsd)}${isPriced ? ` (prices of ${pricesDate})` : ""}${heldText(state)}`;
}

/** What may have been charged beside it: calls of which no answer came. */
function heldText({ ledger }: RunState): string {
  const held = [...ledger.accounts.values()].map((account) => account.held);
  const calls = held.reduce((sum, one) => sum + one.calls, 0);
  if (calls === 0) return "";
  const usd = held.reduce<CostUsd>((sum, one) => addCost(sum, one.usd), 0);
  const most = usd === undefined ? "an unknown sum" : `at most ${costText(usd)}`;
  return `, and ${most} for ${count(calls, "call")} without an answer`;
}

/** What was expected once everything was planned, and what it came to. */
function forecastFacts(state: RunState): [string, string][] {
  const { forecast, usage, calls, costUsd } = state;
  if (forecast === undefined) return [];
  const text = (one: { calls: number; tokens: number; costUsd: CostUsd }) =>
    `${count(one.calls, "call")}, ${number(one.tokens)} tokens, ${costText(one.costUsd)}`;
  const actual = { calls, tokens: tokensIn(usage), costUsd };
  return [["forecast", `${text(forecast)} when planned; it took ${text(actual)}`]];
}

function figureFacts(figures: Figures | undefined): [string, string][] {
  if (figures?.slotUse === undefined) return [];
  const { slotUse, slots, medianWaitMs, idleCalls } = figures;
  const wait = medianWaitMs === undefined ? "" : `, median wait ${durationText(medianWaitMs)}`;
  const idle = idleCalls === 0 ? "no idle call" : count(idleCalls, "idle call");
  return [["slots", `${Math.round(slotUse * 100)} % of ${slots} in use${wait}, ${idle}`]];
}

/** `11: 8 worker, 2 planner, 1 fixer; 2 did not succeed`. */
function attemptsText(state: RunState): string {
  const attempts = [...state.tasks.values()].flatMap((task) => task.attempts);
  const byRole = new Map<string, number>();
  for (const { role } of attempts) byRole.set(role, (byRole.get(role) ?? 0) + 1);
  const roles = [...byRole].map(([role, n]) => `${n} ${role}`).join(", ");
  const bad = attempts.filter(({ outcome }) => outcome !== undefined && outcome !== "succeeded");
  return `${attempts.length}${roles === "" ? "" : `: ${roles}`}${bad.length === 0 ? "" : `; ${bad.length} did not succeed`}`;
}

function timeText(state: RunState, now: number): string {
  const workedMs = [...state.tasks.values()]
    .flatMap((task) => task.attempts)
    .reduce((sum, attempt) => sum + attempt.workedMs, 0);
  return `${durationText(now - state.startedAt)} since it was started, ${durationText(workedMs)} of work`;
}

/** Who answered the model calls; recorded answers and those written by hand are called so. */
function answersText(state: RunState): string {
  const isRecorded = Object.values(state.models).some((name) => name.startsWith("recorded:"));
  const who = [...state.answeredBy].map(([name, n]) =>
    name === "written by hand" ? `${n} written by hand` : `${n} by ${modelText(name)}`,
  );
  const said = who.length === 0 ? "none" : who.join(", ");
  return isRecorded ? `recorded, no model was asked now: ${said}` : said;
}

function warnings(state: RunState, paint: Paint): string[] {
  const lines: string[] = [];
  if (!state.contained) {
    lines.push(
      paint.red(
        "  --dangerously-no-sandbox: what models wrote ran on this machine without a sandbox",
      ),
    );
  }
  if (state.mismatches > 0) {
    lines.push(
      paint.yellow(
        `  ${count(state.mismatches, "recorded answer")} to another question than was asked now`,
      ),
    );
  }
  return lines;
}

/** What a person holds up: open questions, failures, pauses and tasks taken. */
function waiting(state: RunState, paint: Paint, width: number): string[] {
  const held = [...state.tasks.values()].flatMap((task) => {
    const status = statusOf(state, task.id);
    const isHeld = ["needs_human", "failed", "paused"].includes(status) || task.takenBy;
    if (!isHeld) return [];
    const waits = waitsFor(state, task.id);
    const why = task.endReason ?? (waits === "" ? "" : `waits for ${waits}`);
    return [
      `  ${signOf(status, colourOf(state, task.id), paint)} ${cut(oneLine(`${task.id} ${task.contract.title} · ${why}`), width - 16)}`,
    ];
  });
  const more = held.length - WAITING_SHOWN;
  return [
    ...(held.length === 0 ? [] : ["", paint.bold("Held up")]),
    ...held.slice(0, WAITING_SHOWN),
    ...(more > 0 ? [paint.dim(`  … ${more} more in the tree`)] : []),
  ];
}

/** Forecast and figures as data; what is unknown is null. */
export function figuresJson({ forecast }: RunState, figures: Figures): Record<string, unknown> {
  return {
    forecast:
      forecast === undefined
        ? null
        : {
            leaves: forecast.leaves,
            calls: forecast.calls,
            tokens: forecast.tokens,
            cost_usd: forecast.costUsd ?? null,
          },
    slot_use: figures.slotUse ?? null,
    median_wait_ms: figures.medianWaitMs ?? null,
    idle_calls: figures.idleCalls,
  };
}
