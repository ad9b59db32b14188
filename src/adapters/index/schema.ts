/** The tables as SQL, and the mark that tells one layout from another. */
import { createHash } from "node:crypto";
import { INDEX_TABLES, type IndexTable } from "../../domain/index-tables.ts";

/** To be raised when rows are made otherwise; a new column or table shows by itself. */
const ROWS_VERSION = 1;

const tables = Object.entries(INDEX_TABLES).map(([name, { columns }]) => {
  const lines = Object.entries(columns).map(([column, [type]]) => `  "${column}" ${type}`);
  return `CREATE TABLE ${name} (\n${lines.join(",\n")}\n);`;
});

/** What makes an empty database an index. `index_source` has one row: what it was made from. */
export const SCHEMA = [
  "CREATE TABLE index_source (layout TEXT, run_id TEXT, seq INTEGER);",
  ...tables,
  "CREATE INDEX calls_by_turn ON model_calls (task_id, attempt, turn);",
].join("\n");

/** The layout an index of this program, in this version, has. */
export function layoutOf(version: string): string {
  return createHash("sha256").update(`${version}\n${ROWS_VERSION}\n${SCHEMA}`).digest("hex");
}

/** `INSERT` of one row, columns by name. */
export function insertOf(table: IndexTable): string {
  const names = Object.keys(INDEX_TABLES[table].columns);
  const columns = names.map((name) => `"${name}"`).join(", ");
  return `INSERT INTO ${table} (${columns}) VALUES (${names.map((name) => `@${name}`).join(", ")})`;
}
