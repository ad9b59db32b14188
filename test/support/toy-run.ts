/**
 * A run without a world: what reconcile decides is carried out as events, as chance has it. The
 * rules, the store and the tracker are the real ones; workspaces, models and git are left out.
 */

import { memoryJournal } from "../../src/adapters/journal/memory.ts";
import type { Role } from "../../src/domain/conversation.ts";
import type { NewEvent } from "../../src/domain/event.ts";
import { type Failure, failureClassOf } from "../../src/domain/failure.ts";
import { renderInstant } from "../../src/domain/instant.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/domain/limits.ts";
import type { Clock, Journal } from "../../src/domain/ports.ts";
import type { TaskState } from "../../src/domain/run-state.ts";
import { SIZES, type TaskId } from "../../src/domain/task.ts";
import { openFollower } from "../../src/orchestrator/follower.ts";
import { openStore, type Store } from "../../src/orchestrator/store.ts";
import { createdEvent, publish } from "../../src/orchestrator/tracked.ts";
import { outOfQuestions } from "../../src/rules/escalation.ts";
import { openBudgetQuestion } from "../../src/rules/money/budget-question.ts";
import { nextQuestionId } from "../../src/rules/people/cancel.ts";
import { noteOn } from "../../src/rules/people/notes.ts";
import type { Action, Snapshot } from "../../src/rules/reconcile.ts";
import type { AskedKind } from "../../src/rules/standing.ts";
import { isHeld, taskOf } from "../../src/rules/status.ts";
import { aContract, aSnapshot, aVerdict, STARTED_AT } from "./builders.ts";
import { type MemoryTracker, memoryTracker } from "./memory-tracker.ts";

/** A number from 0 up to, not including, `below`; the same seed gives the same numbers. */
export type Chance = (below: number) => number;

