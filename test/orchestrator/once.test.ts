/** What is said, asked and counted once, however often the process ends and begins again. */
import { describe, expect, it } from "vitest";
import { memoryJournal } from "../../src/adapters/journal/memory.ts";
import type { Human } from "../../src/domain/ports.ts";
import type { Question } from "../../src/domain/run-state.ts";
import { runLoop } from "../../src/orchestrator/loop.ts";
import { workedMsOf } from "../../src/rules/money/worked-time.ts";
import { taskOf } from "../../src/rules/status.ts";
import { memoryRepository } from "../support/memory-repository.ts";
import { memoryTracker } from "../support/memory-tracker.ts";
import {
  aMemoryWorld,
  type MemoryWorld,
  type MemoryWorldOptions,
  NOBODY,
  resumed,
} from "../support/memory-world.ts";
import { jumpingClock } from "../support/virtual-time.ts";
import { block, part, planOf, right, specOf } from "../support/words.ts";

const run = (world: MemoryWorld) => runLoop(world, new AbortController().signal);

describe("the command that tells a person of a question", () => {
  const asks = planOf(["a", "b"], {
    questions: [{ question: "Which?", why: "so", options: [], blocks: ["a"] }],
  });

  it("is started once a question, also when the run is gone on with", async () => {
    const told: string[] = [];
    const notify = ({ id }: Question) => void told.push(id);
    const world = aMemoryWorld({ spec: specOf(["a", "b"]), splits: { root: asks }, script: right });

    const first = await run({ ...world, notify });
    world.store.record([resumed()]);
    const second = await run({ ...world, notify });

    expect([first.exitCode, second.exitCode]).toEqual([3, 3]);
    expect(told).toEqual(["fr-r1.q1"]);
  });

  it("is started for a question that opened while there was none", async () => {
    const told: string[] = [];
    const world = aMemoryWorld({ spec: specOf(["a", "b"]), splits: { root: asks }, script: right });
    await run(world);

    await run({ ...world, notify: ({ id }) => void told.push(id) });

    expect(told).toEqual(["fr-r1.q1"]);
  });
});

describe("a person's word on invented checks", () => {
  const spec = specOf(["a", "b"]);
  const splits = { root: planOf(["a", "b"]) };

  it("is kept when the process ends inside that split: the same is not asked again", async () => {
    let asked = 0;
    const human: Human = {
      ...NOBODY,
      confirm: async () => {
        asked += 1;
        return true;
      },
    };
    const world = {
      ...aMemoryWorld({ spec, splits, script: right, human }),
      acceptsInvented: false,
    };
    const create = world.tracker.create;
    world.tracker.create = async (tasks) => {
      if (tasks.some((task) => task.id.endsWith(".a1"))) throw new Error("killed");
      return create(tasks);
    };
    await expect(run(world)).rejects.toThrow("killed");
    world.tracker.create = create;
    const silent: Human = { ...NOBODY, confirm: async () => false };

    const rest = await run({ ...world, human: silent });

    expect(rest.exitCode).toBe(0);
    expect(asked).toBe(1);
    const checks = taskOf(world.store.state, "fr-r1.a1").contract.checks;
    expect(checks.map((check) => check.gates)).toEqual([true]);
  });

  it.each([
    ["-y", true, NOBODY, "-y", true],
    ["a no", false, { ...NOBODY, confirm: async () => false }, "a person at the terminal", false],
    ["nobody there", false, NOBODY, "nobody", false],
  ] as const)("is in the journal: %s", async (_, acceptsInvented, human, by, gates) => {
    const world = { ...aMemoryWorld({ spec, splits, script: right, human }), acceptsInvented };

    await run(world);

    const events = world.store.journal.read().filter((one) => one.event_type === "checks.judged");
    expect(events).toMatchObject([{ by, checks: [{ gates }, { gates }] }]);
  });

  it("is not given by who was interrupted: nothing is split", async () => {
    const stop = new AbortController();
    const human: Human = {
      ...NOBODY,
      confirm: (_, signal) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve(undefined));
          stop.abort("SIGINT");
        }),
    };
    const world = {
      ...aMemoryWorld({ spec, splits, script: right, human }),
      acceptsInvented: false,
    };

    const rest = await runLoop(world, stop.signal);

    expect(rest.exitCode).toBe(130);
    expect(taskOf(world.store.state, "fr-r1").shape).toBe("unplanned");
  });
});

