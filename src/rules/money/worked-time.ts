/** How long somebody was at work: pauses between two processes are nobody's work. */
import type { Attempt, Lease, TaskState } from "../../domain/run-state.ts";

/** The time worked on an attempt so far, in ms. */
export function workedMsOf(task: TaskState, attempt: Attempt, now: number): number {
  const lease = task.lease?.attempt === attempt.number ? task.lease : undefined;
  return attempt.workedMs + (lease === undefined ? 0 : heldMs(lease, now));
}

/** How long a lease has been worked under; 0 once its process has ended, or the clock was set back. */
export function heldMs(lease: Lease, now: number): number {
  return lease.sinceMs === undefined ? 0 : Math.max(0, now - lease.sinceMs);
}

/** Ends the counting of a lease's time at an instant, in place. */
export function stopCounting(task: TaskState, atMs: number): void {
  const { lease } = task;
  const attempt = task.attempts.find((one) => one.number === lease?.attempt);
  if (lease === undefined || attempt === undefined) return;
  attempt.workedMs += heldMs(lease, atMs);
  delete lease.sinceMs;
}
