/** Tasks that a person's edges make wait for one another: named, asked about once, and opened again. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../../src/domain/limits.ts";
import type { TaskState } from "../../../src/domain/run-state.ts";
import { askPerson } from "../../../src/orchestrator/escalate-task.ts";
import type { World } from "../../../src/orchestrator/world.ts";
import { cycleOf } from "../../../src/rules/people/cycle.ts";
import { reconcile } from "../../../src/rules/reconcile.ts";
import { taskOf } from "../../../src/rules/status.ts";
import { aSnapshot, aState, aTask } from "../../support/builders.ts";
import { type Followed, followed } from "../../support/followed-store.ts";
import { aStore, created, ended, on, released, split, taken } from "../../support/leaf-store.ts";

const shown = { status: "open", assignee: "" } as const;
const leaf = (id: string, dependsOn: string[] = [], over: Partial<TaskState> = {}) =>
  aTask(id, { parent: "root", dependsOn, mirror: shown, ...over });
const stateOf = (...tasks: TaskState[]) =>
  aState({ tasks: [aTask("root", { shape: "split", mirror: shown }), ...tasks] });

/** What reconcile decides now, the tracker aside. */
const decide = (at: Followed) =>
  reconcile(aSnapshot(at.store.state), DEFAULT_LIMITS, 0).filter(
    ({ kind }) => kind !== "mirror" && kind !== "publish",
  );
/** Carries out what is asked and withdrawn. */
async function settle(at: Followed) {
  for (const action of decide(at)) {
    if (action.kind === "ask") {
      askPerson({ store: at.store } as World, action.task, action.question, action.reason);
    }
    if (action.kind === "withdraw") {
      const { question } = action;
      at.store.record([
        on(at.store.state.questions.get(question)?.about ?? "", {
          event_type: "question.closed",
          question,
          by: "fractal",
          how: "moot",
        }),
      ]);
    }
  }
  await at.write();
}
const open = (at: Followed) =>
  [...at.store.state.questions.values()].filter(({ state }) => state === "open");

describe("a circle", () => {
  it("is named with the edges that make it", () => {
    const cycle = cycleOf(
      stateOf(leaf("a", ["b"]), leaf("b", ["c"]), leaf("c", ["a"]), leaf("d", ["a"])),
    );
    expect([...(cycle?.path ?? [])].sort()).toEqual(["a", "b", "c"]);
    expect(cycle?.edges).toHaveLength(3);
    expect(cycle?.edges).toContainEqual({ task: "a", on: "b" });
    expect([...(cycle?.held ?? [])].sort()).toEqual(["a", "b", "c"]);
  });

  it("is one also where a child waits for what waits for its parent", () => {
    const p = leaf("p", [], { shape: "split" });
    const cycle = cycleOf(
      stateOf(
        p,
        leaf("p.a", ["q"], { parent: "p" }),
        leaf("p.b", [], { parent: "p" }),
        leaf("q", ["p"]),
      ),
    );
    expect([...(cycle?.path ?? [])].sort()).toEqual(["p", "p.a", "q"]);
    expect(cycle?.edges).toEqual(
      expect.arrayContaining([
        { task: "p.a", on: "q" },
        { task: "q", on: "p" },
      ]),
    );
    expect(cycle?.held.has("p.b")).toBe(false);
  });

  it("is none once one of it has ended, or goes on without the other", () => {
    expect(cycleOf(stateOf(leaf("a", ["b"], { end: "done" }), leaf("b", ["a"])))).toBeUndefined();
    expect(
      cycleOf(stateOf(leaf("a", ["b"], { without: ["b"] }), leaf("b", ["a"]))),
    ).toBeUndefined();
    expect(cycleOf(stateOf(leaf("a", ["b"]), leaf("b")))).toBeUndefined();
  });

  it("is found exactly where some order of the tasks is not possible", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: 7 }), fc.nat({ max: 7 })), { maxLength: 14 }),
        (pairs) => {
          const ids = [..."abcdefgh"];
          const tasks = ids.map((id, at) =>
            leaf(
              id,
              pairs.filter(([from]) => from === at).map(([, to]) => ids[to] ?? ""),
            ),
          );
          const cycle = cycleOf(stateOf(...tasks));
          // By depth-first reachability: a task that reaches itself.
          const reaches = (from: string, seen = new Set<string>()): Set<string> => {
            for (const to of tasks.find(({ id }) => id === from)?.dependsOn ?? []) {
              if (!seen.has(to)) reaches(to, seen.add(to));
            }
            return seen;
          };
          const onCircle = ids.filter((id) => reaches(id).has(id));
          expect(cycle === undefined).toBe(onCircle.length === 0);
          for (const id of cycle?.path ?? []) expect(onCircle).toContain(id);
          for (const id of onCircle) expect(cycle?.held.has(id)).toBe(true);
        },
      ),
    );
  });
});