/** Mulberry32. */
export function chanceOf(seed: number): Chance {
  let at = seed >>> 0;
  return (below) => {
    at = (at + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(at ^ (at >>> 15), at | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

export interface ToyRun {
  readonly store: Store;
  readonly tracker: MemoryTracker;
  readonly limits: Limits;
  clock: { nowMs: number } & Clock;
  /** What is under way: reconcile sees it, `finish` ends it. */
  readonly busy: Map<TaskId, { what: "leaf" | "plan" | "roll-up"; role: Role | undefined }>;
  snapshot(over?: Partial<Snapshot>): Snapshot;
  /** Starts what takes time, does the rest at once. */
  start(action: Action): Promise<void>;
  /** Ends the work under way on a task, somehow. */
  finish(id: TaskId): Promise<void>;
}

/** How a toy's chances stand. */
export interface Luck {
  /** How often, in a hundred, a plan and work come out well; the rest is every kind of failure. */
  plan: number;
  work: number;
  /** Children of a split, at most. */
  parts: number;
}
const EVEN: Luck = { plan: 55, work: 55, parts: 3 };

/** A run whose root is to be planned. */
export function toyRun(
  chance: Chance,
  over: Partial<Limits> = {},
  journal: Journal = memoryJournal("toy"),
  luck: Luck = EVEN,
): ToyRun {
  const limits: Limits = { ...DEFAULT_LIMITS, ...over };
  const tracker = memoryTracker();
  const clock = { nowMs: STARTED_AT, now: () => clock.nowMs, sleep: () => Promise.resolve() };
  const rootId = `fr-${journal.runId}`;
  const store = openStore(journal, clock, limits, firstEvents(rootId));
  const world = { store, tracker };
  const busy: ToyRun["busy"] = new Map();
  const by = (task: TaskId) => ({ task_id: task, actor: "fractal" });
  const record = (...events: NewEvent[]) => store.record(events);
  const pick = <T>(list: readonly T[]): T => list[chance(list.length)] as T;
  const isWell = (often = luck.work) => chance(100) < often;

  const lease = (task: TaskState, role: Role) => {
    const open = task.attempts.find((one) => one.endedAt === undefined && one.role === role);
    const attempt = open?.number ?? Math.max(0, ...task.attempts.map((one) => one.number)) + 1;
    record({
      ...by(task.id),
      event_type: "lease.taken",
      attempt,
      role,
      fence: task.fence + 1,
      holder: `fractal/${role}/here/1/${task.id}.${attempt}`,
      deadline: renderInstant(clock.nowMs + limits.leaseMs),
      base: "",
    });
  };

  /** `attempt.ended`, what else came of it, and the release: one write, as the real lease does. */
  const end = (
    id: TaskId,
    how: Partial<NewEvent & { event_type: "attempt.ended" }>,
    more: NewEvent[],
  ) => {
    const task = taskOf(store.state, id);
    if (task.lease === undefined) throw new Error(`${id} is not held`);
    const { attempt, role, fence } = task.lease;
    const failure = how.failure;
    const released = { ...by(id), event_type: "lease.released", attempt, fence } as const;
    if (failure !== undefined && failureClassOf(failure) === "outage") {
      record({ ...released, why: "outage", outage: failure });
      return;
    }
    record(
      {
        ...by(id),
        event_type: "attempt.ended",
        attempt,
        role,
        fence,
        outcome: failure === undefined ? "succeeded" : "failed",
        summary: "",
        model: "toy",
        provider: "toy",
        usage: { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 },
        cost_usd: 0,
        calls: 1,
        duration_ms: 1,
        files: [],
        ...how,
      },
      ...more,
      { ...released, why: "ended" },
    );
  };

  const asked = (task: TaskState, kind: AskedKind): NewEvent => ({
    ...by(task.id),
    event_type: "question.opened",
    question: nextQuestionId(store.state, task),
    kind,
    title: `What about ${task.id}?`,
    why: "",
    options: [],
    tried: "",
    blocks: task.shape === "split" ? [] : [task.id],
  });

  const finishPlan = async (task: TaskState) => {
    const mustSplit = task.route === "split";
    if (!isWell(luck.plan)) return end(task.id, { failure: pick(PLAN_FAILURES) }, []);
    const depth = task.id.split(".").length;
    const size = SIZES[Math.max(0, 3 - depth)] ?? "XS";
    if (!mustSplit && depth > 1 && (depth > 3 || chance(2) === 0)) {
      const contract = { ...task.contract, size };
      const sized: NewEvent = {
        ...by(task.id),
        event_type: "task.sized",
        contract,
        assumptions: [],
      };
      return end(task.id, {}, [sized]);
    }
    const ids = Array.from(
      { length: 1 + chance(luck.parts) },
      (_, at) => `${task.id}.${String.fromCharCode(96 + task.episode)}${at + 1}`,
    );
    const created = ids.map((id, at) =>
      createdEvent({
        id,
        key: id,
        parent: task.id,
        dependsOn: ids.slice(0, at).filter(() => chance(3) === 0),
        priority: chance(5),
        contract: aContract(id, { size, files: [`f${chance(4)}`] }),
        leaf: chance(3) > 0,
        origin: "plan",
      }),
    );
    const events: NewEvent[] = [
      ...created,
      { ...by(task.id), event_type: "task.split", children: ids, checks: [], assumptions: [] },
    ];
    const child = ids[0] ?? "";
    if (chance(6) === 0) {
      const question = `${child}.q1`;
      events.push({
        ...by(child),
        event_type: "question.opened",
        question,
        kind: "plan",
        title: "Which one?",
        why: "",
        options: [],
        tried: "",
        blocks: [child],
      });
    }
    return end(task.id, {}, events);
  };

  const finishLeaf = (task: TaskState, role: Role) => {
    const done = { ...by(task.id), event_type: "task.done", unchecked: false } as const;
    if (role === "worker") {
      if (isWell()) return end(task.id, { verdict: aVerdict() }, [done]);
      // Its files are its own after two conflicts: there is no third.
      const failures = task.conflicts < 2 ? WORK_FAILURES : WORK_FAILURES.filter(isNoConflict);
      return end(task.id, { failure: pick(failures) }, []);
    }
    switch (chance(5)) {
      case 0:
        return end(task.id, { verdict: aVerdict() }, [done]);
      case 1:
        return end(task.id, { failure: { failure: "answer-unusable", detail: "no" } }, []);
      case 2: {
        const reason = outOfQuestions(task, limits, "the fixer asks");
        const failed = { ...by(task.id), event_type: "task.failed" } as const;
        const asks = reason === undefined ? asked(task, "stuck") : { ...failed, reason };
        return end(task.id, {}, [asks]);
      }
      case 3: {
        const failure: Failure = { failure: "check-failed", detail: "patch", checks: [] };
        return end(task.id, { failure, verdict: aVerdict({ passed: false }) }, []);
      }
      default: {
        const attempts = limits.attemptsAfterGuidance;
        const help = { ...by(task.id), event_type: "guidance.given", from: "fixer" } as const;
        return end(task.id, {}, [{ ...help, text: "like this", attempts }]);
      }
    }
  };

  const finishRollUp = async (task: TaskState) => {
    const verdict = aVerdict({ passed: isWell() });
    const rolled = { ...by(task.id), event_type: "task.rolled_up", verdict, tree: "" } as const;
    if (verdict.passed) {
      return record(rolled, { ...by(task.id), event_type: "task.done", unchecked: false });
    }
    if (task.repairs >= limits.repairsMax) return record(rolled);
    const made = task.children.filter((id) => taskOf(store.state, id).origin === "repair").length;
    const id = `${task.id}.r${made + 1}`;
    const repair = createdEvent({
      id,
      key: id,
      parent: task.id,
      dependsOn: [],
      priority: 2,
      contract: aContract(id),
      leaf: true,
      origin: "repair",
    });
    return record(rolled, repair);
  };

  const self: ToyRun = {
    store,
    tracker,
    limits,
    clock,
    busy,
    snapshot: (over = {}) =>
      aSnapshot(store.state, {
        busy: new Map([...busy].map(([id, one]) => [id, one.what])),
        ...over,
      }),
    async start(action) {
      switch (action.kind) {
        case "plan":
          busy.set(action.task, { what: "plan", role: "planner" });
          return lease(taskOf(store.state, action.task), "planner");
        case "attempt":
          busy.set(action.task, { what: "leaf", role: "worker" });
          return lease(taskOf(store.state, action.task), "worker");
        case "fix":
          busy.set(action.task, { what: "leaf", role: "fixer" });
          return lease(taskOf(store.state, action.task), "fixer");
        case "roll-up":
          busy.set(action.task, { what: "roll-up", role: undefined });
          return;
        case "route": {
          const to =
            action.to === "router" ? pick(["fixer", "split", "person"] as const) : action.to;
          const { reason } = action;
          return record({
            ...by(action.task),
            event_type: "escalation.routed",
            to,
            by: "rules",
            reason,
          });
        }
        case "ask":
          return record(asked(taskOf(store.state, action.task), action.question));
        case "ask-budget":
          return record(openBudgetQuestion(store.state, action.by, action.tasks));
        case "moot": {
          const about = store.state.questions.get(action.question)?.about ?? null;
          const closed = { event_type: "question.closed", question: action.question } as const;
          return record({
            ...closed,
            task_id: about,
            actor: "fractal",
            by: "fractal",
            how: "moot",
          });
        }
        case "give-up":
          return record({ ...by(action.task), event_type: "task.failed", reason: action.reason });
        case "withdraw": {
          const { question } = action;
          const about = store.state.questions.get(question)?.about ?? null;
          const closed = {
            task_id: about,
            actor: "fractal",
            event_type: "question.closed",
          } as const;
          return record({ ...closed, question, by: "fractal", how: "moot" });
        }
        case "publish":
          await publish(world, action.ids);
          return;
        case "mirror":
          await openFollower(world).mirror();
          return;
        case "wait":
          clock.nowMs = Math.max(clock.nowMs, action.untilMs);
          return;
        case "say-why":
          return record(noteOn(action.id, action.key, action.text));
        case "notify": {
          const { question } = action;
          const about = store.state.questions.get(question)?.about ?? null;
          const told = {
            task_id: about,
            actor: "fractal",
            event_type: "question.notified",
          } as const;
          return record({ ...told, question });
        }
        case "prompt":
        case "stop":
          return;
      }
    },
    async finish(id) {
      const one = busy.get(id);
      if (one === undefined) throw new Error(`nothing is under way on ${id}`);
      clock.nowMs += 1 + chance(30_000);
      const task = taskOf(store.state, id);
      const isLetGo =
        task.end !== undefined || task.question !== undefined || isHeld(store.state, id);
      if (one.role === undefined) {
        if (!isLetGo) await finishRollUp(task);
      } else if (isLetGo)
        end(id, { failure: { failure: "cancelled", detail: "held" }, outcome: "cancelled" }, []);
      else if (one.what === "plan") await finishPlan(task);
      else finishLeaf(task, one.role);
      busy.delete(id);
    },
  };
  return self;
}

const PLAN_FAILURES: readonly Failure[] = [
  { failure: "answer-unusable", detail: "no valid plan" },
  { failure: "model-unavailable", detail: "429", retryAfterMs: 5000 },
  { failure: "worker-asks", detail: "what is meant?", options: [] },
];

const WORK_FAILURES: readonly Failure[] = [
  { failure: "check-failed", detail: "red", checks: ["works"] },
  { failure: "check-failed", detail: "red again", checks: ["works"] },
  { failure: "out-of-scope", detail: "wrote b", paths: ["b"] },
  { failure: "answer-unusable", detail: "no files" },
  { failure: "refused", detail: "no" },
  { failure: "merge-conflict", detail: "a", paths: ["a"] },
  { failure: "worker-asks", detail: "which?", options: ["a", "b"] },
  { failure: "flaky-check", detail: "red and green", checks: ["works"] },
  { failure: "capability-missing", detail: "needs the network" },
  { failure: "context-overflow", detail: "too long" },
  { failure: "model-unavailable", detail: "503" },
  { failure: "sandbox-unavailable", detail: "no bwrap" },
];

const isNoConflict = (failure: Failure) => failure.failure !== "merge-conflict";

function firstEvents(rootId: string): NewEvent[] {
  return [
    {
      task_id: null,
      actor: "fractal",
      event_type: "run.started",
      spec_path: "spec.md",
      spec_hash: "5".repeat(64),
      spec: "5".repeat(64),
      title: "A toy",
      base: "",
      branch: "fractal/toy/main",
      root_id: rootId,
      models: {},
      contained: true,
    },
    createdEvent({
      id: rootId,
      key: "root",
      parent: null,
      dependsOn: [],
      priority: 2,
      contract: aContract("A toy", { size: "XL" }),
      leaf: false,
      origin: "root",
    }),
  ];
}
