/** What is told at the end of slots, waits and idle calls. */
import { describe, expect, it } from "vitest";
import { figuresOf } from "../../../src/rules/money/figures.ts";
import { aPurse, type Purse } from "../../support/purse.ts";

const figures = ({ store }: Purse, slots = 2) =>
  figuresOf(store.state, store.journal.read(), slots);

describe("the figures of a run", () => {
  it("are none before anything was done", () => {
    expect(figures(aPurse())).toEqual({
      slotUse: undefined,
      slots: 2,
      medianWaitMs: undefined,
      idleCalls: 0,
    });
  });

  it("tell the part of the slots' time that was worked in, while anything was", () => {
    const purse = aPurse();
    purse.lease("r.a2", "worker");
    purse.lease("r.a1.a1", "worker");
    purse.clock.nowMs += 20_000;
    purse.release("r.a2");
    purse.clock.nowMs += 20_000;
    purse.release("r.a1.a1");
    // Nobody worked for an hour: that is not held against the slots.
    purse.clock.nowMs += 3_600_000;
    expect(figures(purse).slotUse).toBe(0.75);
    expect(figures(purse, 3).slotUse).toBe(0.5);
  });

  it("tell the median of the waits, from when an attempt could begin to when it did", () => {
    const purse = aPurse();
    const done = (id: string) =>
      purse.record({ task_id: id, actor: "fractal", event_type: "task.done", unchecked: false });
    purse.record({
      task_id: "r.a1",
      actor: "ann",
      event_type: "task.edited",
      by: "ann",
      depends_on: ["r.a2"],
    });
    purse.clock.nowMs += 1_000;
    purse.lease("r.a2", "worker");
    purse.clock.nowMs += 10_000;
    done("r.a2");
    purse.release("r.a2");
    // What is below waits for what its parent depends on.
    purse.clock.nowMs += 3_000;
    purse.lease("r.a1.a1", "worker");
    purse.clock.nowMs += 4_000;
    purse.lease("r.a1.a2", "worker");
    expect(figures(purse).medianWaitMs).toBe(3_000);
  });

  it("count as idle what was never answered, and what a cancelled attempt had asked", () => {
    const purse = aPurse();
    purse.lease("r.a2", "worker");
    purse.start("r.a2", "worker", "1", {});
    purse.answer("r.a2", "worker", "1", {});
    purse.start("r.a2", "worker", "2", {});
    purse.fail("r.a2", "worker", "2");
    purse.start("r.a2", "worker", "3", {});
    purse.fail("r.a2", "worker", "3", true);
    expect(figures(purse).idleCalls).toBe(1);
    purse.record({ task_id: "r.a2", actor: "ann", event_type: "task.accepted", by: "ann" });
    expect(figures(purse).idleCalls).toBe(2);
  });
});
