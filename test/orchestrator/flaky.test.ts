/** A check that gives two verdicts on the same files: a person is asked, and nobody else is to blame. */
import { describe, expect, it } from "vitest";
import type { Sandbox } from "../../src/domain/ports.ts";
import { runLoop } from "../../src/orchestrator/loop.ts";
import { statusOf, taskOf } from "../../src/rules/status.ts";
import { memoryTracker } from "../support/memory-tracker.ts";
import {
  aMemoryWorld,
  type MemoryWorld,
  type MemoryWorldOptions,
} from "../support/memory-world.ts";
import { block, planOf, right, specOf } from "../support/words.ts";

const run = (world: MemoryWorld) => runLoop(world, new AbortController().signal);

/** A run of a and b in which a command is red so many times where it would be green. */
function aRun(
  lies: (command: string, files: ReadonlyMap<string, string>) => boolean,
  over: Partial<MemoryWorldOptions> = {},
) {
  const tracker = memoryTracker();
  const world = aMemoryWorld({
    spec: specOf(["a", "b"]),
    splits: { root: planOf(["a", "b"]) },
    script: right,
    tracker,
    ...over,
  });
  const runs: string[] = [];
  const sandbox: Sandbox = {
    ...world.sandbox,
    async run(command, signal) {
      const said = command.argv.at(-1) ?? "";
      const ran = await world.sandbox.run(command, signal);
      runs.push(said);
      const files = world.repository.folders.get(command.folder) ?? new Map();
      if ("failure" in ran || ran.exitCode !== 0 || !lies(said, files)) return ran;
      return { ...ran, exitCode: 1, stderr: "timed out, perhaps" };
    },
  };
  return { world: { ...world, sandbox }, tracker, runs };
}

/** True the first `times` times it is asked. */
const first = (times: number) => {
  let asked = 0;
  return () => {
    asked += 1;
    return asked <= times;
  };
};

describe("a check that is red on the merged tree, and green when it runs there once more", () => {
  it("makes its task wait for one answer, charges no attempt, and holds up nothing else", async () => {
    const isFirst = first(1);
    const { world, tracker } = aRun(
      (command, files) => command === "has b.txt b" && files.has("a.txt") && isFirst(),
    );

    expect((await run(world)).exitCode).toBe(3);

    const { state } = world.store;
    const [question, ...others] = [...state.questions.values()];
    expect(others).toEqual([]);
    expect(question).toMatchObject({ kind: "flaky", about: "fr-r1.a2" });
    expect(question?.why).toContain("green when it ran once more");
    expect(statusOf(state, "fr-r1.a1")).toBe("done");
    const task = taskOf(state, "fr-r1.a2");
    expect([task.attemptsLeft, task.attempts.map((one) => one.failure?.failure)]).toEqual([
      3,
      ["flaky-check"],
    ]);

    await tracker.person.respond(question?.id ?? "", "the machine was slow");
    expect((await run(world)).exitCode).toBe(0);
    expect(state.questions.size).toBe(1);
  });

  it("is a plain failure when it is red again", async () => {
    const { world } = aRun((command, files) => command === "has b.txt b" && files.has("a.txt"), {
      limits: { attemptsMax: 2 },
    });

    await run(world);

    const task = taskOf(world.store.state, "fr-r1.a2");
    expect(task.attempts.map((one) => one.failure?.failure)).toContain("check-failed");
    expect([...world.store.state.questions.values()].map((one) => one.kind)).toEqual(["stuck"]);
  });
});

it("a roll-up that is red and green makes a question, and no repair", async () => {
  const isFirst = first(1);
  const { world, tracker } = aRun((command) => command === "has a.txt whole" && isFirst(), {
    spec: specOf(["a", "b"], 'checks:\n  whole: "has a.txt whole"\n'),
    script: (request) => block(`${request.taskKey}.txt`, `${request.taskKey} whole`),
  });

  expect((await run(world)).exitCode).toBe(3);

  const { state } = world.store;
  expect([...state.questions.values()].map((one) => [one.kind, one.about])).toEqual([
    ["flaky", "fr-r1"],
  ]);
  expect([...state.tasks.values()].filter((one) => one.origin === "repair")).toEqual([]);

  await tracker.person.respond("fr-r1.q1", "try it again");
  expect((await run(world)).exitCode).toBe(0);
});

describe("an attempt's own red check", () => {
  it("is confirmed before it counts: the worker is charged for no attempt", async () => {
    const isFirst = first(1);
    const { world, runs } = aRun((command) => command === "has b.txt b" && isFirst(), {
      roles: ["planner", "worker", "fixer"],
      limits: { attemptsMax: 1 },
      script: (request) => {
        if (request.role === "fixer") throw new Error("nobody asks the fixer");
        return right(request);
      },
    });
    expect((await run(world)).exitCode).toBe(3);
    expect([...world.store.state.questions.values()].map((one) => one.kind)).toEqual(["flaky"]);
    // Red first, red, and green.
    expect(runs.filter((command) => command === "has b.txt b")).toHaveLength(3);

    const once = first(1);
    const early = aRun((command) => command === "has b.txt b" && once());
    expect((await run(early.world)).exitCode).toBe(3);
    const task = taskOf(early.world.store.state, "fr-r1.a2");
    expect([task.attemptsLeft, task.attempts.map((one) => one.failure?.failure)]).toEqual([
      3,
      ["flaky-check"],
    ]);
  });
});
