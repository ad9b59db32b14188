/** Begins a run, or goes on with the open one: from a command line to a world the loop can work in. */
import { randomBytes } from "node:crypto";
import type { Amounts } from "../domain/budget.ts";
import type { ModelFlags } from "../domain/event/run.ts";
import type { NewEvent } from "../domain/event.ts";
import { isFailure } from "../domain/failure.ts";
import type { Human } from "../domain/ports.ts";
import { serial } from "../orchestrator/serial.ts";
import { openStore } from "../orchestrator/store.ts";
import { createdEvent } from "../orchestrator/tracked.ts";
import { ACTOR, type World } from "../orchestrator/world.ts";
import { draftOf } from "../rules/draft.ts";
import { rootTask } from "../rules/plan/root-task.ts";
import { changedBudgets, refuseTaskBudgets, refuseUnknownSpent, refuseUnpriced } from "./budget.ts";
import type { Context } from "./context.ts";
import { EXIT, isRefusal, type Refusal, refusalOf, refuse } from "./exit.ts";
import {
  beadsOf,
  damagedRun,
  findRun,
  isOpen,
  readableRuns,
  refuseDamaged,
  telemetryOf,
} from "./find-run.ts";
import type { RunFlags } from "./flags.ts";
import { modelFlagsField, rememberModelFlags, withLastModelFlags } from "./model-flags.ts";
import { noteOnResuming, notesOnModels, notesOnPlace } from "./notes.ts";
import { notifier } from "./notify.ts";
import { type Order, orderOf, readOrder, refusePlan } from "./order.ts";
import {
  findPlace,
  mountsOf,
  openProfiles,
  openSandbox,
  openTracker,
  type Place,
  processName,
  promptTexts,
} from "./prepare.ts";
import { allowsOf, openReach } from "./reach.ts";
import { scrubbedJournal, scrubbedRepository, scrubbedSandbox, scrubbedStore } from "./scrubbed.ts";
import type { SpecInput } from "./spec-input.ts";
import { machine } from "./wire.ts";

