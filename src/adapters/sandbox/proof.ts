/** Runs the self-test of a sandbox, once for each way it is built after each start of the machine. */
import { createHash } from "node:crypto";
import { readFile, readlink, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type Failure, isFailure } from "../../domain/failure.ts";
import type { OpenSandbox } from "./sandbox.ts";
import { brokenSandbox, probesText, selfTest } from "./self-test.ts";

/** Sandboxes that held, newest last; an older one costs another self-test. */
const KEPT_MAX = 100;
const held = z.array(z.string());

/**
 * A failure unless the sandbox held every probe since this machine was started, with this version of
 * fractal. One that contains nothing has nothing to prove.
 */
export async function proveSandbox(
  sandbox: OpenSandbox,
  o: { checkout: string; env?: readonly string[]; version: string },
  signal: AbortSignal,
): Promise<Failure | undefined> {
  if (!sandbox.contained) return undefined;
  const file = join(sandbox.base, "held.json");
  const proof = await proofOf(sandbox, o);
  const before = await readHeld(file);
  if (proof !== undefined && before.includes(proof)) return undefined;
  const probes = await selfTest(sandbox, o, signal);
  if (isFailure(probes)) return probes;
  const broken = brokenSandbox(probes);
  if (broken === undefined && proof !== undefined) {
    await writeHeld(file, [...before, proof].slice(-KEPT_MAX));
  }
  return broken;
}

/** All that the outcome of the self-test depends on; undefined where no start of the machine is told. */
async function proofOf(
  sandbox: OpenSandbox,
  o: { checkout: string; env?: readonly string[]; version: string },
): Promise<string | undefined> {
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => undefined);
  if (boot === undefined || sandbox.fingerprint === undefined) return undefined;
  // A container that is started again is another machine, though its kernel is not.
  const views = await Promise.all(["mnt", "user"].map((kind) => readlink(`/proc/self/ns/${kind}`)));
  const parts = [
    sandbox.fingerprint,
    boot,
    views,
    o.version,
    o.checkout,
    o.env,
    await probesText(),
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

async function readHeld(file: string): Promise<string[]> {
  try {
    return held.parse(JSON.parse(await readFile(file, "utf8")));
  } catch {
    return [];
  }
}

/** What cannot be kept is found out again. */
async function writeHeld(file: string, proofs: string[]): Promise<void> {
  const draft = `${file}.${process.pid}`;
  try {
    await writeFile(draft, JSON.stringify(proofs), { mode: 0o600 });
    await rename(draft, file);
  } catch {
    // The folder is full or read-only.
  }
}
