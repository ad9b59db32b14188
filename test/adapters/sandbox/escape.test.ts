/** Ways out of the sandbox, tried in the real one by fractal as root and as an ordinary user; without the guard they succeed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { report } from "../../support/report.ts";
import { ESCAPES } from "./escape-probes.ts";
import type { Tried } from "./escape-run.ts";

// Hundreds of short processes: slow on a busy machine, never stuck.
vi.setConfig({ testTimeout: 600_000 });

const ORDINARY = 65_431;
const script = join(import.meta.dirname, "escape-run.ts");

async function tryAs(uid: number | undefined): Promise<Tried[] | string> {
  const user = uid === undefined ? {} : { uid, gid: uid };
  // Started with a file open, as by a careless shell; Node itself closes only the lowest ones.
  const carelessly = `use POSIX; open(F, "<", "${left}") or die; dup2(fileno(F), 60); exec @ARGV or die`;
  const child = spawn("perl", ["-e", carelessly, process.execPath, script], {
    ...user,
    cwd: "/",
    env: { PATH: process.env["PATH"], HOME: "/nonexistent", TMPDIR: "/tmp" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { out: "", err: "" };
  child.stdout.on("data", (bytes) => {
    said.out += bytes;
  });
  child.stderr.on("data", (bytes) => {
    said.err += bytes;
  });
  await once(child, "close");
  return said.out === "" ? said.err : (JSON.parse(said.out) as Tried[]);
}

function leaveOut(who: string, why: string): void {
  process.stderr.write(`left out: ${who}: ${why}\n`);
}

/** Says so to whoever reads it. */
const left = join(mkdtempSync(join(tmpdir(), "fractal-left-")), "open");
chmodSync(dirname(left), 0o755);
writeFileSync(left, "ESCAPED by a file left open\n", { mode: 0o644 });
afterAll(() => rmSync(dirname(left), { recursive: true, force: true }));

const isRoot = process.getuid?.() === 0;

it.each([
  ["started as root", undefined, !isRoot && "these tests were not started as root"],
  ["started as an ordinary user", isRoot ? ORDINARY : undefined, false],
] as const)("no way out, %s", async (who, uid, unless) => {
  if (unless) return leaveOut(who, unless);
  if (!existsSync("/usr/bin/perl")) throw new Error("perl is needed to make system calls with");
  const tried = await tryAs(uid);
  if (typeof tried === "string") {
    // Sources below a folder that only its owner may enter.
    if (tried.includes("EACCES")) return leaveOut(who, "it cannot read these sources");
    throw new Error(tried);
  }

  expect(tried.length).toBeGreaterThanOrEqual(40);
  expect(tried.filter((one) => one.escaped)).toEqual([]);
  const sure = ESCAPES.filter((one) => one.guard !== undefined && one.unsure === undefined);
  const notShown = sure.filter((probe) =>
    tried.some((one) => one.name === probe.name && !one.unguarded),
  );
  expect(notShown.map((probe) => probe.name)).toEqual([]);
  const shown = tried.filter((one) => one.unguarded);
  report({
    suite: `escape, ${who}`,
    what: "a way out of the sandbox is refused",
    count: tried.length,
    passed: tried.filter((one) => !one.escaped).length,
    details: { "succeed without their guard": shown.length },
  });
  process.stderr.write(
    `escape, ${who}: ${tried.length} refused, ${shown.length} succeed without their guard\n`,
  );
});
