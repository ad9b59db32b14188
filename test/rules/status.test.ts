import { describe, expect, it } from "vitest";
import type { TaskState } from "../../src/domain/run-state.ts";
import type { Colour, TaskStatus } from "../../src/domain/task.ts";
import {
  ancestorsOf,
  areChildrenSettled,
  blockersOf,
  colourOf,
  descendantsOf,
  isHeld,
  statusOf,
  taskOf,
  waitsFor,
} from "../../src/rules/status.ts";
import { aQuestion, aState, aTask } from "../support/builders.ts";

const lease = { attempt: 1, role: "worker", fence: 1, holder: "fractal/w", deadlineMs: 0 } as const;
const root = () => aTask("r", { origin: "root" });
const child = (id: string, over: Parameters<typeof aTask>[1] = {}) =>
  aTask(id, { parent: "r", ...over });

/** One task in each status, with its colour and its siblings. */
const EACH: { readonly [S in TaskStatus]: [Colour, TaskState, ...TaskState[]] } = {
  queued: ["dim", child("t")],
  waiting: ["dim", child("t", { dependsOn: ["d"] }), child("d")],
  running: ["yellow", child("t", { lease })],
  escalated: ["yellow", child("t", { attemptsLeft: 0 })],
  needs_human: ["red", child("t")],
  failed: ["red", child("t", { end: "failed" })],
  split: ["dim", child("t"), aTask("t.a1", { parent: "t" })],
  done: ["green", child("t", { end: "done" })],
  accepted: ["green", child("t", { end: "accepted" })],
  paused: ["dim", child("t", { paused: true })],
  cancelled: ["dim", child("t", { end: "cancelled" })],
};
const stateIn = (status: TaskStatus) => {
  const [, ...tasks] = EACH[status];
  const questions = status === "needs_human" ? [aQuestion("t.q1", "t")] : [];
  return aState({ tasks: [root(), ...tasks], questions });
};

describe("the status", () => {
  it.each(Object.keys(EACH) as TaskStatus[])(
    "%s is told from the facts, with its colour",
    (status) => {
      const state = stateIn(status);
      expect(statusOf(state, "t")).toBe(status);
      expect(colourOf(state, "t")).toBe(EACH[status][0]);
    },
  );

  it("is paused for a failed task that a person put aside, and not for a settled one", () => {
    const of = (end: TaskState["end"]) =>
      statusOf(
        aState({ tasks: [root(), child("t", { paused: true, ...(end ? { end } : {}) })] }),
        "t",
      );
    expect(of("failed")).toBe("paused");
    expect(of("done")).toBe("done");
    expect(of("accepted")).toBe("accepted");
    expect(of("cancelled")).toBe("cancelled");
  });

  it("is queued, not waiting, for a task that is to be planned: planning does not wait", () => {
    const tasks = [root(), child("d"), child("t", { shape: "unplanned", dependsOn: ["d"] })];
    expect(statusOf(aState({ tasks }), "t")).toBe("queued");
  });

  it("is escalated for a split task that is sent to a person", () => {
    const state = stateIn("split");
    taskOf(state, "t").route = "person";
    expect(statusOf(state, "t")).toBe("escalated");
  });

  it("throws for a task there is not", () => {
    expect(() => statusOf(aState({ tasks: [root()] }), "x")).toThrow("no task x");
  });
});

