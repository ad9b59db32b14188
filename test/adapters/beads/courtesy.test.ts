/** A person's bd is let in between ours. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { holdersOf, openCourtesy } from "../../../src/adapters/beads/courtesy.ts";

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

describe.skipIf(process.platform !== "linux")("a bd beside ours", () => {
  let beadsDir: string;
  let gate: string;
  const holders = () => holdersOf(statSync(gate).ino, readFileSync("/proc/locks", "utf8"));
  /** What a bd does: the lock for as long as its input is open. */
  const HOLD = ["flock", "--shared", "--no-fork", "GATE", "cat"];
  const held = () => HOLD.map((word) => (word === "GATE" ? gate : word));

  /** Standing back takes three seconds where nobody goes. */
  const firstOf = (going: Promise<void>) =>
    Promise.race([going.then(() => "went on"), sleep(2_000, "waits")]);

  beforeEach(() => {
    beadsDir = mkdtempSync(join(tmpdir(), "fractal-courtesy-"));
    gate = join(beadsDir, "embeddeddolt.gate.lock");
    writeFileSync(gate, "");
  });
  afterEach(() => rmSync(beadsDir, { recursive: true, force: true }));

  it("of a person's is waited for until it ends", async () => {
    // Started by a shell that has ended, as a person's terminal is none of our children.
    const input = join(beadsDir, "input");
    await execa("mkfifo", [input]);
    await execa("sh", ["-c", `setsid ${held().join(" ")} <> ${input} >/dev/null 2>&1 &`]);
    await expect.poll(() => holders().length, { timeout: 30_000 }).toBe(1);
    let wentOn = false;
    const waiting = openCourtesy(beadsDir)().then(() => {
      wentOn = true;
    });
    await openCourtesy(join(beadsDir, "another"))();
    expect(wentOn).toBe(false);
    process.kill(holders()[0] ?? 0);
    await waiting;
    expect(holders()).toEqual([]);
  }, 60_000);

  it("that does not end is waited for once in a while", async () => {
    await execa("sh", ["-c", `setsid ${held().slice(0, -1).join(" ")} sleep 60 >/dev/null 2>&1 &`]);
    await expect.poll(() => holders().length, { timeout: 30_000 }).toBe(1);
    const standBack = openCourtesy(beadsDir);
    await standBack();
    expect(await firstOf(standBack())).toBe("went on");
    expect(holders()).toHaveLength(1);
    process.kill(holders()[0] ?? 0);
  }, 60_000);

  it("of our own is not waited for", async () => {
    const [program = "", ...args] = held();
    const ours = execa(program, args, { reject: false });
    await expect.poll(() => holders().length, { timeout: 30_000 }).toBe(1);
    expect(await firstOf(openCourtesy(beadsDir)())).toBe("went on");
    expect(holders()).toHaveLength(1);
    ours.stdin?.end();
    await ours;
  }, 60_000);
});
