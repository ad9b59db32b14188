import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it, vi } from "vitest";
import { hashOf, readBlob, writeBlob } from "../../../src/adapters/journal/blobs.ts";
import { openJournal, readRunBlob } from "../../../src/adapters/journal/jsonl.ts";
import { memoryJournal } from "../../../src/adapters/journal/memory.ts";
import type { Journal } from "../../../src/domain/ports.ts";

// Each is fsynced: how long that takes is the disk's affair.
vi.setConfig({ testTimeout: 120_000 });

const folder = mkdtempSync(join(tmpdir(), "fractal-blobs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const sha = (text: string) => createHash("sha256").update(text).digest("hex");
const pathOf = (hash: string) => join(folder, hash.slice(0, 2), hash);

describe("a blob", () => {
  it("is found by the SHA-256 of its text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const hash = writeBlob(folder, text);
        expect(hash).toBe(sha(text));
        expect(readBlob(folder, hash)).toBe(text);
      }),
      { numRuns: 40 },
    );
  });

  it("is written once, and leaves nothing else behind", () => {
    const hash = writeBlob(folder, "once");
    expect(writeBlob(folder, "once")).toBe(hash);
    const there = readdirSync(join(folder, hash.slice(0, 2)));
    expect(there.filter((name) => name.startsWith(hash))).toEqual([hash]);
  });

  it("is none when it is not there, or is not what its name says", () => {
    expect(readBlob(folder, sha("never written"))).toBeUndefined();
    const hash = writeBlob(folder, "true");
    writeFileSync(pathOf(hash), "false");
    expect(readBlob(folder, hash)).toBeUndefined();
  });

  it("is made whole again when it is written again", () => {
    const hash = writeBlob(folder, "whole");
    writeFileSync(pathOf(hash), "who");
    writeBlob(folder, "whole");
    expect(readFileSync(pathOf(hash), "utf8")).toBe("whole");
  });

  it("is never read by a name that is no hash", () => {
    for (const name of ["", "..", "../../etc/passwd", "A".repeat(64), "a".repeat(63)]) {
      expect(readBlob(folder, name)).toBeUndefined();
    }
  });

  it("that a killed process left half written is gone when the journal is opened again", () => {
    const journal = openJournal(folder, "killed") as Journal;
    const hash = journal.putBlob("whole");
    const place = join(folder, "killed", "blobs", hash.slice(0, 2));
    writeFileSync(join(place, `${hash}.4711.tmp`), "who");
    openJournal(folder, "killed");
    expect(readdirSync(place)).toEqual([hash]);
  });

  it("that was on its way when its run was killed before its first line is gone with the next run", () => {
    const unbegun = openJournal(folder, "unbegun") as Journal;
    const begun = openJournal(folder, "begun") as Journal;
    writeFileSync(join(folder, "begun", "events.jsonl"), "{}\n");
    const places = [unbegun, begun].map((journal, at) => {
      const hash = journal.putBlob("whole");
      const place = join(folder, at === 0 ? "unbegun" : "begun", "blobs", hash.slice(0, 2));
      writeFileSync(join(place, "who.4711.tmp"), "who");
      return place;
    });
    // No run, whatever it is called.
    writeFileSync(join(folder, "notes"), "of a person");
    openJournal(folder, "next");
    expect(places.map((place) => readdirSync(place).length)).toEqual([1, 2]);
  });

  it("of a journal is the same on disk and in memory", () => {
    const disk = openJournal(folder, "run") as Journal;
    for (const journal of [disk, memoryJournal("run")]) {
      const hash = journal.putBlob("a prompt");
      expect(hash).toBe(hashOf("a prompt"));
      expect(journal.getBlob(hash)).toBe("a prompt");
      expect(journal.getBlob(sha("other"))).toBeUndefined();
    }
    expect(readRunBlob(folder, "run", sha("a prompt"))).toBe("a prompt");
  });
});
