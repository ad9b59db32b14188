/** The index of a run: a SQLite database in memory, kept in a file that may be deleted at any time. */
import Database from "better-sqlite3";
import type { RunEvent } from "../../domain/event.ts";
import { type Answer, CURRENT_TABLES, type CurrentRows } from "../../domain/index-tables.ts";
import { addHistory } from "./history.ts";
import { readImage, writeImage } from "./image.ts";
import { insertOf, layoutOf, SCHEMA } from "./schema.ts";

/** What an index is made from: a run's journal, and the rows its state amounts to. */
export interface IndexSource {
  runId: string;
  events: readonly RunEvent[];
  /** Called only when the index is behind. */
  rows(): CurrentRows;
  /** The program's version: another one may make other rows. */
  version: string;
}

/** One answer, or SQLite's own words for why there is none. */
export interface RunIndex {
  ask(sql: string): Answer | { trouble: string };
}

/**
 * Brings the index in `file` up to the journal, and keeps it there where that can be written. It is
 * made anew when it is missing, damaged, of another run or version, or when the journal does not
 * hold, byte for byte and chained by hash to all before it, the last line it was made from.
 */
export function openIndex(file: string, source: IndexSource): RunIndex {
  const image = readImage(file);
  let db = image === undefined ? undefined : openKept(image, source);
  let isBehind = true;
  try {
    if (db !== undefined) isBehind = catchUp(db, source);
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error;
    db = undefined;
  }
  if (db === undefined) {
    db = emptyIndex(source);
    catchUp(db, source);
  }
  if (isBehind) writeImage(file, db.serialize());
  db.pragma("query_only = ON");
  return { ask: (sql) => ask(db, sql) };
}

function openKept(image: Buffer, source: IndexSource): Database.Database | undefined {
  try {
    const db = new Database(image);
    const made = db.prepare("SELECT layout, run_id, seq FROM index_source").get() as
      | { layout: string; run_id: string; seq: number }
      | undefined;
    const last = source.events[made?.seq ?? -1];
    const isOurs =
      last !== undefined &&
      made?.layout === layoutOf(source.version) &&
      made.run_id === source.runId &&
      db.prepare("SELECT json FROM events WHERE seq = ?").pluck().get(made.seq) ===
        JSON.stringify(last);
    return isOurs ? db : undefined;
  } catch {
    return undefined;
  }
}

function emptyIndex(source: IndexSource): Database.Database {
  const db = new Database(":memory:");
  db.exec(SCHEMA);
  db.prepare("INSERT INTO index_source VALUES (?, ?, -1)").run(
    layoutOf(source.version),
    source.runId,
  );
  return db;
}

/** Adds what the journal has more; false when there was nothing. */
function catchUp(db: Database.Database, source: IndexSource): boolean {
  const from = Number(db.prepare("SELECT seq FROM index_source").pluck().get()) + 1;
  const added = source.events.slice(from);
  if (added.length === 0) return false;
  db.transaction(() => {
    addHistory(db, added);
    const rows = source.rows();
    for (const table of CURRENT_TABLES) {
      db.exec(`DELETE FROM ${table}`);
      const insert = db.prepare(insertOf(table));
      for (const row of rows[table]) insert.run(row);
    }
    db.prepare("UPDATE index_source SET seq = ?").run(source.events.length - 1);
  })();
  return true;
}

/** More are not for reading, and an endless question would fill the memory. */
const ROWS_MAX = 500_000;

/** One statement that only reads. What it could still change is a copy in memory. */
function ask(db: Database.Database, sql: string): Answer | { trouble: string } {
  try {
    const statement = db.prepare(sql);
    if (!statement.reader || !statement.readonly) {
      return { trouble: "the index is only read: one SELECT, WITH, VALUES or EXPLAIN" };
    }
    const rows: unknown[][] = [];
    for (const row of statement.raw().iterate() as IterableIterator<unknown[]>) {
      rows.push(row);
      if (rows.length > ROWS_MAX) {
        return { trouble: `more than ${ROWS_MAX.toLocaleString("en-US")} rows: add a LIMIT` };
      }
    }
    return { columns: statement.columns().map((column) => column.name), rows };
  } catch (error) {
    return { trouble: error instanceof Error ? error.message : String(error) };
  }
}