describe("a leaf check that was not yet green when a leaf began", () => {
  /** Root → `part` → the leaves a and b; `compile` is green once b is there. */
  const nested = (script: MemoryWorldOptions["script"]) =>
    aMemoryWorld({
      spec: specOf(["a", "b", "c"], 'checks:\n  compile: "has b.txt compiles"\n'),
      splits: {
        root: planOf(["c"], {
          parts: [part("part", { size: "M", files: ["a.txt", "b.txt"] }), part("c")],
          ownership: { R1: "part", R2: "part", R3: "c" },
          acceptance: [
            {
              part: "c",
              requirement: "R3",
              example: { kind: "command", run: "has c.txt c", exit: 0 },
            },
          ],
        }),
        part: planOf(["a", "b"], { size: "M" }),
      },
      script,
    });

  it("gates its parent's roll-up, and what repairs it is that parent's", async () => {
    const world = nested((request) => {
      const key = request.taskKey.split(".").at(-1) ?? "";
      return key.startsWith("r") ? block("b.txt", "b, compiles") : block(`${key}.txt`, key);
    });

    const rest = await run(world);

    expect(rest.exitCode).toBe(0);
    const repairs = [...world.store.state.tasks.values()].filter((one) => one.origin === "repair");
    expect(repairs.map((one) => [one.id, one.contract.checks.map((check) => check.name)])).toEqual([
      ["fr-r1.a1.r1", ["compile"]],
    ]);
    expect(world.repository.files().get("b.txt")).toContain("compiles");
  });
});

describe("an attempt's time", () => {
  it("counts when somebody was at work, and not the pause before it went on", async () => {
    const hour = 3_600_000;
    const clock = jumpingClock();
    const options = {
      spec: specOf(["a", "b"]),
      splits: { root: planOf(["a", "b"]) },
      journal: memoryJournal("r1"),
      tracker: memoryTracker(),
      repository: memoryRepository(),
      clock,
    };
    const never = new AbortController().signal;
    const stop = new AbortController();
    const first = aMemoryWorld({
      ...options,
      limits: { jobs: 1 },
      script: async () => {
        await clock.sleep(5_000, never);
        stop.abort("SIGINT");
        return { failure: "cancelled", detail: "stopped" };
      },
    });
    await runLoop(first, stop.signal);
    await clock.sleep(hour, never);

    const second = aMemoryWorld({
      ...options,
      limits: { jobs: 1 },
      script: async (request) => {
        await clock.sleep(7_000, never);
        return right(request);
      },
    });
    second.store.record([resumed()]);
    await run(second);

    const task = taskOf(second.store.state, "fr-r1.a1");
    const [attempt] = task.attempts;
    if (attempt === undefined) throw new Error("no attempt");
    const worked = workedMsOf(task, attempt, clock.now());
    expect(task.attempts).toHaveLength(1);
    expect(worked).toBeGreaterThanOrEqual(12_000);
    expect(worked).toBeLessThan(hour);
    const ended = second.store.journal
      .read()
      .find((one) => one.event_type === "attempt.ended" && one.task_id === "fr-r1.a1");
    expect(ended).toMatchObject({ duration_ms: worked });
  });

  it("of a process that was killed ends with the last thing it said", async () => {
    const clock = jumpingClock();
    const world = aMemoryWorld({
      spec: specOf(["a", "b"]),
      splits: { root: planOf(["a", "b"]) },
      clock,
      script: right,
    });
    await run(world);
    const leased = world.store.journal.read();
    // A kill leaves no release: the journal up to the first lease of a leaf, and one renewal.
    const cut = leased.findIndex(
      (one) => one.event_type === "lease.taken" && one.role === "worker",
    );
    const journal = memoryJournal("r1");
    journal.append(leased.slice(0, cut + 1), clock.now());
    const at = clock.now();
    const about = { task_id: "fr-r1.a1", actor: "fractal", attempt: 1 } as const;
    const deadline = new Date(at + 80_000).toISOString();
    journal.append([{ ...about, event_type: "lease.renewed", fence: 1, deadline }], at + 20_000);
    await clock.sleep(3_600_000, new AbortController().signal);

    const again = aMemoryWorld({
      spec: specOf(["a", "b"]),
      splits: { root: planOf(["a", "b"]) },
      clock,
      journal,
      script: right,
    });
    again.store.record([resumed()]);

    const [attempt] = taskOf(again.store.state, "fr-r1.a1").attempts;
    expect(attempt?.workedMs).toBe(20_000);
  });
});
