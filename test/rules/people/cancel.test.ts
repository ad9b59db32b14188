import { describe, expect, it } from "vitest";
import type { NewEvent } from "../../../src/domain/event.ts";
import type { Store } from "../../../src/orchestrator/store.ts";
import { acceptTask, cancelTask, nextQuestionId } from "../../../src/rules/people/cancel.ts";
import { statusOf, taskOf } from "../../../src/rules/status.ts";
import {
  aStore,
  created,
  done,
  ended,
  on,
  opened,
  released,
  split,
  taken,
} from "../../support/leaf-store.ts";

/** root: d, t, and p with p.a1 (done), p.a2 and p.a3 (failed). */
function aTree(): Store {
  const store = aStore();
  const p = () => taskOf(store.state, "p");
  store.record([created("p", "root")]);
  store.record([taken(p(), "planner")]);
  store.record([
    created("p.a1", "p"),
    created("p.a2", "p"),
    created("p.a3", "p"),
    split("p", ["p.a1", "p.a2", "p.a3"]),
    ended(p()),
    released(p()),
  ]);
  store.record([taken(taskOf(store.state, "p.a1"))]);
  store.record([done("p.a1"), released(taskOf(store.state, "p.a1"))]);
  store.record([on("p.a3", { event_type: "task.failed", reason: "enough" })]);
  return store;
}
const waitsFor = (store: Store, id: string, on_: string) =>
  store.record([on(id, { event_type: "task.edited", by: "ann", depends_on: [on_] })]);
const cancel = (store: Store, id: string): NewEvent[] => {
  const events = cancelTask(store.state, taskOf(store.state, id), "ann", "cancelled");
  store.record(events);
  return events;
};
const statuses = (store: Store, ...ids: string[]) => ids.map((id) => statusOf(store.state, id));
const questions = (store: Store) =>
  [...store.state.questions.values()].map(({ id, about, kind, state }) => ({
    id,
    about,
    kind,
    state,
  }));
const refused = (store: Store) =>
  store.journal.read().filter((event) => event.event_type === "move.refused");

describe("a task that is dropped", () => {
  it("takes with it what is unfinished below, and leaves what is done", () => {
    const store = aTree();
    cancel(store, "p");
    expect(statuses(store, "p", "p.a1", "p.a2", "p.a3")).toEqual([
      "cancelled",
      "done",
      "cancelled",
      "cancelled",
    ]);
    expect(statuses(store, "t", "d")).toEqual(["queued", "queued"]);
    expect(refused(store)).toEqual([]);
  });

  it("closes the questions about it and below it as moot", () => {
    const store = aTree();
    store.record([opened("p.a2"), opened("p", "p.q1", { blocks: [] }), opened("t")]);
    cancel(store, "p");
    expect(questions(store).map((one) => [one.id, one.state])).toEqual([
      ["p.a2.q1", "moot"],
      ["p.q1", "moot"],
      ["t.q1", "open"],
    ]);
    expect(statuses(store, "p", "p.a2")).toEqual(["cancelled", "cancelled"]);
  });

  it("leaves a question open that others wait for too", () => {
    const store = aTree();
    store.record([opened("p.a2", "p.q1", { blocks: ["p.a2", "t"] })]);
    cancel(store, "p");
    expect(questions(store)).toMatchObject([{ id: "p.q1", state: "open" }]);
    store.record([
      on("p.a2", { event_type: "question.answered", question: "p.q1", by: "ann", text: "b" }),
    ]);
    expect(statuses(store, "p.a2", "t")).toEqual(["cancelled", "queued"]);
    expect(taskOf(store.state, "t").guidance).toHaveLength(1);
  });

  it("makes one question for each open task that waits for it or for what went with it", () => {
    const store = aTree();
    waitsFor(store, "t", "p");
    waitsFor(store, "d", "p.a2");
    cancel(store, "p");
    expect(questions(store)).toEqual([
      { id: "d.q1", about: "d", kind: "dropped", state: "open" },
      { id: "t.q1", about: "t", kind: "dropped", state: "open" },
    ]);
  });

  it("asks nothing about what is dropped with it, ended, or waits for an answer already", () => {
    const store = aTree();
    waitsFor(store, "p.a2", "t");
    waitsFor(store, "p.a1", "t");
    waitsFor(store, "d", "t");
    store.record([opened("d")]);
    const asked = cancel(store, "t").filter((event) => event.event_type === "question.opened");
    expect(asked.map((event) => event.task_id)).toEqual(["p.a2"]);
    cancel(store, "p");
    expect(questions(store).filter((one) => one.state === "open")).toMatchObject([{ id: "d.q1" }]);
  });
});

describe("a task a person accepts", () => {
  it("drops what is unfinished below it, and satisfies who waits for it", () => {
    const store = aTree();
    waitsFor(store, "t", "p");
    store.record(acceptTask(store.state, taskOf(store.state, "p"), "ann"));
    expect(statuses(store, "p", "p.a1", "p.a2", "t")).toEqual([
      "accepted",
      "done",
      "cancelled",
      "queued",
    ]);
    expect(questions(store)).toEqual([]);
  });
});

describe("the id of a question", () => {
  it("is one that no question ever had", () => {
    const store = aTree();
    // A plan's question about a child carries the parent's id.
    store.record([opened("p.a2", "p.q1")]);
    expect(nextQuestionId(store.state, taskOf(store.state, "p"))).toBe("p.q2");
    expect(nextQuestionId(store.state, taskOf(store.state, "t"))).toBe("t.q1");
  });
});
