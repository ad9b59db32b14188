/** What `fractal fsck` found, for people and as data. */
import type { Finding } from "../rules/fsck/finding.ts";
import { paintOf } from "./paint.ts";
import { count, oneLine } from "./text.ts";

export interface CheckedRun {
  runId: string;
  /** A controller is at work: only part of it could be judged. */
  live: boolean;
  /** Good lines of its journal. */
  events: number;
  findings: Finding[];
}

/** A line a run and, on a terminal, three a finding; piped, a finding is one tab-separated line. */
export function renderFsck(
  runs: readonly CheckedRun[],
  look: { colour: boolean; tables: boolean },
): string {
  const paint = paintOf(look.colour);
  if (!look.tables) {
    return runs
      .flatMap(({ runId, findings }) =>
        findings.length === 0
          ? [[runId, "clean"]]
          : findings.map((one) => [runId, ...wordsOf(one)]),
      )
      .map((words) => words.map(oneLine).join("\t"))
      .join("\n");
  }
  return runs
    .flatMap(({ runId, events, findings }) => {
      const what = `run ${runId}, ${count(events, "event")}`;
      if (findings.length === 0) return [`${paint.green("✓")} ${what}: all is as it should be`];
      return [
        `${paint.red("✗")} ${what}: ${count(findings.length, "finding")}`,
        ...findings.flatMap(({ kind, severity, where, detail, remedy }) => {
          const tint = severity === "broken" ? paint.red : paint.yellow;
          return [
            `  ${tint(`${severity} ${kind}`)} ${paint.cyan(oneLine(where))}`,
            `    ${oneLine(detail)}`,
            `    ${paint.dim("→")} ${oneLine(remedy)}`,
          ];
        }),
      ];
    })
    .join("\n");
}

function wordsOf({ kind, severity, where, detail, remedy }: Finding): string[] {
  return [severity, kind, where, detail, remedy];
}

/** The same as data; `findings` of all runs together, each with its run. */
export function fsckJson(
  runs: readonly CheckedRun[],
  unseen: readonly { what: string; why: string }[],
): Record<string, unknown> {
  return {
    runs: runs.map(({ runId, live, events, findings }) => ({
      run: runId,
      live,
      events,
      findings: findings.length,
    })),
    findings: runs.flatMap(({ runId, findings }) =>
      findings.map((one) => ({ run: runId, ...one })),
    ),
    not_looked_at: unseen,
  };
}
