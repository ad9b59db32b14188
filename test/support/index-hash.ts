/** All that an index says, as one hash: equal when every row of every table is. */
import { createHash } from "node:crypto";
import { type IndexSource, openIndex, type RunIndex } from "../../src/adapters/index/index-db.ts";
import type { RunEvent } from "../../src/domain/event.ts";
import { INDEX_TABLES } from "../../src/domain/index-tables.ts";
import { currentRows } from "../../src/rules/index-rows.ts";
import { replay } from "../../src/rules/replay.ts";

/** The index of these events, kept in `file`. */
export function indexOf(
  file: string,
  events: readonly RunEvent[],
  over: Partial<IndexSource> = {},
): RunIndex {
  const rows = () => currentRows(replay(events));
  return openIndex(file, { runId: "toy", events, rows, version: "1", ...over });
}

/** Rows of one question; throws where there are none to be had. */
export function asked(index: RunIndex, sql: string): unknown[][] {
  const answer = index.ask(sql);
  if ("trouble" in answer) throw new Error(answer.trouble);
  return answer.rows;
}

/** Of all tables, in the order their rows are kept. */
export function hashOfIndex(index: RunIndex): string {
  const hash = createHash("sha256");
  for (const table of Object.keys(INDEX_TABLES)) {
    hash.update(JSON.stringify([table, asked(index, `SELECT * FROM ${table} ORDER BY rowid`)]));
  }
  return hash.digest("hex");
}
