/** A journal damaged in thousands of ways: a torn tail is healed, all else is refused with its line, and nothing is lost. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { journalPath, openJournal, readJournal } from "../../../src/adapters/journal/jsonl.ts";
import type { RunEvent } from "../../../src/domain/event.ts";
import type { Journal } from "../../../src/domain/ports.ts";
import { reconcile } from "../../../src/rules/reconcile.ts";
import { replay } from "../../../src/rules/replay.ts";
import { chanceOf, sampleOf, tryAll } from "../../destruction/trials.ts";
import { IS_DEEP, SEED } from "../../support/seed.ts";
import { chanceOf as toyChance, toyRun } from "../../support/toy-run.ts";

// Thousands of files: slow on a busy machine, never stuck.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 60_000 });

const telemetry = mkdtempSync(join(tmpdir(), "fractal-damage-"));
afterAll(() => rmSync(telemetry, { recursive: true, force: true }));
const file = journalPath(telemetry, "toy");
let whole: Buffer;
let events: RunEvent[];
/** Where each line begins, and the end of the last. */
let starts: number[];

/** The journal of a run of the real core, with every kind of line a run has. */
beforeAll(async () => {
  const run = toyRun(toyChance(7), {}, openJournal(telemetry, "toy") as Journal);
  for (let pass = 0; pass < 60; pass++) {
    const actions = reconcile(run.snapshot(), run.limits, run.clock.nowMs);
    for (const action of actions) await run.start(action);
    for (const id of [...run.busy.keys()]) await run.finish(id);
  }
  whole = readFileSync(file);
  events = readJournal(telemetry, "toy") as RunEvent[];
  starts = [0];
  for (let at = whole.indexOf(10); at >= 0; at = whole.indexOf(10, at + 1)) starts.push(at + 1);
});

const lineOf = (byte: number) => starts.findLastIndex((start) => start <= byte) + 1;
const lines = () => whole.toString("utf8").trimEnd().split("\n");

/** Refused, by reading and by opening, with one of these lines; the file stays as it is. */
function expectRefused(bytes: Buffer, expected: number[]): void {
  writeFileSync(file, bytes);
  for (const found of [readJournal(telemetry, "toy"), openJournal(telemetry, "toy")]) {
    if (!("line" in found)) throw new Error("it was taken for whole");
    expect(expected).toContain(found.line);
    expect(found.file).toBe(file);
    expect(found.message.length).toBeGreaterThan(5);
  }
  expect(readFileSync(file).equals(bytes)).toBe(true);
}

/** Taken, with these whole lines, by reading and by opening; what was torn is cut off, and it goes on. */
function expectHealed(bytes: Buffer, linesKept: number): void {
  writeFileSync(file, bytes);
  expect(readJournal(telemetry, "toy")).toEqual(events.slice(0, linesKept));
  const journal = openJournal(telemetry, "toy") as Journal;
  expect(journal.read()).toEqual(events.slice(0, linesKept));
  expect(readFileSync(file).equals(whole.subarray(0, starts[linesKept]))).toBe(true);
  if (linesKept > 0) replay(journal.read());
  journal.append(
    [{ task_id: null, actor: "a", event_type: "run.stopped", reason: "healed", exit_code: 0 }],
    0,
  );
  expect(readJournal(telemetry, "toy")).toHaveLength(linesKept + 1);
}

const suite = (name: string, what: string) => ({
  file: "test/adapters/journal/damage.test.ts",
  project: "unit",
  suite: `journal ${name}`,
  what,
  // They share one file.
  parallel: 1,
});

it("is healed wherever the last three lines were cut off", async () => {
  const cuts = Array.from(
    { length: whole.length - (starts.at(-4) ?? 0) },
    (_, at) => (starts.at(-4) ?? 0) + at,
  );
  await tryAll({
    ...suite("cut", "at every byte of its last three lines: healed, and goes on"),
    cases: IS_DEEP ? cuts : sampleOf(cuts, 60, chanceOf(SEED)),
    nameOf: (cut) => `byte ${cut}`,
    attempt: async (cut) => {
      let kept = starts.filter((start) => start <= cut).length - 1;
      // What was written together is believed together.
      while (kept > 0 && events[kept - 1]?.left !== undefined) kept -= 1;
      expectHealed(whole.subarray(0, cut), kept);
      return undefined;
    },
  });
});

