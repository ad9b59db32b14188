/** Observe, reconcile, act, wait; until everything is done, waits for a person, or is stopped. */
import type { NewEvent } from "../domain/event.ts";
import { detectWork, newsOf, type Work } from "../rules/detect.ts";
import { owedMoves } from "../rules/owed.ts";
import { type Pace, paceOf } from "../rules/pace.ts";
import { type Action, reconcile } from "../rules/reconcile.ts";
import { type Alarm, openAlarm } from "./alarm.ts";
import { openHands } from "./hands.ts";
import { noteForecast } from "./note-forecast.ts";
import { ACTOR, type World } from "./world.ts";

/** How a run came to rest. */
export interface Rest {
  exitCode: number;
  reason: string;
}

/**
 * Runs until nothing can move without a person, or `signal` says stop; a run that `keeps` stays up
 * for new work. Each pass looks at what is; a lost wake-up costs one pause, never correctness. Throws
 * what a broken promise throws, after all work under way has let go.
 */
export async function runLoop(
  world: World,
  signal: AbortSignal,
  alarm: Alarm = openAlarm(world.clock),
): Promise<Rest> {
  const watching = new AbortController();
  world.tracker.watch?.(alarm.ring, watching.signal);
  try {
    return await turn(world, signal, alarm);
  } finally {
    watching.abort();
  }
}

async function turn(world: World, signal: AbortSignal, alarm: Alarm): Promise<Rest> {
  const { store, clock, limits, planOnly, keeps } = world;
  const hands = openHands(world, alarm.ring);
  releaseLeft(world);
  await hands.observe();
  while (true) {
    if (hands.broken() !== undefined) {
      await hands.letGo();
      throw hands.broken();
    }
    if (signal.aborted) {
      try {
        // Said first: whoever ends the process while it lets go did not see it die.
        const about = { task_id: null, actor: ACTOR } as const;
        const reason = "a stop was asked for";
        store.record([{ ...about, event_type: "pass.decided", decision: "stop", reason }]);
      } finally {
        await hands.letGo();
      }
      if (hands.broken() !== undefined) throw hands.broken();
      await hands.mirror();
      return { exitCode: signal.reason === "SIGTERM" ? 143 : 130, reason: "stopped" };
    }
    world.takeUpBeside?.();
    hands.releaseHeld();
    const snapshot = { state: store.state, planOnly, keeps, ...hands.look() };
    const now = clock.now();
    const work = detectWork(snapshot, limits, now);
    const actions = reconcile(snapshot, limits, now, work);
    const { busy, mirroring, publishing } = snapshot;
    const underWay = busy.size + Number(mirroring) + Number(publishing);
    const pace = paceOf(work.detections, actions, underWay);
    record(world, work, pace);
    noteForecast(world);
    const isInstant = actions.some(takesNoTime);
    const owed = isInstant ? owedMoves(store.state, limits) : 0;
    const asked = openQuestions(world);
    for (const action of actions) hands.act(action);
    const stop = actions.find((action) => action.kind === "stop");
    if (stop !== undefined) {
      // A last look: what a person did meanwhile may be work.
      const before = store.state.seq;
      await hands.observe();
      if (store.state.seq !== before) {
        await alarm.wait(1, signal);
        continue;
      }
      // A prompt may stand there still, and what is fatal left no time to tell the tracker.
      await hands.letGo();
      if (hands.broken() !== undefined) throw hands.broken();
      await hands.mirror();
      // What was read with that last write may be work too.
      const last = { state: store.state, planOnly, keeps, ...hands.look() };
      const isOver = reconcile(last, limits, clock.now()).some(({ kind }) => kind === "stop");
      if (!isOver) continue;
      return { exitCode: stop.exitCode, reason: stop.reason };
    }
    // What was decided without waiting for anything is due for another look at once; what led
    // nowhere is not, for it would lead nowhere again.
    const isNews = actions.some(({ kind }) => NEWS.has(kind));
    if (
      isNews ||
      openQuestions(world) !== asked ||
      (isInstant && owedMoves(store.state, limits) < owed)
    )
      continue;
    await alarm.wait(untilNext(actions, pace.pauseMs, clock.now()), signal);
    hands.observeBeside();
  }
}

function openQuestions({ store }: World): number {
  return [...store.state.questions.values()].filter(({ state }) => state === "open").length;
}

/** What no other look would do again, though it makes nothing owed less. */
const NEWS: ReadonlySet<Action["kind"]> = new Set(["notify", "say-why", "withdraw"]);

/** Milliseconds until the next look: the pause, or sooner where a timer is named. */
function untilNext(actions: readonly Action[], pauseMs: number, now: number): number {
  const due = actions.find((action) => action.kind === "wait")?.untilMs;
  return due === undefined ? pauseMs : Math.min(pauseMs, Math.max(1, due - now));
}

/** Every lease there is when a controller starts is of an earlier process: over. */
function releaseLeft(world: World): void {
  for (const task of world.store.state.tasks.values()) {
    if (task.lease === undefined) continue;
    const { attempt, fence } = task.lease;
    const about = { task_id: task.id, actor: ACTOR } as const;
    const why = "its process ended";
    world.store.record([{ ...about, event_type: "lease.released", attempt, fence, why }]);
  }
}

/** True of a move that is carried out when `act` returns. */
function takesNoTime(action: Action): boolean {
  if (action.kind === "route") return action.to !== "router";
  return action.kind === "ask" || action.kind === "give-up";
}

/** Journals what work this pass saw and what it decided, where that differs from the last. */
function record({ store }: World, work: Work, pace: Pace): void {
  const about = { task_id: null, actor: ACTOR } as const;
  const events: NewEvent[] = [];
  const news = newsOf(store.state.work, work.detections);
  if (news.length > 0) events.push({ ...about, event_type: "work.detected", work: news });
  const { decision, reason, pauseMs } = pace;
  if (reason !== undefined && store.state.lastDecision !== `${decision}: ${reason}`) {
    const pause = { pause_ms: pauseMs };
    events.push({ ...about, event_type: "pass.decided", decision, reason, ...pause });
  }
  if (events.length > 0) store.record(events);
}
