/** Carries actions out beside one another, and knows what is under way. */
import { type Failure, failureClassOf, isFailure } from "../domain/failure.ts";
import type { TaskId } from "../domain/task.ts";
import { openBudgetQuestion } from "../rules/money/budget-question.ts";
import { noteOn } from "../rules/people/notes.ts";
import { answerEvents } from "../rules/people/said.ts";
import type { Action, Snapshot } from "../rules/reconcile.ts";
import { backoffMs } from "../rules/retry.ts";
import { isLost, isOutdated, taskOf } from "../rules/status.ts";
import { attemptTask } from "./attempt-task.ts";
import { askPerson, fixTask, routeByModel, routeByRules } from "./escalate-task.ts";
import { openFollower } from "./follower.ts";
import { planTask } from "./plan-task.ts";
import { needsOf } from "./reserve.ts";
import { rollUpTask } from "./roll-up-task.ts";
import { publish } from "./tracked.ts";
import { ACTOR, type World } from "./world.ts";

const TRACKER_RETRY_MS = 5_000;
/** How long the work under way may take to let go after a stop. */
const STOP_GRACE_MS = 10_000;

type What = "leaf" | "plan" | "roll-up";

export interface Hands {
  /** Starts one action; it goes on by itself and calls `wake` when it ends. */
  act(action: Action): void;
  /** What reconcile needs to know of what is under way. */
  look(): Omit<Snapshot, "state" | "planOnly" | "keeps">;
  /** Reads the tracker when somebody wrote there, or the resync is due. */
  observe(): Promise<void>;
  /** The same beside other work, unless it is going on already. */
  observeBeside(): void;
  /** Ends work on what a person closed, paused, took or dropped, and prompts that were answered. */
  releaseHeld(): void;
  /** A last write of statuses, once nothing is under way. */
  mirror(): Promise<Failure | undefined>;
  /** Aborts everything and waits, at most the grace time. */
  letGo(): Promise<void>;
  /** What broke a promise, if anything did. */
  broken(): unknown;
}

