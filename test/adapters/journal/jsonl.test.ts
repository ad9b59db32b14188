/** The journal on a real disk: what goes in comes back, and what is damaged is named by its line. */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { journalPath, openJournal, readJournal } from "../../../src/adapters/journal/jsonl.ts";
import type { JournalDamage } from "../../../src/adapters/journal/lines.ts";
import { memoryJournal } from "../../../src/adapters/journal/memory.ts";
import { JOURNAL_VERSION, type NewEvent, type RunEvent } from "../../../src/domain/event.ts";
import type { Journal } from "../../../src/domain/ports.ts";
import { reconcile } from "../../../src/rules/reconcile.ts";
import { replay } from "../../../src/rules/replay.ts";
import { STARTED_AT } from "../../support/builders.ts";
import { created, runStarted } from "../../support/leaf-store.ts";
import { chanceOf, toyRun } from "../../support/toy-run.ts";

// Thousands of files, each fsynced: how long that takes is the disk's affair.
vi.setConfig({ testTimeout: 120_000 });

const top = mkdtempSync(join(tmpdir(), "fractal-journal-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));

let telemetry = "";
let made = 0;
beforeEach(() => {
  made += 1;
  telemetry = join(top, `t${made}`);
});

const RUN = "r";
const file = () => journalPath(telemetry, RUN);
const lines = () => readFileSync(file(), "utf8").split("\n").slice(0, -1);
const sha = (text: string) => createHash("sha256").update(text).digest("hex");
const noted = (reason: string): NewEvent => ({
  task_id: null,
  actor: "fractal",
  event_type: "pass.decided",
  decision: "continue",
  reason,
});

function opened(): Journal {
  const journal = openJournal(telemetry, RUN);
  if ("line" in journal) throw new Error(`line ${journal.line}: ${journal.message}`);
  return journal;
}

/** A journal of some lines with all kinds of characters in them. */
function aJournal(
  reasons: string[] = ["a", "naïve – ünïcode 🌱", 'a "quote"\nand a line', "d"],
): Journal {
  const journal = opened();
  journal.append([runStarted, created("root", null)], STARTED_AT);
  for (const [at, reason] of reasons.entries()) journal.append([noted(reason)], STARTED_AT + at);
  return journal;
}

describe("a journal", () => {
  it("comes back as it was written, after it was opened again", () => {
    const written = structuredClone(aJournal().read());
    expect(opened().read()).toEqual(written);
    expect(readJournal(telemetry, RUN)).toEqual(written);
    opened().append([noted("later")], STARTED_AT + 9);
    expect(readJournal(telemetry, RUN)).toHaveLength(written.length + 1);
  });

  it("stamps each line: version, number, run, time, and the hash of the line before", () => {
    aJournal();
    let prev = "";
    for (const [at, line] of lines().entries()) {
      expect(JSON.parse(line)).toMatchObject({ v: JOURNAL_VERSION, seq: at, run_id: RUN, prev });
      prev = sha(line);
    }
    expect(JSON.parse(lines()[2] ?? "")).toMatchObject({ timestamp: "2026-01-05T12:00:00.000Z" });
  });

  it("writes many events at once as lines of one chain", () => {
    const journal = aJournal([]);
    journal.append([noted("1"), noted("2"), noted("3")], STARTED_AT);
    expect(
      opened()
        .read()
        .map((event) => event.seq),
    ).toEqual([0, 1, 2, 3, 4]);
  });

  it("writes nothing for no events", () => {
    const journal = aJournal();
    const before = readFileSync(file());
    expect(journal.append([], STARTED_AT)).toEqual([]);
    expect(readFileSync(file())).toEqual(before);
  });

  it("is empty where there is none, and reading makes none", () => {
    expect(readJournal(telemetry, RUN)).toEqual([]);
    expect(existsSync(telemetry)).toBe(false);
  });

  it("never takes what could not be read back", () => {
    const journal = aJournal();
    const before = readFileSync(file());
    const wrong = { ...noted("x"), decision: "maybe" } as unknown as NewEvent;
    expect(() => journal.append([noted("fine"), wrong], STARTED_AT)).toThrow();
    expect(readFileSync(file())).toEqual(before);
    journal.append([noted("goes on")], STARTED_AT);
    expect(opened().read().at(-1)).toMatchObject({ reason: "goes on" });
  });

  it("takes any text", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" }), { maxLength: 5 }), (texts) => {
        made += 1;
        telemetry = join(top, `t${made}`);
        aJournal(texts);
        const read = opened().read().slice(2) as (RunEvent & { reason: string })[];
        expect(read.map((event) => event.reason)).toEqual(texts);
      }),
      { numRuns: 40 },
    );
  });

  it("on disk and in memory come to the same state", async () => {
    let tasks = 0;
    for (const seed of [1, 2, 3, 4, 5]) {
      const folder = join(telemetry, `${seed}`);
      const disk = openJournal(folder, "toy") as Journal;
      const states = [];
      for (const journal of [memoryJournal("toy"), disk]) {
        const chance = chanceOf(seed);
        const run = toyRun(chance, {}, journal);
        for (let pass = 0; pass < 30; pass++) {
          const actions = reconcile(run.snapshot(), run.limits, run.clock.nowMs);
          for (const action of actions) await run.start(action);
          for (const id of [...run.busy.keys()]) if (chance(2) === 0) await run.finish(id);
        }
        states.push(run.store.state);
      }
      tasks += states[0]?.tasks.size ?? 0;
      expect(states[1]).toEqual(states[0]);
      expect(replay(readJournal(folder, "toy") as RunEvent[])).toEqual(states[0]);
    }
    expect(tasks).toBeGreaterThan(10);
  });
});

