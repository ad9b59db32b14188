/** What of a database is known: our own writes are no news, and whoever was there meanwhile is a doubt. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { holdersOf } from "../../../src/adapters/beads/courtesy.ts";
import { type Known, openKnown } from "../../../src/adapters/beads/known.ts";
import type { Failure } from "../../../src/domain/failure.ts";

const down: Failure = { failure: "tracker-unavailable", detail: "killed" };

describe.skipIf(process.platform !== "linux")("what is known of a database", () => {
  let beadsDir: string;
  let manifest: string;
  let gate: string;
  let known: Known;
  let writes = 0;
  /** What any bd does that writes. */
  const change = () => writeFileSync(manifest, `root ${++writes}`);
  const write = () => known.write(1, async () => change());
  /** A bd that this process did not start is there until `leave`, or for as long as a short one lives. */
  const holders = () => holdersOf(statSync(gate).ino, readFileSync("/proc/locks", "utf8"));
  const come = async (seconds = 60) => {
    const held = `flock --shared --no-fork ${gate} sleep ${seconds}`;
    await execa("sh", ["-c", `setsid ${held} >/dev/null 2>&1 &`]);
    await expect.poll(() => holders().length, { timeout: 30_000 }).toBe(1);
  };
  const leave = async () => {
    for (const pid of holders()) process.kill(pid);
    await expect.poll(() => holders().length, { timeout: 30_000 }).toBe(0);
  };

  beforeEach(() => {
    beadsDir = mkdtempSync(join(tmpdir(), "fractal-known-"));
    manifest = join(beadsDir, "embeddeddolt/fr/.dolt/noms/manifest");
    mkdirSync(dirname(manifest), { recursive: true });
    gate = join(beadsDir, "embeddeddolt.gate.lock");
    writeFileSync(gate, "");
    change();
    known = openKnown(beadsDir);
  });
  afterEach(async () => {
    await leave();
    rmSync(beadsDir, { recursive: true, force: true });
  });

  it("is not changed by our own writes while nobody else is there", async () => {
    const before = known.version();
    await write();
    expect(known.doubt()).toBeUndefined();
    expect(known.version()).toBe(before);
  });

  it("has another version, and leaves a doubt, where somebody wrote since it was looked", async () => {
    const before = known.version();
    change();
    await write();
    expect(known.doubt()).toMatchObject({ ours: 1 });
    expect(known.version()).not.toBe(before);
    expect(known.doubt()).toBeUndefined();
  });

  it("is in doubt where somebody is there while we write, and was in none up to then", async () => {
    const before = known.version();
    const lookedAt = Date.now();
    await write();
    await come();
    await write();
    await write();
    const doubt = known.doubt();
    expect(doubt?.ours).toBe(2);
    expect(Number(doubt?.since)).toBeGreaterThanOrEqual(lookedAt);
    expect(known.version()).not.toBe(before);
  });

  it("is in doubt where somebody came and went while we wrote", async () => {
    known.version();
    await known.write(1, async () => {
      await come(0.2);
      await expect.poll(() => holders().length, { timeout: 30_000 }).toBe(0);
      change();
    });
    expect(known.doubt()).toMatchObject({ ours: 1 });
  });

  it("cannot count what failed, or may have written nothing", async () => {
    known.version();
    await known.write(1, async () => down);
    expect(known.doubt()).toMatchObject({ ours: undefined });
    known.version();
    await come();
    await known.write(undefined, async () => change());
    await write();
    expect(known.doubt()).toMatchObject({ ours: undefined });
  });

  it("is always to be looked at again where there is no manifest", async () => {
    rmSync(manifest);
    expect(known.version()).not.toBe(known.version());
    await known.write(1, async () => undefined);
    expect(known.doubt()).toMatchObject({ ours: 1 });
  });
});
