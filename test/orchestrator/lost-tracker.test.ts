/** A tracker that is gone, or another one: never read as a person who deleted every task. */
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import { openFollower } from "../../src/orchestrator/follower.ts";
import { runLoop } from "../../src/orchestrator/loop.ts";
import { reconcile } from "../../src/rules/reconcile.ts";
import { statusOf } from "../../src/rules/status.ts";
import { aSnapshot } from "../support/builders.ts";
import { followed } from "../support/followed-store.ts";
import { aStore } from "../support/leaf-store.ts";
import { memoryTracker } from "../support/memory-tracker.ts";
import { aMemoryWorld } from "../support/memory-world.ts";

const lost = { failure: "tracker-lost" };

it("that is lost is not waited for: what is under way is let go", () => {
  const { state } = aStore();
  const busy = new Map([["t", "leaf" as const]]);
  const fatal = { failure: "tracker-lost", detail: ".beads is gone" } as const;
  expect(reconcile(aSnapshot(state, { busy, fatal }), DEFAULT_LIMITS, 0)).toEqual([
    { kind: "stop", exitCode: 6, reason: ".beads is gone" },
  ]);
});

describe("a tracker that shows nothing of the run", () => {
  it("is another one: nothing is dropped, nothing is written", async () => {
    const { store } = await followed(aStore());
    const other = memoryTracker();
    await other.person.add("Somebody's own", []);
    const { seq } = store.state;
    const follower = openFollower({ store, tracker: other });
    expect(await follower.follow(true)).toMatchObject(lost);
    expect(await follower.mirror()).toMatchObject(lost);
    expect(store.state.seq).toBe(seq);
    expect(await other.read()).toHaveLength(1);
  });

  it("only once is looked at again, and not believed", async () => {
    const { store, tracker } = await followed(aStore());
    let reads = 0;
    const blind = { ...tracker, read: async () => (reads++ === 0 ? [] : tracker.read()) };
    expect(await openFollower({ store, tracker: blind }).follow(true)).toBeUndefined();
    expect(statusOf(store.state, "t")).toBe("queued");
  });

  it("is this run's while nothing of it was ever written there", async () => {
    const follower = openFollower({ store: aStore(), tracker: memoryTracker() });
    expect(await follower.follow(true)).toBeUndefined();
  });

  it("is told from one of which single tasks were deleted", async () => {
    const at = await followed(aStore());
    await at.tracker.person.delete("t");
    expect(await openFollower(at).follow(true)).toBeUndefined();
    expect(statusOf(at.store.state, "t")).toBe("cancelled");
  });

  it("ends the run with exit 6, and drops nothing", async () => {
    const spec = "---\nlanguage: text\n---\n# W\n\n- R1: a.txt has a\n";
    const tracker = memoryTracker();
    const world = aMemoryWorld({ spec, splits: {}, script: () => "", tracker });
    const { store } = world;
    const before = tracker.read;
    await openFollower(world).follow(true);
    store.record([
      {
        task_id: null,
        actor: "fractal",
        event_type: "mirror.done",
        lines: [{ id: "fr-r1", status: "open", assignee: "" }],
      },
    ]);
    tracker.read = async () => [];
    const rest = await runLoop(world, new AbortController().signal);
    expect(rest).toMatchObject({ exitCode: 6 });
    expect(rest.reason).toContain("none of the tasks");
    expect(store.state.tasks.get("fr-r1")?.end).toBeUndefined();
    tracker.read = before;
  });
});
