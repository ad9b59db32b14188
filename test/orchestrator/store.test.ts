import { describe, expect, it } from "vitest";
import { memoryJournal } from "../../src/adapters/journal/memory.ts";
import type { NewEvent } from "../../src/domain/event.ts";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import type { Journal } from "../../src/domain/ports.ts";
import { openStore } from "../../src/orchestrator/store.ts";
import { replay } from "../../src/rules/replay.ts";
import { statusOf, taskOf } from "../../src/rules/status.ts";
import {
  aClock,
  aStore,
  aStoreWith,
  created,
  done,
  eventOf,
  on,
  opened,
  released,
  runStarted,
  split,
} from "../support/leaf-store.ts";

const kinds = (journal: Journal, from: number) =>
  journal
    .read()
    .slice(from)
    .map((event) => event.event_type);

describe("a store", () => {
  it("begins a new journal with its first events, and an old one with what it says", () => {
    const journal = memoryJournal("r");
    const store = aStore(journal);
    expect(journal.read()[0]).toMatchObject({ event_type: "run.started", seq: 0 });
    const again = openStore(journal, aClock(), DEFAULT_LIMITS, [runStarted]);
    expect(again.state).toEqual(store.state);
    expect(journal.read().filter((event) => event.event_type === "run.started")).toHaveLength(1);
  });

  it("refuses a journal that is not a run's", () => {
    expect(() => openStore(memoryJournal("r"), aClock(), DEFAULT_LIMITS)).toThrow("run.started");
  });

  it("keeps the state its journal amounts to, time included", () => {
    const clock = aClock();
    const store = openStore(memoryJournal("r"), clock, DEFAULT_LIMITS, [
      runStarted,
      created("t", null),
    ]);
    clock.nowMs += 5_000;
    store.record([opened("t")]);
    expect(store.state.questions.get("t.q1")?.openedAt).toBe(clock.nowMs);
    expect(store.state).toEqual(replay(store.journal.read()));
    expect(store.state.seq).toBe(2);
  });

  it("records `move.refused` instead of an illegal event, and changes nothing", () => {
    const store = aStoreWith("done");
    const before = structuredClone(store.state.tasks);
    const seq = store.state.seq;
    store.record([{ ...eventOf("leased", taskOf(store.state, "t")), actor: "worker" }]);
    expect(store.journal.read().at(-1)).toMatchObject({
      event_type: "move.refused",
      task_id: "t",
      actor: "worker",
      refused: "lease.taken",
      reason: "leased is not a move from done",
      seq: seq + 1,
    });
    expect(store.state.tasks).toEqual(before);
  });

  it("refuses what is about no task as something about the run, so that it can be read back", () => {
    const store = aStore();
    store.record([done("x"), on("x", { event_type: "drift.seen", kind: "edited", detail: "" })]);
    expect(store.journal.read().slice(-2)).toMatchObject([
      { event_type: "move.refused", task_id: null, reason: "no task x" },
      { event_type: "move.refused", task_id: null, reason: "no task x" },
    ]);
    expect(replay(store.journal.read())).toEqual(store.state);
  });

  it("judges each of many by what those before it made: a reopened task may be asked about", () => {
    const store = aStoreWith("done");
    const from = store.state.seq + 1;
    store.record([eventOf("reopened", taskOf(store.state, "t")), opened("t")]);
    expect(kinds(store.journal, from)).toEqual(["task.reopened", "question.opened"]);
    expect(statusOf(store.state, "t")).toBe("needs_human");
  });

  it("and a new child may be asked about at once", () => {
    const store = aStoreWith("running");
    const from = store.state.seq + 1;
    store.record([created("t.a1", "t"), split("t", ["t.a1"]), opened("t.a1", "t.q1")]);
    expect(kinds(store.journal, from)).toEqual(["task.created", "task.split", "question.opened"]);
    expect(statusOf(store.state, "t.a1")).toBe("needs_human");
  });

  it("and of two ends only the first", () => {
    const store = aStoreWith("running");
    const from = store.state.seq + 1;
    const task = taskOf(store.state, "t");
    store.record([done("t"), released(task), eventOf("failed", task), done("t"), released(task)]);
    expect(kinds(store.journal, from)).toEqual([
      "task.done",
      "lease.released",
      "move.refused",
      "move.refused",
      "move.refused",
    ]);
    expect(statusOf(store.state, "t")).toBe("done");
  });

  it("writes what is recorded together in one append", () => {
    const inner = memoryJournal("r");
    const sizes: number[] = [];
    const journal: Journal = {
      ...inner,
      append(events: NewEvent[], at) {
        sizes.push(events.length);
        return inner.append(events, at);
      },
    };
    const store = aStore(journal);
    sizes.length = 0;
    store.record([
      eventOf("leased", taskOf(store.state, "t")),
      eventOf("guided", taskOf(store.state, "t")),
    ]);
    expect(sizes).toEqual([2]);
  });

  it("tells its listeners of each event, in order, when it is on disk", () => {
    const store = aStore();
    const heard: [string, number][] = [];
    store.listen((event) => heard.push([event.event_type, store.journal.read().length]));
    const total = store.journal.read().length;
    store.record([
      eventOf("guided", taskOf(store.state, "t")),
      eventOf("leased", taskOf(store.state, "t")),
    ]);
    expect(heard).toEqual([
      ["guidance.given", total + 2],
      ["lease.taken", total + 2],
    ]);
  });

  it("lets a disk that refuses be heard", () => {
    const inner = memoryJournal("r");
    let isFull = false;
    const journal: Journal = {
      ...inner,
      append(events, at) {
        if (isFull) throw new Error("no space left");
        return inner.append(events, at);
      },
    };
    const store = aStore(journal);
    const heard: string[] = [];
    store.listen((event) => heard.push(event.event_type));
    isFull = true;
    expect(() => store.record([opened("t")])).toThrow("no space left");
    expect(heard).toEqual([]);
  });
});
