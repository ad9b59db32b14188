/** What a journal amounts to: folded in parts or whole, twice the same, and what episodes restore. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NewEvent, RunEvent } from "../../src/domain/event.ts";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import type { Store } from "../../src/orchestrator/store.ts";
import { nextRung } from "../../src/rules/escalation.ts";
import { reconcile } from "../../src/rules/reconcile.ts";
import { applyEvent, replay } from "../../src/rules/replay.ts";
import { statusOf, taskOf } from "../../src/rules/status.ts";
import {
  aStore,
  aStoreWith,
  created,
  done,
  ended,
  eventOf,
  on,
  opened,
  released,
  split,
  taken,
} from "../support/leaf-store.ts";
import { chanceOf, type ToyRun, toyRun } from "../support/toy-run.ts";

const t = (store: Store) => taskOf(store.state, "t");

/** A journal of some passes of a run played by chance. */
async function someJournal(seed: number): Promise<RunEvent[]> {
  const chance = chanceOf(seed);
  const run: ToyRun = toyRun(chance, { jobs: 3 });
  for (let pass = 0; pass < 40; pass++) {
    const actions = reconcile(run.snapshot(), run.limits, run.clock.nowMs);
    for (const action of actions) await run.start(action);
    for (const id of [...run.busy.keys()]) if (chance(2) === 0) await run.finish(id);
  }
  return run.store.journal.read();
}

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const part of Object.values(value)) frozen(part);
    Object.freeze(value);
  }
  return value;
}

describe("a journal", () => {
  it("comes to the same whether it is folded whole or in two parts", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), async (seed, cut) => {
        const events = await someJournal(seed);
        const at = 1 + (cut % events.length);
        const state = replay(events.slice(0, at));
        for (const event of events.slice(at)) applyEvent(state, event);
        expect(state).toEqual(replay(events));
      }),
      { numRuns: 50 },
    );
  });

  it("comes to the same each time, and is not changed by being read", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const events = frozen(structuredClone(await someJournal(seed)));
        expect(replay(events)).toEqual(replay(events));
      }),
      { numRuns: 30 },
    );
  });

  it("starts with run.started, or is none", () => {
    expect(() => replay([])).toThrow("starts with run.started");
    const [, second] = aStore().journal.read();
    expect(() => replay([second as RunEvent])).toThrow("starts with run.started");
  });

  it("says which line is about a task that was never made", () => {
    const [first] = aStore().journal.read();
    const stray = { ...(first as RunEvent), ...done("x"), seq: 7 } as RunEvent;
    expect(() => replay([first as RunEvent, stray])).toThrow("event 7");
  });
});