describe("a torn tail", () => {
  it("is cut back to the last whole line, wherever in the last three lines it broke off", () => {
    aJournal();
    const whole = readFileSync(file());
    const text = whole.toString("utf8");
    const starts = [
      0,
      ...[...text.matchAll(/\n/g)].map((at) => Buffer.byteLength(text.slice(0, at.index + 1))),
    ];
    const from = starts.at(-4) ?? 0;
    expect(from).toBeGreaterThan(0);
    for (let cut = from; cut < whole.length; cut++) {
      writeFileSync(file(), whole.subarray(0, cut));
      const kept = starts.filter((start) => start <= cut).length - 1;
      // Reading only leaves the file as it is; opening heals it.
      expect(readJournal(telemetry, RUN)).toHaveLength(kept);
      expect(readFileSync(file())).toHaveLength(cut);
      const journal = opened();
      expect(journal.read()).toHaveLength(kept);
      expect(readFileSync(file())).toHaveLength(starts[kept] ?? -1);
      journal.append([noted("healed")], STARTED_AT);
      expect((readJournal(telemetry, RUN) as RunEvent[]).at(-1)).toMatchObject({
        reason: "healed",
      });
    }
  });
});

describe("a write of several lines", () => {
  it("is there whole or not at all, wherever it broke off", () => {
    aJournal();
    const before = readFileSync(file()).length;
    const count = lines().length;
    opened().append([noted("one"), noted("two"), noted("three")], STARTED_AT);
    const whole = readFileSync(file());
    for (let cut = before; cut < whole.length; cut++) {
      writeFileSync(file(), whole.subarray(0, cut));
      expect(readJournal(telemetry, RUN)).toHaveLength(count);
      const journal = opened();
      expect(journal.read()).toHaveLength(count);
      expect(readFileSync(file())).toHaveLength(before);
    }
    writeFileSync(file(), whole);
    expect(opened().read()).toHaveLength(count + 3);
  });
});

describe("damage", () => {
  const damageOf = (bytes: Buffer | string): JournalDamage => {
    writeFileSync(file(), bytes);
    const read = readJournal(telemetry, RUN);
    if (!("line" in read)) throw new Error("it was taken for whole");
    expect(openJournal(telemetry, RUN)).toEqual(read);
    expect(readFileSync(file())).toEqual(Buffer.from(bytes));
    return read;
  };

  it("of any byte before the last line is refused, with the line or the one that disowns it", () => {
    aJournal(["a", "b", "ünïcode � 🌱", "d", "e"]);
    const whole = readFileSync(file());
    const lastLine = whole.lastIndexOf(10, whole.length - 2) + 1;
    for (let at = 0; at < lastLine; at++) {
      const bit = 1 << (at % 8);
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ bit;
      const line = whole.subarray(0, at).filter((byte) => byte === 10).length + 1;
      const { line: found, file: where } = damageOf(damaged);
      expect([line, line + 1]).toContain(found);
      expect(where).toBe(file());
    }
  });

  it("of the last line never loses another, whatever bit it is", () => {
    aJournal();
    const whole = readFileSync(file());
    const lastLine = whole.lastIndexOf(10, whole.length - 2) + 1;
    const total = lines().length;
    for (let at = lastLine; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(file(), damaged);
      const read = readJournal(telemetry, RUN);
      // Nothing comes after it that could disown it; an end that is none is a torn tail.
      if ("line" in read) expect(read.line).toBeGreaterThanOrEqual(total);
      else expect(read.length).toBeGreaterThanOrEqual(total - 1);
    }
  });

  it.each([
    [
      "two lines swapped",
      (all: string[]) => [...all.slice(0, 2), all[3], all[2], ...all.slice(4)],
      3,
    ],
    ["a line doubled", (all: string[]) => [...all.slice(0, 3), all[2], ...all.slice(3)], 4],
    ["a line missing", (all: string[]) => [...all.slice(0, 2), ...all.slice(3)], 3],
    ["the first line missing", (all: string[]) => all.slice(1), 1],
    ["an empty line", (all: string[]) => [...all.slice(0, 2), "", ...all.slice(2)], 3],
    [
      "a line of another run's words",
      (all: string[]) => [...all.slice(0, 2), "{}", ...all.slice(2)],
      3,
    ],
  ] as const)("by %s is refused with its line", (_, damage, line) => {
    aJournal();
    expect(damageOf(`${damage(lines()).join("\n")}\n`).line).toBe(line);
  });

  it("of a field is told in words", () => {
    aJournal([]);
    const [first = "", second = ""] = lines();
    const wrong = JSON.stringify({ ...JSON.parse(second), event_type: "task.vanished" });
    expect(damageOf(`${first}\n${wrong}\n`)).toMatchObject({
      line: 2,
      message: expect.stringMatching(`not an event of version ${JOURNAL_VERSION}`),
    });
  });

  it("is not what a newer fractal wrote: its version is named", () => {
    aJournal([]);
    const [first = "", second = ""] = lines();
    const newer = JSON.stringify({ ...JSON.parse(second), v: JOURNAL_VERSION + 1, more: true });
    const { line, message, newer: version } = damageOf(`${first}\n${newer}\n`);
    expect({ line, version }).toEqual({ line: 2, version: JOURNAL_VERSION + 1 });
    expect(message).toMatch(`newer fractal (journal version ${JOURNAL_VERSION + 1}`);
  });
});
