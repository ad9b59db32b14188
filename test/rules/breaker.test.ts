/** Whether a model endpoint may be asked: after what failed, for how long, and by whom first. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memoryJournal } from "../../src/adapters/journal/memory.ts";
import type { NewEvent } from "../../src/domain/event.ts";
import type { Failure } from "../../src/domain/failure.ts";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import { openStore, type Store } from "../../src/orchestrator/store.ts";
import { type Access, accessTo, endpointOf } from "../../src/rules/breaker.ts";
import { reconcile } from "../../src/rules/reconcile.ts";
import { replay } from "../../src/rules/replay.ts";
import { taskOf } from "../../src/rules/status.ts";
import { aSnapshot, STARTED_AT } from "../support/builders.ts";
import {
  aClock,
  aStore,
  created,
  ended,
  on,
  released,
  runStarted,
  taken,
} from "../support/leaf-store.ts";
import { runsOf } from "../support/runs.ts";
import { chanceOf } from "../support/toy-run.ts";

const limits = DEFAULT_LIMITS;
const call = { attempt: 1, turn: "1", role: "worker", model: "toy:a", provider: "toy" } as const;
const away: Failure = { failure: "model-unavailable", detail: "503" };
const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 };

const asks = (task: string): NewEvent =>
  on(task, { event_type: "call.started", ...call, request: "r", prompt: "p" });
const fails = (task: string, failure: Failure = away): NewEvent =>
  on(task, { event_type: "call.failed", ...call, failure, duration_ms: 1 });
const answers = (task: string): NewEvent =>
  on(task, {
    event_type: "call.answered",
    ...call,
    reply: "a".repeat(64),
    usage,
    cost_usd: 0,
    duration_ms: 1,
    answered_by: "toy",
    stop_reason: "end",
  });

/** A run whose worker and planner are on two servers, and a clock that is set by hand. */
function anOpenStore(leaves = ["t", "u", "v", "w"]) {
  const clock = aClock();
  const endpoints = { worker: "toy:a at http://one", planner: "toy:a at http://two" };
  const store = openStore(memoryJournal("r"), clock, limits, [
    { ...runStarted, endpoints } as NewEvent,
    created("root", null),
  ]);
  store.record([taken(taskOf(store.state, "root"), "planner")]);
  store.record([
    ...leaves.map((id) => created(id, "root")),
    on("root", { event_type: "task.split", children: leaves, checks: [], assumptions: [] }),
    ended(taskOf(store.state, "root")),
    released(taskOf(store.state, "root")),
  ]);
  const access = (role: "worker" | "planner" = "worker"): Access =>
    accessTo(store.state, endpointOf(store.state, role), clock.nowMs);
  const underWay = () => {
    const held = [...store.state.tasks.values()].filter((task) => task.lease !== undefined);
    return new Map(held.map((task) => [task.id, "leaf"] as const));
  };
  const due = () =>
    reconcile(
      aSnapshot(store.state, { mirroring: true, publishing: true, busy: underWay() }),
      { ...limits, jobs: 9 },
      clock.nowMs,
    ).flatMap((action) => (action.kind === "attempt" ? [action.task] : []));
  return { store, clock, access, due };
}

const resumedAgain: NewEvent = {
  task_id: null,
  actor: "fractal",
  event_type: "run.resumed",
  pid: 2,
  models: { worker: "toy" },
  endpoints: { worker: "toy:a at http://one", planner: "toy:a at http://two" },
  contained: true,
};

const lease = (store: Store, task: string) => store.record([taken(taskOf(store.state, task))]);
const letGo = (store: Store, task: string, outage?: Failure) =>
  store.record([released(taskOf(store.state, task), outage === undefined ? {} : { outage })]);

/** One task's call that fails. */
function failOnce(store: Store, task: string, failure: Failure = away) {
  lease(store, task);
  store.record([asks(task), fails(task, failure)]);
  letGo(store, task, failure);
}

