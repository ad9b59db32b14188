/** Journals of older versions: they read as today's, go on, and their lines are never rewritten. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { journalPath, openJournal, readJournal } from "../../../src/adapters/journal/jsonl.ts";
import { JOURNAL_VERSION, type RunEvent } from "../../../src/domain/event.ts";
import { replay } from "../../../src/rules/replay.ts";
import { treeJson } from "../../../src/view/tree-json.ts";
import { STARTED_AT } from "../../support/builders.ts";

const FIXTURES = join(import.meta.dirname, "..", "..", "fixtures", "journals");
/** The run of the bundled specification, as the fractal of version 1 wrote it. */
const V1 = join(FIXTURES, "v1.jsonl");
const RUN = "7abqc7";

const top = mkdtempSync(join(tmpdir(), "fractal-upgrade-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));
let telemetry = "";
let made = 0;
const file = () => journalPath(telemetry, RUN);

beforeEach(() => {
  made += 1;
  telemetry = join(top, `t${made}`);
  mkdirSync(dirname(file()), { recursive: true });
  copyFileSync(V1, file());
});

function read(): RunEvent[] {
  const events = readJournal(telemetry, RUN);
  if (!Array.isArray(events)) throw new Error(`line ${events.line}: ${events.message}`);
  return events;
}

describe("a journal of version 1", () => {
  it("reads as lines of today's version, and its file is left as it is", () => {
    const events = read();
    expect(events).toHaveLength(241);
    expect(new Set(events.map((event) => event.v))).toEqual(new Set([JOURNAL_VERSION]));
    expect(readFileSync(file())).toEqual(readFileSync(V1));
  });

  it("comes to the tree, attempts and money that `fractal tree --json` of version 1 showed", () => {
    const shown = JSON.parse(readFileSync(join(FIXTURES, "v1.tree.json"), "utf8"));
    expect(JSON.parse(JSON.stringify(treeJson(replay(read()))))).toMatchObject(shown);
  });

  it("goes on with lines of today's version after its own, in one chain", () => {
    const journal = openJournal(telemetry, RUN);
    if ("line" in journal) throw new Error(journal.message);
    journal.append(
      [{ task_id: null, actor: "fractal", event_type: "run.stopped", reason: "t", exit_code: 0 }],
      STARTED_AT,
    );
    const lines = readFileSync(file(), "utf8").trimEnd().split("\n");
    expect(lines.slice(0, -1).join("\n")).toBe(readFileSync(V1, "utf8").trimEnd());
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ v: JOURNAL_VERSION, seq: 241 });
    expect(read()).toHaveLength(242);
  });

  it("is verified on its bytes as they were written: a changed old line is damage", () => {
    const lines = readFileSync(file(), "utf8").split("\n");
    // The same event, in other bytes: lifted it would look alike.
    lines[3] = (lines[3] ?? "").replace('"v":1,', '"v": 1,');
    writeFileSync(file(), lines.join("\n"));
    expect(readJournal(telemetry, RUN)).toMatchObject({
      line: 5,
      message: expect.stringContaining("`prev`"),
    });
  });
});

describe("a line of no version that was ever written", () => {
  it.each([0, -1, 1.5, "1"])("is damage: %j", (v) => {
    const lines = readFileSync(file(), "utf8").trimEnd().split("\n");
    const last = JSON.stringify({ ...JSON.parse(lines.pop() ?? ""), v });
    writeFileSync(file(), `${[...lines, last].join("\n")}\n`);
    expect(readJournal(telemetry, RUN)).toMatchObject({ line: 241 });
  });
});
