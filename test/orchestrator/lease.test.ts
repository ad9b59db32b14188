import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Failure } from "../../src/domain/failure.ts";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import {
  endedEvent,
  failedEnd,
  type Lease,
  type LeaseEnd,
  underLease,
} from "../../src/orchestrator/lease.ts";
import type { Store } from "../../src/orchestrator/store.ts";
import type { World } from "../../src/orchestrator/world.ts";
import { statusOf, taskOf } from "../../src/rules/status.ts";
import { aClock, aStore, done, eventOf, on, opened } from "../support/leaf-store.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

let head = "head-1";
function aWorld(store: Store = aStore()): World {
  head = "head-1";
  return {
    store,
    clock: aClock(),
    limits: DEFAULT_LIMITS,
    repository: { head: async () => head },
    profiles: { worker: { model: { name: "toy:small" } } },
    processName: "here/7/abc",
  } as unknown as World;
}

const task = (world: World) => taskOf(world.store.state, "t");
const kinds = (world: World) => world.store.journal.read().map((event) => event.event_type);
const since = (world: World, seq: number) => kinds(world).slice(seq + 1);
const run = (
  world: World,
  body: (lease: Lease) => Promise<LeaseEnd>,
  signal: AbortSignal = new AbortController().signal,
) => underLease(world, "t", "worker", signal, body);
const success = (world: World, lease: Lease): LeaseEnd => ({
  events: [done("t"), endedEvent(world, lease, "succeeded")],
});
const red: Failure = { failure: "check-failed", detail: "red", checks: [] };
const down: Failure = { failure: "model-unavailable", detail: "503" };