describe("an endpoint", () => {
  it("is left alone after three failed calls in a row, whosever they are, and no other is", () => {
    const { store, clock, access, due } = anOpenStore();
    failOnce(store, "t");
    failOnce(store, "u");
    expect(access()).toEqual({ kind: "closed" });
    expect(due()).toEqual(["v", "w"]);
    failOnce(store, "v");

    expect(access()).toMatchObject({ kind: "open", sinceMs: clock.nowMs });
    expect(access("planner")).toEqual({ kind: "closed" });
    expect(due()).toEqual([]);
    expect(taskOf(store.state, "w")).toMatchObject({ attemptsLeft: 3, attempts: [], outages: 0 });
  });

  it("is waited for by all alike: who was turned away by it has no pause of its own", () => {
    const { store, access } = anOpenStore();
    for (const id of ["t", "u", "v"]) failOnce(store, id);
    lease(store, "w");
    letGo(store, "w", away);
    expect(access()).toMatchObject({ untilMs: taskOf(store.state, "w").notBeforeMs });
    expect(taskOf(store.state, "t").notBeforeMs).toBeGreaterThan(0);
  });

  it("starts counting anew when it answers, also with a refusal", () => {
    for (const answer of [answers("t"), fails("t", { failure: "refused", detail: "no" })]) {
      const { store, access } = anOpenStore();
      failOnce(store, "t");
      failOnce(store, "u");
      lease(store, "t");
      store.record([asks("t"), answer]);
      letGo(store, "t");
      failOnce(store, "v");
      failOnce(store, "w");
      expect(access()).toEqual({ kind: "closed" });
    }
  });

  it("lets one through when the time is up; its failure closes it for longer, its answer opens it to all", () => {
    const { store, clock, access, due } = anOpenStore();
    for (const id of ["t", "u", "v"]) failOnce(store, id);
    let opened = access() as Access & { kind: "open" };
    const waits: number[] = [];
    for (let probe = 0; probe < 5; probe++) {
      waits.push(opened.untilMs - clock.nowMs);
      clock.nowMs = opened.untilMs;
      expect(access()).toEqual({ kind: "half-open", probe: undefined });
      expect(due()).toHaveLength(1);
      lease(store, "w");
      store.record([asks("w")]);
      expect(access()).toEqual({ kind: "half-open", probe: "w" });
      expect(due()).toEqual([]);
      store.record([fails("w")]);
      letGo(store, "w", away);
      opened = access() as Access & { kind: "open" };
    }
    expect(waits.every((wait, at) => at === 0 || wait >= (waits[at - 1] ?? 0))).toBe(true);
    expect(Math.max(...waits)).toBeLessThanOrEqual(limits.backoffMaxMs);

    clock.nowMs = opened.untilMs;
    lease(store, "w");
    store.record([asks("w"), answers("w")]);
    expect(access()).toEqual({ kind: "closed" });
    // Those it held up go on at once: they waited for the endpoint, not each for itself.
    expect(due()).toContain("v");
  });

  it("is asked by nobody before the server's own wish, though another's late answer comes", () => {
    const { store, clock, access, due } = anOpenStore();
    lease(store, "u");
    store.record([asks("u")]);
    failOnce(store, "t", { ...away, retryAfterMs: 120_000 });
    const wish = clock.nowMs + 120_000;
    store.record([answers("u")]);

    expect(access()).toMatchObject({ kind: "open", untilMs: wish });
    expect(due()).toEqual([]);
    clock.nowMs = wish - 1;
    expect(due()).toEqual([]);
    clock.nowMs = wish;
    expect(due().length).toBeGreaterThan(0);
  });

  it("is no longer probed by a task that was let go, nor by a process that ended", () => {
    const ways: ((store: Store) => void)[] = [
      (store) => letGo(store, "w"),
      (store) => store.record([resumedAgain]),
      (store) => store.record([fails("w", { failure: "cancelled", detail: "stopped" })]),
    ];
    for (const end of ways) {
      const { store, clock, access } = anOpenStore();
      for (const id of ["t", "u", "v"]) failOnce(store, id);
      clock.nowMs += limits.backoffMaxMs;
      lease(store, "w");
      store.record([asks("w")]);
      end(store);
      expect(access()).toEqual({ kind: "half-open", probe: undefined });
    }
  });

  it("holds up no command: that asks no model", () => {
    const { store, due } = anOpenStore();
    taskOf(store.state, "w").contract.kind = "command";
    for (const id of ["t", "u", "v"]) failOnce(store, id);
    expect(due()).toEqual(["w"]);
  });

  it("says since when it is out of reach, and ends the run after ten minutes of nothing else", () => {
    const { store, clock } = anOpenStore();
    for (const id of ["t", "u", "v"]) failOnce(store, id);
    const decide = () =>
      reconcile(aSnapshot(store.state, { mirroring: true, publishing: true }), limits, clock.nowMs);
    const since = clock.nowMs;
    const idle = () => {
      const snapshot = aSnapshot(store.state);
      for (const task of store.state.tasks.values()) task.mirror = { status: "open", assignee: "" };
      taskOf(store.state, "root").mirror = { status: "in_progress", assignee: "" };
      return reconcile(snapshot, limits, clock.nowMs);
    };
    expect(decide()).toMatchObject([{ kind: "wait" }]);
    expect(idle()).toMatchObject([{ kind: "wait" }]);
    while (clock.nowMs < since + limits.outageMs) {
      const access = accessTo(store.state, "toy:a at http://one", clock.nowMs);
      if (access.kind === "open") clock.nowMs = access.untilMs;
      failOnce(store, "w");
    }
    expect(idle()).toMatchObject([{ kind: "stop", exitCode: 6 }]);
  });
});

