import { describe, expect, it } from "vitest";
import type { Plan } from "../../../src/domain/plan.ts";
import { plansOf } from "../../../src/rules/plan/plans-of.ts";
import { anEvent, aState, aTask } from "../../support/builders.ts";

const plan = (reason: string): Plan => ({
  decision: "leaf",
  size: "S",
  reason,
  parts: [],
  ownership: {},
  interfaces: [],
  dependencies: [],
  acceptance: [],
  questions: [],
});
const blobs = new Map(["first", "second", "wrong"].map((one) => [one, JSON.stringify(plan(one))]));
const proposed = (task: string, hash: string, problems: object[] = []) =>
  anEvent(
    {
      event_type: "plan.proposed",
      plan: hash,
      problems,
      attempt: 1,
      turn: "1",
      role: "planner",
      round: 1,
    },
    { taskId: task },
  );
const state = aState({
  tasks: [aTask("r", { key: "root" }), aTask("a", { key: "core", parent: "r" })],
});
const read = (hash: string) => blobs.get(hash);

describe("the plans of a run", () => {
  it("are the last one without a problem of each task, by its key", () => {
    const events = [
      proposed("r", "wrong", [{ code: "cycle", message: "" }]),
      proposed("r", "first"),
      proposed("a", "first"),
      proposed("a", "second"),
      proposed("a", "wrong", [{ code: "cycle", message: "" }]),
    ];
    expect(plansOf(events, state, read)).toEqual({ root: plan("first"), core: plan("second") });
  });

  it("are none of what is not there any more", () => {
    expect(plansOf([proposed("a", "lost"), proposed("x", "first")], state, read)).toEqual({});
  });
});
