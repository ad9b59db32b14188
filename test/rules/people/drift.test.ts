/** "What a person does with bd" (design part 4), line by line: followed once, and left as it is. */
import { describe, expect, it } from "vitest";
import type { NewEvent } from "../../../src/domain/event.ts";
import { showsSame } from "../../../src/domain/mirrored.ts";
import { publish } from "../../../src/orchestrator/tracked.ts";
import { desiredMirror } from "../../../src/rules/people/mirror.ts";
import { blockersOf, isHeld, statusOf, taskOf } from "../../../src/rules/status.ts";
import { type Followed, followed, OURS } from "../../support/followed-store.ts";
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
} from "../../support/leaf-store.ts";

/** Follows, and holds the law for every edit: once is enough, nothing refused, nothing fought. */
async function follow(at: Followed): Promise<NewEvent[]> {
  const events = await at.follow();
  expect(await at.see()).toEqual([]);
  const refused = at.store.journal.read().filter((one) => one.event_type === "move.refused");
  expect(refused).toEqual([]);
  return events;
}

/** What a person set still stands after fractal wrote what it thinks should be shown. */
async function standsAfterWriting(at: Followed, id: string, status: string): Promise<void> {
  await at.write();
  expect(at.tracker.task(id).status).toBe(status);
  expect(await at.see()).toEqual([]);
}

const kinds = (events: NewEvent[]) => events.map((event) => event.event_type);
const drifts = (events: NewEvent[]) =>
  events.flatMap((event) => (event.event_type === "drift.seen" ? [event.kind] : []));
const status = (at: Followed, id = "t") => statusOf(at.store.state, id);
const openQuestions = (at: Followed) =>
  [...at.store.state.questions.values()].filter((one) => one.state === "open").map((one) => one.id);

/** root: d, t and p, p with the leaves p.a1 and p.a2. */
async function aTree(): Promise<Followed> {
  const store = aStore();
  const p = () => taskOf(store.state, "p");
  store.record([created("p", "root")]);
  store.record([taken(p(), "planner")]);
  store.record([created("p.a1", "p"), created("p.a2", "p"), split("p", ["p.a1", "p.a2"])]);
  store.record([ended(p()), released(p())]);
  return followed(store);
}
const waitsFor = (task: string, ...depends_on: string[]) =>
  on(task, { event_type: "task.edited", by: "ann", depends_on });