/** A run ready for the loop. */
export interface StartedRun {
  world: World;
  /** Lets go of the workspaces and of the repository's lock. */
  close(): Promise<void>;
}

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
    const open = readableRuns(place.top).filter(
      (run) => isOpen(run.state) && run.state.spec.path === order.input.path,
    );
    const same = open.find((run) => run.state.spec.hash === order.input.hash);
    if (same !== undefined && !flags.fresh) {
      return openWorld(context, flags, human, place, order, same.runId, false);
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
    return openWorld(context, flags, human, place, order, newRunId(), true);
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
  return underLock(place, () => openWorld(context, flags, human, place, order, found.runId, false));
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

async function openWorld(
  context: Context,
  flags: RunFlags,
  human: Human,
  place: Place,
  order: Order,
  runId: string,
  isNew: boolean,
): Promise<StartedRun | Refusal> {
  const { top } = place;
  const { spec, config, models } = order;
  const { secrets } = context;
  const profiles = await openProfiles(context.env, secrets, models, {
    ...flags,
    callTimeoutMs: config.limits.callTimeoutMs,
  });
  if (isRefusal(profiles)) return profiles;
  const budgetFlags = context.configFlags.budget ?? [];
  const tooFree = isNew
    ? (refuseTaskBudgets(budgetFlags) ?? refuseUnpriced(limitsOfOrder(order), profiles))
    : undefined;
  if (tooFree !== undefined) return tooFree;
  // Said now: what follows may take some seconds.
  const notes = isNew ? notesOnPlace(place) : [noteOnResuming(runId, context.configFlags)];
  for (const note of [...notes, ...notesOnModels(models)]) context.out.note(note);
  const mounts = mountsOf(config, spec.mounts);
  const contained = await openSandbox(
    {
      top,
      root: spec.root,
      runId,
      mounts,
      noSandbox: flags.noSandbox,
      required: config.sandboxRequired,
    },
    context.signal,
  );
  if (isRefusal(contained)) return contained;
  const sandbox = scrubbedSandbox(contained, secrets);
  const repository = scrubbedRepository(
    await machine.openRepository({
      checkout: top,
      runId,
      root: spec.root,
      mounts: [...sandbox.mounts, ...(config.install === undefined ? [] : ["node_modules"])],
    }),
    secrets,
  );
  if (order.plan !== undefined && isNew) {
    const existingFiles = place.head === "" ? [] : await repository.listFiles(place.head);
    const refusal = refusePlan(order.input.path, order.plan, {
      spec,
      root: rootTask(spec, runId).contract,
      limits: config.limits,
      existingFiles,
    });
    if (refusal !== undefined) return refusal;
  }
  const tracker = await openTracker(context, human, top, ACTOR, isNew);
  if (isRefusal(tracker)) return tracker;
  await machine.awaitOrphans(beadsOf(top));
  const opened = machine.openJournal(telemetryOf(top), runId);
  if ("line" in opened) return refuseDamaged(opened);
  const journal = scrubbedJournal(opened, secrets);
  const names = Object.fromEntries(
    Object.entries(profiles).map(([role, profile]) => [role, profile.model.name]),
  );
  const endpoints = Object.fromEntries(
    Object.entries(models).map(([role, { name, baseUrl }]) => [
      role,
      baseUrl === undefined ? name : `${name} at ${baseUrl}`,
    ]),
  );
  const given = modelFlagsField(context.configFlags);
  rememberModelFlags(context, runId);
  const clock = machine.steadyClock(journal.read());
  const begun = () =>
    firstEvent(order, {
      base: place.head,
      branch: repository.branch,
      rootId: `${tracker.prefix}-${runId}`,
      models: names,
      endpoints,
      contained: sandbox.contained,
      jobs: config.limits.jobs,
      allows: allowsOf(config),
      putBlob: journal.putBlob,
      given,
    });
  const store = scrubbedStore(
    openStore(journal, clock, config.limits, isNew ? [begun()] : []),
    secrets,
  );
  // Cut off after its first line, a journal has no root task yet.
  const { rootId } = store.state;
  if (!store.state.tasks.has(rootId)) store.record([createdEvent(rootTask(spec, rootId))]);
  if (!isNew) {
    const budgets = changedBudgets(store.state, budgetFlags, context.person);
    if (isRefusal(budgets)) return budgets;
    const draft = draftOf(store.state);
    draft.follow(budgets);
    const refusal =
      refuseUnpriced(draft.state.ledger.limits, profiles) ?? refuseUnknownSpent(draft.state);
    if (refusal !== undefined) return refusal;
    store.record([
      {
        task_id: null,
        actor: ACTOR,
        event_type: "run.resumed",
        pid: process.pid,
        limits: { ...config.limits },
        models: names,
        endpoints,
        contained: sandbox.contained,
        jobs: config.limits.jobs,
        allows: allowsOf(config),
        ...given,
      },
      ...budgets,
    ]);
  }
  await repository.startBranch({ base: store.state.base });
  const world: World = {
    store,
    tracker,
    repository,
    sandbox,
    ...openReach(context.env, config, secrets),
    human,
    ...(config.notify === undefined
      ? {}
      : { notify: notifier(config.notify, { cwd: top, secrets, say: context.out.note }) }),
    clock,
    spec,
    limits: config.limits,
    profiles,
    prompts: await promptTexts(),
    processName: processName(randomBytes(3).toString("hex")),
    acceptsInvented: context.yes,
    planOnly: false,
    keeps: flags.keep,
    givenPlans: new Map(Object.entries(order.plan?.splits ?? {})),
    sharedFilesAllowed: order.plan?.shared_files === "allow",
    integration: serial(),
    checked: new Map(),
  };
  return { world, close: () => sandbox.close() };
}

/** All limits that the run will have from its first line on, and those its given plan brings. */
function limitsOfOrder({ budget, plan }: Order): Map<string, Amounts> {
  const parts = Object.values(plan?.splits ?? {}).flatMap((split) => split.parts);
  return new Map([
    ...Object.entries(budget),
    ...parts.flatMap((part) =>
      part.budget === undefined ? [] : [[`subtree ${part.key}`, part.budget] as const],
    ),
  ]);
}

/** The first line of a journal. */
function firstEvent(
  order: Order,
  run: {
    base: string;
    branch: string;
    rootId: string;
    models: Record<string, string>;
    endpoints: Record<string, string>;
    contained: boolean;
    jobs: number;
    allows: string[];
    putBlob(text: string): string;
    given: { model_flags?: ModelFlags };
  },
): NewEvent {
  const { spec, input, plan, budget } = order;
  const givenPlan = plan === undefined ? {} : { given_plan: run.putBlob(JSON.stringify(plan)) };
  return {
    task_id: null,
    actor: ACTOR,
    event_type: "run.started",
    spec_path: input.path,
    spec_hash: input.hash,
    spec: run.putBlob(input.text),
    title: spec.title,
    base: run.base,
    branch: run.branch,
    root_id: run.rootId,
    models: run.models,
    endpoints: run.endpoints,
    contained: run.contained,
    pid: process.pid,
    jobs: run.jobs,
    allows: run.allows,
    ...givenPlan,
    ...(plan?.shared_files === "allow" ? { shared_files: true as const } : {}),
    ...run.given,
    ...(Object.keys(budget).length === 0 ? {} : { budget }),
  };
}
