import { describe, expect, it } from "vitest";
import { type Mirrored, showsSame } from "../../../src/domain/mirrored.ts";
import type { RunState, TaskState } from "../../../src/domain/run-state.ts";
import type { TaskStatus } from "../../../src/domain/task.ts";
import { desiredMirror, mirrorLines } from "../../../src/rules/people/mirror.ts";
import { statusOf } from "../../../src/rules/status.ts";
import { aQuestion, aState, aTask } from "../../support/builders.ts";

const holder = "fractal/worker/here/1/t.1";
const lease = { attempt: 1, role: "worker", fence: 1, holder, deadlineMs: 0 } as const;
const open: Mirrored = { status: "open", assignee: "" };
const root = () => aTask("r", { origin: "root" });
const child = (id: string, over: Parameters<typeof aTask>[1] = {}) =>
  aTask(id, { parent: "r", ...over });

/** The table of design part 4: one task in each status, and what Beads shows of it. */
const TABLE: { readonly [S in TaskStatus]: [Mirrored, TaskState, ...TaskState[]] } = {
  queued: [open, child("t")],
  waiting: [open, child("t", { dependsOn: ["d"] }), child("d")],
  running: [{ status: "in_progress", assignee: holder }, child("t", { lease })],
  escalated: [open, child("t", { attemptsLeft: 0 })],
  needs_human: [open, child("t")],
  failed: [{ status: "blocked", assignee: "" }, child("t", { end: "failed" })],
  split: [{ status: "in_progress", assignee: "" }, child("t"), aTask("t.a1", { parent: "t" })],
  done: [{ status: "closed", assignee: "" }, child("t", { end: "done" })],
  accepted: [{ status: "closed", assignee: "" }, child("t", { end: "accepted" })],
  paused: [{ status: "deferred", assignee: "" }, child("t", { paused: true })],
  cancelled: [{ status: "deferred", assignee: "" }, child("t", { end: "cancelled" })],
};
const STATUSES = Object.keys(TABLE) as TaskStatus[];
const stateIn = (status: TaskStatus) => {
  const [, ...tasks] = TABLE[status];
  const questions = status === "needs_human" ? [aQuestion("t.q1", "t")] : [];
  return aState({ tasks: [root(), ...tasks], questions });
};

/** The state once Beads has taken these lines. */
function written(state: RunState, lines: readonly (Mirrored & { id: string })[]): RunState {
  for (const { id, status, assignee } of lines) {
    const known = state.tasks.get(id) ?? state.questions.get(id);
    if (known) known.mirror = { status, assignee };
  }
  return state;
}

describe("what Beads shows", () => {
  it.each(STATUSES)("of a task that is %s is the table's row", (status) => {
    const state = stateIn(status);
    expect(statusOf(state, "t")).toBe(status);
    expect(desiredMirror(state, "t")).toEqual(TABLE[status][0]);
  });

  it.each(STATUSES)("is brought there in one write from anything, for %s", (status) => {
    for (const was of ["open", "in_progress", "blocked", "deferred", "closed"] as const) {
      for (const assignee of ["", holder, "bob"]) {
        const state = stateIn(status);
        written(state, [{ id: "t", status: was, assignee }]);
        written(state, mirrorLines(state));
        expect(showsSame(state.tasks.get("t")?.mirror as Mirrored, TABLE[status][0])).toBe(true);
        expect(mirrorLines(state)).toEqual([]);
      }
    }
  });

  it("clears the assignee on every return to open", () => {
    const state = stateIn("queued");
    written(state, [{ id: "t", status: "open", assignee: holder }]);
    expect(mirrorLines(state)).toEqual([{ id: "t", ...open }]);
  });

  it("is closed for what is done or accepted, and for nothing else", () => {
    for (const status of STATUSES) {
      const isClosed = desiredMirror(stateIn(status), "t").status === "closed";
      expect([status, isClosed]).toEqual([status, status === "done" || status === "accepted"]);
    }
  });

  it("never is open for a split task, not even while it waits for an answer or is worked on", () => {
    const split = child("t");
    const below = aTask("t.a1", { parent: "t" });
    const asked = aState({ tasks: [root(), split, below], questions: [aQuestion("t.q1", "t")] });
    expect(desiredMirror(asked, "t")).toEqual({ status: "in_progress", assignee: "" });
    const leased = aState({ tasks: [root(), child("t", { lease }), below] });
    expect(desiredMirror(leased, "t").status).toBe("in_progress");
  });
});

