/** Opens all that the loop works with, from an order and a place: models, sandbox, tracker, journal. */
import { randomBytes } from "node:crypto";
import type { Role } from "../domain/conversation.ts";
import type { NewEvent } from "../domain/event.ts";
import type { Human, Repository } from "../domain/ports.ts";
import type { ModelProfile } from "../domain/profile.ts";
import { serial } from "../orchestrator/serial.ts";
import { openStore, type Store } from "../orchestrator/store.ts";
import { createdEvent } from "../orchestrator/tracked.ts";
import { ACTOR, type World } from "../orchestrator/world.ts";
import { draftOf } from "../rules/draft.ts";
import { rootTask } from "../rules/plan/root-task.ts";
import { changedBudgets, refuseTaskBudgets, refuseUnknownSpent, refuseUnpriced } from "./budget.ts";
import type { Context } from "./context.ts";
import { isRefusal, type Refusal } from "./exit.ts";
import { beadsOf, refuseDamaged, telemetryOf } from "./find-run.ts";
import { limitsOfOrder, processFacts, resumedEvent, startedEvent } from "./first-lines.ts";
import type { RunFlags } from "./flags.ts";
import { rememberModelFlags } from "./model-flags.ts";
import { noteOnResuming, notesOnModels, notesOnPlace } from "./notes.ts";
import { notifier } from "./notify.ts";
import { type Order, refusePlan } from "./order.ts";
import {
  mountsOf,
  openProfiles,
  openSandbox,
  openTracker,
  type Place,
  processName,
  promptTexts,
} from "./prepare.ts";
import { openReach } from "./reach.ts";
import { takeUpBeside } from "./run-store.ts";
import { scrubbedJournal, scrubbedRepository, scrubbedSandbox, scrubbedStore } from "./scrubbed.ts";
import { machine } from "./wire.ts";

/** A run ready for the loop. */
export interface StartedRun {
  world: World;
  /** Lets go of the workspaces and of the repository's lock. */
  close(): Promise<void>;
}

/** What is to be worked on, where and for whom; and the run it is, which begins or goes on. */
export interface Opening {
  context: Context;
  flags: RunFlags;
  human: Human;
  place: Place;
  order: Order;
  runId: string;
  isNew: boolean;
}

/** The world of a run, with the first line of this process in its journal. */
export async function openWorld(opening: Opening): Promise<StartedRun | Refusal> {
  const { context, flags, human, place, order, runId, isNew } = opening;
  const { top } = place;
  const { spec, config, models } = order;
  const { secrets } = context;
  const profiles = await openProfiles(context.env, secrets, models, {
    ...flags,
    callTimeoutMs: config.limits.callTimeoutMs,
  });
  if (isRefusal(profiles)) return profiles;
  const tooFree = isNew
    ? (refuseTaskBudgets(budgetFlagsOf(context)) ?? refuseUnpriced(limitsOfOrder(order), profiles))
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
  const branched = await machine.openRepository({
    checkout: top,
    runId,
    root: spec.root,
    mounts: [...sandbox.mounts, ...(config.install === undefined ? [] : ["node_modules"])],
  });
  const repository = scrubbedRepository(branched, secrets);
  const unfit = isNew ? await refuseGivenPlan(opening, repository) : undefined;
  if (unfit !== undefined) return unfit;
  await repository.freeLocks();
  const tracker = await openTracker(context, human, top, ACTOR, isNew);
  if (isRefusal(tracker)) return tracker;
  await machine.awaitOrphans(beadsOf(top));
  const opened = machine.openJournal(telemetryOf(top), runId);
  if ("line" in opened) return refuseDamaged(opened);
  const journal = scrubbedJournal(opened, secrets);
  rememberModelFlags(context, runId);
  const clock = machine.steadyClock(journal.read());
  const facts = processFacts(context, order, profiles, sandbox.contained);
  const begun = () =>
    startedEvent(order, facts, {
      base: place.head,
      branch: repository.branch,
      rootId: `${tracker.prefix}-${runId}`,
      putBlob: journal.putBlob,
    });
  const store = scrubbedStore(
    openStore(journal, clock, config.limits, isNew ? [begun()] : []),
    secrets,
  );
  // Cut off after its first line, a journal has no root task yet.
  const { rootId } = store.state;
  if (!store.state.tasks.has(rootId)) store.record([createdEvent(rootTask(spec, rootId))]);
  if (!isNew) {
    const budgets = budgetsToGoOn(context, store, profiles);
    if (isRefusal(budgets)) return budgets;
    store.record([resumedEvent(order, facts), ...budgets]);
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
    takeUpBeside: () => takeUpBeside(store, top),
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

/** A given plan is judged against the files as they are. */
async function refuseGivenPlan(
  { order, place, runId }: Opening,
  repository: Repository,
): Promise<Refusal | undefined> {
  if (order.plan === undefined) return undefined;
  return refusePlan(order.input.path, order.plan, {
    spec: order.spec,
    root: rootTask(order.spec, runId).contract,
    limits: order.config.limits,
    existingFiles: place.head === "" ? [] : await repository.listFiles(place.head),
  });
}

const budgetFlagsOf = ({ configFlags }: Context) => configFlags.budget ?? [];

/** The budgets that this process raises or lowers, where the run can be held to all it then has. */
function budgetsToGoOn(
  context: Context,
  { state }: Store,
  profiles: Record<Role, ModelProfile>,
): NewEvent[] | Refusal {
  const budgets = changedBudgets(state, budgetFlagsOf(context), context.person);
  if (isRefusal(budgets)) return budgets;
  const draft = draftOf(state);
  draft.follow(budgets);
  return (
    refuseUnpriced(draft.state.ledger.limits, profiles) ??
    refuseUnknownSpent(draft.state) ??
    budgets
  );
}
