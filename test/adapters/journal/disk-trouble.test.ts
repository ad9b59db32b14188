/** A disk that refuses: the journal stays good, says so, and takes nothing after it. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { DiskTrouble } from "../../../src/adapters/journal/disk-trouble.ts";
import { journalPath, openJournal, readJournal } from "../../../src/adapters/journal/jsonl.ts";
import type { NewEvent } from "../../../src/domain/event.ts";
import type { Journal } from "../../../src/domain/ports.ts";
import { STARTED_AT } from "../../support/builders.ts";
import { runStarted } from "../../support/leaf-store.ts";

/** The calls the journal makes, in order, and what is to go wrong at which of them. */
const disk = vi.hoisted(() => ({
  calls: [] as string[],
  fail: (_call: string): number | Error | undefined => undefined,
}));

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  return {
    ...fs,
    writeSync: ((file: number, bytes: Buffer, at: number) => {
      disk.calls.push("write");
      const how = disk.fail("write");
      if (how instanceof Error) throw how;
      return fs.writeSync(file, bytes, at, how);
    }) as typeof fs.writeSync,
    fsyncSync: ((file: number) => {
      disk.calls.push("fsync");
      const how = disk.fail("fsync");
      if (how instanceof Error) throw how;
      fs.fsyncSync(file);
    }) as typeof fs.fsyncSync,
  };
});

const top = mkdtempSync(join(tmpdir(), "fractal-trouble-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));
let telemetry = "";
let made = 0;
let journal: Journal;
beforeEach(() => {
  made += 1;
  telemetry = join(top, `t${made}`);
  disk.fail = () => undefined;
  journal = openJournal(telemetry, "r") as Journal;
  journal.append([runStarted], STARTED_AT);
  disk.calls.length = 0;
});

const file = () => journalPath(telemetry, "r");
const note = (reason: string): NewEvent => ({
  task_id: null,
  actor: "fractal",
  event_type: "pass.decided",
  decision: "continue",
  reason,
});
const full = () => Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });

/** Fails the nth call of a kind, from 1. */
function failAt(call: string, n: number, how: () => number | Error): void {
  let seen = 0;
  disk.fail = (name) => {
    if (name !== call) return undefined;
    seen += 1;
    return seen === n ? how() : undefined;
  };
}

describe("an append", () => {
  it("is one write and one fsync, however many events", () => {
    journal.append([note("1"), note("2"), note("3")], STARTED_AT);
    expect(disk.calls).toEqual(["write", "fsync"]);
  });

  it("goes on where a short write stopped", () => {
    failAt("write", 1, () => 10);
    journal.append([note("cut in two")], STARTED_AT);
    expect(disk.calls).toEqual(["write", "write", "fsync"]);
    expect(readJournal(telemetry, "r")).toHaveLength(2);
  });

  it.each([
    ["an error", () => failAt("write", 1, full)],
    ["a write of nothing", () => failAt("write", 1, () => 0)],
    ["a failed fsync", () => failAt("fsync", 1, () => new Error("EIO: i/o error"))],
    [
      "a short write and then an error",
      () => {
        let writes = 0;
        disk.fail = (call) => {
          if (call !== "write") return undefined;
          writes += 1;
          return writes === 1 ? 25 : full();
        };
      },
    ],
  ])("that meets %s is cut back, throws, and is the last", (_, break_) => {
    const before = readFileSync(file());
    break_();
    expect(() => journal.append([note("lost"), note("too")], STARTED_AT)).toThrow(DiskTrouble);
    expect(readFileSync(file())).toEqual(before);

    // There is room again, but what the disk did before is not known: nothing may follow it.
    disk.fail = () => undefined;
    expect(() => journal.append([note("after")], STARTED_AT)).toThrow(DiskTrouble);
    expect(readFileSync(file())).toEqual(before);
    expect(journal.read()).toHaveLength(1);

    const again = openJournal(telemetry, "r") as Journal;
    again.append([note("next time")], STARTED_AT);
    expect(readJournal(telemetry, "r")).toMatchObject([{}, { reason: "next time" }]);
  });

  it("names the file and what the disk said", () => {
    failAt("write", 1, full);
    expect(() => journal.append([note("x")], STARTED_AT)).toThrow(
      `cannot write ${file()}: ENOSPC: no space left on device`,
    );
  });
});

describe("a blob", () => {
  it("is on disk, and so is its name, before anything can name it", () => {
    journal.putBlob("a");
    // The blob; the folders that are new in the ones above them; the name in its folder.
    expect(disk.calls[0]).toBe("fsync");
    expect(disk.calls.slice(-3)).toEqual(["write", "fsync", "fsync"]);
  });

  it("that does not fit throws, leaves nothing, and can be put when there is room", () => {
    failAt("write", 1, full);
    expect(() => journal.putBlob("b")).toThrow(DiskTrouble);
    disk.fail = () => undefined;
    const hash = journal.putBlob("b");
    expect(journal.getBlob(hash)).toBe("b");
  });
});
