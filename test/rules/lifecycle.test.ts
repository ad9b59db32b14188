/** The table of moves, pair by pair, through a store: legal ones move, the rest change nothing. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TaskStatus } from "../../src/domain/task.ts";
import { MOVES, type Move, mayMove, moveOf, refusalOf } from "../../src/rules/lifecycle.ts";
import { statusOf, taskOf } from "../../src/rules/status.ts";
import {
  aStore,
  aStoreWith,
  created,
  eventOf,
  on,
  released,
  taken,
} from "../support/leaf-store.ts";

/** Where each legal move leads; a pair that is not here is refused. */
const NEXT: { readonly [S in TaskStatus]: { readonly [M in Move]?: TaskStatus } } = {
  queued: {
    leased: "running",
    failed: "failed",
    routed: "escalated",
    guided: "queued",
    asked: "needs_human",
    accepted: "accepted",
    cancelled: "cancelled",
    paused: "paused",
  },
  waiting: {
    leased: "running",
    failed: "failed",
    routed: "escalated",
    guided: "waiting",
    asked: "needs_human",
    accepted: "accepted",
    cancelled: "cancelled",
    paused: "paused",
  },
  running: {
    released: "queued",
    rejected: "running",
    split: "running",
    sized: "running",
    done: "done",
    failed: "failed",
    routed: "running",
    guided: "running",
    asked: "needs_human",
    accepted: "accepted",
    cancelled: "cancelled",
    paused: "paused",
  },
  escalated: {
    leased: "running",
    failed: "failed",
    routed: "escalated",
    guided: "escalated",
    asked: "needs_human",
    accepted: "accepted",
    cancelled: "cancelled",
    paused: "paused",
  },
  needs_human: {
    done: "done",
    failed: "failed",
    guided: "needs_human",
    accepted: "accepted",
    cancelled: "cancelled",
    paused: "paused",
  },
  failed: {
    guided: "failed",
    accepted: "accepted",
    cancelled: "cancelled",
    paused: "paused",
    reopened: "queued",
  },
  split: {
    leased: "running",
    done: "done",
    failed: "failed",
    guided: "split",
    asked: "needs_human",
    accepted: "accepted",
    cancelled: "cancelled",
    paused: "paused",
  },
  done: { guided: "done", reopened: "queued" },
  accepted: { guided: "accepted", reopened: "queued" },
  paused: {
    done: "done",
    guided: "paused",
    asked: "paused",
    accepted: "accepted",
    cancelled: "cancelled",
    unpaused: "queued",
  },
  cancelled: {
    guided: "cancelled",
    accepted: "accepted",
    unpaused: "queued",
    reopened: "queued",
  },
};

const STATUSES = Object.keys(NEXT) as TaskStatus[];
const pairs = STATUSES.flatMap((status) => MOVES.map((move) => [status, move] as const));

describe("the table of moves", () => {
  it.each(pairs)("from %s: %s leads where it should, or is refused", (status, move) => {
    const store = aStoreWith(status);
    expect(statusOf(store.state, "t")).toBe(status);
    const before = structuredClone(taskOf(store.state, "t"));
    const seq = store.state.seq;

    store.record([eventOf(move, taskOf(store.state, "t"))]);

    const written = store.journal.read().slice(seq + 1);
    const next = NEXT[status][move];
    if (next === undefined) {
      expect(written).toMatchObject([{ event_type: "move.refused", task_id: "t" }]);
      expect(taskOf(store.state, "t")).toEqual(before);
    } else {
      expect(moveOf(written[0] as never)).toBe(move);
      expect(statusOf(store.state, "t")).toBe(next);
    }
  });

  /** While somebody works, a person may do anything; the end of that work is still heard. */
  it.each([
    ["asked", "needs_human"],
    ["failed", "failed"],
    ["accepted", "accepted"],
    ["cancelled", "cancelled"],
    ["paused", "paused"],
  ] as const)("hears the end of an attempt on a task that was %s meanwhile", (move, status) => {
    const store = aStoreWith("running");
    const task = taskOf(store.state, "t");
    store.record([eventOf(move, task)]);
    store.record([eventOf("rejected", task)]);
    store.record([eventOf("released", task)]);
    expect(statusOf(store.state, "t")).toBe(status);
    expect(task.lease).toBeUndefined();
    expect(task.attempts[0]?.outcome).toBe("rejected");
  });

  it("lets a person stop work whatever its status, until it is settled", () => {
    for (const status of STATUSES) {
      const isSettled = ["done", "accepted", "cancelled"].includes(status);
      expect(mayMove(status, "cancelled")).toBe(!isSettled);
    }
  });

  it("reaches done or a person from every status that is not settled", () => {
    for (const status of STATUSES.filter(
      (one) => !["done", "accepted", "cancelled"].includes(one),
    )) {
      const seen = new Set<TaskStatus>([status]);
      for (const at of seen) for (const next of Object.values(NEXT[at])) seen.add(next);
      expect(seen.has("done") || seen.has("needs_human")).toBe(true);
    }
  });

  it("leaves done only by reopening, whatever is tried", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...MOVES), { maxLength: 40 }), (moves) => {
        const store = aStore();
        for (const move of moves) {
          const before = statusOf(store.state, "t");
          store.record([eventOf(move, taskOf(store.state, "t"))]);
          const after = statusOf(store.state, "t");
          if (before === "done" && after !== "done") expect(move).toBe("reopened");
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("the guard", () => {
  it("refuses what is about no task", () => {
    const { state } = aStore();
    const event = on("x", { event_type: "drift.seen", kind: "edited", detail: "" });
    expect(refusalOf(state, event)).toBe("no task x");
  });

  it("refuses a second task of one id, and a task below none", () => {
    const { state } = aStore();
    expect(refusalOf(state, created("t", "root"))).toMatch("already");
    expect(refusalOf(state, created("x.a1", "x"))).toBe("no task x");
  });

  it("refuses the word of who no longer holds the task", () => {
    const store = aStoreWith("running");
    const task = taskOf(store.state, "t");
    const stale = [
      released(task),
      eventOf("rejected", task),
      on("t", {
        event_type: "lease.renewed",
        attempt: 1,
        fence: task.fence,
        deadline: "2026-01-05T12:05:00.000Z",
      }),
      on("t", {
        event_type: "merge.started",
        attempt: 1,
        fence: task.fence,
        onto: "",
        commit: "c",
      }),
    ];
    store.record([released(task)]);
    store.record([taken(task)]);
    const now = structuredClone(task);
    for (const event of stale) expect(refusalOf(store.state, event)).toMatch("not the current 2");
    store.record(stale);
    expect(task).toEqual(now);
  });

  it("refuses a fence that was given out before", () => {
    const store = aStoreWith("running");
    const task = taskOf(store.state, "t");
    const again = { ...taken(task), fence: task.fence };
    store.record([released(task)]);
    expect(refusalOf(store.state, again as never)).toMatch("given out before");
  });

  it("lets what is no move pass", () => {
    const { state } = aStoreWith("done");
    const event = on("t", { event_type: "drift.seen", kind: "closed", detail: "already done" });
    expect(refusalOf(state, event)).toBeUndefined();
  });
});