describe("attempts", () => {
  const fail = (store: Store, failure: NonNullable<Parameters<typeof ended>[1]>["failure"]) => {
    store.record([taken(t(store))]);
    store.record([ended(t(store), { failure: failure as never }), released(t(store))]);
  };
  const red = { failure: "check-failed", detail: "red", checks: [] } as const;

  it("are used up by failures of the task, one each, and only down to none", () => {
    const store = aStore();
    const left = [3, 2, 1, 0].map((expected, at) => {
      if (at > 0) fail(store, { ...red, checks: [] });
      return [t(store).attemptsLeft, expected];
    });
    for (const [is, expected] of left) expect(is).toBe(expected);
    expect(statusOf(store.state, "t")).toBe("escalated");
  });

  it("are not used up by a conflict, a question, or trouble outside", () => {
    for (const failure of [
      { failure: "merge-conflict", detail: "", paths: [] },
      { failure: "worker-asks", detail: "", options: [] },
      { failure: "capability-missing", detail: "" },
      { failure: "model-unavailable", detail: "" },
      { failure: "cancelled", detail: "" },
    ] as const) {
      const store = aStore();
      fail(store, failure as never);
      expect([failure.failure, t(store).attemptsLeft]).toEqual([failure.failure, 3]);
    }
  });

  it("keep their number across a release, under a new fence", () => {
    const store = aStore();
    store.record([taken(t(store)), released(t(store), { fence: 1, attempt: 1 })]);
    store.record([{ ...taken(t(store)), attempt: 1 } as NewEvent]);
    expect(t(store).attempts).toMatchObject([{ number: 1, fence: 2 }]);
    expect(t(store).fence).toBe(2);
  });

  it("wait longer after each outage, and no longer once something came of them", () => {
    const store = aStore();
    const outage = { failure: "model-unavailable", detail: "503" } as const;
    const delays: number[] = [];
    for (let n = 0; n < 3; n++) {
      store.record([taken(t(store))]);
      store.record([released(t(store), { outage })]);
      delays.push(t(store).notBeforeMs);
    }
    expect([...delays].sort((a, b) => a - b)).toEqual(delays);
    expect(t(store).outages).toBe(3);
    expect(t(store).outageSinceMs).toBeDefined();
    fail(store, { ...red, checks: [] });
    expect(t(store).outages).toBe(0);
    expect(t(store).outageSinceMs).toBeUndefined();
  });

  it("begin their patience with outages anew when the run is resumed", () => {
    const store = aStore();
    const outage = { failure: "model-unavailable", detail: "503" } as const;
    store.record([taken(t(store))]);
    store.record([released(t(store), { outage })]);
    store.record([
      {
        task_id: null,
        actor: "fractal",
        event_type: "run.resumed",
        pid: 1,
        models: {},
        contained: true,
      },
    ]);
    expect(t(store).outageSinceMs).toBeUndefined();
  });

  it("add up tokens and money of every stored answer; one unknown price makes the sum unknown", () => {
    const store = aStore();
    store.record([taken(t(store))]);
    const usage = { inputTokens: 10, outputTokens: 5, cacheReadTokens: 2, cacheWriteTokens: 1 };
    const answer = (turn: string, cost_usd: number | null): NewEvent =>
      on("t", {
        event_type: "call.answered",
        attempt: 1,
        turn,
        role: "worker",
        model: "toy:a",
        provider: "toy",
        reply: "a".repeat(64),
        usage,
        cost_usd,
        duration_ms: 1,
        answered_by: "toy",
        stop_reason: "end",
      });
    store.record([answer("1", 0.5), answer("2", 0.25)]);
    expect(store.state.costUsd).toBe(0.75);
    expect(store.state.usage.inputTokens).toBe(20);
    expect([...store.state.replies.keys()]).toEqual(["t.1.1", "t.1.2"]);
    store.record([answer("3", null)]);
    expect(store.state.costUsd).toBeUndefined();
    expect(t(store).attempts[0]).toMatchObject({ calls: 3, model: "toy:a" });
    expect(t(store).attempts[0]?.costUsd).toBeUndefined();
  });
});

describe("a merge that conflicts again and again", () => {
  const conflict = { failure: "merge-conflict", detail: "the same lines", paths: ["a"] } as const;
  const lose = (store: ReturnType<typeof aStoreWith>, role: "worker" | "fixer" = "worker") => {
    store.record([taken(t(store), role)]);
    const failure = { ...conflict, paths: ["a"] };
    store.record([ended(t(store), { failure }), released(t(store))]);
  };
  const rung = (store: ReturnType<typeof aStoreWith>) => nextRung(t(store), 1, DEFAULT_LIMITS).to;

  it("is tried again twice at no cost, then is the fixer's, then a person's", () => {
    const store = aStoreWith("queued");
    lose(store);
    expect([rung(store), t(store).attemptsLeft]).toEqual(["worker", 3]);
    lose(store);
    expect([rung(store), t(store).attemptsLeft]).toEqual(["worker", 3]);
    lose(store);
    expect([rung(store), t(store).attemptsLeft]).toEqual(["fixer", 3]);
    store.record([
      on("t", { event_type: "escalation.routed", to: "fixer", by: "rules", reason: "" }),
      on("t", { event_type: "guidance.given", from: "fixer", text: "so", attempts: 2 }),
    ]);
    expect(rung(store)).toBe("worker");
    lose(store);
    expect(rung(store)).toBe("person");
  });

  it("of the fixer's own patch is a person's", () => {
    const store = aStoreWith("queued");
    for (let at = 0; at < 3; at++) lose(store);
    lose(store, "fixer");
    expect(rung(store)).toBe("person");
  });

  it("begins to count anew with an answer", () => {
    const store = aStoreWith("queued");
    for (let at = 0; at < 3; at++) lose(store);
    store.record([
      opened("t"),
      on("t", { event_type: "question.answered", question: "t.q1", by: "ann", text: "go" }),
    ]);
    expect([t(store).conflicts, rung(store)]).toEqual([0, "worker"]);
  });
});

