/** The index of a run: the same however it came to be, and gone without loss. */
import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import type { RunEvent } from "../../../src/domain/event.ts";
import { currentRows } from "../../../src/rules/index-rows.ts";
import { replay } from "../../../src/rules/replay.ts";
import { asked, hashOfIndex, indexOf } from "../../support/index-hash.ts";
import { runsOf } from "../../support/runs.ts";
import { journalOf } from "../../support/toy-journal.ts";

/** A file for an index in a folder of its own. */
function aPlace(): string {
  const folder = mkdtempSync(join(tmpdir(), "fractal-index-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, ".fractal", "index.db");
}

const [small, other] = [await journalOf(7), await journalOf(8)];

describe("an index", () => {
  it("says the same from scratch, caught up in steps, and after it was deleted half-way", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()), {
          maxLength: 6,
        }),
        async (seed, cuts) => {
          const events = await journalOf(seed);
          const file = aPlace();
          const steps = cuts.sort(([a], [b]) => a - b);
          for (const [share, isDeleted] of steps) {
            const known = events.slice(0, 1 + Math.floor(share * (events.length - 1)));
            const index = indexOf(file, known);
            if (isDeleted) rmSync(file, { force: true });
            // Also while it is asked.
            expect(asked(index, "SELECT count(*) FROM events")).toEqual([[known.length]]);
          }
          expect(hashOfIndex(indexOf(file, events))).toBe(hashOfIndex(indexOf(aPlace(), events)));
        },
      ),
      runsOf(25),
    );
  });

  it("is kept when nothing is new, and adds only what is", () => {
    const file = aPlace();
    indexOf(file, small.slice(0, -1));
    let made = 0;
    const rows = indexRowsOf(small, () => {
      made += 1;
    });
    indexOf(file, small, rows);
    const written = readFileSync(file);
    indexOf(file, small, rows);
    expect(made).toBe(1);
    expect(readFileSync(file).equals(written)).toBe(true);
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ["cut off", (bytes) => bytes.subarray(0, bytes.length / 2)],
    ["empty", () => Buffer.alloc(0)],
    ["text", () => Buffer.from("not a database, but long enough to be taken for one")],
    [
      "one row changed",
      (bytes) => Buffer.from(bytes.toString("latin1").replace("planner", "plonner"), "latin1"),
    ],
    ["one bit flipped", (bytes) => flipped(bytes, bytes.length >> 1)],
    ["its seal flipped", (bytes) => flipped(bytes, bytes.length - 1)],
  ])("is made again when its file is damaged: %s", (_, damage) => {
    const file = aPlace();
    const whole = hashOfIndex(indexOf(file, small));
    const written = readFileSync(file);
    const damaged = damage(Buffer.from(written));
    expect(damaged.equals(written)).toBe(false);
    writeFileSync(file, damaged);
    expect(hashOfIndex(indexOf(file, small))).toBe(whole);
    expect(readFileSync(file).equals(written)).toBe(true);
  });

  it("is made again for another run, another version, and a journal that says otherwise", () => {
    const file = aPlace();
    const ofOther = hashOfIndex(indexOf(aPlace(), other));
    indexOf(file, small);
    expect(hashOfIndex(indexOf(file, other))).toBe(ofOther);
    indexOf(file, small, { runId: "another" });
    expect(hashOfIndex(indexOf(file, other))).toBe(ofOther);
    // As long as the old one, and chained otherwise: only the hash of what came before differs.
    const forged = other.map((event, at) =>
      at === other.length - 1 ? { ...event, prev: "f".repeat(64) } : event,
    );
    indexOf(file, forged);
    expect(hashOfIndex(indexOf(file, other))).toBe(ofOther);
    let made = 0;
    const count = indexRowsOf(other, () => {
      made += 1;
    });
    indexOf(file, other, { ...count, version: "2" });
    expect(made).toBe(1);
    // A line that was never acknowledged may be taken back: then there is less than is indexed.
    const shorter = other.slice(0, -2);
    expect(hashOfIndex(indexOf(file, shorter))).toBe(hashOfIndex(indexOf(aPlace(), shorter)));
  });

  it("answers where nothing can be written", () => {
    const file = aPlace();
    const folder = join(file, "..");
    // A file where the folder should be: as root no folder is read-only.
    writeFileSync(folder, "");
    expect(asked(indexOf(file, small), "SELECT count(*) FROM events")).toEqual([[small.length]]);
    rmSync(folder);
    mkdirSync(folder);
    chmodSync(folder, 0o500);
    expect(asked(indexOf(file, small), "SELECT count(*) FROM events")).toEqual([[small.length]]);
  });

  it("leaves no other file, and takes away what a killed process left", () => {
    const file = aPlace();
    mkdirSync(join(file, ".."));
    writeFileSync(`${file}.99999`, "half");
    indexOf(file, small);
    expect(readdirSync(join(file, ".."))).toEqual(["index.db"]);
  });

  it("is right for each of several processes that write, ask and delete it at once", async () => {
    const file = aPlace();
    mkdirSync(join(file, ".."));
    const script = join(import.meta.dirname, "ask-often.ts");
    const lines = join(file, "..", "events.json");
    writeFileSync(lines, JSON.stringify(small));
    const ended = await Promise.all(
      [1, 2, 3].map(
        (seed) =>
          new Promise<string>((resolve) => {
            const child = spawn(process.execPath, [script, file, lines, String(seed)]);
            let said = "";
            child.stdout.on("data", (data) => {
              said += data;
            });
            child.stderr.on("data", (data) => {
              said += data;
            });
            child.on("exit", (code) => resolve(`${code} ${said.trim()}`));
          }),
      ),
    );
    expect(ended).toEqual(["0 right", "0 right", "0 right"]);
    expect(hashOfIndex(indexOf(file, small))).toBe(hashOfIndex(indexOf(aPlace(), small)));
  });
});

