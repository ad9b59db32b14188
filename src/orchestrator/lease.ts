/** The right to one attempt: taken in the journal, kept fresh while held, let go on every path out. */
import type { Role } from "../domain/conversation.ts";
import type { NewEvent } from "../domain/event.ts";
import { type Failure, failureClassOf } from "../domain/failure.ts";
import { renderInstant } from "../domain/instant.ts";
import type { TaskId } from "../domain/task.ts";
import { NO_USAGE } from "../domain/usage.ts";
import { BROKE_OFF } from "../rules/breaker.ts";
import { workedMsOf } from "../rules/money/worked-time.ts";
import { askEdited } from "../rules/people/cancel.ts";
import { isOutdated, taskOf } from "../rules/status.ts";
import { promptName } from "./prompt-name.ts";
import { ACTOR, type World } from "./world.ts";

export interface Lease {
  readonly taskId: TaskId;
  readonly role: Role;
  readonly attempt: number;
  readonly fence: number;
  /** The commit the attempt starts from. */
  readonly base: string;
  /** False once somebody else owns the task: the result must not count. */
  isCurrent(): boolean;
}

/** How work under a lease came out: what to journal together with letting go. */
export interface LeaseEnd {
  events: NewEvent[];
  /** Trouble outside the task: the attempt stays open and goes on later. */
  outage?: Failure;
  /** Why the attempt is left open without trouble: it goes on later, and nothing is charged. */
  left?: string;
}

/**
 * Runs `body` under a fresh lease and journals its end. An attempt cut off by a crash, a stop or an
 * outage goes on under its old number and base with a new fence. Exceptions release and pass on.
 * `signal` is aborted with the reason "stopped", which leaves the attempt open, or "held", which
 * ends it.
 */
export async function underLease(
  world: World,
  taskId: TaskId,
  role: Role,
  signal: AbortSignal,
  body: (lease: Lease) => Promise<LeaseEnd>,
): Promise<void> {
  const { store } = world;
  const lease = await takeLease(world, taskId, role);
  // Paused, closed or taken while it was being taken: nothing was given, so nothing is begun.
  if (!lease.isCurrent()) return;
  const about = { task_id: taskId, actor: ACTOR } as const;
  const held = { attempt: lease.attempt, fence: lease.fence };
  const over = new AbortController();
  void keepFresh(world, lease, over.signal);
  const release = (why: string, outage?: Failure): NewEvent => ({
    ...about,
    event_type: "lease.released",
    ...held,
    why,
    ...(outage === undefined ? {} : { outage }),
  });
  try {
    const end = await body(lease);
    if (!lease.isCurrent()) {
      const current = taskOf(store.state, taskId).fence;
      store.record([{ ...about, event_type: "result.fenced", ...held, current }]);
      return;
    }
    const task = taskOf(store.state, taskId);
    if (isOutdated(task) && !isFinal(end)) {
      const edited: Failure = { failure: "cancelled", detail: "edited" };
      const left = workLeft(end);
      store.record([...failedEnd(world, lease, edited, left).events, release("edited")]);
      return;
    }
    // It was merged in the very moment of the edit: a person says whether that still holds.
    const doubt = isOutdated(task) && isDone(end) ? [askEdited(store.state, task, "a person")] : [];
    if (signal.aborted && signal.reason === "stopped" && !isSuccess(end)) {
      store.record([release("stopped")]);
      return;
    }
    const why = end.outage ? "outage" : (end.left ?? "ended");
    store.record([...end.events, ...doubt, release(why, end.outage)]);
  } catch (error) {
    if (lease.isCurrent() && signal.aborted) {
      const cancelled: Failure = { failure: "cancelled", detail: String(signal.reason) };
      const ended = signal.reason === "stopped" ? [] : failedEnd(world, lease, cancelled).events;
      store.record([...ended, release(String(signal.reason))]);
      return;
    }
    if (lease.isCurrent()) store.record([release(`${BROKE_OFF}: ${String(error).slice(0, 300)}`)]);
    throw error;
  } finally {
    over.abort();
  }
}

/** Renews the lease until `over`. */
async function keepFresh(world: World, lease: Lease, over: AbortSignal): Promise<void> {
  const { store, clock, limits } = world;
  const about = { task_id: lease.taskId, actor: ACTOR } as const;
  const held = { attempt: lease.attempt, fence: lease.fence };
  while (true) {
    await clock.sleep(limits.leaseRenewMs, over);
    if (over.aborted) return;
    // Once lost, a lease is never held again.
    if (!lease.isCurrent()) return;
    const deadline = renderInstant(clock.now() + limits.leaseMs);
    try {
      store.record([{ ...about, event_type: "lease.renewed", ...held, deadline }]);
    } catch {
      // The journal takes nothing any more: the next thing the body records says so, and is heard.
    }
  }
}

