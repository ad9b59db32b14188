import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import type { RunState, TaskState } from "../../src/domain/run-state.ts";
import type { Store } from "../../src/orchestrator/store.ts";
import { reconcile, type Snapshot } from "../../src/rules/reconcile.ts";
import {
  criticalPathOf,
  inOrder,
  knownCriticalPath,
  reservedFiles,
} from "../../src/rules/schedule.ts";
import { taskOf } from "../../src/rules/status.ts";
import { aSnapshot, aState, aTask } from "../support/builders.ts";
import { aStore, created, eventOf, on, opened } from "../support/leaf-store.ts";

const leaf = (id: string, over: Parameters<typeof aTask>[1] = {}) =>
  aTask(id, { parent: "r", ...over });
const root = () => aTask("r", { origin: "root" });
const state = (...tasks: TaskState[]) => aState({ tasks: [root(), ...tasks] });

const snapshotOf = (state: RunState, over: Partial<Snapshot> = {}) =>
  aSnapshot(state, { publishing: true, ...over });

const started = (state: RunState, jobs = 100) =>
  reconcile(snapshotOf(state), { ...DEFAULT_LIMITS, jobs }, 0).flatMap((action) =>
    action.kind === "attempt" ? [action.task] : [],
  );

/** The longest chain that begins with a task's own work, by plain recursion over what comes after it. */
function chainOf(state: RunState, id: string, moment: "begin" | "end" = "end"): number {
  const task = state.tasks.get(id);
  if (task === undefined || task.end !== undefined) return 0;
  const open = [...state.tasks.values()].filter((one) => one.end === undefined);
  if (moment === "begin") {
    const inside = open.filter((one) => one.parent === id);
    const chains = inside.map((one) => chainOf(state, one.id, "begin"));
    return Math.max(chainOf(state, id, "end"), ...chains);
  }
  const after = open
    .filter((one) => one.dependsOn.includes(id))
    .map((one) => chainOf(state, one.id, "begin"));
  const parent = task.parent === null ? 0 : chainOf(state, task.parent, "end");
  return 1 + Math.max(0, parent, ...after);
}

