/** The table of moves, pair by pair, through a store: legal ones move, the rest change nothing. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSettled, type TaskStatus } from "../../src/domain/task.ts";
import { refusalOf } from "../../src/rules/guard.ts";
import {
  FOLLOWS,
  fenceRuleOf,
  type Leads,
  MOVES,
  type Move,
  mayMove,
  moveOf,
  STATUSES,
  TABLE,
} from "../../src/rules/lifecycle.ts";
import { statusOf, taskOf } from "../../src/rules/status.ts";
import { everyChange } from "../support/every-change.ts";
import {
  aStore,
  aStoreWith,
  created,
  eventOf,
  on,
  released,
  taken,
} from "../support/leaf-store.ts";

type Row = { to: { readonly [From in TaskStatus]?: Leads } };
const ROWS = { ...TABLE, ...FOLLOWS };

/** Whether a change is what the table says: derived is whatever is not settled. */
const isLed = (from: TaskStatus, to: TaskStatus, leads: Leads) =>
  leads === "derived" ? !isSettled(to) : to === (leads === "same" ? from : leads);

const STATUS_NAMES = Object.keys(STATUSES) as TaskStatus[];
const pairs = STATUS_NAMES.flatMap((status) => MOVES.map((move) => [status, move] as const));

/** Moves whose event names a lease: without one they are refused from every status but running. */
const NEEDS_LEASE = new Set<Move>(
  MOVES.filter((move) => fenceRuleOf(TABLE[move].event) === "the fence of its lease"),
);

describe("the table of moves", () => {
  it.each(pairs)("from %s: %s leads where it says, or is refused", (status, move) => {
    const store = aStoreWith(status);
    expect(statusOf(store.state, "t")).toBe(status);
    const before = structuredClone(taskOf(store.state, "t"));
    const seq = store.state.seq;

    store.record([eventOf(move, taskOf(store.state, "t"))]);

    const written = store.journal.read().slice(seq + 1);
    const isHeld = before.lease !== undefined;
    const leads = NEEDS_LEASE.has(move) && !isHeld ? undefined : TABLE[move].to[status];
    if (leads === undefined) {
      expect(written).toMatchObject([
        { event_type: "move.refused", task_id: "t", refused: TABLE[move].event },
      ]);
      expect(taskOf(store.state, "t")).toEqual(before);
    } else {
      expect(moveOf(written[0] as never)).toBe(move);
      expect(isLed(status, statusOf(store.state, "t"), leads)).toBe(true);
    }
  });

  it("cannot be changed by anyone who reads it", () => {
    for (const value of [TABLE, TABLE.leased, TABLE.leased.to, STATUSES, STATUSES.done, MOVES]) {
      expect(Object.isFrozen(value)).toBe(true);
    }
  });

  it("has exactly the moves and changes there are, in every state a task can get into", () => {
    const { changes, states } = everyChange();
    expect(states).toBeGreaterThan(1_000);
    const unlisted = changes.filter(({ row, from, to }) => {
      const leads: Leads | undefined = (ROWS[row] as Row).to[from];
      // What only follows may also change nothing.
      if (row in FOLLOWS && from === to) return false;
      return leads === undefined || !isLed(from, to, leads);
    });
    expect(unlisted).toEqual([]);
    const seen = new Set(
      changes
        .filter(({ row, from, to }) => from !== to || (ROWS[row] as Row).to[from] === "same")
        .map(({ row, from }) => `${row} from ${from}`),
    );
    const listed = Object.entries(ROWS).flatMap(([row, { to }]) =>
      Object.keys(to).map((from) => `${row} from ${from}`),
    );
    expect(listed.filter((one) => !seen.has(one))).toEqual([]);
  }, 60_000);

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
    for (const status of STATUS_NAMES) {
      expect(mayMove(status, "cancelled")).toBe(!isSettled(status));
    }
  });

  it("reaches done or a person from every status that is not settled", () => {
    for (const status of STATUS_NAMES.filter((one) => !isSettled(one))) {
      const seen = new Set<string>([status]);
      for (const at of seen) {
        for (const move of MOVES) seen.add(TABLE[move].to[at as TaskStatus] ?? at);
      }
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