it("is refused with its line, or the one that disowns it, whatever bit was turned", async () => {
  const chance = chanceOf(SEED + 1);
  const flips = Array.from({ length: IS_DEEP ? 500 : 80 }, () => ({
    byte: Math.floor(chance() * whole.length),
    bit: Math.floor(chance() * 8),
  }));
  await tryAll({
    ...suite("bit flip", "one bit anywhere: refused with its line or the next"),
    cases: flips,
    nameOf: ({ byte, bit }) => `bit ${bit} of byte ${byte}`,
    attempt: async ({ byte, bit }) => {
      const damaged = Buffer.from(whole);
      damaged[byte] = (damaged[byte] ?? 0) ^ (1 << bit);
      const line = lineOf(byte);
      if (line < events.length) {
        expectRefused(damaged, [line, line + 1]);
        return "refused";
      }
      // No line comes after the last one that could disown it: all others are there.
      writeFileSync(file, damaged);
      const read = readJournal(telemetry, "toy");
      if ("line" in read) expect(read.line).toBe(line);
      else expect(read.slice(0, line - 1)).toEqual(events.slice(0, -1));
      return "line" in read ? "refused" : "in the last line, believed";
    },
  });
});

it("is refused with its line when lines were swapped, doubled, lost, or taken from elsewhere", async () => {
  const chance = chanceOf(SEED + 2);
  const line = (max: number) => Math.floor(chance() * max);
  const kinds = ["swapped", "doubled", "missing", "foreign", "empty"] as const;
  const cases = Array.from({ length: IS_DEEP ? 500 : 60 }, (_, at) => {
    const first = line(events.length - 1);
    const second = first + 1 + line(events.length - 1 - first);
    return { kind: kinds[at % kinds.length] ?? "swapped", first, second };
  });
  await tryAll({
    ...suite(
      "lines",
      "swapped, doubled, missing, foreign, empty: refused with the first that is wrong",
    ),
    cases,
    nameOf: ({ kind, first, second }) => `${kind} ${first} ${second}`,
    attempt: async ({ kind, first, second }) => {
      const all = lines();
      const [a = "", b = ""] = [all[first], all[second]];
      if (kind === "swapped") {
        all[first] = b;
        all[second] = a;
      } else if (kind === "doubled") all.splice(second, 0, a);
      else if (kind === "missing") all.splice(first, 1);
      else all.splice(second, 0, kind === "empty" ? "" : a.replace('"run_id"', '"run"'));
      const wrong = kind === "swapped" || kind === "missing" ? first : second;
      expectRefused(Buffer.from(`${all.join("\n")}\n`), [wrong + 1]);
      return kind;
    },
  });
});

it("is refused when something was written into it, or a part of it lost", async () => {
  const chance = chanceOf(SEED + 3);
  const cases = Array.from({ length: IS_DEEP ? 300 : 30 }, () => ({
    byte: Math.floor(chance() * (starts.at(-2) ?? 0)),
    length: 1 + Math.floor(chance() * 2000),
    isHole: chance() < 0.5,
  }));
  await tryAll({
    ...suite(
      "hole",
      "zeroes over a part of it, or a part cut out: refused with its line or the next",
    ),
    cases,
    nameOf: ({ byte, length, isHole }) => `${isHole ? "zeroes" : "cut out"} ${byte} ${length}`,
    attempt: async ({ byte, length, isHole }) => {
      // Up to the last line, which stays.
      const end = Math.min(byte + length, (starts.at(-2) ?? 0) - 1);
      const middle = isHole ? Buffer.alloc(Math.max(0, end - byte)) : Buffer.alloc(0);
      const damaged = Buffer.concat([
        whole.subarray(0, byte),
        middle,
        whole.subarray(Math.max(end, byte)),
      ]);
      if (damaged.equals(whole)) return "nothing changed";
      expectRefused(damaged, [lineOf(byte), lineOf(byte) + 1]);
      return isHole ? "zeroes" : "cut out";
    },
  });
});