describe("edges that make a circle", () => {
  /** root: d, t, p with p.a1; a person lets p.a1 wait for t, and t for p. */
  async function aCircle(): Promise<Followed> {
    const store = aStore();
    store.record([created("p", "root")]);
    store.record([taken(taskOf(store.state, "p"), "planner")]);
    store.record([created("p.a1", "p"), split("p", ["p.a1"])]);
    store.record([ended(taskOf(store.state, "p")), released(taskOf(store.state, "p"))]);
    const at = await followed(store);
    await at.tracker.person.addEdge("p.a1", "t");
    await at.tracker.person.addEdge("t", "p");
    const events = await at.follow();
    expect(events.map((event) => event.event_type === "drift.seen" && event.kind)).toEqual([
      "edges",
      false,
      "edges",
      false,
    ]);
    return at;
  }

  it("lead to one question that names it, and nothing in it starts; the rest does", async () => {
    const at = await aCircle();
    const asked = decide(at);
    expect(asked.filter(({ kind }) => kind === "ask")).toHaveLength(1);
    expect(asked).toContainEqual({ kind: "attempt", task: "d" });
    await settle(at);
    const [question] = open(at);
    expect(question).toMatchObject({ kind: "cycle", blocks: [] });
    for (const id of ["p.a1", "t", "p"]) expect(question?.title).toContain(id);
    expect([...(question?.options ?? [])].sort()).toEqual([
      "p.a1 does not wait for t",
      "t does not wait for p",
    ]);
    expect(decide(at)).toEqual([{ kind: "attempt", task: "d" }]);
    // The question itself adds no edge.
    expect(at.tracker.task("t").dependsOn).toEqual(["p"]);
  });

  it("when one of them is taken away in Beads, the question is moot and the work goes on", async () => {
    const at = await aCircle();
    await settle(at);
    await at.tracker.person.removeEdge("t", "p");
    await at.follow();
    await settle(at);
    expect(open(at)).toEqual([]);
    expect(at.tracker.task([...at.store.state.questions.keys()][0] ?? "").status).toBe("closed");
    expect(decide(at)).toContainEqual({ kind: "attempt", task: "t" });
  });

  it("when the answer names one of them, the task goes on without it, and Beads' edge is let be", async () => {
    const at = await aCircle();
    await settle(at);
    const [question] = open(at);
    await at.tracker.person.respond(question?.id ?? "", "t does not wait for p");
    await at.follow();
    expect(cycleOf(at.store.state)).toBeUndefined();
    await settle(at);
    expect(open(at)).toEqual([]);
    expect(decide(at)).toContainEqual({ kind: "attempt", task: "t" });
    expect(await at.see()).toEqual([]);
    expect(at.tracker.task("t").dependsOn).toEqual(["p"]);
  });

  it("are asked about again after an answer that opens nothing", async () => {
    const at = await aCircle();
    await settle(at);
    await at.tracker.person.respond(open(at)[0]?.id ?? "", "I do not know");
    await at.follow();
    await settle(at);
    expect(open(at)).toMatchObject([{ kind: "cycle" }]);
    expect(at.store.state.questions.size).toBe(2);
  });
});