describe("our own writes", () => {
  it("are known by looking where the call that made them was cut short: what is owed since is written", async () => {
    const at = await followed(aStore());
    at.store.record([opened("t", "q1")]);
    const [question = ""] = openQuestions(at);
    const { tracker, store } = at;
    // The issue is made, and nobody lives to say so.
    await publish({ tracker, store: { ...store, record: () => [] } }, [question]);
    expect(store.state.questions.get(question)?.mirror).toBeUndefined();
    store.record([on("t", { event_type: "question.closed", question, by: "ann", how: "moot" })]);
    await at.follow();
    await standsAfterWriting(at, question, "closed");
  });

  it("never look like a person's: every status, written and only announced", async () => {
    for (const at of ["queued", "waiting", "running", "escalated", "needs_human"] as const) {
      const followedStore = await followed(aStoreWith(at));
      expect(await followedStore.see()).toEqual([]);
    }
    for (const at of ["failed", "split", "done", "accepted", "paused", "cancelled"] as const) {
      const followedStore = await followed(aStoreWith(at));
      expect(await followedStore.see()).toEqual([]);
    }
  });

  it("that were never acknowledged are settled by looking: done, or not done at all", async () => {
    for (const isDone of [true, false]) {
      const at = await followed(aStore());
      at.store.record([taken(taskOf(at.store.state, "t"))]);
      const holder = taskOf(at.store.state, "t").lease?.holder ?? "";
      const line = { id: "t", status: "in_progress", assignee: holder } as const;
      const about = { task_id: null, actor: OURS } as const;
      at.store.record([{ ...about, event_type: "mirror.started", lines: [line] }]);
      if (isDone) await at.tracker.mirror([line]);
      expect(drifts(await follow(at))).toEqual([]);
      // Whatever the task is by now, it is written if Beads does not show it.
      at.store.record([released(taskOf(at.store.state, "t"))]);
      await at.write();
      expect(at.tracker.task("t")).toMatchObject({ status: "open", assignee: "" });
    }
  });

  it("that came to nothing do not hide the same edit of a person", async () => {
    const at = await followed(aStore());
    const line = { id: "t", status: "closed", assignee: "" } as const;
    at.store.record([{ task_id: null, actor: OURS, event_type: "mirror.started", lines: [line] }]);
    await follow(at);
    await at.tracker.person.close("t");
    expect(drifts(await follow(at))).toEqual(["closed"]);
    expect(status(at)).toBe("accepted");
  });

  it("are not told from a person's while they are under way", async () => {
    const at = await followed(aStore());
    await at.tracker.person.close("t");
    const shown = (await at.tracker.read()) as never[];
    const { detectDrift } = await import("../../../src/rules/people/drift.ts");
    expect(detectDrift(at.store.state, shown, new Map(), OURS, (id) => id !== "t")).toEqual([]);
    expect(detectDrift(at.store.state, shown, new Map(), OURS)).not.toEqual([]);
  });

  it("in comments are read and say nothing", async () => {
    const at = await followed(aStore());
    await at.tracker.comment("t", "failed: 3 attempts");
    expect(drifts(await follow(at))).toEqual(["commented"]);
    expect(taskOf(at.store.state, "t")).toMatchObject({ commentsRead: 1, guidance: [] });
  });
});

describe("closed by a person", () => {
  it("is accepted, satisfies who waits for it, and makes its question moot", async () => {
    const store = aStore();
    store.record([waitsFor("t", "d"), opened("d")]);
    const at = await followed(store);
    await at.tracker.person.close("d");
    expect(kinds(await follow(at))).toEqual(["drift.seen", "task.accepted", "question.closed"]);
    expect(status(at, "d")).toBe("accepted");
    expect(status(at)).toBe("queued");
    expect(openQuestions(at)).toEqual([]);
    await standsAfterWriting(at, "d", "closed");
    expect(at.tracker.task("d.q1").status).toBe("closed");
  });

  it.each(["queued", "waiting", "running", "escalated", "failed", "paused", "cancelled"] as const)(
    "is accepted from %s",
    async (from) => {
      const at = await followed(aStoreWith(from));
      await at.tracker.person.close("t");
      await follow(at);
      expect(status(at)).toBe("accepted");
      await standsAfterWriting(at, "t", "closed");
    },
  );

  it("as a split task drops what is unfinished below, and fences what runs there", async () => {
    const at = await aTree();
    at.store.record([taken(taskOf(at.store.state, "p.a1"))]);
    await at.write();
    await at.tracker.person.close("p");
    await follow(at);
    expect(status(at, "p")).toBe("accepted");
    expect([status(at, "p.a1"), status(at, "p.a2")]).toEqual(["cancelled", "cancelled"]);
    expect(isHeld(at.store.state, "p.a1")).toBe(true);
    await standsAfterWriting(at, "p", "closed");
  });

  it("together with its child leaves both accepted", async () => {
    const at = await aTree();
    await at.tracker.person.close("p.a1");
    await at.tracker.person.close("p");
    await follow(at);
    expect([status(at, "p"), status(at, "p.a1"), status(at, "p.a2")]).toEqual([
      "accepted",
      "accepted",
      "cancelled",
    ]);
  });

  it("together with its question closes that once", async () => {
    const at = await followed(aStoreWith("needs_human"));
    await at.tracker.person.close("t");
    await at.tracker.person.dismiss("t.q1");
    const events = await follow(at);
    expect(kinds(events).filter((kind) => kind === "question.closed")).toHaveLength(1);
    expect(status(at)).toBe("accepted");
  });

  it("after it was done is nothing new", async () => {
    const store = aStoreWith("running");
    const at = await followed(store);
    store.record([done("t"), released(taskOf(store.state, "t"))]);
    await at.tracker.person.close("t");
    expect(kinds(await follow(at))).toEqual(["drift.seen"]);
    expect(status(at)).toBe("done");
  });
});

