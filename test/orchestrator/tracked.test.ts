/** The controller and the tracker: what is created, told and followed, with trouble in between. */
import { describe, expect, it } from "vitest";
import { isFailure } from "../../src/domain/failure.ts";
import type { NewTrackedTask, Tracker, TrackerLine } from "../../src/domain/ports.ts";
import { openFollower } from "../../src/orchestrator/follower.ts";
import type { Store } from "../../src/orchestrator/store.ts";
import { createdEvent, publish } from "../../src/orchestrator/tracked.ts";
import type { NewTaskFacts } from "../../src/rules/new-task.ts";
import { desiredMirror } from "../../src/rules/people/mirror.ts";
import { unpublished } from "../../src/rules/people/tracked.ts";
import { statusOf, taskOf } from "../../src/rules/status.ts";
import { aContract } from "../support/builders.ts";
import { followed } from "../support/followed-store.ts";
import { aStore, aStoreWith, eventOf, on, opened, released, taken } from "../support/leaf-store.ts";
import { type MemoryTracker, memoryTracker } from "../support/memory-tracker.ts";

const aNew = (id: string, over: Partial<NewTaskFacts> = {}): NewTaskFacts => ({
  id,
  key: id,
  parent: "t",
  dependsOn: [],
  priority: 1,
  contract: aContract(id),
  leaf: true,
  origin: "plan",
  ...over,
});
const down = { failure: "tracker-unavailable", detail: "bd is busy" } as const;
const kinds = (store: Store, from: number) =>
  store.journal
    .read()
    .slice(from)
    .map((event) => event.event_type);

/** A store and a tracker of one mind, and the follower between them. */
async function aWorld(store: Store = aStore()) {
  const { tracker } = await followed(store);
  const counted = countingReads(tracker);
  const world = { store, tracker: counted as Tracker };
  return { ...world, tracker, counted, follower: openFollower(world) };
}

function countingReads(tracker: MemoryTracker): Tracker & { reads: number } {
  const counted = {
    ...tracker,
    reads: 0,
    read() {
      counted.reads += 1;
      return tracker.read();
    },
  };
  return counted;
}

/** New tasks, in the journal first and then in the tracker. */
async function make(world: { store: Store; tracker: Tracker }, tasks: NewTaskFacts[]) {
  world.store.record(tasks.map(createdEvent));
  return await publish(world, unpublished(world.store.state));
}

