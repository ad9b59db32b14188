/** Observe, reconcile, act, wait; until everything is done, waits for a person, or is stopped. */
import { type Failure, failureClassOf, isFailure } from "../domain/failure.ts";
import type { TaskId } from "../domain/task.ts";
import { type Action, reconcile, type Snapshot } from "../rules/reconcile.ts";
import { isHeld, taskOf } from "../rules/status.ts";
import { attemptTask } from "./attempt-task.ts";
import { askPerson, fixTask, routeByModel, routeByRules } from "./escalate-task.ts";
import { planTask } from "./plan-task.ts";
import { rollUpTask } from "./roll-up-task.ts";
import { followPerson, mirror, publish } from "./tracked.ts";
import { ACTOR, type World } from "./world.ts";

/** How a run came to rest. */
export interface Rest {
  exitCode: number;
  reason: string;
}

const ACTIVE_POLL_MS = 1_000;
const IDLE_POLL_MS = 5_000;
const TRACKER_RETRY_MS = 5_000;
/** How long the work under way may take to let go after a stop. */
const STOP_GRACE_MS = 10_000;

interface Busy {
  what: "leaf" | "plan" | "roll-up";
  abort: AbortController;
}

/**
 * Runs until nothing can move without a person, or `signal` says stop. Each pass looks at what is;
 * a lost wake-up costs one pause, never correctness. Throws what a broken promise throws, after all
 * work under way has let go.
 */
export async function runLoop(world: World, signal: AbortSignal): Promise<Rest> {
  const { store, clock, limits, tracker } = world;
  const busy = new Map<TaskId, Busy>();
  const under = new Set<Promise<void>>();
  const skipped = new Set<string>();
  let mirroring = false;
  let publishing = false;
  let observing = false;
  let prompt: { question: string; abort: AbortController } | undefined;
  let trackerRetryAt: number | undefined;
  let trackerDownSince: number | undefined;
  let fatal: Failure | undefined;
  let broken: unknown;
  let seenVersion = "";
  let seenAt = 0;
  let wake = () => {};

  const start = (work: () => Promise<void>) => {
    const running: Promise<void> = work()
      .catch((error: unknown) => {
        broken ??= error;
      })
      .finally(() => {
        under.delete(running);
        wake();
      });
    under.add(running);
  };
  const startTask = (
    id: TaskId,
    what: Busy["what"],
    work: (signal: AbortSignal) => Promise<unknown>,
  ) => {
    const abort = new AbortController();
    busy.set(id, { what, abort });
    start(async () => {
      try {
        const failure = await work(abort.signal);
        if (isFailure(failure)) noteTrouble(failure);
      } finally {
        busy.delete(id);
        fatal ??= fatalOf(world, id);
      }
    });
  };
  const noteTrouble = (failure: Failure) => {
    if (failureClassOf(failure) === "outage") {
      trackerRetryAt = clock.now() + TRACKER_RETRY_MS;
      trackerDownSince ??= clock.now();
    } else if (failure.failure !== "cancelled") fatal ??= failure;
  };
  const settleTracker = (failure: Failure | undefined | boolean) => {
    if (isFailure(failure)) noteTrouble(failure);
    else {
      trackerRetryAt = undefined;
      trackerDownSince = undefined;
    }
  };

  const act = (action: Action): void => {
    switch (action.kind) {
      case "plan":
        startTask(action.task, "plan", (abort) =>
          planTask(world, action.task, action.mustSplit, abort),
        );
        return;
      case "attempt":
        startTask(action.task, "leaf", (abort) => attemptTask(world, action.task, abort));
        return;
      case "fix":
        startTask(action.task, "leaf", (abort) => fixTask(world, action.task, abort));
        return;
      case "roll-up":
        startTask(action.task, "roll-up", (abort) => rollUpTask(world, action.task, abort));
        return;
      case "route":
        if (action.to !== "router") routeByRules(world, action.task, action.to, action.reason);
        else startTask(action.task, "plan", (abort) => routeByModel(world, action.task, abort));
        return;
      case "ask":
        askPerson(world, action.task, action.question, action.reason);
        return;
      case "give-up":
        store.record([
          {
            task_id: action.task,
            actor: ACTOR,
            event_type: "task.failed",
            reason: action.reason,
          },
        ]);
        return;
      case "publish":
        publishing = true;
        start(async () => {
          settleTracker(await publish(world, action.ids));
          publishing = false;
        });
        return;
      case "mirror":
        mirroring = true;
        start(async () => {
          settleTracker(await mirror(world));
          mirroring = false;
        });
        return;
      case "prompt":
        askAtTerminal(action.question);
        return;
      case "wait":
      case "stop":
        return;
    }
  };

  const askAtTerminal = (id: string) => {
    const question = store.state.questions.get(id);
    if (question === undefined) return;
    const abort = new AbortController();
    prompt = { question: id, abort };
    start(async () => {
      const about = question.about ?? "the run";
      const answer = await world.human.ask({ ...question, about }, abort.signal);
      prompt = undefined;
      if (answer === undefined) {
        skipped.add(id);
        return;
      }
      if (store.state.questions.get(id)?.state !== "open") return;
      const by = "a person at the terminal";
      store.record([
        {
          task_id: question.about,
          actor: by,
          event_type: "question.answered",
          question: id,
          by,
          text: answer,
        },
      ]);
      settleTracker(await tracker.respond(id, answer));
    });
  };

  /** Reads the tracker when anyone wrote to it, or the resync is due. */
  const observe = async (): Promise<void> => {
    const version = await tracker.version();
    const isDue = version !== seenVersion || clock.now() - seenAt >= limits.resyncMs;
    if (!isDue || trackerRetryAt !== undefined) return;
    seenVersion = version;
    seenAt = clock.now();
    settleTracker(await followPerson(world));
  };

  /** Lets go of what a person closed, paused, took or dropped, and of answered prompts. */
  const releaseHeld = () => {
    for (const [id, { abort }] of busy) {
      const task = taskOf(store.state, id);
      if (task.end !== undefined || isHeld(store.state, id)) abort.abort("held");
    }
    if (prompt && store.state.questions.get(prompt.question)?.state !== "open") {
      prompt.abort.abort("answered");
    }
  };

  const snapshotNow = (): Snapshot => ({
    state: store.state,
    busy: new Map([...busy].map(([id, one]) => [id, one.what])),
    mirroring,
    publishing,
    prompting: prompt?.question,
    skipped,
    humanPresent: world.human.present,
    trackerRetryAt,
    trackerDownSince,
    fatal,
    planOnly: world.planOnly,
  });

  const letGo = async (reason: "stopped" | "held") => {
    for (const one of busy.values()) one.abort.abort(reason);
    prompt?.abort.abort(reason);
    const limit = new AbortController();
    await Promise.race([Promise.allSettled([...under]), clock.sleep(STOP_GRACE_MS, limit.signal)]);
    limit.abort();
  };

  signal.addEventListener("abort", () => wake(), { once: true });
  releaseLeft(world);
  await observe();
  while (true) {
    if (broken !== undefined) {
      await letGo("stopped");
      throw broken;
    }
    if (signal.aborted) {
      await letGo("stopped");
      if (broken === undefined) await mirror(world);
      return { exitCode: signal.reason === "SIGTERM" ? 143 : 130, reason: "stopped" };
    }
    releaseHeld();
    const actions = reconcile(snapshotNow(), limits, clock.now());
    noteDecision(world, actions, busy.size);
    for (const action of actions) act(action);
    const stop = actions.find((action) => action.kind === "stop");
    if (stop !== undefined) {
      // A last look: what a person did meanwhile may be work.
      const before = store.state.seq;
      await observe();
      if (store.state.seq === before) return { exitCode: stop.exitCode, reason: stop.reason };
      continue;
    }
    // What was decided without waiting for anything is due for another look at once.
    if (actions.some(isInstant)) continue;
    const due = actions.find((action) => action.kind === "wait")?.untilMs;
    const pollMs = busy.size > 0 || prompt !== undefined ? ACTIVE_POLL_MS : IDLE_POLL_MS;
    const delayMs = due === undefined ? pollMs : Math.min(pollMs, Math.max(1, due - clock.now()));
    await pause(delayMs);
    if (!observing && !mirroring && !publishing) {
      observing = true;
      start(async () => {
        await observe();
        observing = false;
      });
    }
  }

  async function pause(delayMs: number): Promise<void> {
    const timer = new AbortController();
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    if (signal.aborted) return;
    await Promise.race([woken, clock.sleep(delayMs, timer.signal)]);
    timer.abort();
  }
}