describe("reopened by a person", () => {
  it("is a new episode, with the comment as guidance", async () => {
    const at = await followed(aStoreWith("done"));
    await at.tracker.person.comment("t", "the header is missing");
    await at.tracker.person.reopen("t");
    await follow(at);
    expect(status(at)).toBe("queued");
    expect(taskOf(at.store.state, "t")).toMatchObject({ episode: 2, attemptsLeft: 3 });
    expect(taskOf(at.store.state, "t").guidance).toMatchObject([
      { from: "person", text: "the header is missing" },
    ]);
    expect(openQuestions(at)).toEqual([]);
    await standsAfterWriting(at, "t", "open");
  });

  it("hears the comment also when it was read a moment before", async () => {
    const at = await followed(aStoreWith("done"));
    await at.tracker.person.comment("t", "the header is missing");
    await follow(at);
    expect(status(at)).toBe("done");
    await at.tracker.person.reopen("t");
    await follow(at);
    expect(status(at)).toBe("queued");
    expect(taskOf(at.store.state, "t").guidance).toHaveLength(1);
  });

  it("without a comment is asked about: what is wrong?", async () => {
    const at = await followed(aStoreWith("accepted"));
    await at.tracker.person.reopen("t");
    await follow(at);
    expect(status(at)).toBe("needs_human");
    expect(at.store.state.questions.get("t.q1")).toMatchObject({ kind: "reopened", blocks: ["t"] });
    await standsAfterWriting(at, "t", "open");
    expect(at.tracker.task("t").dependsOn).toEqual(["t.q1"]);
  });

  it("as a split task stays split and rolls up again, and what is above is open too", async () => {
    const at = await aTree();
    for (const id of ["p.a1", "p.a2"]) {
      at.store.record([taken(taskOf(at.store.state, id))]);
      at.store.record([done(id), released(taskOf(at.store.state, id))]);
    }
    at.store.record([done("p")]);
    for (const id of ["d", "t"]) at.store.record([eventOf("accepted", taskOf(at.store.state, id))]);
    at.store.record([done("root")]);
    await at.write();
    await at.tracker.person.reopen("p");
    await follow(at);
    expect([status(at, "p"), status(at, "root")]).toEqual(["split", "split"]);
    expect(openQuestions(at)).toEqual([]);
    // Open, Beads would offer it as work.
    await standsAfterWriting(at, "p", "in_progress");
    expect(at.tracker.task("root").status).toBe("in_progress");
  });

  it("after it had failed has its whole ladder again", async () => {
    const at = await followed(aStoreWith("failed"));
    await at.tracker.person.reopen("t");
    await follow(at);
    expect(status(at)).toBe("queued");
    expect(taskOf(at.store.state, "t").attemptsLeft).toBe(3);
    await standsAfterWriting(at, "t", "open");
  });

  it("and put aside, or taken, in one go is both", async () => {
    const parked = await followed(aStoreWith("done"));
    await parked.tracker.person.defer("t");
    await follow(parked);
    expect(status(parked)).toBe("paused");
    await standsAfterWriting(parked, "t", "deferred");

    const held = await followed(aStoreWith("done"));
    await held.tracker.person.take("t", "bob");
    await follow(held);
    expect(taskOf(held.store.state, "t")).toMatchObject({ takenBy: "bob", episode: 2 });
    await standsAfterWriting(held, "t", "in_progress");
  });
});

