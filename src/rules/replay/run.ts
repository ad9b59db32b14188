/** What an event about the run changes: its processes, what they decided, and what Beads is owed. */
import type { EventAbout } from "../../domain/event/about.ts";
import type { RunEvent } from "../../domain/event.ts";
import { DEFAULT_LIMITS, type Limits } from "../../domain/limits.ts";
import type { RunState } from "../../domain/run-state.ts";
import { beginProcess } from "../breaker.ts";
import { stopCounting } from "../money/worked-time.ts";
import { hasDied, noteDeath } from "../quarantine.ts";
import { noteMerged } from "../work/merged.ts";

type OfRun = EventAbout<"run" | "pass" | "work" | "forecast" | "mirror" | "note">;

/** Carries an event about the run into its state, in place. */
export function applyToRun(state: RunState, event: OfRun, atMs: number): void {
  switch (event.event_type) {
    case "run.started":
      return;
    case "run.resumed":
      // What ended was held to the limits it ran under.
      beginProcess(state, hasDied(state), atMs, state.limits);
      if (event.limits !== undefined) state.limits = limitsIn(event);
      noteDeath(state);
      state.lastDecision = "";
      state.processSinceMs = atMs;
      delete state.stopped;
      state.models = event.models;
      state.endpointNames = event.endpoints ?? {};
      state.contained = state.contained && event.contained;
      if (event.jobs !== undefined) state.jobs = event.jobs;
      if (event.allows === undefined) delete state.allows;
      else state.allows = event.allows;
      // Nobody was waiting while the run was stopped: its patience starts anew.
      for (const task of state.tasks.values()) {
        delete task.outageSinceMs;
        // Its process ended with the last thing it said.
        stopCounting(task, state.lastAtMs);
      }
      return;
    case "run.stopped":
      state.stopped = { reason: event.reason, exitCode: event.exit_code };
      return;
    case "run.merged":
      noteMerged(state, event);
      return;
    case "forecast.made": {
      const { leaves, calls, tokens } = event;
      state.forecast = { leaves, calls, tokens, costUsd: event.cost_usd ?? undefined };
      return;
    }
    case "pass.decided":
      state.lastDecision = `${event.decision}: ${event.reason}`;
      return;
    case "work.detected":
      for (const one of event.work) state.work.set(one.role, { ...one, atMs });
      return;
    case "mirror.started":
      for (const line of event.lines) {
        const known = state.tasks.get(line.id) ?? state.questions.get(line.id);
        if (known) known.mirrorPending = { status: line.status, assignee: line.assignee };
      }
      return;
    case "mirror.done":
      for (const line of event.lines) {
        const known = state.tasks.get(line.id) ?? state.questions.get(line.id);
        if (known === undefined) continue;
        known.mirror = { status: line.status, assignee: line.assignee };
        delete known.mirrorPending;
      }
      return;
    case "note.started":
      if (!state.notes.has(event.key)) {
        state.notes.set(event.key, { key: event.key, id: event.id, text: event.text, done: false });
      }
      return;
    case "note.done":
      endNote(state, event);
      return;
    default:
      event satisfies never;
  }
}

/** The limits a run was begun or gone on with; those of old journals were the usual ones. */
export function limitsIn(event: { limits?: Record<string, unknown> | undefined }): Limits {
  return { ...DEFAULT_LIMITS, ...event.limits };
}

function endNote(state: RunState, event: RunEvent & { event_type: "note.done" }): void {
  const note = state.notes.get(event.key);
  if (note === undefined) return;
  state.notes.set(note.key, { ...note, done: true });
  const task = state.tasks.get(note.id);
  if (task === undefined || event.comments === undefined) return;
  task.commentsRead = Math.max(task.commentsRead, event.comments);
}
