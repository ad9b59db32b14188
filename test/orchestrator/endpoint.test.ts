/** Whole runs while a model endpoint is out of reach: who asks it, when, and what goes on meanwhile. */
import { describe, expect, it } from "vitest";
import type { ModelRequest } from "../../src/domain/conversation.ts";
import type { Failure } from "../../src/domain/failure.ts";
import { runLoop } from "../../src/orchestrator/loop.ts";
import { taskOf } from "../../src/rules/status.ts";
import { aMemoryWorld, type MemoryWorld, resumed } from "../support/memory-world.ts";
import { jumpingClock } from "../support/virtual-time.ts";
import { part, planOf, right, specOf } from "../support/words.ts";

const KEYS = ["a", "b", "c", "d", "e", "f"];
const run = (world: MemoryWorld) => runLoop(world, new AbortController().signal);

/** Six leaves, and when each call for them was made. */
function aRun(answer: (request: ModelRequest, n: number, now: number) => string | Failure) {
  const clock = jumpingClock();
  const startedAt = clock.now();
  const calls: { atMs: number; task: string }[] = [];
  const world = aMemoryWorld({
    spec: specOf(KEYS),
    splits: { root: planOf(KEYS) },
    clock,
    script: (request) => {
      calls.push({ atMs: clock.now() - startedAt, task: request.taskKey });
      return answer(request, calls.length, clock.now() - startedAt);
    },
  });
  return { world, calls, clock };
}

const away: Failure = { failure: "model-unavailable", detail: "503" };

describe("an endpoint that is down", () => {
  it("gets a handful of calls from six leaves, one at a time from the third failure on", async () => {
    const { world, calls } = aRun(() => away);

    const rest = await run(world);

    expect(rest).toEqual({
      exitCode: 6,
      reason: "what the work needs is still out of reach: scripted:test",
    });
    // Four slots ask at once, before anything is known; every later one asks alone.
    const later = calls.slice(4).map((call) => call.atMs);
    const gaps = later.map((at, n) => at - (later[n - 1] ?? calls[3]?.atMs ?? 0));
    expect(gaps.every((gap) => gap >= 5_000)).toBe(true);
    expect(calls.length).toBeLessThan(4 + 12);
    for (const task of world.store.state.tasks.values()) {
      expect(task.attempts.filter((one) => one.failure !== undefined)).toEqual([]);
    }
  });

  it("is asked by one task when it may be back, and then by all", async () => {
    const { world, calls } = aRun((request, _, now) => (now < 400_000 ? away : right(request)));

    const rest = await run(world);

    expect(rest.exitCode).toBe(0);
    const first = calls.findIndex((call) => call.atMs >= 400_000);
    expect(calls.length - first).toBe(KEYS.length);
    const last = calls.at(-1)?.atMs ?? 0;
    // Nobody sits out a pause of its own after that.
    expect(last - (calls[first]?.atMs ?? 0)).toBeLessThan(10_000);
  });

  it("that asks for two minutes gets them from every task, also from the next process", async () => {
    const limited: Failure = { failure: "model-unavailable", detail: "429", retryAfterMs: 120_000 };
    const { world, calls } = aRun((request, n) => (n <= 4 ? limited : right(request)));
    const stop = new AbortController();
    world.store.listen((event) => {
      if (event.event_type === "call.failed") stop.abort("SIGINT");
    });
    await runLoop(world, stop.signal);
    const wish = (calls.at(-1)?.atMs ?? 0) + 120_000;
    const asked = calls.length;
    world.store.record([resumed()]);

    const rest = await run(world);

    expect(rest.exitCode).toBe(0);
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThanOrEqual(4);
    expect(calls[asked]?.atMs).toBeGreaterThanOrEqual(wish - 1_000);
  });

  it("is not asked by work under way either: its attempts are put aside, not made", async () => {
    const clock = jumpingClock();
    const reviews: number[] = [];
    const parts = KEYS.map((key) => part(key, { unchecked: "nothing to check" }));
    const inner = aMemoryWorld({
      spec: specOf(KEYS),
      splits: { root: planOf(KEYS, { parts, acceptance: [] }) },
      roles: ["planner", "worker", "reviewer"],
      limits: { jobs: 2 },
      clock,
      script: right,
    });
    const { worker } = inner.profiles;
    const world: MemoryWorld = {
      ...inner,
      profiles: {
        ...inner.profiles,
        reviewer: {
          ...worker,
          model: {
            name: "scripted:strong",
            async ask() {
              reviews.push(clock.now());
              return away;
            },
          },
        },
      },
    };
    const models = {
      planner: "scripted:test",
      worker: "scripted:test",
      reviewer: "scripted:strong",
    };
    world.store.record([{ ...resumed(), models } as never]);

    const rest = await run(world);

    expect(rest.exitCode).toBe(6);
    // The workers' server answers, so every leaf is begun. Two that work at once may both ask the
    // reviewer before a third failure is known.
    expect(world.store.state.replies.size).toBe(KEYS.length);
    const gaps = reviews.slice(4).map((at, n) => at - (reviews[n + 3] ?? 0));
    expect(gaps.filter((gap) => gap < 5_000)).toEqual([]);
  });

  it("holds up nothing that another answers: the planner plans while the workers wait", async () => {
    const clock = jumpingClock();
    const startedAt = clock.now();
    const planned: number[] = [];
    const inner = aMemoryWorld({
      spec: specOf(["a", "b", "c"]),
      splits: {
        root: planOf(["part", "c"], {
          parts: [part("part", { size: "M", files: ["a.txt", "b.txt"] }), part("c")],
          ownership: { R1: "part", R2: "part", R3: "c" },
          acceptance: [
            {
              part: "c",
              requirement: "R3",
              example: { kind: "command", run: "has c.txt c", exit: 0 },
            },
          ],
          dependencies: [],
        }),
        part: planOf(["a", "b"], { size: "M" }),
      },
      clock,
      script: () => away,
    });
    const { worker, planner } = inner.profiles;
    const named = (name: string) => ({ ...worker.model, name });
    const world: MemoryWorld = {
      ...inner,
      profiles: {
        planner: { ...planner, model: named("scripted:strong") },
        worker: { ...worker, model: named("scripted:small") },
      },
    };
    const models = { planner: "scripted:strong", worker: "scripted:small" };
    world.store.record([{ ...resumed(), models } as never]);
    world.store.listen((event) => {
      if (event.event_type === "task.split") planned.push(clock.now() - startedAt);
    });

    const rest = await run(world);

    expect(rest.exitCode).toBe(6);
    expect(planned).toHaveLength(2);
    expect(Math.max(...planned)).toBeLessThan(60_000);
    expect([...world.store.state.endpoints.keys()]).toEqual(["scripted:small"]);
    expect(taskOf(world.store.state, "fr-r1.a1").shape).toBe("split");
  });
});