describe("publishing", () => {
  it("makes new tasks with their parents and edges, known as they stand there", async () => {
    const { store, tracker } = await aWorld(aStoreWith("running"));
    await make({ store, tracker }, [aNew("t.a1"), aNew("t.a2", { dependsOn: ["t.a1"] })]);
    expect(tracker.task("t.a2")).toMatchObject({
      parent: "t",
      dependsOn: ["t.a1"],
      status: "open",
    });
    expect(taskOf(store.state, "t.a2").mirror).toEqual({ status: "open", assignee: "" });
    expect(unpublished(store.state)).toEqual([]);
  });

  it("cut short, it finds what was made, and makes nothing twice", async () => {
    const { store, tracker, follower } = await aWorld(aStoreWith("running"));
    store.record([createdEvent(aNew("t.a1"))]);
    const deaf = {
      ...tracker,
      create: async (tasks: NewTrackedTask[]) => {
        await tracker.create(tasks);
        return down;
      },
    };
    expect(await publish({ store, tracker: deaf }, ["t.a1"])).toEqual(down);
    expect(unpublished(store.state)).toEqual(["t.a1"]);
    await follower.follow(true);
    expect(unpublished(store.state)).toEqual([]);
    expect(taskOf(store.state, "t").children).toEqual(["t.a1"]);
    expect(kinds(store, 0)).not.toContain("drift.seen");
  });

  it("leaves out what is below a deleted issue until that is back", async () => {
    const { store, tracker, follower } = await aWorld(aStoreWith("running"));
    store.record([createdEvent(aNew("t.a1"))]);
    await tracker.person.delete("t");
    await follower.follow();
    expect(unpublished(store.state)).toEqual([]);
    store.record([on("t", { event_type: "drift.seen", kind: "returned", detail: "back" })]);
    expect(unpublished(store.state)).toEqual(["t.a1"]);
  });

  it("writes a question with the edge to what waits for it, all in one", async () => {
    const { store, tracker } = await aWorld();
    store.record([opened("t")]);
    expect(await publish({ store, tracker }, ["t.q1"])).toBeUndefined();
    expect(tracker.task("t.q1")).toMatchObject({ labels: ["human"], status: "open" });
    expect(tracker.task("t").dependsOn).toEqual(["t.q1"]);
    expect(store.state.questions.get("t.q1")?.mirror).toEqual({ status: "open", assignee: "" });
  });

  it("gives a question about a split task no edge, but says what it is about", async () => {
    const { store, tracker } = await aWorld();
    store.record([opened("root", "root.q1", { kind: "rollup", blocks: ["root"] })]);
    await publish({ store, tracker }, ["root.q1"]);
    expect(tracker.task("root").dependsOn).toEqual([]);
    expect(tracker.task("root.q1").meta).toMatchObject({ about: "root" });
  });

  it("is owed still when the tracker is away", async () => {
    const { store, tracker } = await aWorld();
    store.record([opened("t")]);
    tracker.outage = down;
    expect(await publish({ store, tracker }, ["t.q1"])).toEqual(down);
    expect(store.state.questions.get("t.q1")?.mirror).toBeUndefined();
  });
});

describe("following", () => {
  it("reads only when somebody wrote, or when it is due", async () => {
    const { follower, counted, tracker } = await aWorld();
    await follower.follow();
    await follower.follow();
    expect(counted.reads).toBe(1);
    await tracker.person.comment("t", "hm");
    await follower.follow();
    expect(counted.reads).toBe(2);
    await follower.follow(true);
    expect(counted.reads).toBe(3);
  });

  it("journals nothing where nothing was done", async () => {
    const { follower, store } = await aWorld();
    const { seq } = store.state;
    await follower.follow(true);
    expect(store.state.seq).toBe(seq);
  });

  it("looks again after the tracker was away", async () => {
    const { follower, store, tracker } = await aWorld();
    await tracker.person.close("t");
    tracker.outage = down;
    expect(await follower.follow()).toEqual(down);
    tracker.outage = undefined;
    expect(await follower.follow()).toBeUndefined();
    expect(statusOf(store.state, "t")).toBe("accepted");
  });

  it("does not take what fractal writes meanwhile for a person's edit", async () => {
    const store = aStore();
    const { tracker } = await followed(store);
    // The tracker is read; before the answer is looked at, a child is made and known.
    const slow: Tracker = {
      ...tracker,
      async read() {
        const shown = await tracker.read();
        store.record([taken(taskOf(store.state, "t"), "planner")]);
        await make({ store, tracker }, [aNew("t.a1")]);
        return shown;
      },
    };
    await openFollower({ store, tracker: slow }).follow();
    expect(taskOf(store.state, "t.a1").end).toBeUndefined();
  });
});

