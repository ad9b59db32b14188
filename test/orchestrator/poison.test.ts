/** A task on which every process dies, and one about which nobody may be asked any more. */
import { describe, expect, it } from "vitest";
import { memoryJournal } from "../../src/adapters/journal/memory.ts";
import type { Sandbox } from "../../src/domain/ports.ts";
import { runLoop } from "../../src/orchestrator/loop.ts";
import { statusOf, taskOf } from "../../src/rules/status.ts";
import { memoryRepository } from "../support/memory-repository.ts";
import { memoryTracker } from "../support/memory-tracker.ts";
import { aMemoryWorld, resumed } from "../support/memory-world.ts";
import { jumpingClock } from "../support/virtual-time.ts";
import { block, part, planOf, right, specOf } from "../support/words.ts";

const KEYS = ["a", "b", "c"];

describe("a task whose files kill whoever writes them", () => {
  it("is quarantined after three deaths at that step, says why on its issue, and the rest is done", async () => {
    const lasting = {
      spec: specOf(KEYS),
      splits: { root: planOf(KEYS) },
      journal: memoryJournal("r1"),
      tracker: memoryTracker(),
      repository: memoryRepository(),
      clock: jumpingClock(),
      limits: { jobs: 1 },
    };
    let isPoisoned = true;
    let deaths = 0;
    /** A process: its exit code, or undefined when it died. */
    const live = async (): Promise<number | undefined> => {
      const world = aMemoryWorld({ ...lasting, script: right });
      world.store.record([resumed()]);
      const sandbox: Sandbox = {
        ...world.sandbox,
        tool: async (call, signal) => {
          if (isPoisoned && (call.args as { path: string }).path === "b.txt") {
            deaths += 1;
            throw new Error("out of memory");
          }
          return world.sandbox.tool(call, signal);
        },
      };
      try {
        return (await runLoop({ ...world, sandbox }, new AbortController().signal)).exitCode;
      } catch {
        return undefined;
      }
    };
    let code = await live();
    for (let lives = 1; code === undefined && lives < 10; lives++) code = await live();

    expect(code).toBe(1);
    expect(deaths).toBe(3);
    const { state } = aMemoryWorld({ ...lasting, script: right }).store;
    expect(KEYS.map((_, at) => statusOf(state, `fr-r1.a${at + 1}`))).toEqual([
      "done",
      "failed",
      "done",
    ]);
    const comments = await lasting.tracker.comments("fr-r1.a2");
    expect(Array.isArray(comments) && comments.map((one) => one.text)).toEqual([
      expect.stringMatching(/^Failed: quarantined: fractal died 3 times .* \(write_file in /),
    ]);
    expect(lasting.tracker.task("fr-r1.a2").status).toBe("blocked");

    // As its reason says: opened again, it is tried again.
    isPoisoned = false;
    await lasting.tracker.mirror([{ id: "fr-r1.a2", status: "open", assignee: "" }]);
    expect(await live()).toBe(0);
    const again = aMemoryWorld({ ...lasting, script: right }).store.state;
    expect(taskOf(again, "fr-r1.a2").attempts.map((one) => one.number)).toEqual([1, 2]);
  });
});

describe("when as many questions as may be were asked", () => {
  const limits = { questionsPerTaskMax: 0 };

  it("what the fixer would ask gives the task up, with that question as the reason", async () => {
    const tracker = memoryTracker();
    const world = aMemoryWorld({
      spec: specOf(["a", "b"]),
      splits: { root: planOf(["a", "b"]) },
      roles: ["planner", "worker", "fixer"],
      tracker,
      limits,
      script: (request) => {
        if (request.role !== "fixer") {
          return request.taskKey === "a" ? block("a.txt", "wrong") : right(request);
        }
        const asks = {
          cause: "c",
          kind: "person",
          text: "t",
          question: "Which word?",
          options: [],
        };
        return JSON.stringify(asks);
      },
    });

    const rest = await runLoop(world, new AbortController().signal);

    expect(rest.exitCode).toBe(1);
    expect(world.store.state.questions.size).toBe(0);
    expect(taskOf(world.store.state, "fr-r1.a1").endReason).toBe(
      "0 questions used up: Which word?",
    );
    const comments = await tracker.comments("fr-r1.a1");
    expect(Array.isArray(comments) && comments.map((one) => one.text)).toEqual([
      "Failed: 0 questions used up: Which word?",
    ]);
  });

  it("what the planner would ask about the task itself does as well", async () => {
    const self = planOf([], {
      decision: "leaf",
      size: "S",
      parts: [part("self", { files: ["a.txt"] })],
      ownership: { R1: "self" },
      acceptance: [
        {
          part: "self",
          requirement: "R1",
          example: { kind: "command", run: "has a.txt a", exit: 0 },
        },
      ],
      questions: [{ question: "Which word?", why: "so", options: [], blocks: ["self"] }],
    });
    const world = aMemoryWorld({
      spec: specOf(["a"]),
      splits: { root: self },
      limits,
      script: right,
    });

    const rest = await runLoop(world, new AbortController().signal);

    expect(rest.exitCode).toBe(1);
    expect(world.store.state.questions.size).toBe(0);
    expect(taskOf(world.store.state, "fr-r1").endReason).toContain("Which word?");
  });
});
