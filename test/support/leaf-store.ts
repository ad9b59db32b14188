/** A store over a run with one leaf `t`, and the events that bring it into each status. */
import { memoryJournal } from "../../src/adapters/journal/memory.ts";
import type { Fact, NewEvent } from "../../src/domain/event.ts";
import { renderInstant } from "../../src/domain/instant.ts";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import type { Clock, Journal } from "../../src/domain/ports.ts";
import type { TaskState } from "../../src/domain/run-state.ts";
import type { TaskStatus } from "../../src/domain/task.ts";
import { openStore, type Store } from "../../src/orchestrator/store.ts";
import type { Move } from "../../src/rules/lifecycle.ts";
import { taskOf } from "../../src/rules/status.ts";
import { aContract, STARTED_AT } from "./builders.ts";

/** A clock that stands still until it is set; sleepers wake by timers, which a test may fake. */
export function aClock(): Clock & { nowMs: number } {
  const sleep: Clock["sleep"] = (delayMs, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  const clock = { nowMs: STARTED_AT, now: () => clock.nowMs, sleep };
  return clock;
}

/** A fact about a task, by fractal. */
export const on = (task: string, fact: Fact): NewEvent => ({
  ...fact,
  task_id: task,
  actor: "fractal",
});

export const runStarted: NewEvent = {
  task_id: null,
  actor: "fractal",
  event_type: "run.started",
  spec_path: "spec.md",
  spec_hash: "5".repeat(64),
  spec: "5".repeat(64),
  title: "A run",
  base: "",
  branch: "fractal/r/main",
  root_id: "root",
  models: { worker: "toy" },
  contained: true,
};

/** `task.created`; a leaf of the plan unless told otherwise. */
export const created = (
  id: string,
  parent: string | null,
  over: Partial<NewEvent & { event_type: "task.created" }> = {},
): NewEvent =>
  on(id, {
    event_type: "task.created",
    parent,
    key: id,
    origin: parent === null ? "root" : "plan",
    contract: aContract(id),
    depends_on: [],
    leaf: parent !== null,
    priority: 2,
    ...over,
  });

export const taken = (task: TaskState, role: "worker" | "planner" | "fixer" = "worker"): NewEvent =>
  on(task.id, {
    event_type: "lease.taken",
    attempt: Math.max(0, ...task.attempts.map((one) => one.number)) + 1,
    role,
    fence: task.fence + 1,
    holder: `fractal/${role}/here/1/${task.id}`,
    deadline: renderInstant(STARTED_AT + 60_000),
    base: "",
  });

export const released = (task: TaskState, over: { outage?: never } | object = {}): NewEvent =>
  on(task.id, {
    event_type: "lease.released",
    attempt: task.lease?.attempt ?? 1,
    fence: task.lease?.fence ?? task.fence,
    why: "ended",
    ...over,
  });

export const ended = (
  task: TaskState,
  over: Partial<NewEvent & { event_type: "attempt.ended" }> = {},
): NewEvent =>
  on(task.id, {
    event_type: "attempt.ended",
    attempt: task.lease?.attempt ?? 1,
    role: task.lease?.role ?? "worker",
    fence: task.lease?.fence ?? task.fence,
    outcome: over.failure === undefined ? "succeeded" : "rejected",
    summary: "",
    model: "toy",
    provider: "toy",
    usage: { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 },
    cost_usd: 0,
    calls: 1,
    duration_ms: 1,
    files: [],
    ...over,
  });

export const opened = (
  task: string,
  question = `${task}.q1`,
  over: Partial<NewEvent & { event_type: "question.opened" }> = {},
): NewEvent =>
  on(task, {
    event_type: "question.opened",
    question,
    kind: "stuck",
    title: "What now?",
    why: "",
    options: [],
    tried: "",
    blocks: [task],
    ...over,
  });

export const done = (task: string): NewEvent =>
  on(task, { event_type: "task.done", unchecked: false });

export const split = (task: string, children: string[]): NewEvent =>
  on(task, { event_type: "task.split", children, checks: [], assumptions: [] });

/** The root, split into `d` and the leaf `t`. */
export function aStore(journal: Journal = memoryJournal("r")): Store {
  const store = openStore(journal, aClock(), DEFAULT_LIMITS, [runStarted, created("root", null)]);
  if (store.state.tasks.has("t")) return store;
  const root = () => taskOf(store.state, "root");
  store.record([taken(root(), "planner")]);
  store.record([
    created("d", "root"),
    created("t", "root"),
    split("root", ["d", "t"]),
    ended(root()),
    released(root()),
  ]);
  return store;
}

/** The event each move is, for the task as it stands. */
export function eventOf(move: Move, task: TaskState): NewEvent {
  const by = "ann";
  switch (move) {
    case "leased":
      return taken(task);
    case "released":
      return released(task);
    case "rejected":
      return ended(task, { failure: { failure: "check-failed", detail: "red", checks: [] } });
    case "split":
      return split(task.id, []);
    case "sized":
      return on(task.id, { event_type: "task.sized", contract: task.contract, assumptions: [] });
    case "done":
      return done(task.id);
    case "failed":
      return on(task.id, { event_type: "task.failed", reason: "enough" });
    case "routed":
      return on(task.id, { event_type: "escalation.routed", to: "fixer", by: "rules", reason: "" });
    case "guided":
      return on(task.id, { event_type: "guidance.given", from: by, text: "so", attempts: 0 });
    case "asked":
      return opened(task.id, `${task.id}.q${task.questions.length + 1}`);
    case "doubted":
      return opened(task.id, `${task.id}.q${task.questions.length + 1}`, { kind: "edited" });
    case "accepted":
      return on(task.id, { event_type: "task.accepted", by });
    case "cancelled":
      return on(task.id, { event_type: "task.cancelled", by, reason: "cancelled" });
    case "paused":
      return on(task.id, { event_type: "task.paused", by });
    case "unpaused":
      return on(task.id, { event_type: "task.unpaused", by });
    case "reopened":
      return on(task.id, { event_type: "task.reopened", by });
  }
}

/** The moves that bring a queued `t` into a status. */
const WAY: { readonly [S in TaskStatus]: readonly Move[] } = {
  queued: [],
  waiting: [],
  running: ["leased"],
  escalated: ["routed"],
  needs_human: ["asked"],
  failed: ["failed"],
  split: ["leased", "split", "released"],
  done: ["leased", "done", "released"],
  accepted: ["accepted"],
  paused: ["paused"],
  cancelled: ["cancelled"],
};

/** A store whose `t` is in this status. */
export function aStoreWith(status: TaskStatus): Store {
  const store = aStore();
  if (status === "waiting") {
    store.record([on("t", { event_type: "task.edited", by: "ann", depends_on: ["d"] })]);
  }
  for (const move of WAY[status]) store.record([eventOf(move, taskOf(store.state, "t"))]);
  return store;
}