/** Hands for one loop. `wake` is called whenever something under way has ended. */
export function openHands(world: World, wake: () => void): Hands {
  const { store, clock, limits } = world;
  const busy = new Map<TaskId, { what: What; abort: AbortController }>();
  const underWay = new Set<Promise<void>>();
  const skipped = new Set<string>();
  const resting = new Map<TaskId, { untilMs: number; sinceMs: number; times: number }>();
  let mirroring = false;
  let publishing = false;
  let observing = false;
  let prompt: { question: string; abort: AbortController } | undefined;
  let trackerRetryAt: number | undefined;
  let trackerDownSince: number | undefined;
  let fatal: Failure | undefined;
  let broken: unknown;
  const follower = openFollower(world);
  const needs = needsOf(world);
  const given = new Set(world.givenPlans.keys());
  let seenAt = 0;
  let mirroredAt = 0;

  const start = (work: () => Promise<void>, isNews = () => true) => {
    const running: Promise<void> = work()
      .catch((error: unknown) => {
        broken ??= error;
      })
      .finally(() => {
        underWay.delete(running);
        if (isNews() || broken !== undefined) wake();
      });
    underWay.add(running);
  };

  const startTask = (
    id: TaskId,
    what: What,
    work: (world: World, id: TaskId, signal: AbortSignal) => Promise<unknown>,
  ) => {
    const abort = new AbortController();
    busy.set(id, { what, abort });
    start(async () => {
      try {
        const failure = await work(world, id, abort.signal);
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

  const settleTracker = (ended: unknown) => {
    if (isFailure(ended)) {
      noteTrouble(ended);
      return;
    }
    trackerRetryAt = undefined;
    trackerDownSince = undefined;
  };

  /** A roll-up has no attempt to keep its trouble: that is kept here, and it is tried later. */
  const rollUp = async (_: World, id: TaskId, abort: AbortSignal) => {
    const ended = await rollUpTask(world, id, abort);
    if (!isFailure(ended) || failureClassOf(ended) !== "outage") {
      resting.delete(id);
      return ended;
    }
    const { times = 0, sinceMs = clock.now() } = resting.get(id) ?? {};
    const untilMs = clock.now() + backoffMs(times + 1, id, limits);
    resting.set(id, { times: times + 1, sinceMs, untilMs });
    return undefined;
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
      store.record(answerEvents(store.state, question, { by, text: answer, isTold: false }));
    });
  };

  /** Told again after a crash between the two: a person told twice minds less than one never told. */
  const notify = (id: string) => {
    const question = store.state.questions.get(id);
    if (question === undefined) return;
    world.notify?.(question);
    const about = { task_id: question.about, actor: ACTOR } as const;
    store.record([{ ...about, event_type: "question.notified", question: id }]);
  };

  const observe = async (): Promise<void> => {
    const isBack = trackerRetryAt === undefined || trackerRetryAt <= clock.now();
    if (!isBack) return;
    const isDue = clock.now() - seenAt >= limits.resyncMs;
    if (isDue) seenAt = clock.now();
    settleTracker(await follower.follow(isDue));
  };

  const act = (action: Action): void => {
    switch (action.kind) {
      case "plan": {
        const { mustSplit } = action;
        startTask(action.task, "plan", (_, id, abort) => planTask(world, id, mustSplit, abort));
        return;
      }
      case "attempt":
        startTask(action.task, "leaf", attemptTask);
        return;
      case "fix":
        startTask(action.task, "leaf", fixTask);
        return;
      case "roll-up":
        startTask(action.task, "roll-up", rollUp);
        return;
      case "route":
        if (action.to === "router") startTask(action.task, "plan", routeByModel);
        else routeByRules(world, action.task, action.to, action.reason);
        return;
      case "ask":
        askPerson(world, action.task, action.question, action.reason);
        return;
      case "ask-budget":
        store.record([openBudgetQuestion(store.state, action.by, action.tasks)]);
        return;
      case "moot": {
        const about = store.state.questions.get(action.question)?.about ?? null;
        const closed = { event_type: "question.closed", question: action.question } as const;
        store.record([{ ...closed, task_id: about, actor: ACTOR, by: ACTOR, how: "moot" }]);
        return;
      }
      case "give-up": {
        const about = { task_id: action.task, actor: ACTOR } as const;
        store.record([{ ...about, event_type: "task.failed", reason: action.reason }]);
        return;
      }
      case "withdraw": {
        const { question, reason } = action;
        const about = store.state.questions.get(question)?.about ?? null;
        const closed = { task_id: about, actor: ACTOR, event_type: "question.closed" } as const;
        store.record([{ ...closed, question, by: `fractal: ${reason}`, how: "moot" }]);
        return;
      }
      case "publish":
        publishing = true;
        start(async () => {
          try {
            // First a look: an issue shall not be made in a database that is not this run's.
            const followed = await follower.follow();
            settleTracker(followed ?? (await publish(world, action.ids)));
          } finally {
            publishing = false;
          }
        });
        return;
      case "mirror":
        mirroring = true;
        start(async () => {
          try {
            settleTracker(await follower.mirror());
          } finally {
            mirroring = false;
            mirroredAt = clock.now();
          }
        });
        return;
      case "prompt":
        askAtTerminal(action.question);
        return;
      case "say-why":
        store.record([noteOn(action.id, action.key, action.text)]);
        return;
      case "notify":
        notify(action.question);
        return;
      case "wait":
      case "stop":
        return;
    }
  };

  return {
    act,
    observe,
    look: () => ({
      busy: new Map([...busy].map(([id, { what }]) => [id, what])),
      mirroring,
      mirroredAt,
      publishing,
      resting,
      prompting: prompt?.question,
      skipped,
      humanPresent: world.human.present,
      notifies: world.notify !== undefined,
      trackerRetryAt,
      trackerDownSince,
      fatal,
      needs,
      given,
    }),
    observeBeside() {
      if (observing || mirroring || publishing) return;
      observing = true;
      const before = store.state.seq;
      // Nothing seen is no reason to look again: the loop would never rest.
      start(
        async () => {
          try {
            await observe();
          } finally {
            observing = false;
          }
        },
        () => store.state.seq !== before,
      );
    },
    releaseHeld() {
      for (const [id, { abort }] of busy) {
        const task = taskOf(store.state, id);
        if (isLost(store.state, task)) abort.abort(isOutdated(task) ? "edited" : "held");
      }
      if (prompt && store.state.questions.get(prompt.question)?.state !== "open") {
        prompt.abort.abort("answered");
      }
    },
    mirror: () => follower.mirror(),
    async letGo() {
      for (const { abort } of busy.values()) abort.abort("stopped");
      prompt?.abort.abort("stopped");
      const limit = new AbortController();
      const all = Promise.allSettled([...underWay]);
      await Promise.race([all, clock.sleep(STOP_GRACE_MS, limit.signal)]);
      limit.abort();
    },
    broken: () => broken,
  };
}

/** Trouble in a task's last attempt that no other task can escape: credentials, config. */
function fatalOf(world: World, id: TaskId): Failure | undefined {
  const failure = taskOf(world.store.state, id).attempts.at(-1)?.failure;
  if (failure === undefined || failureClassOf(failure) !== "terminal") return undefined;
  return failure.failure === "cancelled" ? undefined : failure;
}
