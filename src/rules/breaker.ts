/**
 * Whether a model endpoint is asked: after failures in a row it is left alone for a while, then one
 * call is let through to see. Derived from the journal alone, so that a new process knows it too.
 */
import type { Role } from "../domain/conversation.ts";
import type { RunEvent } from "../domain/event.ts";
import type { Limits } from "../domain/limits.ts";
import type { Endpoint, RunState, TaskState } from "../domain/run-state.ts";
import type { TaskId } from "../domain/task.ts";
import { backoffMs } from "./retry.ts";

/** The limits a breaker goes by. */
type BreakerLimits = Pick<
  Limits,
  "breakerFailures" | "crashesMax" | "crashWindowMs" | "backoffBaseMs" | "backoffMaxMs"
>;

/**
 * How an endpoint is to be treated now. `open`: not before this instant, and out of reach since.
 * `half-open`: one task may ask; `probe` is the one that does already.
 */
export type Access =
  | { kind: "closed" }
  | { kind: "open"; untilMs: number; sinceMs: number | undefined }
  | { kind: "half-open"; probe: TaskId | undefined };

/** The endpoint that answers for a role: one model at one server. Undefined where none is known. */
export function endpointOf(state: RunState, role: Role): string | undefined {
  return state.endpointNames[role] ?? state.models[role];
}

/** Whether an endpoint may be asked. One that nothing is known of may. */
export function accessTo(state: RunState, name: string | undefined, now: number): Access {
  const endpoint = name === undefined ? undefined : state.endpoints.get(name);
  if (endpoint === undefined) return { kind: "closed" };
  const untilMs = Math.max(endpoint.openUntilMs ?? 0, endpoint.wishUntilMs);
  if (untilMs > now) return { kind: "open", untilMs, sinceMs: endpoint.sinceMs };
  if (endpoint.openUntilMs === undefined) return { kind: "closed" };
  return { kind: "half-open", probe: endpoint.probe };
}

/** Carries an event about a task into what is known of the endpoints, in place. */
export function noteEndpoint(
  state: RunState,
  task: TaskState,
  event: RunEvent,
  atMs: number,
  limits: BreakerLimits,
): void {
  switch (event.event_type) {
    case "call.started": {
      const endpoint = state.endpoints.get(nameOf(state, event));
      const isOpen = endpoint?.openUntilMs !== undefined && endpoint.openUntilMs <= atMs;
      if (isOpen) endpoint.probe = task.id;
      return;
    }
    case "call.answered":
      noteAnswer(state, nameOf(state, event));
      return;
    case "call.failed": {
      const name = nameOf(state, event);
      const { failure } = event;
      if (failure.failure === "model-unavailable") {
        noteFailure(state, task, name, failure.retryAfterMs ?? 0, atMs, limits);
      } else if (failure.failure === "cancelled") endProbe(state.endpoints.get(name), task.id);
      // Whatever else it said, it is there.
      else noteAnswer(state, name);
      return;
    }
    case "attempt.ended":
      // A tier whose attempts come to an end of their own no longer crashes.
      noteEnd(state, event.role);
      return;
    default:
      return;
  }
}

/**
 * A lease was let go, and is still held here: its probe is over, and it may have been a crash. That
 * is an attempt which broke instead of coming to a result: the sandbox did not start, or something
 * threw. Calls that fail are counted by the calls themselves.
 */
export function noteRelease(
  state: RunState,
  task: TaskState,
  event: RunEvent & { event_type: "lease.released" },
  atMs: number,
  limits: BreakerLimits,
): void {
  for (const endpoint of state.endpoints.values()) endProbe(endpoint, task.id);
  const isCrash =
    event.outage?.failure === "sandbox-unavailable" || event.why.startsWith(BROKE_OFF);
  const name = task.lease === undefined ? undefined : endpointOf(state, task.lease.role);
  if (isCrash && name !== undefined) noteCrash(state, name, atMs, limits);
}

