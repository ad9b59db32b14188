/** What is wanted against what there is, task by task: the one query of `fractal status`, and its table. */
import type { Answer } from "../domain/index-tables.ts";
import type { Colour, TaskStatus } from "../domain/task.ts";
import { STATUSES } from "../rules/lifecycle.ts";
import { inColour, paintOf, signOf } from "./paint.ts";
import { renderTable } from "./table.ts";
import { count, cut } from "./text.ts";

/** Runs as it stands in `fractal query`; `why` and `last_error` are empty where all is as wanted. */
export const STATUS_SQL = `SELECT d.task_id, d.title, d.desired_status AS wanted, a.actual_status AS actual,
  a.colour, a.assigned_agent AS agent, a.attempts, a.failure_count AS failures, a.why,
  CASE WHEN a.why IS NULL THEN NULL ELSE a.last_error END AS last_error
FROM desired_state AS d JOIN actual_state AS a USING (task_id)
ORDER BY d.position`;

/** One row of that query. */
export interface StatusRow {
  task_id: string;
  title: string;
  wanted: TaskStatus;
  actual: TaskStatus;
  colour: Colour;
  agent: string | null;
  attempts: number;
  failures: number;
  why: string | null;
  last_error: string | null;
}

/** The rows, which came in the order of the query's columns. */
export function statusRows(answer: Answer): StatusRow[] {
  return answer.rows.map(
    (row) =>
      Object.fromEntries(answer.columns.map((name, at) => [name, row[at]])) as unknown as StatusRow,
  );
}

/** How many tasks there are, are as wanted, and are where. */
export function statusSummary(rows: StatusRow[]): {
  tasks: number;
  as_wanted: number;
  by_status: { [S in TaskStatus]?: number };
} {
  const byStatus: { [S in TaskStatus]?: number } = {};
  for (const row of rows) byStatus[row.actual] = (byStatus[row.actual] ?? 0) + 1;
  return {
    tasks: rows.length,
    as_wanted: rows.filter((row) => row.why === null).length,
    by_status: byStatus,
  };
}

/** `11 of 14 tasks are as wanted: 11 done, 2 waiting, 1 failed`. */
export function summaryText(rows: StatusRow[]): string {
  const { tasks, as_wanted, by_status } = statusSummary(rows);
  const parts = (Object.keys(STATUSES) as TaskStatus[]).flatMap((status) =>
    by_status[status] === undefined ? [] : [`${by_status[status]} ${status}`],
  );
  return `${as_wanted} of ${count(tasks, "task")} as wanted: ${parts.join(", ")}`;
}

const HEAD = ["task", "title", "wanted", "actual", "attempts", "why not yet", "last error"];

/** The table at a terminal; when piped the query's own columns, tab-separated. */
export function renderStatus(
  rows: StatusRow[],
  look: { width: number; tables: boolean; colour: boolean },
): string {
  if (!look.tables) {
    const cells = rows.map((row) => Object.values(row).map((cell) => String(cell ?? "")));
    return renderTable([], cells, { aligned: false, colour: false }).join("\n");
  }
  const plain = paintOf(false);
  const paint = paintOf(look.colour);
  const widest = Math.max(0, ...rows.map((row) => row.task_id.length));
  // What is left beside the id, two statuses, the attempts and the gaps, in three parts.
  const part = Math.max(12, Math.floor((look.width - widest - 9 - 13 - 12 - 14) / 3));
  const cells = rows.map((row) => [
    row.task_id,
    cut(row.title, part),
    row.wanted,
    signOf(row.actual, row.colour, plain),
    row.failures === 0 ? String(row.attempts) : `${row.attempts}, ${row.failures} failed`,
    cut(row.why ?? "", part),
    cut(row.last_error ?? "", part),
  ]);
  const tint = (text: string, row: number, column: number) =>
    column === HEAD.indexOf("actual") ? inColour(text, rows[row]?.colour ?? "dim", paint) : text;
  return renderTable(HEAD, cells, { aligned: true, colour: look.colour, tint }).join("\n");
}