describe("put aside by a person", () => {
  it.each(["queued", "running", "escalated", "needs_human", "failed"] as const)(
    "from %s is paused, and goes on where it was when brought back",
    async (from) => {
      const at = await followed(aStoreWith(from));
      await at.tracker.person.defer("t");
      await follow(at);
      expect(status(at)).toBe("paused");
      await standsAfterWriting(at, "t", "deferred");
      at.store.record(
        taskOf(at.store.state, "t").lease ? [released(taskOf(at.store.state, "t"))] : [],
      );
      await at.tracker.person.reopen("t");
      await follow(at);
      expect(status(at)).toBe({ running: "queued", failed: "queued" }[from as string] ?? from);
      await standsAfterWriting(at, "t", "open");
    },
  );

  it("by `blocked` is paused too, and shown as deferred", async () => {
    const at = await followed(aStore());
    await at.tracker.person.block("t");
    await follow(at);
    expect(status(at)).toBe("paused");
    await standsAfterWriting(at, "t", "deferred");
  });

  it("by `blocked` means nothing for what failed: Beads shows it so anyway", async () => {
    const store = aStore();
    const at = await followed(store);
    store.record([on("t", { event_type: "task.failed", reason: "enough" })]);
    await at.tracker.person.block("t");
    expect(drifts(await follow(at))).toEqual(["overwritten"]);
    expect(status(at)).toBe("failed");
    await standsAfterWriting(at, "t", "blocked");
  });

  it("holds everything below it", async () => {
    const at = await aTree();
    await at.tracker.person.defer("p");
    await follow(at);
    expect(isHeld(at.store.state, "p.a1")).toBe(true);
  });

  it("with a request to cancel is cancelled by that person, and brought back when undeferred", async () => {
    const at = await aTree();
    await at.tracker.request("p", { kind: "cancel", by: "ann", at: "" }, "deferred");
    const events = await follow(at);
    expect(drifts(events)).toEqual(["deferred"]);
    expect(events.every((event) => event.actor === "ann")).toBe(true);
    expect([status(at, "p"), status(at, "p.a1")]).toEqual(["cancelled", "cancelled"]);
    await standsAfterWriting(at, "p", "deferred");
    await at.tracker.person.reopen("p");
    await follow(at);
    expect(status(at, "p")).toBe("split");
    await standsAfterWriting(at, "p", "in_progress");
  });

  it("is only paused when put aside again after that: a request counts once", async () => {
    const at = await followed(aStore());
    await at.tracker.request("t", { kind: "cancel", by: "ann", at: "12:00" }, "deferred");
    await follow(at);
    await at.tracker.person.reopen("t");
    await follow(at);
    await at.tracker.person.defer("t");
    await follow(at);
    expect(status(at)).toBe("paused");
  });

  it("and then closed, reopened with a word: is not paused any more", async () => {
    const at = await followed(aStoreWith("paused"));
    await at.tracker.person.close("t");
    await follow(at);
    await at.tracker.person.comment("t", "again");
    await at.tracker.person.reopen("t");
    await follow(at);
    expect(status(at)).toBe("queued");
    await standsAfterWriting(at, "t", "open");
  });
});