describe("a fixer", () => {
  it("gives attempts with its guidance, and is used then", () => {
    const store = aStoreWith("escalated");
    store.record([
      on("t", { event_type: "guidance.given", from: "fixer", text: "so", attempts: 2 }),
    ]);
    expect(t(store)).toMatchObject({ fixerUsed: true, attemptsLeft: 3 });
    expect(t(store).route).toBeUndefined();
  });

  it.each([
    ["a rejected patch is one of the two attempts after its help", "check-failed", 1, undefined],
    ["an answer that is no help goes to a person", "answer-unusable", 0, "person"],
    ["a conflict is tried again", "merge-conflict", 3, "fixer"],
  ] as const)("%s", (_, kind, left, route) => {
    const store = aStoreWith("escalated");
    store.record([taken(t(store), "fixer")]);
    const failure = { failure: kind, detail: "", checks: [], paths: [] };
    store.record([ended(t(store), { failure: failure as never }), released(t(store))]);
    expect(t(store).attemptsLeft).toBe(left);
    expect(t(store).route).toBe(route);
    expect(t(store).fixerUsed).toBe(true);
  });
});

describe("an episode", () => {
  const answered = (question: string): NewEvent =>
    on("t", { event_type: "question.answered", question, by: "ann", text: "use b" });

  it("begins with an answer, which restores at least two attempts", () => {
    for (const left of [0, 1, 2, 3]) {
      const store = aStore();
      for (let at = 3; at > left; at--) {
        store.record([taken(t(store))]);
        const failure = { failure: "check-failed", detail: "red", checks: [] } as const;
        store.record([
          ended(t(store), { failure: { ...failure, checks: [] } }),
          released(t(store)),
        ]);
      }
      store.record([opened("t"), answered("t.q1")]);
      expect([left, t(store).attemptsLeft]).toEqual([left, Math.max(2, left)]);
      expect(t(store).episode).toBe(2);
      expect(t(store).guidance.at(-1)).toEqual({
        from: "ann",
        text: "Asked: What now?\nAnswer: use b",
      });
      expect(statusOf(store.state, "t")).toBe("queued");
    }
  });

  it("does not give the fixer back with an answer, but does with a reopening", () => {
    const store = aStoreWith("escalated");
    store.record([taken(t(store), "fixer")]);
    const failure = { failure: "answer-unusable", detail: "" } as const;
    store.record([ended(t(store), { failure }), released(t(store)), opened("t")]);
    store.record([answered("t.q1")]);
    expect(t(store)).toMatchObject({ fixerUsed: true, attemptsLeft: 2 });
    store.record([on("t", { event_type: "task.accepted", by: "ann" })]);
    store.record([eventOf("reopened", t(store))]);
    expect(t(store)).toMatchObject({ fixerUsed: false, attemptsLeft: 3, episode: 3 });
  });

  it("ends in failure when its question is dismissed, and goes on when it is moot", () => {
    for (const [how, status] of [
      ["dismissed", "failed"],
      ["moot", "queued"],
    ] as const) {
      const store = aStoreWith("needs_human");
      store.record([on("t", { event_type: "question.closed", question: "t.q1", by: "ann", how })]);
      expect(statusOf(store.state, "t")).toBe(status);
    }
  });

  it("is not begun by an answer to what a person settled meanwhile", () => {
    for (const move of ["accepted", "cancelled"] as const) {
      const store = aStoreWith("needs_human");
      store.record([eventOf(move, t(store))]);
      store.record([answered("t.q1")]);
      expect(statusOf(store.state, "t")).toBe(move);
    }
  });

  it("hears an answer once", () => {
    const store = aStoreWith("needs_human");
    store.record([answered("t.q1")]);
    store.record([answered("t.q1")]);
    expect(t(store).guidance).toHaveLength(1);
    expect(t(store).episode).toBe(2);
  });

  it("goes on without a dropped dependency once a person answered", () => {
    const store = aStoreWith("waiting");
    store.record([on("d", { event_type: "task.cancelled", by: "ann", reason: "" })]);
    expect(statusOf(store.state, "t")).toBe("waiting");
    store.record([opened("t", "t.q1", { kind: "dropped" }), answered("t.q1")]);
    expect(statusOf(store.state, "t")).toBe("queued");
  });

  it("waits for the first of two questions that block it", () => {
    const store = aStore();
    store.record([opened("t"), opened("d", "d.q1", { blocks: ["d", "t"] })]);
    expect(t(store).question).toBe("t.q1");
    expect(taskOf(store.state, "d").question).toBe("d.q1");
  });
});

