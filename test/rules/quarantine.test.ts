/** A task on which the controller dies again and again is given up, and can be opened again. */
import { describe, expect, it } from "vitest";
import type { NewEvent } from "../../src/domain/event.ts";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import type { Store } from "../../src/orchestrator/store.ts";
import { reconcile } from "../../src/rules/reconcile.ts";
import { statusOf, taskOf } from "../../src/rules/status.ts";
import { aSnapshot, STARTED_AT } from "../support/builders.ts";
import { aStore, eventOf, on, released, taken } from "../support/leaf-store.ts";

const run = (fact: object): NewEvent => ({ task_id: null, actor: "fractal", ...fact }) as NewEvent;
const resumed = run({ event_type: "run.resumed", pid: 1, models: {}, contained: true });
const stopped = run({ event_type: "run.stopped", reason: "stopped", exit_code: 130 });
const t = (store: Store) => taskOf(store.state, "t");
const writes = (turn: string, tool = "write_file") =>
  on("t", { event_type: "tool.called", attempt: 1, turn, role: "worker", tool, args: "h" });

/** One process: goes on, lets the last one's lease go, takes it, and gets as far as this step. */
function process(store: Store, ...steps: NewEvent[]) {
  store.record([resumed]);
  if (t(store).lease !== undefined) {
    store.record([released(t(store), { why: "its process ended" })]);
  }
  store.record([{ ...taken(t(store)), attempt: 1 } as NewEvent, ...steps]);
}

const verdict = (store: Store) =>
  reconcile(
    aSnapshot(store.state, { mirroring: true, publishing: true }),
    DEFAULT_LIMITS,
    STARTED_AT + 3_600_000,
  ).filter((action) => action.kind === "give-up");

/** What the next process finds, before it takes anything. */
function afterwards(store: Store) {
  store.record([resumed]);
  if (t(store).lease !== undefined) {
    store.record([released(t(store), { why: "its process ended" })]);
  }
  return verdict(store);
}

describe("three deaths in a row", () => {
  it("at one step of one attempt give the task up, with what happened and how to go on", () => {
    const store = aStore();
    for (let n = 0; n < 3; n++) {
      expect(verdict(store)).toEqual([]);
      process(store, writes("1"));
    }
    const [action] = afterwards(store);
    expect(action).toMatchObject({ kind: "give-up", task: "t" });
    expect(action).toMatchObject({
      reason: expect.stringMatching(
        /^quarantined: .* 3 times .* attempt 1 \(write_file in 1\).*bd update t --status open$/,
      ),
    });
  });

  it("at different steps, or with one of another task between, do not", () => {
    const apart = aStore();
    for (const turn of ["1", "2", "1", "2", "1"]) process(apart, writes(turn));
    expect(afterwards(apart)).toEqual([]);

    const other = aStore();
    process(other, writes("1"));
    process(other, writes("1"));
    process(other, writes("1"), taken(taskOf(other.state, "d")));
    expect(afterwards(other)).toEqual([]);
  });

  it("are not made of stops that were asked for, though the process did not live to the end of them", () => {
    const store = aStore();
    const asked = run({
      event_type: "pass.decided",
      decision: "stop",
      reason: "a stop was asked for",
    });
    for (let n = 0; n < 5; n++) {
      process(store, writes("1"));
      store.record([asked]);
    }
    expect(afterwards(store)).toEqual([]);
    // What was asked of an earlier process says nothing about this one.
    for (let n = 0; n < 3; n++) process(store, writes("1"));
    expect(afterwards(store)).toHaveLength(1);
  });

  it("are not made of clean stops, nor of a process that died before it took a step", () => {
    const store = aStore();
    for (let n = 0; n < 5; n++) {
      process(store, writes("1"));
      store.record([stopped]);
    }
    expect(afterwards(store)).toEqual([]);
    process(store, writes("1"));
    process(store, writes("1"));
    for (let n = 0; n < 5; n++) store.record([resumed]);
    expect(afterwards(store)).toEqual([]);
  });
});

it("what is quarantined begins anew when it is opened again: three more deaths are needed", () => {
  const store = aStore();
  for (let n = 0; n < 3; n++) process(store, writes("1"));
  const [action] = afterwards(store);
  if (action?.kind !== "give-up") throw new Error("not quarantined");
  store.record([on("t", { event_type: "task.failed", reason: action.reason })]);
  expect(statusOf(store.state, "t")).toBe("failed");

  store.record([eventOf("reopened", t(store))]);

  expect(verdict(store)).toEqual([]);
  expect(t(store).attemptsLeft).toBe(DEFAULT_LIMITS.attemptsMax);
  process(store, writes("1"));
  expect(afterwards(store)).toEqual([]);
});