/** A tree of up to a dozen tasks whose edges go from later to earlier siblings: no cycles. */
const trees = fc
  .array(
    fc.record({
      parent: fc.nat(),
      waits: fc.array(fc.nat(), { maxLength: 2 }),
      done: fc.integer({ min: 0, max: 4 }),
      priority: fc.integer({ min: 0, max: 4 }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((seeds) => {
    const tasks = [root()];
    for (const [at, seed] of seeds.entries()) {
      const parent = tasks[seed.parent % tasks.length] as TaskState;
      const siblings = tasks.filter((task) => task.parent === parent.id && task.end === undefined);
      const dependsOn =
        siblings.length === 0 ? [] : seed.waits.map((n) => siblings[n % siblings.length]?.id ?? "");
      tasks.push(
        aTask(`t${at}`, {
          parent: parent.id,
          dependsOn: [...new Set(dependsOn)],
          priority: seed.priority,
          ...(seed.done === 0 ? { end: "done" as const } : {}),
        }),
      );
    }
    return aState({ tasks });
  });

describe("the critical path", () => {
  it("is the longest chain of unfinished tasks that begins with a task", () => {
    fc.assert(
      fc.property(trees, (state) => {
        const path = criticalPathOf(state);
        for (const task of state.tasks.values()) {
          if (task.end === undefined) expect(path.get(task.id)).toBe(chainOf(state, task.id));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("counts what waits for a parent as waiting for its children, and its children with it", () => {
    // c is in p; q waits for p, and inside q there is a chain of three.
    const tasks = [
      leaf("p"),
      aTask("c", { parent: "p" }),
      leaf("q", { dependsOn: ["p"] }),
      aTask("q1", { parent: "q" }),
      aTask("q2", { parent: "q", dependsOn: ["q1"] }),
      aTask("q3", { parent: "q", dependsOn: ["q2"] }),
    ];
    const path = criticalPathOf(state(...tasks));
    // c, p, q1, q2, q3, q, r
    expect(path.get("c")).toBe(7);
  });

  it("leaves out what has ended", () => {
    const path = criticalPathOf(
      state(
        leaf("a", { end: "done" }),
        leaf("b", { dependsOn: ["a"] }),
        leaf("c", { dependsOn: ["b"] }),
      ),
    );
    expect(path.get("a")).toBeUndefined();
    expect(path.get("b")).toBe(3);
  });

  it("ends on every cycle a person's edges can make", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.nat(7), { maxLength: 4 }), { minLength: 8, maxLength: 8 }),
        (edges) => {
          const tasks = edges.map((ends, at) =>
            leaf(`t${at}`, { dependsOn: [...new Set(ends)].map((end) => `t${end}`) }),
          );
          const path = criticalPathOf(state(...tasks));
          for (const length of path.values()) expect(length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("ends where a task waits for what is above or below it", () => {
    const above = state(leaf("p"), aTask("c", { parent: "p", dependsOn: ["p", "r"] }));
    expect(criticalPathOf(above).size).toBe(3);
    const below = state(leaf("p", { dependsOn: ["c"] }), aTask("c", { parent: "p" }));
    expect(criticalPathOf(below).size).toBe(3);
    expect(started(below)).toEqual([]);
  });

  it("takes 10,000 tasks in one chain without recursion", () => {
    const tasks = [root()];
    for (let at = 0; at < 10_000; at++) {
      tasks.push(leaf(`t${at}`, { dependsOn: at === 0 ? [] : [`t${at - 1}`] }));
    }
    const big = aState({ tasks });
    expect(criticalPathOf(big).get("t0")).toBe(10_001);
    expect(started(big)).toEqual(["t0"]);
  });

  it("takes a tree 5,000 deep", () => {
    const tasks = [root()];
    for (let at = 0; at < 5_000; at++) {
      tasks.push(aTask(`t${at}`, { parent: at === 0 ? "r" : `t${at - 1}` }));
    }
    expect(criticalPathOf(aState({ tasks })).get("t4999")).toBe(5_001);
  });
});

describe("the critical path that is remembered", () => {
  /** d, then t, then u; each known before anything happens. */
  const chain = () => {
    const store = aStore();
    store.record([created("u", "root", { depends_on: ["t"] })]);
    store.record([on("t", { event_type: "task.edited", by: "ann", depends_on: ["d"] })]);
    expect(knownCriticalPath(store.state).path.get("d")).toBe(4);
    return store;
  };
  const u = (store: Store) => taskOf(store.state, "u");

  it.each(["accepted", "cancelled", "failed"] as const)(
    "is found anew when what waits at its end is %s, and when that is taken back",
    (move) => {
      const store = chain();
      store.record([eventOf(move, u(store))]);
      expect(knownCriticalPath(store.state).path).toEqual(criticalPathOf(store.state));
      expect(knownCriticalPath(store.state).path.get("d")).toBe(3);
      store.record([eventOf("reopened", u(store))]);
      expect(knownCriticalPath(store.state).path.get("d")).toBe(4);
    },
  );

  it("is found anew when a cancelled task is brought back, or a failed one's question answered", () => {
    const back = chain();
    back.record([eventOf("cancelled", u(back))]);
    knownCriticalPath(back.state).path;
    back.record([eventOf("unpaused", u(back))]);
    expect(knownCriticalPath(back.state).path.get("d")).toBe(4);

    const asked = chain();
    asked.record([opened("u"), eventOf("failed", u(asked))]);
    knownCriticalPath(asked.state).path;
    const answer = { question: "u.q1", by: "ann", text: "so" } as const;
    asked.record([on("u", { event_type: "question.answered", ...answer })]);
    expect(knownCriticalPath(asked.state).path.get("d")).toBe(4);
  });

  it("is found anew when a task is done although an edge was put before it meanwhile", () => {
    const store = aStore();
    store.record([eventOf("leased", taskOf(store.state, "t"))]);
    store.record([on("t", { event_type: "task.edited", by: "ann", depends_on: ["d"] })]);
    expect(knownCriticalPath(store.state).path.get("d")).toBe(3);
    store.record([eventOf("done", taskOf(store.state, "t"))]);
    expect(knownCriticalPath(store.state).path.get("d")).toBe(2);
  });
});

describe("the order", () => {
  it("is critical path, then priority, then age", () => {
    const tasks = state(
      leaf("young", { priority: 2 }),
      leaf("plain", { priority: 2 }),
      leaf("urgent", { priority: 0 }),
      leaf("first", { priority: 4 }),
      leaf("second", { dependsOn: ["first"] }),
    );
    for (const [at, id] of ["plain", "first", "second", "urgent", "young"].entries()) {
      const task = tasks.tasks.get(id);
      if (task) task.createdSeq = at;
    }
    expect(started(tasks)).toEqual(["first", "urgent", "plain", "young"]);
    expect(started(tasks, 2)).toEqual(["first", "urgent"]);
  });

  it("is the same whatever order the tasks come in", () => {
    fc.assert(
      fc.property(
        trees.chain((state) =>
          fc.tuple(
            fc.constant(state),
            fc.shuffledSubarray([...state.tasks.values()], { minLength: state.tasks.size }),
          ),
        ),
        ([state, mixed]) => {
          const path = criticalPathOf(state);
          const ids = (tasks: TaskState[]) =>
            inOrder(
              tasks.map((task) => ({ task })),
              path,
            ).map(({ task }) => task.id);
          expect(ids(mixed)).toEqual(ids([...state.tasks.values()]));
          const shuffled = { ...state, tasks: new Map(mixed.map((task) => [task.id, task])) };
          expect(criticalPathOf(shuffled)).toEqual(
            new Map(mixed.flatMap(({ id }) => entry(path, id))),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it("knows no waves: what waits for one task starts when that is done, whatever else goes on", () => {
    const lease = { attempt: 1, role: "worker", fence: 1, holder: "f", deadlineMs: 0 } as const;
    const tasks = state(
      leaf("first", { end: "done" }),
      leaf("slow", { lease }),
      leaf("idle"),
      leaf("second", { dependsOn: ["first"] }),
      leaf("third", { dependsOn: ["second", "slow"] }),
    );
    expect(started(tasks)).toEqual(["second", "idle"]);
  });

  it("gives each of equals its turn by age: none starves", () => {
    const tasks = [root(), ...Array.from({ length: 9 }, (_, at) => leaf(`t${at}`))];
    const queue = aState({ tasks });
    const turns: string[] = [];
    for (let turn = 0; turn < 9; turn++) {
      const [next] = started(queue, 1);
      turns.push(next ?? "nobody");
      const task = queue.tasks.get(next ?? "");
      if (task) task.end = "done";
    }
    expect(turns).toEqual(tasks.slice(1).map((task) => task.id));
  });
});

const entry = (path: Map<string, number>, id: string): [string, number][] => {
  const length = path.get(id);
  return length === undefined ? [] : [[id, length]];
};

describe("leaves that may write one file", () => {
  const files = { files: ["a.ts"] };
  const lease = {
    attempt: 1,
    role: "worker" as const,
    fence: 1,
    holder: "here",
    deadlineMs: 0,
  };

  it("take turns, whoever's they are: a folder is all that is in it", () => {
    const tasks = [
      leaf("one", { contract: files }),
      leaf("two", { contract: files }),
      leaf("folder", { contract: { files: ["lib/"] } }),
      leaf("inside", { contract: { files: ["lib/b.ts"] } }),
      leaf("free", { contract: { files: ["c.ts"] } }),
    ];
    expect(started(state(...tasks)).sort()).toEqual(["folder", "free", "one"]);
    tasks[0] = leaf("one", { contract: files, lease });
    expect(started(state(...tasks)).sort()).toEqual(["folder", "free"]);
    tasks[0] = leaf("one", { contract: files, end: "done" });
    expect(started(state(...tasks)).sort()).toEqual(["folder", "free", "two"]);
  });

  it("run side by side where the plan allows it, until a merge conflicted twice", () => {
    const sharing = (...tasks: TaskState[]) =>
      aState({ tasks: [root(), ...tasks], sharedFiles: true });
    const two = leaf("two", { contract: files });
    expect(started(sharing(leaf("one", { contract: files }), two)).sort()).toEqual(["one", "two"]);
    expect(started(sharing(leaf("one", { contract: files, lease }), two))).toEqual(["two"]);
    const twice = leaf("two", { contract: files, conflicts: 2 });
    expect(started(sharing(leaf("one", { contract: files, lease }), twice))).toEqual([]);
    expect(started(sharing(leaf("one", { contract: files }), twice))).toEqual(["two"]);
  });
});

describe("a task whose merges conflicted twice", () => {
  const files = { files: ["a.ts"] };

  it("has its files to itself until it ends", () => {
    const tasks = [
      leaf("other", { contract: files }),
      leaf("free", { contract: { files: ["b.ts"] } }),
      leaf("twice", { conflicts: 2, contract: files }),
    ];
    expect(started(state(...tasks)).sort()).toEqual(["free", "twice"]);
    tasks[2] = { ...(tasks[2] as TaskState), end: "done" };
    expect(started(state(...tasks)).sort()).toEqual(["free", "other"]);
  });

  it("once conflicted it has not", () => {
    const tasks = [
      leaf("other", { contract: files }),
      leaf("once", { conflicts: 1, contract: files }),
    ];
    const sharing = aState({ tasks: [root(), ...tasks], sharedFiles: true });
    expect(started(sharing).sort()).toEqual(["once", "other"]);
  });

  it("is no right of one that was split meanwhile: its children do the work", () => {
    const tasks = [
      leaf("parent", { shape: "split", conflicts: 2, contract: files }),
      leaf("child", { parent: "parent", contract: files }),
    ];
    expect(reservedFiles(state(...tasks))).toEqual(new Map());
  });

  it("gives way to an older one, and to what it waits for itself", () => {
    const both = state(
      leaf("old", { conflicts: 2, contract: files }),
      leaf("young", { conflicts: 3, contract: files }),
    );
    expect(reservedFiles(both)).toEqual(new Map([["a.ts", "old"]]));
    const waits = state(
      leaf("first", { contract: files }),
      leaf("twice", { conflicts: 2, contract: files, dependsOn: ["first"] }),
    );
    expect(started(waits)).toEqual(["first"]);
  });

  it.each([
    ["waits for an answer", { question: "twice.q1" }],
    ["is put aside", { paused: true }],
    ["is taken", { takenBy: "bob" }],
  ])("lets the others go on while it %s", (_, held) => {
    const twice = leaf("twice", { conflicts: 2, contract: files, ...held });
    expect(started(state(leaf("other", { contract: files }), twice))).toEqual(["other"]);
  });
});
