/** What `fractal plan` shows: the tree as it would be, what is checked, what it will probably take. */
import stringWidth from "string-width";
import type { RunState, TaskState } from "../domain/run-state.ts";
import type { Spec } from "../domain/spec.ts";
import { tokensIn } from "../domain/usage.ts";
import { linesToAllow, needsMissing } from "../rules/check/needs.ts";
import { coverageOf } from "../rules/plan/coverage.ts";
import {
  type Forecast,
  type ForecastLine,
  type ForecastRole,
  forecastOf,
} from "../rules/plan/forecast.ts";
import { type Branch, branchesOf } from "./branches.ts";
import { coverageJson, coverageText, renderCoverage } from "./coverage.ts";
import { costText, number } from "./money.ts";
import { type Paint, paintOf } from "./paint.ts";
import { renderQuestion } from "./show.ts";
import { block, count, cut, oneLine } from "./text.ts";

export interface PlanSource {
  spec: Spec;
  /** The planned tree, and what planning it took. */
  state: RunState;
  roles: Record<ForecastLine["role"], ForecastRole>;
}

/** The plan of a specification, for a person to agree to. */
export function renderPlan(
  source: PlanSource,
  options: { width: number; colour: boolean },
): string {
  const { spec, state } = source;
  const { width } = options;
  const paint = paintOf(options.colour);
  const rows = coverageOf(spec, [...state.tasks.values()]);
  const assumptions = [...state.tasks.values()].flatMap((task) => task.assumptions);
  const needs = [...state.tasks.values()].flatMap((task) => task.contract.needs ?? []);
  const notAllowed = needsMissing([...new Set(needs)].sort(), state.allows ?? []);
  const questions = [...state.questions.values()].filter(({ state: where }) => where === "open");
  return [
    ...branchesOf(state).map((branch) => renderBranch(state, branch, paint, width)),
    ...(spec.checks.length === 0
      ? []
      : [
          "",
          paint.bold("Checks of the specification"),
          ...spec.checks.map(
            ({ name, when, run }) => `  ${cut(oneLine(`${name} · ${when}: ${run}`), width - 2)}`,
          ),
        ]),
    "",
    `${paint.bold("Coverage")} ${coverageText(rows)}`,
    ...renderCoverage(rows, paint, width).map((line) => `  ${line}`),
    ...(assumptions.length === 0
      ? []
      : ["", paint.bold("Assumed"), ...assumptions.flatMap((text) => block(text, width, "  "))]),
    ...(notAllowed.length === 0
      ? []
      : [
          "",
          paint.yellow(`Your settings do not allow ${oneLine(notAllowed.join(", "))}`),
          "  A run asks before it begins what needs that. It is allowed in your own settings, by:",
          ...linesToAllow(notAllowed).flatMap((line) => block(line, width, "  ")),
        ]),
    ...questions.flatMap((question) => ["", ...renderQuestion(question, paint, width)]),
    "",
    paint.bold("Forecast"),
    ...forecastLines(forecastFor(source)).map((line) => `  ${line}`),
    paint.dim(
      `  planning took ${count(state.calls, "model call")}, ${number(tokensIn(state.usage))} tokens, ${costText(state.costUsd)}`,
    ),
  ].join("\n");
}

/** The plan as data, for `fractal plan --json`. */
export function planJson(source: PlanSource): Record<string, unknown> {
  const { spec, state } = source;
  return {
    spec: { path: spec.path, hash: spec.hash, title: spec.title },
    tasks: [...state.tasks.values()].map((task) => ({
      key: task.key,
      parent: state.tasks.get(task.parent ?? "")?.key ?? null,
      depends_on: task.dependsOn.map((id) => state.tasks.get(id)?.key ?? id),
      shape: task.shape,
      contract: task.contract,
      assumptions: task.assumptions,
    })),
    questions: [...state.questions.values()],
    coverage: coverageJson(coverageOf(spec, [...state.tasks.values()])),
    forecast: forecastJson(forecastFor(source)),
    planning: { calls: state.calls, usage: state.usage, cost_usd: state.costUsd ?? null },
  };
}

function forecastFor({ spec, state, roles }: PlanSource): Forecast {
  return forecastOf({ spec, tasks: [...state.tasks.values()], roles });
}

function renderBranch(state: RunState, branch: Branch, paint: Paint, width: number): string {
  const { task, lead } = branch;
  const sign = signOfShape(task, paint);
  const taken = stringWidth(lead) + stringWidth(sign) + task.key.length + 2;
  const room = Math.max(0, width - taken);
  const title = cut(oneLine(task.contract.title), Math.max(12, room));
  const facts = factsOf(state, task).map((fact) => ` · ${oneLine(fact)}`);
  const rest = cut(facts.join(""), Math.max(0, room - stringWidth(title)));
  return `${paint.dim(lead)}${sign} ${paint.cyan(task.key)} ${title}${paint.dim(rest)}`;
}

function signOfShape(task: TaskState, paint: Paint): string {
  const { kind, size, checks } = task.contract;
  if (task.shape === "split") return "▾ split";
  if (task.shape === "unplanned") return paint.yellow("○ not planned");
  const gates = checks.some((check) => check.gates);
  const leaf = `• ${kind === "code" ? "leaf" : kind} ${size}`;
  return gates ? leaf : `${leaf} ${paint.yellow("unchecked")}`;
}

function factsOf(state: RunState, task: TaskState): string[] {
  const { files, checks, needs = [] } = task.contract;
  return [
    ...(files.length === 0 ? [] : [files.join(", ")]),
    ...(checks.length === 0 ? [] : [count(checks.length, "check")]),
    ...(needs.length === 0 ? [] : [`needs ${needs.join(", ")}`]),
    ...(task.dependsOn.length === 0
      ? []
      : [`after ${task.dependsOn.map((id) => state.tasks.get(id)?.key ?? id).join(", ")}`]),
  ];
}

function forecastLines(forecast: Forecast): string[] {
  const { calls, inputTokens, outputTokens, costUsd } = forecast;
  const text = (line: Omit<ForecastLine, "role">) =>
    `about ${count(line.calls, "call")}, ${roughly(line.inputTokens)} tokens in, ${roughly(line.outputTokens)} out, ${costText(line.costUsd)}`;
  return [
    `${count(forecast.leaves, "leaf").replace(/leafs$/, "leaves")}: ${text({ calls, inputTokens, outputTokens, costUsd })}`,
    ...forecast.byRole
      .filter((line) => line.calls > 0)
      .map((line) => `  ${line.role}: ${text(line)}`),
  ];
}

/** Two figures are all a forecast knows. */
function roughly(n: number): string {
  return number(Number(n.toPrecision(2)));
}

function forecastJson(forecast: Forecast): Record<string, unknown> {
  const line = (one: Omit<ForecastLine, "role">) => ({
    calls: one.calls,
    input_tokens: one.inputTokens,
    output_tokens: one.outputTokens,
    cost_usd: one.costUsd ?? null,
  });
  return {
    leaves: forecast.leaves,
    ...line(forecast),
    by_role: Object.fromEntries(forecast.byRole.map((one) => [one.role, line(one)])),
  };
}
