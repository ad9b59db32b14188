/** Begins a run, or goes on with the open one, while nobody else is at work in the repository. */
import { randomBytes } from "node:crypto";
import { isFailure } from "../domain/failure.ts";
import type { Human } from "../domain/ports.ts";
import type { Context } from "./context.ts";
import { EXIT, isRefusal, type Refusal, refusalOf, refuse } from "./exit.ts";
import { damagedRun, findRun, isOpen, readableRuns, telemetryOf } from "./find-run.ts";
import type { RunFlags } from "./flags.ts";
import { withLastModelFlags } from "./model-flags.ts";
import { openWorld, type StartedRun } from "./open-world.ts";
import { orderOf, readOrder } from "./order.ts";
import { findPlace, type Place } from "./prepare.ts";
import type { SpecInput } from "./spec-input.ts";
import { machine } from "./wire.ts";

/** `fractal run SPEC`: goes on with the open run of the same path and bytes, else starts one. */
export async function startRun(
  context: Context,
  path: string,
  flags: RunFlags,
  human: Human,
): Promise<StartedRun | Refusal> {
  // All that the user wrote is read first: nothing is made for what cannot be run.
  const order = await readOrder(context, path);
  if (isRefusal(order)) return order;
  const place = await findPlace(context, human);
  if (isRefusal(place)) return place;
  return underLock(place, async () => {
    const asked = { context, flags, human, place, order };
    const open = readableRuns(place.top).filter(
      (run) => isOpen(run.state) && run.state.spec.path === order.input.path,
    );
    const same = open.find((run) => run.state.spec.hash === order.input.hash);
    if (same !== undefined && !flags.fresh) {
      return openWorld({ ...asked, runId: same.runId, isNew: false });
    }
    const damaged = flags.fresh ? undefined : damagedRun(place.top, order.input.path);
    if (damaged !== undefined) return damaged;
    const other = open[0];
    if (other !== undefined && !flags.fresh) {
      const goOn = `fractal resume ${other.runId}`;
      const anew = `fractal run ${path} --new`;
      const width = Math.max(goOn.length, anew.length);
      return refuse(EXIT.usage, `${path} changed since run ${other.runId} of it was started`, {
        next: [
          `${goOn.padEnd(width)}  # go on with the text it was started with`,
          `${anew.padEnd(width)}  # start a new run with the new text`,
        ],
      });
    }
    return openWorld({ ...asked, runId: newRunId(), isNew: true });
  });
}

/** `fractal resume [run]`: goes on with the text the run was started with. */
export async function resumeRun(
  asked: Context,
  named: string | undefined,
  flags: RunFlags,
  human: Human,
): Promise<StartedRun | Refusal> {
  const place = await findPlace(asked, human);
  if (isRefusal(place)) return place;
  const found = findRun(place.top, named);
  if (isRefusal(found)) return found;
  const context = withLastModelFlags(asked, found);
  if (isRefusal(context)) return context;
  const { spec, givenPlan } = found.state;
  // What a plan was made of stands in the plan.
  const hash = givenPlan ?? spec.blob;
  const text = machine.readRunBlob(telemetryOf(place.top), found.runId, hash);
  if (text === undefined) return refuseLostText(found.runId, hash);
  const input: SpecInput = { path: spec.path, text, hash: spec.hash };
  const order = await orderOf(context, place.top, input, givenPlan !== undefined);
  if (isRefusal(order)) return order;
  return underLock(place, () =>
    openWorld({ context, flags, human, place, order, runId: found.runId, isNew: false }),
  );
}

/** Without the text it was started with nobody knows what a run is to do. */
function refuseLostText(runId: string, hash: string): Refusal {
  return refuse(EXIT.environment, `the text that run ${runId} was started with is lost`, {
    where: [`blob ${hash} is missing or damaged`],
    next: [
      `fractal fsck ${runId}   # says what else is`,
      "restore telemetry/ from a backup, or start again: fractal run SPEC --new",
    ],
  });
}

/** Holds the repository's lock until the run is closed; a refusal lets go of it at once. */
async function underLock(
  place: Place,
  body: () => Promise<StartedRun | Refusal>,
): Promise<StartedRun | Refusal> {
  const lock = machine.takeLock(place.gitCommonDir);
  if (isFailure(lock)) return refusalOf(lock);
  if (lock === undefined) {
    return refuse(EXIT.usage, "another fractal run is at work in this repository", {
      next: ["fractal tree   # shows it", "wait for it, or stop it with Ctrl-C in its terminal"],
    });
  }
  let started: StartedRun | Refusal | undefined;
  try {
    started = await body();
  } finally {
    if (started === undefined || isRefusal(started)) lock.release();
  }
  if (isRefusal(started)) return started;
  const { world, close } = started;
  return { world, close: () => close().finally(() => lock.release()) };
}

/** Six letters and digits that are not taken for one another. */
function newRunId(): string {
  const alphabet = "23456789abcdefghjkmnpqrstuvwxyz";
  return [...randomBytes(6)].map((byte) => alphabet[byte % alphabet.length]).join("");
}
