/** Which requirement is checked by what: one line for a summary, all lines for a plan. */
import { type CoverageRow, type CoverageState, countCoverage } from "../rules/plan/coverage.ts";
import type { Paint } from "./paint.ts";
import { cut, oneLine } from "./text.ts";

/** Requirement ids named in a summary; `fractal plan` and `--json` have all. */
const IDS_SHOWN = 8;

/** `12 requirements: 10 with a gating check, 2 unchecked (R3, R7)`. */
export function coverageText(rows: readonly CoverageRow[]): string {
  const counts = countCoverage(rows);
  const rest = (["unchecked", "dropped", "uncovered"] as const).flatMap((state) => {
    if (counts[state] === 0) return [];
    const ids = rows.filter((row) => row.state === state).map((row) => row.requirement.id);
    const more = ids.length > IDS_SHOWN ? ", …" : "";
    return [`${counts[state]} ${state} (${ids.slice(0, IDS_SHOWN).join(", ")}${more})`];
  });
  const total = `${rows.length} requirement${rows.length === 1 ? "" : "s"}`;
  return `${total}: ${[`${counts.checked} with a gating check`, ...rest].join(", ")}`;
}

const SIGN: { readonly [S in CoverageState]: string } = {
  checked: "✓ checked",
  unchecked: "! unchecked",
  dropped: "– dropped",
  uncovered: "✗ uncovered",
};

/** A line for each requirement: its sign, its words, its tasks and its checks. */
export function renderCoverage(
  rows: readonly CoverageRow[],
  paint: Paint,
  width: number,
): string[] {
  return rows.map((row) => {
    const { state, requirement } = row;
    const colour = {
      checked: paint.green,
      unchecked: paint.yellow,
      dropped: paint.dim,
      uncovered: paint.red,
    };
    const checks = row.checks.map(({ name, gates }) => (gates ? name : `${name} (advises)`));
    const facts = [
      row.tasks.join(", ") || "no task",
      // Several tasks may have a check of the same name.
      ...(checks.length === 0 ? [] : [`by ${[...new Set(checks)].join(", ")}`]),
    ];
    const words = `${requirement.id} ${cut(oneLine(requirement.text), 60)} → ${facts.map(oneLine).join(" ")}`;
    return `${colour[state](SIGN[state])} ${cut(words, width - SIGN[state].length - 3)}`;
  });
}

/** The same as data. */
export function coverageJson(rows: readonly CoverageRow[]): Record<string, unknown> {
  return {
    counts: countCoverage(rows),
    requirements: rows.map(({ requirement, ...row }) => ({
      id: requirement.id,
      text: requirement.text,
      line: requirement.line,
      ...row,
    })),
  };
}