describe("dropped by a person", () => {
  it("a deleted task is cancelled, never written again, and who needs it is asked about once", async () => {
    const store = aStore();
    store.record([waitsFor("t", "d")]);
    const at = await followed(store);
    await at.tracker.person.delete("d");
    const events = await follow(at);
    expect(drifts(events)).toContain("deleted");
    expect(status(at, "d")).toBe("cancelled");
    expect(at.store.state.questions.get("t.q1")).toMatchObject({ kind: "dropped", state: "open" });
    await at.write();
    expect(() => at.tracker.task("d")).toThrow("no issue d");
    expect(await at.see()).toEqual([]);
    await at.tracker.person.respond("t.q1", "use the old one");
    await follow(at);
    expect([status(at), blockersOf(at.store.state, "t")]).toEqual(["queued", []]);
  });

  it("a cancelled one too: any answer goes on without it", async () => {
    const store = aStore();
    store.record([waitsFor("t", "d")]);
    const at = await followed(store);
    await at.tracker.request("d", { kind: "cancel", by: "ann", at: "" }, "deferred");
    await follow(at);
    await at.write();
    expect(status(at)).toBe("needs_human");
    await at.tracker.person.respond("t.q1", "go on");
    await follow(at);
    expect(status(at)).toBe("queued");
    expect(taskOf(at.store.state, "t").dependsOn).toEqual(["d"]);
  });

  it("several at once ask one question of a task, and none of what is dropped itself", async () => {
    const store = aStore();
    store.record([created("e", "root"), created("f", "root")]);
    store.record([waitsFor("t", "d", "e"), waitsFor("f", "d")]);
    const at = await followed(store);
    for (const id of ["d", "e", "f"]) await at.tracker.person.delete(id);
    await follow(at);
    expect(openQuestions(at)).toEqual(["t.q1"]);
    expect([status(at, "d"), status(at, "e"), status(at, "f")]).toEqual([
      "cancelled",
      "cancelled",
      "cancelled",
    ]);
  });

  it("what was merged stays merged when its issue is deleted", async () => {
    const store = aStoreWith("done");
    store.record([waitsFor("d", "t")]);
    const at = await followed(store);
    await at.tracker.person.delete("t");
    expect(kinds(await follow(at))).toContain("drift.seen");
    expect(status(at)).toBe("done");
    expect(openQuestions(at)).toEqual([]);
    await at.write();
    expect(await at.see()).toEqual([]);
  });

  it("a deleted issue that is there again under its id is its task's again", async () => {
    const at = await followed(aStore());
    const issue = at.tracker.task("d");
    await at.tracker.person.delete("d");
    await follow(at);
    await at.tracker.create([
      { ...issue, meta: issue.meta ?? { run: "", key: "" }, type: "task", blocks: [] },
    ]);
    const events = await follow(at);
    expect(drifts(events)).toEqual(["returned", "undeferred"]);
    expect(status(at, "d")).toBe("queued");
    await standsAfterWriting(at, "d", "open");
  });

  it("a parent deleted with its children takes them along", async () => {
    const at = await aTree();
    for (const id of ["p.a1", "p.a2", "p"]) await at.tracker.person.delete(id);
    await follow(at);
    expect(["p", "p.a1", "p.a2"].map((id) => status(at, id))).toEqual([
      "cancelled",
      "cancelled",
      "cancelled",
    ]);
    await at.write();
    expect(await at.see()).toEqual([]);
  });
});

