/** The answer to a question in SQL: columns at a terminal, tab-separated lines when piped, or CSV. */
import { harmless } from "../domain/harmless.ts";
import type { Answer } from "../domain/index-tables.ts";
import { renderTable } from "./table.ts";
import { cut } from "./text.ts";

/** The longest text shown in one cell at a terminal; --json and --csv have all of it. */
const CELL_COLUMNS_MAX = 60;

/** Rows as text; empty for none when piped. */
export function renderAnswer(answer: Answer, look: { tables: boolean; colour: boolean }): string {
  const rows = answer.rows.map((row) =>
    row.map((cell) => (look.tables ? cut(cellText(cell), CELL_COLUMNS_MAX) : cellText(cell))),
  );
  const head = answer.columns.map(harmless);
  return renderTable(head, rows, { aligned: look.tables, colour: look.colour }).join("\n");
}

/** Comma-separated values with a heading, quoted as RFC 4180 says. */
export function renderCsv(answer: Answer): string {
  return [answer.columns, ...answer.rows]
    .map((row) => row.map((cell) => quoted(harmless(cellText(cell)))).join(","))
    .join("\n");
}

/** One object a row, for programs. Of columns with one name each but the first gets a number. */
export function rowObjects(answer: Answer): Record<string, unknown>[] {
  const names: string[] = [];
  for (const name of answer.columns) {
    let unique = name;
    for (let number = 2; names.includes(unique); number++) unique = `${name}_${number}`;
    names.push(unique);
  }
  return answer.rows.map((row) =>
    Object.fromEntries(row.map((cell, at) => [names[at] ?? "", plain(cell)])),
  );
}

function cellText(cell: unknown): string {
  const value = plain(cell);
  return value === null ? "" : String(value);
}

/** A blob as SQL writes it; the rest as it is. */
function plain(cell: unknown): string | number | null {
  if (cell === null || typeof cell === "string" || typeof cell === "number") return cell;
  if (cell instanceof Uint8Array) {
    return `x'${[...cell].map((byte) => byte.toString(16).padStart(2, "0")).join("")}'`;
  }
  return String(cell);
}

function quoted(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