describe("a lease", () => {
  it("is in the journal, with its fence and holder, before the work begins", async () => {
    const world = aWorld();
    await run(world, async (lease) => {
      expect(task(world).lease).toMatchObject({
        attempt: 1,
        fence: 1,
        holder: "fractal/worker/here/7/abc/t.1",
      });
      expect(lease).toMatchObject({ taskId: "t", attempt: 1, fence: 1, base: "head-1" });
      expect(lease.isCurrent()).toBe(true);
      return success(world, lease);
    });
    expect(statusOf(world.store.state, "t")).toBe("done");
    expect(task(world).lease).toBeUndefined();
  });

  it("is renewed while it is held, and not after", async () => {
    const world = aWorld();
    const { leaseRenewMs, leaseMs } = DEFAULT_LIMITS;
    await run(world, async (lease) => {
      (world.clock as ReturnType<typeof aClock>).nowMs += leaseRenewMs;
      await vi.advanceTimersByTimeAsync(leaseRenewMs);
      expect(task(world).lease?.deadlineMs).toBe(world.clock.now() + leaseMs);
      return success(world, lease);
    });
    const { seq } = world.store.state;
    await vi.advanceTimersByTimeAsync(10 * leaseRenewMs);
    expect(world.store.state.seq).toBe(seq);
    expect(kinds(world).filter((kind) => kind === "lease.renewed")).toHaveLength(1);
  });

  it("ends in one write with what came of it", async () => {
    const world = aWorld();
    const { seq } = world.store.state;
    await run(world, async (lease) => failedEnd(world, lease, red));
    expect(since(world, seq)).toEqual(["lease.taken", "attempt.ended", "lease.released"]);
    expect(task(world).attempts[0]).toMatchObject({ outcome: "rejected", failure: red });
    expect(task(world).attemptsLeft).toBe(2);
  });

  it("leaves the attempt open after an outage; it goes on under its number, from its base", async () => {
    const world = aWorld();
    await run(world, async (lease) => failedEnd(world, lease, down));
    expect(task(world)).toMatchObject({ attemptsLeft: 3, outages: 1 });
    expect(task(world).notBeforeMs).toBeGreaterThan(world.clock.now());
    head = "head-2";
    await run(world, async (lease) => {
      expect(lease).toMatchObject({ attempt: 1, fence: 2, base: "head-1" });
      return failedEnd(world, lease, red);
    });
    await run(world, async (lease) => {
      expect(lease).toMatchObject({ attempt: 2, fence: 3, base: "head-2" });
      return success(world, lease);
    });
  });

  it("does not go on with an attempt from before a person's word: that would not hear it", async () => {
    const world = aWorld();
    await run(world, async (lease) => failedEnd(world, lease, down));
    world.store.record([
      opened("t"),
      on("t", { event_type: "question.answered", question: "t.q1", by: "ann", text: "so" }),
    ]);
    await run(world, async (lease) => {
      expect(lease.attempt).toBe(2);
      return success(world, lease);
    });
  });

  it("is fenced by an edit of its task: what comes of it does not count, and the next is a new attempt", async () => {
    const edit = on("t", { event_type: "task.edited", by: "ann", title: "Otherwise" });
    const sized = (world: Parameters<typeof task>[0]) =>
      on("t", { event_type: "task.sized", contract: task(world).contract, assumptions: [] });
    for (const how of ["fails", "throws", "is sized"] as const) {
      const world = aWorld();
      const held = new AbortController();
      await run(
        world,
        async (lease) => {
          world.store.record([edit]);
          held.abort("edited");
          if (how === "throws") throw new Error("aborted");
          if (how === "is sized")
            return { events: [sized(world), endedEvent(world, lease, "succeeded")] };
          return failedEnd(world, lease, red);
        },
        held.signal,
      );
      expect(task(world).attempts).toMatchObject([{ outcome: "cancelled", outdated: true }]);
      expect(task(world)).toMatchObject({ attemptsLeft: 3, contract: { title: "Otherwise" } });
      expect(task(world).lease).toBeUndefined();
      await run(world, async (lease) => {
        expect(lease.attempt).toBe(2);
        return success(world, lease);
      });
      expect(statusOf(world.store.state, "t")).toBe("done");
    }
  });

  it("is not taken up again after a crash when its task was edited meanwhile", async () => {
    const world = aWorld();
    await run(world, async (lease) => failedEnd(world, lease, down));
    world.store.record([on("t", { event_type: "task.edited", by: "ann", description: "So." })]);
    await run(world, async (lease) => {
      expect(lease.attempt).toBe(2);
      return success(world, lease);
    });
  });

  it("counts what was merged in the moment of an edit, and a person is asked whether it holds", async () => {
    const world = aWorld();
    await run(world, async (lease) => {
      world.store.record([on("t", { event_type: "task.edited", by: "ann", description: "So." })]);
      return success(world, lease);
    });
    expect(statusOf(world.store.state, "t")).toBe("done");
    expect([...world.store.state.questions.values()]).toMatchObject([
      { about: "t", kind: "edited", state: "open" },
    ]);
  });

  it("is not touched by another priority or edge", async () => {
    const world = aWorld();
    await run(world, async (lease) => {
      world.store.record([
        on("t", { event_type: "task.edited", by: "ann", priority: 0, depends_on: ["d"] }),
      ]);
      return success(world, lease);
    });
    expect(task(world).attempts).toMatchObject([{ outcome: "succeeded" }]);
  });

  it("gives a result that comes too late no say", async () => {
    const world = aWorld();
    await run(world, async (lease) => {
      // Another owner meanwhile, as after a restart.
      world.store.record([eventOf("released", task(world))]);
      world.store.record([eventOf("leased", task(world))]);
      expect(lease.isCurrent()).toBe(false);
      return success(world, lease);
    });
    expect(world.store.journal.read().at(-1)).toMatchObject({
      event_type: "result.fenced",
      fence: 1,
      current: 2,
    });
    expect(statusOf(world.store.state, "t")).toBe("running");
  });

  it("is not given where the task may not be leased any more, and nothing is begun", async () => {
    for (const move of ["paused", "accepted", "leased"] as const) {
      const world = aWorld();
      world.store.record([eventOf(move, task(world))]);
      let begun = false;
      await run(world, async (lease) => {
        begun = true;
        return success(world, lease);
      });
      expect(begun).toBe(false);
      expect(kinds(world).at(-1)).toBe("move.refused");
    }
  });
});