describe("said or written by a person", () => {
  it("a comment is guidance for the next attempt, each once", async () => {
    const at = await followed(aStore());
    await at.tracker.person.comment("t", "mind the gap");
    await at.tracker.person.comment("t", "and the step");
    await follow(at);
    await at.tracker.person.comment("t", "thanks");
    await follow(at);
    expect(taskOf(at.store.state, "t").guidance.map((one) => one.text)).toEqual([
      "mind the gap",
      "and the step",
      "thanks",
    ]);
  });

  it("a comment that comes while comments are read is heard once all the same", async () => {
    const at = await followed(aStore());
    await at.tracker.person.comment("t", "one");
    const shown = (await at.tracker.read()) as never[];
    await at.tracker.person.comment("t", "two");
    const comments = new Map([["t", (await at.tracker.comments("t")) as never[]]]);
    const { detectDrift } = await import("../../../src/rules/people/drift.ts");
    at.store.record(detectDrift(at.store.state, shown, comments, OURS));
    expect(await at.see()).toEqual([]);
    expect(taskOf(at.store.state, "t").guidance.map((one) => one.text)).toEqual(["one", "two"]);
  });

  it("a comment does not undo that a task must be split", async () => {
    const store = aStoreWith("running");
    const failure = { failure: "context-overflow", detail: "too long" } as const;
    store.record([ended(taskOf(store.state, "t"), { failure })]);
    store.record([released(taskOf(store.state, "t"))]);
    const at = await followed(store);
    await at.tracker.person.comment("t", "oh");
    await follow(at);
    expect(taskOf(at.store.state, "t").pending).toEqual(failure);
  });

  it("an edited text is the task's text from then on", async () => {
    const at = await followed(aStore());
    const acceptance = 'parse("1h") returns 3600';
    await at.tracker.person.edit("t", { title: "New", description: "Otherwise.", acceptance });
    expect(drifts(await follow(at))).toEqual(["edited"]);
    const { contract, guidance } = taskOf(at.store.state, "t");
    expect(contract).toMatchObject({ title: "New", purpose: "Otherwise." });
    expect(guidance.at(-1)?.text).toMatch(acceptance);
  });

  it("white space at the ends of a text is no edit", async () => {
    const at = await followed(aStore());
    const { title, description } = at.tracker.task("t");
    await at.tracker.person.edit("t", { title: `${title} `, description: `${description}\n` });
    expect(await at.see()).toEqual([]);
  });

  it("a text longer than a contract may be is cut there, and not an edit again", async () => {
    const at = await followed(aStore());
    await at.tracker.person.edit("t", { description: "x".repeat(100_000) });
    await follow(at);
    expect(taskOf(at.store.state, "t").contract.purpose).toHaveLength(64_000);
  });

  it("a priority and edges are followed", async () => {
    const at = await followed(aStore());
    await at.tracker.person.setPriority("t", 0);
    await at.tracker.person.addEdge("t", "d");
    expect(kinds(await follow(at))).toEqual(["drift.seen", "task.edited"]);
    expect(taskOf(at.store.state, "t")).toMatchObject({ priority: 0, dependsOn: ["d"] });
    expect(status(at)).toBe("waiting");
    await at.tracker.person.removeEdge("t", "d");
    await follow(at);
    expect(status(at)).toBe("queued");
  });

  it("the edge to a question is not a dependency", async () => {
    const at = await followed(aStoreWith("needs_human"));
    expect(at.tracker.task("t").dependsOn).toEqual(["t.q1"]);
    expect(await at.see()).toEqual([]);
  });
});

describe("taken by a person", () => {
  it.each(["queued", "running", "failed"] as const)(
    "from %s is left alone until it is let go",
    async (from) => {
      const at = await followed(aStoreWith(from));
      await at.tracker.person.take("t", "bob");
      expect(drifts(await follow(at))).toEqual(["taken"]);
      expect(taskOf(at.store.state, "t").takenBy).toBe("bob");
      expect(isHeld(at.store.state, "t")).toBe(true);
      await at.write();
      expect(at.tracker.task("t")).toMatchObject({ status: "in_progress", assignee: "bob" });
      await at.tracker.mirror([{ id: "t", status: "open", assignee: "" }]);
      await follow(at);
      expect(taskOf(at.store.state, "t").takenBy).toBeUndefined();
    },
  );

  it("from another person is theirs", async () => {
    const at = await followed(aStore());
    await at.tracker.person.take("t", "bob");
    await follow(at);
    await at.tracker.person.take("t", "eve");
    await follow(at);
    expect(taskOf(at.store.state, "t").takenBy).toBe("eve");
  });

  it("out of what was put aside is theirs, and not paused when they let go", async () => {
    const at = await followed(aStoreWith("paused"));
    await at.tracker.person.take("t", "bob");
    await follow(at);
    expect(taskOf(at.store.state, "t")).toMatchObject({ takenBy: "bob", paused: false });
    await at.tracker.mirror([{ id: "t", status: "open", assignee: "" }]);
    await follow(at);
    expect(isHeld(at.store.state, "t")).toBe(false);
  });

  it("and closed by them, then reopened to nobody, is nobody's", async () => {
    const at = await followed(aStore());
    await at.tracker.person.take("t", "bob");
    await follow(at);
    await at.tracker.person.close("t");
    await follow(at);
    expect(status(at)).toBe("accepted");
    await at.tracker.person.comment("t", "no");
    await at.tracker.mirror([{ id: "t", status: "open", assignee: "" }]);
    await follow(at);
    expect(isHeld(at.store.state, "t")).toBe(false);
  });
});

