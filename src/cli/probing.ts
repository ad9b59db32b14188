/** What only adapters can tell of this machine: bd, the sandbox with its probes, lock and journal. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isFailure } from "../domain/failure.ts";
import { count } from "../view/text.ts";
import { readableRuns } from "./find-run.ts";
import { PACKAGE } from "./package-folder.ts";
import { refuseFolder } from "./refuse-folder.ts";
import { machine } from "./wire.ts";
import type { Probe } from "./wiring.ts";

/** Every probe, each with what puts it right. Changes nothing but its own cache. */
export async function probeMachine(o: { dir: string }, signal: AbortSignal): Promise<Probe[]> {
  const survey = await machine.surveyFolder(o.dir);
  const top = survey.repository?.top;
  return [
    await probeBd(),
    ...(await probeSandbox(top, signal)),
    ...(top === undefined || survey.repository === undefined
      ? [unusable(o.dir, survey)]
      : probeRuns(top, survey.repository.commonDir)),
  ];
}

/** Where no run can be, and why. */
function unusable(dir: string, survey: Parameters<typeof refuseFolder>[1]): Probe {
  const { what, where, next } = refuseFolder(dir, survey) ?? {
    what: `${dir} is in no git repository`,
    where: [],
    next: ["git init"],
  };
  const fix = next.length === 0 ? {} : { fix: next.join("; ") };
  return { name: "repository", state: "warning", found: [what, ...where].join(": "), ...fix };
}

async function probeBd(): Promise<Probe> {
  const bd = await machine.findBd({ env: process.env, packageDir: PACKAGE });
  return isFailure(bd)
    ? {
        name: "bd",
        state: "missing",
        found: bd.detail,
        fix: "npm start   # in the clone: builds it",
      }
    : { name: "bd", state: "ok", found: `${bd.version} ${bd.path}` };
}

/** Where there is no repository, an empty folder stands in for the checkout that must stay unseen. */
async function probeSandbox(top: string | undefined, signal: AbortSignal): Promise<Probe[]> {
  if (top === undefined) {
    const folder = await mkdtemp(join(tmpdir(), "fractal-doctor-"));
    try {
      return await probeSandbox(folder, signal);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  const sandbox = await machine.createSandbox({
    mode: "contained",
    checkout: top,
    root: ".",
    runId: `doctor-${process.pid}`,
  });
  if (isFailure(sandbox)) return [{ name: "sandbox", state: "missing", found: sandbox.detail }];
  const probes = await machine.selfTest(sandbox, { checkout: top }, signal);
  await sandbox.close();
  if (isFailure(probes)) return [{ name: "sandbox", state: "missing", found: probes.detail }];
  return [
    ...(process.platform === "linux" ? [] : [UNTESTED]),
    ...probes.map(
      (probe): Probe => ({
        name: "sandbox",
        state: probe.held ? "ok" : "missing",
        found: probe.held ? probe.name : `not true: ${probe.name} (${probe.detail})`,
      }),
    ),
  ];
}

const UNTESTED: Probe = {
  name: "sandbox",
  state: "warning",
  found: "the sandbox for this system was written for it and never run on it by its makers",
};

function probeLock(commonDir: string): Probe {
  const held = machine.isLockHeld(commonDir);
  const lock = held ? undefined : machine.takeLock(commonDir);
  if (isFailure(lock)) return { name: "lock", state: "missing", found: lock.detail };
  lock?.release();
  return {
    name: "lock",
    state: "ok",
    found: lock === undefined ? "held: a run is at work here" : "free",
  };
}

function probeRuns(top: string, commonDir: string): Probe[] {
  return [
    probeLock(commonDir),
    {
      name: "journal",
      state: "ok",
      found: `${count(readableRuns(top).length, "run")} can be read`,
    },
  ];
}
