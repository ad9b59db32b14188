/** The controller killed before and after everything it does, and begun again: the same run comes of it. */
import { describe, expect, it } from "vitest";
import { memoryJournal } from "../../src/adapters/journal/memory.ts";
import type { ModelRequest } from "../../src/domain/conversation.ts";
import type { RunState } from "../../src/domain/run-state.ts";
import { runLoop } from "../../src/orchestrator/loop.ts";
import { replay } from "../../src/rules/replay.ts";
import { statusOf } from "../../src/rules/status.ts";
import { type MemoryRepository, memoryRepository } from "../support/memory-repository.ts";
import { memoryTracker } from "../support/memory-tracker.ts";
import { aMemoryWorld, type MemoryWorld, resumed } from "../support/memory-world.ts";
import { aMortal } from "../support/mortal.ts";
import { runsOf } from "../support/runs.ts";
import { chanceOf } from "../support/toy-run.ts";
import { jumpingClock } from "../support/virtual-time.ts";
import { block, part, planOf, right, specOf } from "../support/words.ts";

const JOBS = 2;

/** Root → `part` → a and b; c beside it. a is right at once, b the second time, c after the fixer. */
const PLANS = {
  root: planOf(["c"], {
    parts: [part("part", { size: "M", files: ["a.txt", "b.txt"] }), part("c")],
    ownership: { R1: "part", R2: "part", R3: "c" },
    acceptance: [
      { part: "c", requirement: "R3", example: { kind: "command", run: "has c.txt c", exit: 0 } },
    ],
  }),
  part: planOf(["a", "b"], { size: "M" }),
};

function answer(request: ModelRequest): string {
  const key = request.taskKey.split(".").at(-1) ?? "";
  if (request.role === "fixer") {
    const help = { cause: "c", kind: "guidance", text: "mind it", question: "", options: [] };
    return JSON.stringify(help);
  }
  const isRight = key === "a" || (key === "b" ? request.attempt > 1 : request.attempt > 4);
  return isRight ? right(request) : block(`${key}.txt`, "wrong");
}

/** What outlives a process, and how many steps it makes in one life; at step `killAt` it dies. */
function aMachine() {
  const journal = memoryJournal("r1");
  const tracker = memoryTracker();
  const repository = memoryRepository();
  const clock = jumpingClock();
  const asked: string[] = [];
  const lasting = { spec: specOf(["a", "b", "c"]), splits: PLANS, journal, clock };
  // The lines a run begins with.
  aMemoryWorld({ ...lasting, script: answer });

  /** One process: its rest, or undefined when it was killed; and how many steps it made. */
  async function live(killAt = Number.POSITIVE_INFINITY) {
    const mortal = aMortal(killAt);
    const world = aMemoryWorld({
      ...lasting,
      roles: ["planner", "worker", "fixer"],
      limits: { jobs: JOBS },
      journal: mortal.journal(journal),
      tracker: mortal.port(tracker, ["read", "create", "mirror", "comment", "comments"]),
      repository: mortal.port(repository, [
        ...(["head", "checkout", "collect", "commit", "merge", "advance"] as const),
      ]),
      script: (request) =>
        mortal.act(() => {
          asked.push(`${request.taskId}.${request.attempt}.${request.turn}`);
          return answer(request);
        }),
    });
    try {
      world.store.record([resumed()]);
      const run = runLoop(world as MemoryWorld, new AbortController().signal);
      // A dead process ends with the error of its journal, or hangs: nobody looks.
      run.catch(() => undefined);
      return { rest: await Promise.race([run, mortal.killed]), steps: mortal.steps };
    } catch (error) {
      if (mortal.isDead) return { rest: undefined, steps: mortal.steps };
      throw error;
    }
  }
  return { live, journal, tracker, repository, asked };
}

/** All that a run comes to, whatever order it came in. */
function outcomeOf(state: RunState, repository: MemoryRepository) {
  return {
    files: [...repository.files()].sort(),
    // Each merge once.
    commits: repository.log().sort(),
    tasks: [...state.tasks.values()]
      .map((task) => [
        task.id,
        statusOf(state, task.id),
        task.attempts.map((one) => [one.number, one.role, one.outcome, one.calls]),
        task.guidance.length,
      ])
      .sort(),
    leases: [...state.tasks.values()].filter((task) => task.lease !== undefined).length,
  };
}

describe("a controller that is killed", () => {
  it("at any step comes to the same tree, files and attempts, and asks no model twice that answered", async () => {
    const calm = aMachine();
    const { rest, steps } = await calm.live();
    expect(rest?.exitCode).toBe(0);
    const wanted = outcomeOf(replay(calm.journal.read()), calm.repository);
    const asked = [...calm.asked].sort();
    expect(new Set(asked).size).toBe(asked.length);

    const seed = Date.now() % 2 ** 31;
    const chance = chanceOf(seed);
    const { numRuns } = runsOf(40);
    const all = Array.from({ length: steps }, (_, at) => at + 1);
    const points =
      numRuns >= steps ? all : all.filter(() => chance(steps) < numRuns).concat([1, steps]);
    for (const killAt of points) {
      const where = `killed at step ${killAt} of ${steps}, seed ${seed}`;
      const machine = aMachine();
      expect((await machine.live(killAt)).rest, where).toBeUndefined();
      // Killed once more while it recovers.
      const again = 1 + chance(40);
      const second = await machine.live(again);
      const last = second.rest ?? (await machine.live()).rest;

      expect(last?.exitCode, where).toBe(0);
      const state = replay(machine.journal.read());
      expect(outcomeOf(state, machine.repository), where).toEqual(wanted);
      const answered = machine.journal
        .read()
        .filter((one) => one.event_type === "call.answered")
        .map((one) => `${one.task_id}.${"attempt" in one && one.attempt}`);
      expect(answered, where).toHaveLength(asked.length);
      // Only what was on its way in one of the two lives is asked again.
      expect(machine.asked.length - asked.length, where).toBeLessThanOrEqual(2 * 2 * JOBS);
      const issues = await machine.tracker.read();
      expect(Array.isArray(issues) && issues.every((one) => one.status === "closed"), where).toBe(
        true,
      );
      // And once more changes nothing but the lines that say so.
      const files = [...machine.repository.files()];
      expect((await machine.live()).rest?.exitCode, where).toBe(0);
      expect([...machine.repository.files()], where).toEqual(files);
      expect(outcomeOf(replay(machine.journal.read()), machine.repository)).toEqual(wanted);
    }
  }, 600_000);
});