/**
 * A new process asks nothing yet, and its patience with what is out of reach starts anew. When the
 * one before it died, that is one crash of every tier that was at work in it.
 */
export function beginProcess(
  state: RunState,
  hasDied: boolean,
  atMs: number,
  limits: BreakerLimits,
): void {
  for (const endpoint of state.endpoints.values()) {
    delete endpoint.probe;
    delete endpoint.sinceMs;
  }
  if (!hasDied) return;
  const atWork = [...state.tasks.values()].flatMap(({ lease }) => lease?.role ?? []);
  const names = new Set(atWork.flatMap((role) => endpointOf(state, role) ?? []));
  for (const name of names) noteCrash(state, name, atMs, limits);
}

function noteCrash(state: RunState, name: string, atMs: number, limits: BreakerLimits): void {
  const endpoint = knownEndpoint(state, name);
  endpoint.crashes = [...endpoint.crashes, atMs].slice(-limits.crashesMax);
  const first = endpoint.crashes[0] ?? atMs;
  if (endpoint.crashes.length < limits.crashesMax || atMs - first > limits.crashWindowMs) return;
  endpoint.crashes = [];
  open(endpoint, name, "crashes", atMs, limits);
}

/** How the reason begins with which a lease is let go when something threw. */
export const BROKE_OFF = "broke off";

function nameOf(state: RunState, { role, model }: { role: Role; model: string }): string {
  return endpointOf(state, role) ?? model;
}

function knownEndpoint(state: RunState, name: string): Endpoint {
  const known = state.endpoints.get(name);
  if (known !== undefined) return known;
  const made: Endpoint = { failures: 0, openings: 0, wishUntilMs: 0, crashes: [] };
  state.endpoints.set(name, made);
  return made;
}

function noteFailure(
  state: RunState,
  task: TaskState,
  name: string,
  retryAfterMs: number,
  atMs: number,
  limits: BreakerLimits,
): void {
  const endpoint = knownEndpoint(state, name);
  endpoint.failures += 1;
  endpoint.sinceMs ??= atMs;
  // The server's wish holds for all who ask it, and a late answer to another does not end it.
  endpoint.wishUntilMs = Math.max(endpoint.wishUntilMs, atMs + retryAfterMs);
  const wasProbe = endpoint.probe === task.id;
  endProbe(endpoint, task.id);
  // Those that were under way when it was opened say nothing new.
  const isNew = endpoint.openUntilMs === undefined || wasProbe;
  const isEnough = wasProbe || retryAfterMs > 0 || endpoint.failures >= limits.breakerFailures;
  if (isNew && isEnough) open(endpoint, name, "calls", atMs, limits);
}

function open(
  endpoint: Endpoint,
  name: string,
  by: "calls" | "crashes",
  atMs: number,
  limits: BreakerLimits,
): void {
  endpoint.openings += 1;
  endpoint.openedBy = by;
  endpoint.openUntilMs = atMs + backoffMs(endpoint.openings, name, limits);
  endpoint.sinceMs ??= atMs;
}

function noteAnswer(state: RunState, name: string): void {
  const endpoint = state.endpoints.get(name);
  if (endpoint === undefined) return;
  endpoint.failures = 0;
  delete endpoint.probe;
  if (endpoint.openedBy !== "crashes") close(endpoint);
}

function noteEnd(state: RunState, role: Role): void {
  const name = endpointOf(state, role);
  const endpoint = name === undefined ? undefined : state.endpoints.get(name);
  if (endpoint?.openedBy === "crashes") close(endpoint);
}

function close(endpoint: Endpoint): void {
  endpoint.openings = 0;
  delete endpoint.openUntilMs;
  delete endpoint.openedBy;
  delete endpoint.sinceMs;
}

function endProbe(endpoint: Endpoint | undefined, task: TaskId): void {
  if (endpoint?.probe === task) delete endpoint.probe;
}
