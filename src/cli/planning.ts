/** `fractal plan`: plans a specification to its leaves, without an issue or a branch. */
import { randomBytes } from "node:crypto";
import type { NewEvent } from "../domain/event.ts";
import type { Human } from "../domain/ports.ts";
import { runLoop } from "../orchestrator/loop.ts";
import { serial } from "../orchestrator/serial.ts";
import { openStore } from "../orchestrator/store.ts";
import { createdEvent } from "../orchestrator/tracked.ts";
import { ACTOR, type World } from "../orchestrator/world.ts";
import { renderPlanFile } from "../rules/plan/plan-file.ts";
import { plansOf } from "../rules/plan/plans-of.ts";
import { rootTask } from "../rules/plan/root-task.ts";
import { refuseUnpriced } from "./budget.ts";
import { EXIT, type ExitCode, isRefusal, type Refusal, refuse } from "./exit.ts";
import type { Environment } from "./output.ts";
import { mountsOf, openProfiles, openSandbox, processName, promptTexts } from "./prepare.ts";
import { allowsOf } from "./reach.ts";
import { refuseFolder } from "./refuse-folder.ts";
import { scrubbedJournal, scrubbedRepository, scrubbedSandbox, scrubbedStore } from "./scrubbed.ts";
import { machine } from "./wire.ts";
import type { PlannedRun, PlanOrder } from "./wiring.ts";

const NOBODY: Human = {
  present: false,
  ask: async () => undefined,
  confirm: async () => undefined,
};

/** The planned tree, or why there is none: a plan that stays invalid waits for a person (exit 3). */
export async function planSpec(o: PlanOrder, signal: AbortSignal): Promise<PlannedRun | Refusal> {
  const survey = await machine.surveyFolder(o.dir);
  const refused = refuseFolder(o.dir, survey);
  if (refused !== undefined) return refused;
  const top = survey.repository?.top;
  if (top === undefined) {
    return refuse(EXIT.usage, `${o.dir} is not in a git repository`, { next: ["git init"] });
  }
  const env: Environment = process.env;
  const { secrets } = o;
  const profiles = await openProfiles(env, secrets, o.models, {
    ...o,
    callTimeoutMs: o.config.limits.callTimeoutMs,
  });
  if (isRefusal(profiles)) return profiles;
  const unpriced = refuseUnpriced(new Map(Object.entries(o.budget)), profiles);
  if (unpriced !== undefined) return unpriced;
  const runId = `plan-${randomBytes(3).toString("hex")}`;
  const { spec } = o;
  const mounts = mountsOf(o.config, spec.mounts);
  const contained = await openSandbox(
    { top, root: spec.root, runId, mounts, noSandbox: false, required: true },
    signal,
  );
  if (isRefusal(contained)) return contained;
  const sandbox = scrubbedSandbox(contained, secrets);
  const inner = await machine.openRepository({
    checkout: top,
    runId,
    root: spec.root,
    mounts: sandbox.mounts,
  });
  const draft = await machine.draftRepository(inner, survey.repository?.head ?? "");
  const repository = scrubbedRepository(draft, secrets);
  const journal = scrubbedJournal(machine.memoryJournal(runId), secrets);
  const first: NewEvent = {
    task_id: null,
    actor: ACTOR,
    event_type: "run.started",
    spec_path: o.input.path,
    spec_hash: o.input.hash,
    spec: journal.putBlob(o.input.text),
    title: spec.title,
    base: survey.repository?.head ?? "",
    branch: "",
    root_id: runId,
    models: {},
    contained: true,
    allows: allowsOf(o.config),
    budget: o.budget,
  };
  const { limits } = o.config;
  const clock = machine.steadyClock([]);
  const opened = openStore(journal, clock, limits, [first, createdEvent(rootTask(spec, runId))]);
  const store = scrubbedStore(opened, secrets);
  store.listen((event) => o.onEvent(event, store.state));
  const world: World = {
    store,
    tracker: machine.noTracker(),
    repository,
    sandbox,
    human: NOBODY,
    clock,
    spec,
    limits,
    profiles,
    prompts: await promptTexts(),
    processName: processName(runId),
    // Nothing is carried out, so nothing is gated: whether a check may gate is asked when it runs.
    acceptsInvented: true,
    planOnly: true,
    keeps: false,
    givenPlans: new Map(),
    sharedFilesAllowed: false,
    integration: serial(),
    checked: new Map(),
  };
  const rest = await runLoop(world, signal).finally(() => sandbox.close());
  if (rest.exitCode !== 0) {
    const open = [...store.state.questions.values()].filter((one) => one.state === "open");
    return refuse(rest.exitCode as ExitCode, rest.reason, {
      where: open.map((question) => `${question.title}\n${question.why}`),
    });
  }
  const splits = plansOf(journal.read(), store.state, (hash) => journal.getBlob(hash));
  return {
    state: store.state,
    file: renderPlanFile({ spec: o.input.text, splits }),
    roles: profiles,
  };
}