describe("added by a person", () => {
  it("a child of a split task is to be planned", async () => {
    const at = await aTree();
    const id = await at.tracker.person.addChild("p", "One more");
    const events = await follow(at);
    expect(drifts(events)).toEqual(["added"]);
    expect(taskOf(at.store.state, id)).toMatchObject({
      parent: "p",
      origin: "person",
      shape: "unplanned",
      contract: { title: "One more" },
      guidance: [],
    });
    expect(taskOf(at.store.state, "p").children).toContain(id);
  });

  it("a child of a leaf makes it a split task", async () => {
    const at = await followed(aStore());
    await at.tracker.person.addChild("t", "A part");
    await follow(at);
    expect(status(at)).toBe("split");
    await standsAfterWriting(at, "t", "in_progress");
  });

  it("an issue without a parent is a child of the root when it is labelled, else nobody's", async () => {
    const at = await followed(aStore());
    const id = await at.tracker.person.add("Do this too", ["fractal"]);
    await at.tracker.person.add("Buy milk", []);
    await follow(at);
    expect(taskOf(at.store.state, id).parent).toBe("root");
    expect(at.store.state.tasks.size).toBe(4);
  });

  it("children of added children, edges among them and comments come along at once", async () => {
    const at = await aTree();
    const { person } = at.tracker;
    const one = await person.addChild("p", "One");
    const part = await person.addChild(one, "A part of one");
    const two = await person.addChild("p", "Two");
    await person.addEdge(two, one);
    await person.addEdge("t", two);
    await person.comment(part, "mind this");
    await follow(at);
    const { state } = at.store;
    expect(taskOf(state, part).parent).toBe(one);
    expect(taskOf(state, two).dependsOn).toEqual([one]);
    expect(taskOf(state, "t").dependsOn).toEqual([two]);
    expect(taskOf(state, part).guidance).toMatchObject([{ text: "mind this" }]);
    expect(new Set([...state.tasks.values()].map((task) => task.key)).size).toBe(state.tasks.size);
  });

  it("one that is put aside or taken already is so from the start", async () => {
    const at = await aTree();
    const { person } = at.tracker;
    const [later, bobs] = [
      await person.addChild("p", "Later"),
      await person.addChild("p", "Bob's"),
    ];
    await person.defer(later);
    await person.take(bobs, "bob");
    await follow(at);
    expect(status(at, later)).toBe("paused");
    expect(taskOf(at.store.state, bobs).takenBy).toBe("bob");
    await standsAfterWriting(at, later, "deferred");
    await standsAfterWriting(at, bobs, "in_progress");
  });

  it("long and empty texts are taken as far as a contract holds them", async () => {
    const at = await aTree();
    const id = await at.tracker.person.addChild("p", "y".repeat(300));
    const long = { description: "x".repeat(70_000), acceptance: "z".repeat(5_000) };
    await at.tracker.person.edit(id, long);
    await follow(at);
    const { contract } = at.store.journal
      .read()
      .find((event) => event.event_type === "task.created" && event.task_id === id) as {
      contract: { title: string; purpose: string; examples: string[] };
    } & object;
    expect([contract.title.length, contract.purpose.length]).toEqual([255, 64_000]);
    expect(contract.examples.map((text) => text.length)).toEqual([2_000]);
  });

  it("below what was done opens it again", async () => {
    const at = await followed(aStoreWith("done"));
    await at.tracker.person.addChild("t", "And this");
    await follow(at);
    expect(status(at)).toBe("split");
    await standsAfterWriting(at, "t", "in_progress");
  });

  it("closed already, or fractal's own, is not", async () => {
    const at = await aTree();
    const id = await at.tracker.person.addChild("p", "Done by hand");
    await at.tracker.person.close(id);
    await at.tracker.create([
      {
        id: "other",
        title: "Another run",
        description: "",
        acceptance: "",
        status: "open",
        priority: 2,
        labels: ["fractal"],
        parent: null,
        dependsOn: [],
        type: "epic",
        meta: { run: "another", key: "root" },
      },
    ]);
    expect(await at.see()).toEqual([]);
  });
});