describe("crashes of a tier's attempts", () => {
  const crash = (store: Store, task: string, why = "broke off: Error: oops") => {
    lease(store, task);
    store.record([released(taskOf(store.state, task), { why })]);
  };
  const gone = (store: Store) => store.record([resumedAgain]);

  it("five within a minute leave it alone; what comes to an end of its own opens it again", () => {
    const { store, clock, access } = anOpenStore();
    for (let n = 0; n < 5; n++) {
      expect(access()).toEqual({ kind: "closed" });
      crash(store, "t");
      clock.nowMs += 10_000;
    }
    clock.nowMs -= 10_000;
    expect(access().kind).toBe("open");
    clock.nowMs += limits.backoffMaxMs;
    lease(store, "t");
    store.record([asks("t"), answers("t")]);
    // An answer is not yet a result: a crash may still follow it.
    expect(access().kind).toBe("half-open");
    store.record([ended(taskOf(store.state, "t"))]);
    expect(access()).toEqual({ kind: "closed" });
  });

  it("count a sandbox that does not start, and not a stop, a hold or an outage of the model", () => {
    const none: Failure = { failure: "sandbox-unavailable", detail: "no bwrap" };
    const { store, access } = anOpenStore();
    for (const why of ["stopped", "held", "ended"]) {
      for (let n = 0; n < 5; n++) crash(store, "t", why);
    }
    expect(access()).toEqual({ kind: "closed" });
    for (let n = 0; n < 5; n++) {
      lease(store, "t");
      letGo(store, "t", none);
    }
    expect(access().kind).toBe("open");
  });

  it("count a process that died once for each tier at work in it, and one that was stopped not at all", () => {
    const { store, clock, access } = anOpenStore();
    const letAllGo = () => {
      for (const id of ["t", "u", "v", "w"]) {
        if (taskOf(store.state, id).lease === undefined) continue;
        store.record([released(taskOf(store.state, id), { why: "its process ended" })]);
      }
    };
    for (let n = 0; n < 9; n++) {
      for (const id of ["t", "u", "v", "w"]) lease(store, id);
      const asked = { event_type: "pass.decided", decision: "stop", reason: "asked for" } as const;
      if (n % 2 === 1) store.record([{ ...asked, task_id: null, actor: "fractal" }]);
      clock.nowMs += 5_000;
      expect(access()).toEqual({ kind: "closed" });
      gone(store);
      letAllGo();
    }
    expect(access().kind).toBe("open");
    expect(access("planner")).toEqual({ kind: "closed" });
  });

  it("spread over more than a minute leave it as it is", () => {
    const { store, clock, access } = anOpenStore();
    for (let n = 0; n < 20; n++) {
      crash(store, "t");
      clock.nowMs += 15_001;
    }
    expect(access()).toEqual({ kind: "closed" });
  });
});

describe("whatever an endpoint does", () => {
  it("nobody asks while it is left alone, one asks to see, and a new process knows the same", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const chance = chanceOf(seed);
        const { store, clock, due } = anOpenStore();
        const asking = new Set<string>();
        for (let step = 0; step < 60; step++) {
          clock.nowMs += chance(30_000);
          const name = endpointOf(store.state, "worker");
          const before = accessTo(store.state, name, clock.nowMs);
          const ready = due().filter((id) => !asking.has(id));
          if (before.kind === "open") expect(ready).toEqual([]);
          if (before.kind === "half-open") {
            expect(ready.length).toBeLessThanOrEqual(asking.size > 0 ? 0 : 1);
          }
          const next = ready[chance(Math.max(1, ready.length))];
          if (next !== undefined && chance(2) === 0) {
            lease(store, next);
            store.record([asks(next)]);
            asking.add(next);
            continue;
          }
          const id = [...asking][chance(Math.max(1, asking.size))];
          if (id === undefined) continue;
          asking.delete(id);
          const isUp = chance(3) === 0;
          const failure = chance(4) === 0 ? { ...away, retryAfterMs: chance(90_000) } : away;
          store.record([isUp ? answers(id) : fails(id, failure)]);
          letGo(store, id, isUp ? undefined : failure);
        }
        expect(replay(store.journal.read())).toEqual(store.state);
      }),
      runsOf(100),
    );
  });
});

it("nothing is known of an endpoint that was never in trouble, and the start of a run names none", () => {
  const store = aStore();
  expect(store.state.endpoints.size).toBe(0);
  expect(endpointOf(store.state, "worker")).toBe("toy");
  expect(endpointOf(store.state, "planner")).toBeUndefined();
  expect(accessTo(store.state, undefined, STARTED_AT)).toEqual({ kind: "closed" });
});