/** What an end says of the work it left behind: that stays, though its verdict does not count. */
function workLeft(end: LeaseEnd): Partial<Extract<NewEvent, { event_type: "attempt.ended" }>> {
  const ended = end.events.find((event) => event.event_type === "attempt.ended");
  if (ended?.event_type !== "attempt.ended") return {};
  const { files, kept, patch } = ended;
  return {
    files,
    ...(kept === undefined ? {} : { kept }),
    ...(patch === undefined ? {} : { patch }),
  };
}

/** A result that is already merged or written counts even when a stop came meanwhile. */
function isSuccess(end: LeaseEnd): boolean {
  return end.events.some(
    (event) =>
      event.event_type === "task.done" ||
      event.event_type === "task.split" ||
      event.event_type === "task.sized",
  );
}

/** What is merged, or written as a split, is not undone by an edit. */
function isFinal(end: LeaseEnd): boolean {
  return isDone(end) || end.events.some((event) => event.event_type === "task.split");
}

function isDone(end: LeaseEnd): boolean {
  return end.events.some((event) => event.event_type === "task.done");
}

async function takeLease(world: World, taskId: TaskId, role: Role): Promise<Lease> {
  const { store, clock, limits, repository } = world;
  const task = taskOf(store.state, taskId);
  // What was left open before a person's word or edit would go on without it.
  const open = task.attempts.find(
    (one) =>
      one.endedAt === undefined &&
      one.outdated === undefined &&
      one.role === role &&
      one.episode === task.episode,
  );
  const attempt = open?.number ?? Math.max(0, ...task.attempts.map((one) => one.number)) + 1;
  const base = open?.base ?? (await repository.head());
  const fence = task.fence + 1;
  const holder = `fractal/${role}/${world.processName}/${taskId}.${attempt}`;
  store.record([
    {
      task_id: taskId,
      actor: ACTOR,
      event_type: "lease.taken",
      attempt,
      role,
      fence,
      holder,
      deadline: renderInstant(clock.now() + limits.leaseMs),
      base,
    },
  ]);
  const isCurrent = () => {
    const now = taskOf(store.state, taskId);
    return now.fence === fence && now.lease?.fence === fence;
  };
  return { taskId, role, attempt, fence, base, isCurrent };
}

/** The end of an attempt that did not succeed, as events. */
export function failedEnd(
  world: World,
  lease: Lease,
  failure: Failure,
  more: Partial<Extract<NewEvent, { event_type: "attempt.ended" }>> = {},
): LeaseEnd {
  // Trouble outside says nothing about the task: its attempt stays open, nothing is charged.
  if (failureClassOf(failure) === "outage") return { events: [], outage: failure };
  // Nor does an empty purse: what was paid for is replayed when there is more.
  if (failure.failure === "budget-spent") return { events: [], left: "budget" };
  return { events: [endedEvent(world, lease, outcomeOf(failure), { failure, ...more })] };
}

function outcomeOf(failure: Failure): "rejected" | "blocked" | "failed" | "cancelled" {
  switch (failureClassOf(failure)) {
    case "task":
    case "conflict":
      return "rejected";
    case "unclear":
    case "capability":
      return "blocked";
    case "too-big":
    case "outage":
      return "failed";
    case "terminal":
      return failure.failure === "cancelled" ? "cancelled" : "failed";
  }
}

/** `attempt.ended` with the tokens, money and time that the journal has for it. */
export function endedEvent(
  world: World,
  lease: Lease,
  outcome: "succeeded" | "rejected" | "blocked" | "failed" | "cancelled",
  more: Partial<Extract<NewEvent, { event_type: "attempt.ended" }>> = {},
): NewEvent {
  const { store, clock, profiles } = world;
  const task = taskOf(store.state, lease.taskId);
  const attempt = task.attempts.find((one) => one.number === lease.attempt);
  const model = attempt?.model || profiles[lease.role]?.model.name || "";
  const failure = more.failure;
  return {
    task_id: lease.taskId,
    actor: lease.role,
    event_type: "attempt.ended",
    attempt: lease.attempt,
    role: lease.role,
    fence: lease.fence,
    outcome,
    ...(failure === undefined ? {} : { failure_class: failureClassOf(failure) }),
    summary: failure?.detail.split("\n")[0]?.slice(0, 300) ?? "",
    model,
    provider: model.split(":")[0] ?? "",
    usage: attempt?.usage ?? NO_USAGE,
    cost_usd: attempt?.costUsd ?? null,
    calls: attempt?.calls ?? 0,
    duration_ms: attempt === undefined ? 0 : workedMsOf(task, attempt, clock.now()),
    ...(attempt?.calls ? { prompt: promptName(world, lease.role) } : {}),
    files: [],
    ...more,
  };
}
