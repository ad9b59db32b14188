/** How well a run used its slots, its time and its calls: told when it comes to rest. */
import type { RunEvent } from "../../domain/event.ts";
import { parseInstant } from "../../domain/instant.ts";
import type { RunState } from "../../domain/run-state.ts";
import type { TaskId } from "../../domain/task.ts";

export interface Figures {
  /** Part of the slots' time, while any work was leased, in which a worker or fixer held one. */
  slotUse: number | undefined;
  slots: number;
  /** Middle of the times from when an attempt could have begun to when it did, in ms. */
  medianWaitMs: number | undefined;
  /** Calls that came to nothing: see `idleCallsOf`. */
  idleCalls: number;
}

/** The figures of a run with `slots` attempts at a time; undefined where nothing was done yet. */
export function figuresOf(state: RunState, events: readonly RunEvent[], slots: number): Figures {
  const activeMs = state.ledger.watches.get("run")?.totalMs ?? 0;
  const busyMs = [...state.tasks.values()]
    .flatMap((task) => task.attempts)
    .filter(({ role }) => role === "worker" || role === "fixer")
    .reduce((sum, attempt) => sum + attempt.workedMs, 0);
  const waits = waitsOf(events).sort((a, b) => a - b);
  return {
    slotUse: activeMs === 0 ? undefined : Math.min(1, busyMs / (activeMs * slots)),
    slots,
    medianWaitMs: waits[Math.floor((waits.length - 1) / 2)],
    idleCalls: idleCallsOf(state),
  };
}

/**
 * Calls that may have been paid for and changed nothing: those that were never answered (a timeout,
 * a cut stream, a crash), and those of attempts that were cancelled or left behind unfinished. An
 * attempt whose result was rejected is not idle: the next one learns from it.
 */
export function idleCallsOf(state: RunState): number {
  let calls = 0;
  for (const account of state.ledger.accounts.values()) calls += account.held.calls;
  for (const task of state.tasks.values()) {
    for (const attempt of task.attempts) {
      const isLeft =
        attempt.endedAt === undefined &&
        (task.end !== undefined || attempt.episode !== task.episode);
      if (isLeft || attempt.outcome === "cancelled") calls += attempt.calls;
    }
  }
  return calls;
}

/**
 * For each worker's attempt the milliseconds from when it could have begun (it was a leaf, what it
 * depends on was merged, the attempt before had ended, nothing was asked) to its lease.
 */
export function waitsOf(events: readonly RunEvent[]): number[] {
  const parents = new Map<TaskId, TaskId | null>();
  const dependsOn = new Map<TaskId, readonly TaskId[]>();
  /** When something that the task itself had to wait for was over. */
  const readyAt = new Map<TaskId, number>();
  const endedAt = new Map<TaskId, number>();
  const leased = new Set<string>();
  const waits: number[] = [];
  const canBeginAt = (id: TaskId): number => {
    let latest = readyAt.get(id) ?? 0;
    for (let at: TaskId | null = id; at !== null; at = parents.get(at) ?? null) {
      for (const other of dependsOn.get(at) ?? [])
        latest = Math.max(latest, endedAt.get(other) ?? 0);
    }
    return latest;
  };
  for (const event of events) {
    const id = event.task_id ?? "";
    const atMs = parseInstant(event.timestamp);
    switch (event.event_type) {
      case "task.created":
        parents.set(id, event.parent);
        dependsOn.set(id, event.depends_on);
        readyAt.set(id, atMs);
        break;
      case "task.edited":
        if (event.depends_on !== undefined) dependsOn.set(id, event.depends_on);
        break;
      case "task.split":
        for (const child of event.children) readyAt.set(child, atMs);
        break;
      case "task.sized":
      case "task.unpaused":
      case "task.reopened":
      case "attempt.ended":
      case "question.answered":
      case "question.closed":
        readyAt.set(id, atMs);
        break;
      case "task.done":
      case "task.accepted":
        endedAt.set(id, atMs);
        break;
      case "lease.taken": {
        const attempt = `${id}.${event.attempt}`;
        if (event.role !== "worker" || leased.has(attempt)) break;
        leased.add(attempt);
        waits.push(Math.max(0, atMs - canBeginAt(id)));
        break;
      }
      default:
        break;
    }
  }
  return waits;
}