describe("a question in the hands of a person", () => {
  const asked = () => followed(aStoreWith("needs_human"));
  const guidance = (at: Followed) => taskOf(at.store.state, "t").guidance.at(-1);

  it("is answered by responding, which is guidance", async () => {
    const at = await asked();
    await at.tracker.person.respond("t.q1", "use b");
    expect(kinds(await follow(at))).toEqual(["question.answered"]);
    expect(status(at)).toBe("queued");
    expect(guidance(at)).toEqual({ from: "person", text: "Asked: What now?\nAnswer: use b" });
    await at.write();
    expect(await at.see()).toEqual([]);
  });

  it("is answered by a comment and closing, the last word counting", async () => {
    const at = await asked();
    await at.tracker.person.comment("t.q1", "maybe a");
    await at.tracker.person.comment("t.q1", "no: use b");
    await at.tracker.person.close("t.q1");
    await follow(at);
    expect(guidance(at)?.text).toMatch("Answer: no: use b");
  });

  it("is answered by the response even when more is said after it", async () => {
    const at = await asked();
    await at.tracker.person.comment("t.q1", "Response: use b");
    await at.tracker.person.comment("t.q1", "(asked Ann)");
    await at.tracker.person.close("t.q1");
    await follow(at);
    expect(guidance(at)?.text).toMatch("Answer: use b");
  });

  it.each([
    ["dismissed", (at: Followed) => at.tracker.person.dismiss("t.q1")],
    ["answered with nothing", (at: Followed) => at.tracker.person.respond("t.q1", "  ")],
    ["deleted", (at: Followed) => at.tracker.person.delete("t.q1")],
  ] as const)("fails its task when it is %s", async (_, act) => {
    const at = await asked();
    await act(at);
    await follow(at);
    expect(status(at)).toBe("failed");
    expect(openQuestions(at)).toEqual([]);
    await at.write();
    expect(await at.see()).toEqual([]);
    expect(showsSame(at.tracker.task("t"), desiredMirror(at.store.state, "t"))).toBe(true);
  });

  it("is open while only comments are made on it", async () => {
    const at = await asked();
    await at.tracker.person.comment("t.q1", "hm");
    expect(await at.see()).toEqual([]);
    expect(status(at)).toBe("needs_human");
  });

  it("is not written again when it was answered elsewhere and then deleted", async () => {
    const at = await asked();
    at.store.record([
      on("t", { event_type: "question.answered", question: "t.q1", by: "ann", text: "b" }),
    ]);
    await at.tracker.person.delete("t.q1");
    await follow(at);
    await at.write();
    expect(() => at.tracker.task("t.q1")).toThrow("no issue");
    expect(status(at)).toBe("queued");
  });
});

describe("what means nothing", () => {
  it("is noted and written over: open for a split task, an unclaim, another fractal's name", async () => {
    const at = await aTree();
    at.store.record([taken(taskOf(at.store.state, "t"))]);
    await at.write();
    await at.tracker.mirror([
      { id: "p", status: "open", assignee: "" },
      { id: "t", status: "open", assignee: "" },
      { id: "d", status: "in_progress", assignee: "fractal/worker/elsewhere" },
    ]);
    expect(drifts(await follow(at))).toEqual(["overwritten", "overwritten", "overwritten"]);
    await at.write();
    expect(at.tracker.task("p").status).toBe("in_progress");
    expect(at.tracker.task("t").assignee).toMatch("fractal/worker/here");
    expect(at.tracker.task("d")).toMatchObject({ status: "open", assignee: "" });
  });
});