describe("a question", () => {
  const index = () => indexOf(aPlace(), small);

  it.each([
    "INSERT INTO agents VALUES ('a', 'b', 'c', 'd')",
    "INSERT INTO agents VALUES ('a', 'b', 'c', 'd') RETURNING *",
    "DELETE FROM events",
    "DROP TABLE events",
    "CREATE TABLE x (a)",
    "ATTACH 'other.db' AS other",
    "PRAGMA query_only = OFF",
    "PRAGMA user_version = 7",
    "VACUUM INTO 'copy.db'",
    "BEGIN",
    "SELECT load_extension('x')",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE events",
    "SELECT ?",
    "SELECT * FROM nothing",
    "SELEKT 1",
    "-- only a comment",
  ])("that is not one that only reads gets words and changes nothing: %s", (sql) => {
    const asking = index();
    const before = hashOfIndex(asking);
    const answer = asking.ask(sql);
    expect(answer).toEqual({ trouble: expect.stringMatching(/\w/) });
    expect(hashOfIndex(asking)).toBe(before);
    expect(existsSync("other.db") || existsSync("copy.db")).toBe(false);
  });

  it.each([
    "SELECT 1",
    "  /* why */ WITH one AS (SELECT 1) SELECT * FROM one;",
    "VALUES (1)",
    "SELECT name FROM pragma_table_info('agents') LIMIT 1",
  ])("that reads is answered: %s", (sql) => {
    expect(asked(index(), sql)).toHaveLength(1);
  });

  it("with more rows than anyone reads is refused instead of filling the memory", () => {
    const endless =
      "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n";
    expect(index().ask(endless)).toEqual({ trouble: expect.stringContaining("LIMIT") });
    expect(asked(index(), `${endless} LIMIT 3`)).toEqual([[1], [2], [3]]);
  });
});

/** The usual rows, with a note each time they are asked for. */
function indexRowsOf(events: RunEvent[], note: () => void) {
  return {
    rows: () => {
      note();
      return currentRows(replay(events));
    },
  };
}

function flipped(bytes: Buffer, at: number): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}