describe("a tree", () => {
  it("is open above a task that is reopened, brought back or added", () => {
    const ways: NewEvent[][] = [
      [on("t", { event_type: "task.reopened", by: "ann" })],
      [created("t.1", "t", { origin: "person", leaf: false })],
      [on("d", { event_type: "task.unpaused", by: "ann" })],
    ];
    for (const way of ways) {
      const store = aStoreWith("done");
      store.record([on("d", { event_type: "task.cancelled", by: "ann", reason: "" })]);
      store.record([done("root")]);
      expect(statusOf(store.state, "root")).toBe("done");
      store.record(way);
      expect(statusOf(store.state, "root")).toBe("split");
    }
  });

  it("makes a leaf a parent when a person adds a child to it", () => {
    const store = aStore();
    store.record([created("t.1", "t", { origin: "person", leaf: false })]);
    expect(t(store)).toMatchObject({ shape: "split", children: ["t.1"] });
    expect(taskOf(store.state, "t.1").shape).toBe("unplanned");
  });

  it("leaves what is still to be planned to be planned when a person adds a child to it", () => {
    const store = aStore();
    store.record([created("u", "root", { leaf: false })]);
    store.record([created("u.1", "u", { origin: "person", leaf: false })]);
    expect(taskOf(store.state, "u")).toMatchObject({ shape: "unplanned", children: ["u.1"] });
    // A person's own breakdown of a person's task stands as it is.
    store.record([created("u.1.1", "u.1", { origin: "person", leaf: false })]);
    expect(taskOf(store.state, "u.1").shape).toBe("split");
  });

  it("stays done where what was edited was deleted before the question about it was answered", () => {
    const answered = on("t", {
      event_type: "question.answered",
      question: "t.q1",
      by: "ann",
      text: "do it again",
    });
    const deleted = on("t", { event_type: "drift.seen", kind: "deleted", detail: "" });
    for (const [before, status] of [
      [[], "queued"],
      [[deleted], "done"],
    ] as const) {
      const store = aStoreWith("done");
      store.record([opened("t", "t.q1", { kind: "edited", blocks: [] }), ...before, answered]);
      expect(statusOf(store.state, "t")).toBe(status);
    }
  });

  it("counts repairs, and starts counting again after an answer about the roll-up", () => {
    const store = aStore();
    store.record([created("root.r1", "root", { origin: "repair" })]);
    expect(taskOf(store.state, "root").repairs).toBe(1);
    store.record([opened("root", "root.q1", { kind: "rollup", blocks: [] })]);
    store.record([
      on("root", { event_type: "question.answered", question: "root.q1", by: "ann", text: "x" }),
    ]);
    expect(taskOf(store.state, "root").repairs).toBe(0);
  });

  it("of a leaf that a person gave a child drops the help that was on its way", () => {
    const store = aStoreWith("queued");
    store.record([
      on("t", { event_type: "escalation.routed", to: "fixer", by: "rules", reason: "r" }),
      created("t.1", "t", { origin: "person" }),
    ]);
    expect(t(store).route).toBeUndefined();
    expect(statusOf(store.state, "t")).toBe("split");
  });

  it("of a task that a person gave a child while it was sized stays the child's parent", () => {
    const store = aStoreWith("running");
    store.record([
      created("t.1", "t", { origin: "person" }),
      on("t", { event_type: "task.sized", contract: t(store).contract, assumptions: [] }),
    ]);
    expect(t(store).shape).toBe("split");
  });

  it("keeps an interrupted split until it is written", () => {
    const store = aStoreWith("running");
    store.record([on("t", { event_type: "split.started", attempt: 1, plan: "p" })]);
    expect(t(store).splitStarted).toEqual({ plan: "p", episode: 1 });
    store.record([created("t.a1", "t"), split("t", ["t.a1"])]);
    expect(t(store).splitStarted).toBeUndefined();
    expect(t(store).shape).toBe("split");
  });
});