describe("the lines", () => {
  it("close a parent after its children", () => {
    const tasks = [
      aTask("r", { origin: "root", end: "done" }),
      child("p", { end: "done" }),
      aTask("p.a1", { parent: "p", end: "done" }),
      aTask("p.r1", { parent: "p", end: "done", origin: "repair" }),
    ].map((task) => ({ ...task, mirror: { status: "in_progress", assignee: "" } as const }));
    const ids = mirrorLines(aState({ tasks })).map((line) => line.id);
    expect([...ids].sort()).toEqual(["p", "p.a1", "p.r1", "r"]);
    for (const { id, parent } of tasks) {
      if (parent !== null) expect(ids.indexOf(id)).toBeLessThan(ids.indexOf(parent));
    }
  });

  it("say why something is closed, blocked or deferred", () => {
    const because = (over: Parameters<typeof aTask>[1]) =>
      mirrorLines(aState({ tasks: [root(), child("t", { mirror: open, ...over })] })).at(0)?.reason;
    expect(because({ end: "done" })).toBe("done");
    expect(because({ end: "done", unchecked: true })).toBe("done, unchecked");
    expect(because({ end: "failed", endReason: "3 questions used up" })).toBe(
      "3 questions used up",
    );
    expect(because({ lease })).toBeUndefined();
  });

  it("leave out what Beads does not have, what somebody else holds, and what was deleted", () => {
    const tasks = [
      root(),
      child("new", { lease }),
      child("taken", { takenBy: "bob", mirror: { status: "in_progress", assignee: "bob" } }),
      child("gone", { end: "cancelled", deleted: true, mirror: open }),
    ];
    expect(mirrorLines(aState({ tasks }))).toEqual([]);
  });

  it("close a question once it is not open any more", () => {
    const of = (state: "open" | "answered" | "dismissed" | "moot") =>
      mirrorLines(
        aState({
          tasks: [root(), child("t")],
          questions: [aQuestion("t.q1", "t", { state, mirror: open })],
        }),
      );
    expect(of("open")).toEqual([]);
    for (const how of ["answered", "dismissed", "moot"] as const) {
      expect(of(how)).toEqual([{ id: "t.q1", status: "closed", assignee: "", reason: how }]);
    }
  });

  it("are written again where a write that was not acknowledged may have come through", () => {
    const mirrorPending = { status: "in_progress", assignee: "" } as const;
    const mirror = { status: "closed", assignee: "" } as const;
    const done = child("t", { end: "done", mirror, mirrorPending });
    const asked = aQuestion("t.q1", "t", { state: "moot", mirror, mirrorPending: open });
    const lines = mirrorLines(aState({ tasks: [root(), done], questions: [asked] }));
    expect(lines.map(({ id, status }) => [id, status])).toEqual([
      ["t", "closed"],
      ["t.q1", "closed"],
    ]);
    const settled = child("t", { end: "done", mirror, mirrorPending: mirror });
    expect(mirrorLines(aState({ tasks: [root(), settled] }))).toEqual([]);
  });

  it("take no notice of who held what is closed", () => {
    expect(
      showsSame({ status: "closed", assignee: "bob" }, { status: "closed", assignee: "" }),
    ).toBe(true);
    expect(showsSame({ status: "open", assignee: "bob" }, open)).toBe(false);
  });
});
