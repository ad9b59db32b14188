/** Observe, reconcile, act, wait; until everything is done, waits for a person, or is stopped. */
import { type Action, reconcile } from "../rules/reconcile.ts";
import { openHands } from "./hands.ts";
import { ACTOR, type World } from "./world.ts";

/** How a run came to rest. */
export interface Rest {
  exitCode: number;
  reason: string;
}

const ACTIVE_POLL_MS = 1_000;
const IDLE_POLL_MS = 5_000;

/**
 * Runs until nothing can move without a person, or `signal` says stop. Each pass looks at what is;
 * a lost wake-up costs one pause, never correctness. Throws what a broken promise throws, after all
 * work under way has let go.
 */
export async function runLoop(world: World, signal: AbortSignal): Promise<Rest> {
  const { store, clock, limits, planOnly } = world;
  let wake = () => {};
  signal.addEventListener("abort", () => wake(), { once: true });
  const hands = openHands(world, () => wake());
  releaseLeft(world);
  await hands.observe();
  while (true) {
    if (hands.broken() !== undefined) {
      await hands.letGo();
      throw hands.broken();
    }
    if (signal.aborted) {
      await hands.letGo();
      if (hands.broken() !== undefined) throw hands.broken();
      await hands.mirror();
      return { exitCode: signal.reason === "SIGTERM" ? 143 : 130, reason: "stopped" };
    }
    hands.releaseHeld();
    const snapshot = { state: store.state, planOnly, ...hands.look() };
    const actions = reconcile(snapshot, limits, clock.now());
    noteDecision(world, actions, snapshot.busy.size);
    for (const action of actions) hands.act(action);
    const stop = actions.find((action) => action.kind === "stop");
    if (stop !== undefined) {
      // A last look: what a person did meanwhile may be work.
      const before = store.state.seq;
      await hands.observe();
      if (store.state.seq !== before) {
        await pause(1);
        continue;
      }
      // A prompt may stand there still, and what is fatal left no time to tell the tracker.
      await hands.letGo();
      if (hands.broken() !== undefined) throw hands.broken();
      await hands.mirror();
      return { exitCode: stop.exitCode, reason: stop.reason };
    }
    // What was decided without waiting for anything is due for another look at once.
    if (actions.some(isInstant)) continue;
    const isActive = snapshot.busy.size > 0 || snapshot.prompting !== undefined;
    await pause(delayOf(actions, isActive));
    hands.observeBeside();
  }

  function delayOf(actions: Action[], isActive: boolean): number {
    const pollMs = isActive ? ACTIVE_POLL_MS : IDLE_POLL_MS;
    const due = actions.find((action) => action.kind === "wait")?.untilMs;
    return due === undefined ? pollMs : Math.min(pollMs, Math.max(1, due - clock.now()));
  }

  /** Until something under way ends, a stop is asked for, or the time is up. */
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
    const about = { task_id: task.id, actor: ACTOR } as const;
    const why = "its process ended";
    world.store.record([{ ...about, event_type: "lease.released", attempt, fence, why }]);
  }
}

function isInstant(action: Action): boolean {
  if (action.kind === "route") return action.to !== "router";
  return ["ask", "give-up", "notify"].includes(action.kind);
}

/** Journals what this pass decided, when it differs from the last. */
function noteDecision(world: World, actions: Action[], underWay: number): void {
  const { store } = world;
  const stop = actions.find((action) => action.kind === "stop");
  const wait = actions.find((action) => action.kind === "wait");
  const work = actions.filter(({ kind }) => !["mirror", "publish", "notify"].includes(kind));
  if (stop === undefined && wait === undefined && work.length === 0) return;
  const resting = wait ? "pause" : "continue";
  const decision = stop ? "stop" : resting;
  const what = stop?.reason ?? wait?.reason ?? work.map(describeAction).join(", ");
  const reason = underWay > 0 && decision !== "continue" ? `${what}; ${underWay} under way` : what;
  if (store.state.lastDecision === `${decision}: ${reason}`) return;
  const about = { task_id: null, actor: ACTOR } as const;
  store.record([{ ...about, event_type: "pass.decided", decision, reason }]);
}

function describeAction(action: Action): string {
  return "task" in action ? `${action.kind} ${action.task}` : action.kind;
}