describe("a stop", () => {
  it("leaves the attempt open, whatever the body says or throws", async () => {
    for (const isThrown of [false, true]) {
      const world = aWorld();
      const stop = new AbortController();
      await run(
        world,
        async (lease) => {
          stop.abort("stopped");
          if (isThrown) throw new Error("aborted");
          return failedEnd(world, lease, { failure: "cancelled", detail: "stopped" });
        },
        stop.signal,
      );
      expect(task(world).lease).toBeUndefined();
      expect(task(world).attempts[0]?.endedAt).toBeUndefined();
      expect(task(world).attemptsLeft).toBe(3);
    }
  });

  it("does not undo what was merged already", async () => {
    const world = aWorld();
    const stop = new AbortController();
    await run(
      world,
      async (lease) => {
        stop.abort("stopped");
        return success(world, lease);
      },
      stop.signal,
    );
    expect(statusOf(world.store.state, "t")).toBe("done");
  });

  it("for a person's sake ends the attempt, which costs the task nothing", async () => {
    const world = aWorld();
    const held = new AbortController();
    await run(
      world,
      async () => {
        world.store.record([eventOf("paused", task(world))]);
        held.abort("held");
        throw new Error("aborted");
      },
      held.signal,
    );
    expect(task(world).attempts[0]).toMatchObject({ outcome: "cancelled" });
    expect(task(world).attemptsLeft).toBe(3);
    expect(statusOf(world.store.state, "t")).toBe("paused");
    expect(task(world).lease).toBeUndefined();
  });
});

describe("a broken promise", () => {
  it("lets go of the task and passes on", async () => {
    const world = aWorld();
    await expect(
      run(world, async () => {
        throw new Error("that must not be");
      }),
    ).rejects.toThrow("that must not be");
    expect(task(world).lease).toBeUndefined();
    expect(world.store.journal.read().at(-1)).toMatchObject({
      why: "broke off: Error: that must not be",
    });
  });

  it("by the disk is heard from what is recorded next, not from the heart beat", async () => {
    const store = aStore();
    let isFull = false;
    const world = aWorld({
      ...store,
      record(events) {
        if (isFull) throw new Error("no space left");
        store.record(events);
      },
    } as Store);
    await expect(
      run(world, async (lease) => {
        isFull = true;
        await vi.advanceTimersByTimeAsync(3 * DEFAULT_LIMITS.leaseRenewMs);
        return success(world, lease);
      }),
    ).rejects.toThrow("no space left");
  });
});

describe("the end of an attempt", () => {
  it.each([
    [red, "rejected", "task"],
    [{ failure: "merge-conflict", detail: "", paths: [] }, "rejected", "conflict"],
    [{ failure: "worker-asks", detail: "?", options: [] }, "blocked", "unclear"],
    [{ failure: "capability-missing", detail: "" }, "blocked", "capability"],
    [{ failure: "context-overflow", detail: "" }, "failed", "too-big"],
    [{ failure: "config-unusable", detail: "" }, "failed", "terminal"],
    [{ failure: "cancelled", detail: "" }, "cancelled", "terminal"],
  ] as const)("by %j is %s, of class %s", async (failure, outcome, failure_class) => {
    const world = aWorld();
    await run(world, async (lease) => {
      const end = failedEnd(world, lease, failure as Failure);
      expect(end.events).toMatchObject([{ outcome, failure_class, failure }]);
      return end;
    });
  });

  it("carries what the journal has of tokens, money and time, and the first line of the failure", async () => {
    const world = aWorld();
    await run(world, async (lease) => {
      (world.clock as ReturnType<typeof aClock>).nowMs += 1_500;
      const [event] = failedEnd(world, lease, { ...red, detail: "first\nsecond" }).events;
      expect(event).toMatchObject({
        summary: "first",
        model: "toy:small",
        provider: "toy",
        duration_ms: 1_500,
        cost_usd: 0,
        fence: 1,
      });
      return { events: event ? [event] : [] };
    });
  });
});
