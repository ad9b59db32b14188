/** A person's bd is let in between ours. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";
import { holdersOf, standBack } from "../../../src/adapters/beads/courtesy.ts";

const LOCKS = `1: FLOCK  ADVISORY  READ 32528 fe:00:10135933 0 EOF
2: FLOCK  ADVISORY  WRITE 77 fe:00:10135933 0 EOF
3: POSIX  ADVISORY  READ 78 fe:00:10135933 0 EOF
4: FLOCK  ADVISORY  READ 79 fe:00:9979103 0 EOF
12: FLOCK  ADVISORY  READ 32557 fe:00:10135933 0 EOF
12: -> FLOCK  ADVISORY  READ 5 fe:00:10135933 0 EOF
`;

it("knows from the list of locks who is at work on a database or waits for it", () => {
  expect(holdersOf(10135933, LOCKS)).toEqual([32528, 32557]);
  expect(holdersOf(1, LOCKS)).toEqual([]);
});

it.skipIf(process.platform !== "linux")(
  "waits for a bd that is not its own, and for no other",
  async () => {
    const beadsDir = mkdtempSync(join(tmpdir(), "fractal-courtesy-"));
    try {
      const gate = join(beadsDir, "embeddeddolt.gate.lock");
      writeFileSync(gate, "");
      await standBack(beadsDir, new Set());

      const person = execa("flock", ["--shared", "--no-fork", gate, "cat"], { reject: false });
      const holders = () => holdersOf(statSync(gate).ino, readFileSync("/proc/locks", "utf8"));
      await expect.poll(holders, { timeout: 30_000 }).toEqual([person.pid]);
      let wentOn = false;
      const waiting = standBack(beadsDir, new Set()).then(() => {
        wentOn = true;
      });
      await standBack(beadsDir, new Set([person.pid ?? 0]));
      expect(wentOn).toBe(false);
      person.stdin?.end();
      await person;
      await waiting;
      expect(holders()).toEqual([]);
    } finally {
      rmSync(beadsDir, { recursive: true, force: true });
    }
  },
  60_000,
);