describe("mirroring", () => {
  it("announces each write, does it, and notes it as done", async () => {
    const { follower, store, tracker } = await aWorld();
    store.record([taken(taskOf(store.state, "t"))]);
    const { seq } = store.state;
    expect(await follower.mirror()).toBeUndefined();
    expect(kinds(store, seq + 1)).toEqual(["mirror.started", "mirror.done"]);
    expect(tracker.task("t")).toMatchObject({
      status: "in_progress",
      assignee: "fractal/worker/here/1/t",
    });
    expect(await follower.mirror()).toBeUndefined();
    expect(kinds(store, seq + 1)).toHaveLength(2);
  });

  it("follows what a person did first, and does not write over it", async () => {
    const { follower, store, tracker } = await aWorld();
    store.record([taken(taskOf(store.state, "t"))]);
    await tracker.person.take("t", "bob");
    await follower.mirror();
    expect(tracker.task("t").assignee).toBe("bob");
    expect(taskOf(store.state, "t").takenBy).toBe("bob");
  });

  it.each([
    ["status", (at: MemoryTracker) => at.person.defer("t")],
    ["assignee", (at: MemoryTracker) => at.person.take("t", "bob")],
    ["blockers", (at: MemoryTracker) => at.person.addEdge("t", "d")],
    ["title", (at: MemoryTracker) => at.person.edit("t", { title: "Otherwise" })],
    ["description", (at: MemoryTracker) => at.person.edit("t", { description: "Otherwise" })],
    ["acceptance", (at: MemoryTracker) => at.person.edit("t", { acceptance: "Otherwise" })],
  ] as const)(
    "reads first: what a person changed of the %s is followed before anything is written",
    async (_, change) => {
      const { store, tracker, follower } = await aWorld();
      await follower.follow();
      store.record([taken(taskOf(store.state, "t")), eventOf("failed", taskOf(store.state, "d"))]);
      await change(tracker);
      const { seq } = store.state;
      await follower.mirror();
      const after = kinds(store, seq + 1);
      expect(after[0]).toBe("drift.seen");
      expect(after.indexOf("mirror.started")).toBeGreaterThan(after.indexOf("drift.seen"));
      // What is written is what is right after the edit.
      const { status, assignee } = tracker.task("t");
      const task = taskOf(store.state, "t");
      if (task.paused) expect(status).toBe("deferred");
      if (task.takenBy !== undefined) expect(assignee).toBe("bob");
    },
  );

  it("writes nothing when the tracker is away, and the same later", async () => {
    const { follower, store, tracker } = await aWorld();
    store.record([eventOf("failed", taskOf(store.state, "t"))]);
    tracker.outage = down;
    expect(await follower.mirror()).toEqual(down);
    tracker.outage = undefined;
    expect(await follower.mirror()).toBeUndefined();
    expect(tracker.task("t").status).toBe("blocked");
  });

  it("knows after a crash what it had begun to write, done or not", async () => {
    for (const isDone of [false, true]) {
      const { store, tracker } = await aWorld();
      store.record([eventOf("failed", taskOf(store.state, "t"))]);
      const line = { id: "t", status: "blocked", assignee: "" } as const;
      store.record([
        { task_id: null, actor: "fractal", event_type: "mirror.started", lines: [line] },
      ]);
      if (isDone) await tracker.mirror([line]);
      // A new process: nothing is known but the journal.
      const { seq } = store.state;
      const again = openFollower({ store, tracker });
      await again.follow();
      // By looking: it was done, or not.
      expect(kinds(store, seq + 1)).toEqual(["mirror.done"]);
      expect(taskOf(store.state, "t").mirror?.status).toBe(isDone ? "blocked" : "open");
      await again.mirror();
      expect(tracker.task("t").status).toBe("blocked");
    }
  });

  it("says which lines the tracker did not take, and leaves them owed", async () => {
    const { store, tracker } = await aWorld();
    store.record([
      eventOf("failed", taskOf(store.state, "t")),
      eventOf("paused", taskOf(store.state, "d")),
    ]);
    const picky: Tracker = {
      ...tracker,
      mirror: (lines) => tracker.mirror(lines.filter((line) => line.id !== "t")),
    };
    const failure = await openFollower({ store, tracker: picky }).mirror();
    expect(failure).toMatchObject({
      failure: "tracker-unavailable",
      detail: expect.stringMatching(/ t$/),
    });
    expect(tracker.task("d").status).toBe("deferred");
    expect(await openFollower({ store, tracker }).mirror()).toBeUndefined();
    expect(tracker.task("t").status).toBe("blocked");
  });

  it("does not fight what is put back at once: after the third time it is left to a question", async () => {
    const { store, tracker } = await aWorld();
    store.record([eventOf("paused", taskOf(store.state, "t"))]);
    const contrary: Tracker = {
      ...tracker,
      mirror: (lines) =>
        tracker.mirror(lines.map((line) => ({ ...line, status: "open", assignee: "" }))),
    };
    const lying: Tracker = {
      ...contrary,
      async mirror(lines) {
        const written = await contrary.mirror(lines);
        return "failure" in written ? written : { ...written, applied: [] };
      },
    };
    const follower = openFollower({ store, tracker: lying });
    for (let time = 1; time <= 3; time++) {
      expect(await follower.mirror()).toMatchObject({ failure: "tracker-unavailable" });
    }
    expect(await follower.mirror()).toBeUndefined();
    const drifts = store.journal
      .read()
      .filter((one) => one.event_type === "drift.seen" && one.kind === "overwritten");
    expect(drifts).toHaveLength(3);
  });

  it("is no trouble when a person deleted an issue while it was written", async () => {
    const { store, tracker } = await aWorld();
    store.record([eventOf("failed", taskOf(store.state, "t"))]);
    const racing: Tracker = {
      ...tracker,
      async mirror(lines) {
        await tracker.person.delete("t");
        return tracker.mirror(lines);
      },
    };
    expect(await openFollower({ store, tracker: racing }).mirror()).toBeUndefined();
    expect(statusOf(store.state, "t")).toBe("cancelled");
    expect(await openFollower({ store, tracker }).mirror()).toBeUndefined();
  });

  it("does not take for deleted what was made while it was written", async () => {
    const store = aStoreWith("running");
    const { tracker } = await followed(store);
    store.record([on("d", { event_type: "task.paused", by: "ann" })]);
    const racing: Tracker = {
      ...tracker,
      async mirror(lines) {
        const written = await tracker.mirror(lines);
        await make({ store, tracker }, [aNew("t.a1")]);
        return written;
      },
    };
    const follower = openFollower({ store, tracker: racing });
    expect(await follower.mirror()).toBeUndefined();
    expect(taskOf(store.state, "t.a1").end).toBeUndefined();
    expect(isFailure(await follower.follow())).toBe(false);
    expect(taskOf(store.state, "t.a1").end).toBeUndefined();
  });

  it("writes with them what comes due meanwhile, each issue once", async () => {
    const { store, tracker } = await aWorld();
    store.record([taken(taskOf(store.state, "t"))]);
    const lines: TrackerLine[] = [];
    const slow: Tracker = {
      ...tracker,
      mirror: (first, more = () => []) => {
        store.record([on("d", { event_type: "task.paused", by: "ann" })]);
        store.record([released(taskOf(store.state, "t"))]);
        lines.push(...first, ...more());
        return tracker.mirror(lines);
      },
    };
    expect(await openFollower({ store, tracker: slow }).mirror()).toBeUndefined();
    expect(lines.map(({ id, status }) => `${id} ${status}`)).toEqual([
      "t in_progress",
      "d deferred",
    ]);
    expect(await openFollower({ store, tracker }).mirror()).toBeUndefined();
    expect(tracker.task("t")).toMatchObject({ status: "open", assignee: "" });
  });

  describe("what a person set after it was looked, and was written over", () => {
    const drifts = (store: Store) =>
      store.journal.read().filter((event) => event.event_type === "drift.seen");
    const STARTED = { task_id: null, actor: "fractal", event_type: "mirror.started" } as const;

    it("stands: a closed task is accepted, in one drift, and closed again", async () => {
      const { store, tracker, follower } = await aWorld();
      store.record([taken(taskOf(store.state, "t"))]);
      tracker.meanwhile = () => tracker.person.close("t");

      expect(await follower.mirror()).toBeUndefined();

      expect(statusOf(store.state, "t")).toBe("accepted");
      expect(tracker.task("t").status).toBe("in_progress");
      // Nobody takes what is shown for a reopening.
      expect(await follower.follow(true)).toBeUndefined();
      expect(await follower.mirror()).toBeUndefined();
      expect(await follower.follow(true)).toBeUndefined();
      expect(tracker.task("t").status).toBe("closed");
      expect(drifts(store)).toMatchObject([{ kind: "closed", task_id: "t" }]);
      expect(statusOf(store.state, "t")).toBe("accepted");
    });

    it("is no matter for what was seen before: that is not written over at all", async () => {
      const { store, tracker, follower } = await aWorld();
      store.record([taken(taskOf(store.state, "t"))]);
      await tracker.person.close("t");

      expect(await follower.mirror()).toBeUndefined();

      expect(tracker.task("t").status).toBe("closed");
      expect(drifts(store)).toMatchObject([{ kind: "closed", task_id: "t" }]);
    });

    it("stands: a task that somebody took is theirs, and says so again", async () => {
      const { store, tracker, follower } = await aWorld();
      store.record([taken(taskOf(store.state, "t"))]);
      tracker.meanwhile = () => tracker.person.take("t", "ann");

      for (let time = 0; time < 3; time++) expect(await follower.mirror()).toBeUndefined();

      expect(taskOf(store.state, "t").takenBy).toBe("ann");
      expect(tracker.task("t").assignee).toBe("ann");
      expect(drifts(store)).toMatchObject([{ kind: "taken", task_id: "t" }]);
    });

    it("is heard after a crash, and of two writes the later one counts", async () => {
      for (const isTwice of [false, true]) {
        const { store, tracker } = await aWorld();
        store.record([taken(taskOf(store.state, "t"))]);
        const line = { id: "t", ...desiredMirror(store.state, "t") };
        store.record([{ ...STARTED, lines: [line] }]);
        await tracker.person.defer("t");
        if (isTwice) await tracker.person.close("t");
        await tracker.mirror([line]);
        // A new process: nothing is known but the journal.
        const again = openFollower({ store, tracker });

        for (let time = 0; time < 3; time++) expect(await again.mirror()).toBeUndefined();

        expect(statusOf(store.state, "t")).toBe(isTwice ? "accepted" : "paused");
        expect(tracker.task("t").status).toBe(isTwice ? "closed" : "deferred");
        expect(drifts(store)).toMatchObject([{ kind: isTwice ? "closed" : "deferred" }]);
      }
    });

    it("means nothing for what is done by then: it is noted, and stays closed", async () => {
      const { store, tracker, follower } = await aWorld(aStoreWith("running"));
      const task = taskOf(store.state, "t");
      store.record([eventOf("done", task), released(task)]);
      tracker.meanwhile = () => tracker.person.defer("t");

      for (let time = 0; time < 2; time++) expect(await follower.mirror()).toBeUndefined();

      expect(statusOf(store.state, "t")).toBe("done");
      expect(tracker.task("t").status).toBe("closed");
      expect(drifts(store)).toMatchObject([{ kind: "overwritten" }]);
    });
  });

  it("hears what a person did while it was written", async () => {
    const { store, tracker } = await aWorld();
    store.record([taken(taskOf(store.state, "t"))]);
    store.record([released(taskOf(store.state, "t")), eventOf("failed", taskOf(store.state, "t"))]);
    const racing: Tracker = {
      ...tracker,
      async mirror(lines) {
        await tracker.person.close("d");
        return tracker.mirror(lines);
      },
    };
    await openFollower({ store, tracker: racing }).mirror();
    expect(statusOf(store.state, "d")).toBe("accepted");
  });
});

describe("a fresh tracker", () => {
  it("is given the whole tree, parents and edges in place", async () => {
    const store = aStore();
    const tracker = memoryTracker();
    await publish({ store, tracker }, [...store.state.tasks.keys()]);
    expect(tracker.task("root")).toMatchObject({ labels: ["fractal"], parent: null });
    expect(tracker.task("t").parent).toBe("root");
  });
});