describe("what a task waits for", () => {
  const end = (end: TaskState["end"]) => (end === undefined ? {} : { end });

  it.each([
    [undefined, true],
    ["failed", true],
    ["cancelled", true],
    ["done", false],
    ["accepted", false],
  ] as const)("a dependency that ended as %s blocks: %s", (how, blocks) => {
    const tasks = [root(), child("d", end(how)), child("t", { dependsOn: ["d"] })];
    expect(blockersOf(aState({ tasks }), "t")).toEqual(blocks ? ["d"] : []);
  });

  it("is its own dependencies and its ancestors'", () => {
    const tasks = [
      root(),
      child("d"),
      child("e"),
      child("p", { dependsOn: ["d"] }),
      aTask("p.a1", { parent: "p", dependsOn: ["e"] }),
      aTask("p.a1.a1", { parent: "p.a1" }),
    ];
    expect(blockersOf(aState({ tasks }), "p.a1.a1").sort()).toEqual(["d", "e"]);
  });

  it("is nothing any more for a dropped dependency a person said to go on without", () => {
    const tasks = [
      root(),
      child("d", { end: "cancelled" }),
      child("t", { dependsOn: ["d"], without: ["d"] }),
    ];
    expect(blockersOf(aState({ tasks }), "t")).toEqual([]);
  });

  it("is said in a few words", () => {
    const words = (status: TaskStatus) => waitsFor(stateIn(status), "t");
    expect(words("waiting")).toBe("d");
    expect(words("needs_human")).toBe("an answer to t.q1");
    expect(words("paused")).toMatch("fractal unpause t");
    expect(words("queued")).toBe("");
    expect(words("done")).toBe("");
    const taken = aState({ tasks: [root(), child("t", { takenBy: "bob" })] });
    expect(waitsFor(taken, "t")).toBe("taken by bob");
  });
});

describe("what holds a task", () => {
  const tree = (over: Parameters<typeof aTask>[1]) =>
    aState({ tasks: [root(), child("p", over), aTask("p.a1", { parent: "p" })] });

  it.each([
    [{ paused: true }, true],
    [{ takenBy: "bob" }, true],
    [{ end: "cancelled" }, true],
    [{ end: "accepted" }, true],
    [{ end: "failed" }, true],
    [{}, false],
  ] as const)("is also what holds the one above it: %j, %s", (over, held) => {
    expect(isHeld(tree(over), "p.a1")).toBe(held);
  });

  it("is a split that was begun and not written to its end", () => {
    const state = tree({});
    taskOf(state, "p").shape = "unplanned";
    expect(isHeld(state, "p.a1")).toBe(true);
    expect(isHeld(state, "p")).toBe(false);
  });
});

describe("a parent", () => {
  const of = (...ends: readonly (TaskState["end"] | "red" | "busy")[]) =>
    aState({
      tasks: [
        root(),
        child("p"),
        ...ends.map((end, at) => {
          if (end === "busy") return aTask(`p.a${at}`, { parent: "p", lease });
          if (end === "red") return aTask(`p.a${at}`, { parent: "p", end: "failed" });
          return aTask(`p.a${at}`, { parent: "p", ...(end === undefined ? {} : { end }) });
        }),
      ],
    });

  it.each([
    [["done", "accepted"], "yellow"],
    [["done", undefined], "dim"],
    [["done", "busy"], "yellow"],
    [["done", "busy", "red"], "red"],
    [["cancelled", "done"], "dim"],
  ] as const)("of %j is %s", (ends, colour) => {
    const state = of(...ends);
    expect(colourOf(state, "p")).toBe(colour);
    expect(colourOf(state, "r")).toBe(colour);
  });

  it("is green only when it is done itself", () => {
    const state = of("done", "done");
    taskOf(state, "p").end = "done";
    expect(colourOf(state, "p")).toBe("green");
  });

  it("of nothing is not done", () => {
    const state = aState({ tasks: [root(), child("p", { shape: "split" })] });
    expect(statusOf(state, "p")).toBe("split");
    expect(colourOf(state, "p")).toBe("yellow");
  });

  it.each([
    [["done", "accepted", "cancelled"], true],
    [["done", "red"], false],
    [["done", undefined], false],
    [["done", "busy"], false],
  ] as const)("of %j may roll up: %s", (ends, settled) => {
    const state = of(...ends);
    expect(areChildrenSettled(state, taskOf(state, "p"))).toBe(settled);
  });

  it("knows those above it, nearest first, and those below it, depth first", () => {
    const tasks = [
      root(),
      child("p"),
      child("q"),
      aTask("p.a1", { parent: "p" }),
      aTask("p.a2", { parent: "p" }),
      aTask("p.a1.a1", { parent: "p.a1" }),
    ];
    const state = aState({ tasks });
    expect(ancestorsOf(state, "p.a1.a1").map((task) => task.id)).toEqual(["p.a1", "p", "r"]);
    expect(descendantsOf(state, "r").map((task) => task.id)).toEqual([
      "p",
      "p.a1",
      "p.a1.a1",
      "p.a2",
      "q",
    ]);
  });
});
