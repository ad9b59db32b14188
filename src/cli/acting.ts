/** A person acts on a run: through the journal when nobody is at work on it, else through Beads. */
import type { NewEvent } from "../domain/event.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { Tracker } from "../domain/ports.ts";
import type { RunState } from "../domain/run-state.ts";
import { openFollower } from "../orchestrator/follower.ts";
import type { Store } from "../orchestrator/store.ts";
import { cancelTask } from "../rules/people/cancel.ts";
import { pauseEvent, pauseProblem, statusAsked } from "../rules/people/pause.ts";
import { answerEvents } from "../rules/people/said.ts";
import { taskOf } from "../rules/status.ts";
import { loadConfig } from "./config.ts";
import { EXIT, isRefusal, type Refusal, refusalOf, refuse } from "./exit.ts";
import { beadsOf, findRun, type RunNamed } from "./find-run.ts";
import { findBeads } from "./prepare.ts";
import { openRunStore } from "./run-store.ts";
import type { Secrets } from "./secrets.ts";
import { machine } from "./wire.ts";
import type { Act, RunForActing } from "./wiring.ts";

/** Opens a run to act on as `by`. The lock is taken where it is free. */
export async function openRunForActing(
  o: RunNamed & { by: string; secrets: Secrets },
): Promise<RunForActing | Refusal> {
  const survey = await machine.surveyFolder(o.dir);
  const top = survey.repository?.top;
  if (top === undefined || survey.repository === undefined) {
    return refuse(EXIT.usage, `${o.dir} is not in a git repository`);
  }
  const found = findRun(top, o.run);
  if (isRefusal(found)) return found;
  // A person's words may hold what is declared to be secret.
  const config = await loadConfig({ dir: top, env: process.env, flags: {} });
  if (isRefusal(config)) return config;
  o.secrets.declare(config.secrets);
  const tracker = await findBeads({ env: process.env, secrets: o.secrets }, top, o.by);
  if (isRefusal(tracker)) return tracker;
  const lock = machine.takeLock(survey.repository.commonDir);
  if (isFailure(lock)) return refusalOf(lock);
  if (lock === undefined) {
    return {
      state: found.state,
      act: (kind, id, text) => askController(found.state, tracker, o.by, kind, id, text),
      close: async () => undefined,
    };
  }
  await machine.awaitOrphans(beadsOf(top));
  const store = openRunStore(top, found.runId, o.secrets);
  if (isRefusal(store)) {
    lock.release();
    return store;
  }
  return {
    state: store.state,
    act: (kind, id, text) => actInJournal(store, tracker, o.by, kind, id, text),
    close: async () => lock.release(),
  };
}

const SHOWN_WITHIN_MS = 20_000;
const SHOWN_PAUSE_MS = 500;

type Done = { via: "journal" | "controller" } | Failure;

/** The lock is held: Beads is written, and the controller journals it. */
async function askController(
  state: RunState,
  tracker: Tracker,
  by: string,
  kind: Act,
  id: string,
  text: string,
): Promise<Done> {
  const ask = () => {
    if (kind === "answer") return tracker.respond(id, text);
    const at = new Date(machine.systemClock.now()).toISOString();
    return tracker.request(id, { kind, by, at }, statusAsked(state, taskOf(state, id), kind));
  };
  return (await onceShown(tracker, id, ask)) ?? { via: "controller" };
}

/** What was made a moment ago may not be in Beads yet: the controller writes it behind. */
async function onceShown(
  tracker: Tracker,
  id: string,
  ask: () => Promise<Failure | undefined>,
): Promise<Failure | undefined> {
  const { now, sleep } = machine.systemClock;
  const until = now() + SHOWN_WITHIN_MS;
  while (true) {
    const failure = await ask();
    if (failure === undefined || now() >= until) return failure;
    const shown = await tracker.read();
    if (isFailure(shown) || shown.some((issue) => issue.id === id)) return failure;
    await sleep(SHOWN_PAUSE_MS, new AbortController().signal);
  }
}

/** Nobody is at work: the journal first, then Beads; a Beads that is away is caught up with later. */
async function actInJournal(
  store: Store,
  tracker: Tracker,
  by: string,
  kind: Act,
  id: string,
  text: string,
): Promise<Done> {
  const follower = openFollower({ store, tracker });
  // What a person did with bd meanwhile comes first: the question may be answered already.
  const followed = await follower.follow();
  if (isFailure(followed)) return followed;
  const events = eventsOf(store.state, by, kind, id, text);
  if (isFailure(events)) return events;
  store.record(events);
  await follower.mirror();
  return { via: "journal" };
}

function eventsOf(
  state: RunState,
  by: string,
  kind: Act,
  id: string,
  text: string,
): NewEvent[] | Failure {
  if (kind === "cancel") return cancelTask(state, taskOf(state, id), by, text || "cancelled");
  if (kind !== "answer") {
    const task = taskOf(state, id);
    const problem = pauseProblem(state, task, kind);
    if (problem !== undefined) return { failure: "config-unusable", detail: problem.what };
    return [pauseEvent(task, kind, by)];
  }
  const question = state.questions.get(id);
  if (question?.state !== "open") {
    return { failure: "config-unusable", detail: `${id} is no longer open` };
  }
  return answerEvents(state, question, { by, text, isTold: false });
}