/** Every lease there is when a controller starts is of an earlier process: over. */
function releaseLeft(world: World): void {
  for (const task of world.store.state.tasks.values()) {
    if (task.lease === undefined) continue;
    const { attempt, fence } = task.lease;
    world.store.record([
      {
        task_id: task.id,
        actor: ACTOR,
        event_type: "lease.released",
        attempt,
        fence,
        why: "its process ended",
      },
    ]);
  }
}

function isInstant(action: Action): boolean {
  if (action.kind === "route") return action.to !== "router";
  return action.kind === "ask" || action.kind === "give-up";
}

/** Trouble in a task's last attempt that no other task can escape: credentials, config. */
function fatalOf(world: World, id: TaskId): Failure | undefined {
  const failure = taskOf(world.store.state, id).attempts.at(-1)?.failure;
  if (failure === undefined || failureClassOf(failure) !== "terminal") return undefined;
  return failure.failure === "cancelled" ? undefined : failure;
}

/** Journals what this pass decided, when it differs from the last. */
function noteDecision(world: World, actions: Action[], underWay: number): void {
  const { store } = world;
  const stop = actions.find((action) => action.kind === "stop");
  const wait = actions.find((action) => action.kind === "wait");
  const work = actions.filter((action) => action.kind !== "mirror" && action.kind !== "publish");
  if (stop === undefined && wait === undefined && work.length === 0) return;
  const resting = wait ? "pause" : "continue";
  const decision = stop ? "stop" : resting;
  const reason =
    stop?.reason ?? wait?.reason ?? work.map((action) => describeAction(action)).join(", ");
  if (store.state.lastDecision === `${decision}: ${reason}`) return;
  store.record([
    {
      task_id: null,
      actor: ACTOR,
      event_type: "pass.decided",
      decision,
      reason: underWay > 0 && decision !== "continue" ? `${reason}; ${underWay} under way` : reason,
    },
  ]);
}

function describeAction(action: Action): string {
  return "task" in action ? `${action.kind} ${action.task}` : action.kind;
}
