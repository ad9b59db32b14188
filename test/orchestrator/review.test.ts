/** A whole run in which one part comes to nothing: a person is asked about it once, and is heard there. */
import { describe, expect, it } from "vitest";
import { memoryJournal } from "../../src/adapters/journal/memory.ts";
import type { ModelRequest } from "../../src/domain/conversation.ts";
import { runLoop } from "../../src/orchestrator/loop.ts";
import { statusOf, taskOf } from "../../src/rules/status.ts";
import { memoryRepository } from "../support/memory-repository.ts";
import { memoryTracker } from "../support/memory-tracker.ts";
import { aMemoryWorld, type MemoryWorld, resumed } from "../support/memory-world.ts";
import { jumpingClock } from "../support/virtual-time.ts";
import { block, part, planOf, right, specOf } from "../support/words.ts";

const run = (world: MemoryWorld) => runLoop(world, new AbortController().signal);
const MINUTE = 60_000;

/** Root → `part` → a and b, which come out wrong until they are told how; c beside them is right. */
function aRun() {
  const clock = jumpingClock();
  const journal = memoryJournal("r1");
  const tracker = memoryTracker();
  const repository = memoryRepository();
  const asked: string[] = [];
  const script = async (request: ModelRequest) => {
    const key = request.taskKey.split(".").at(-1) ?? "";
    asked.push(key);
    await clock.sleep(10 * MINUTE, new AbortController().signal);
    if (key === "c") return right(request);
    const told = request.messages.some(
      (one) => "text" in one && one.text.includes("mind the word"),
    );
    return told ? right(request) : block(`${key}.txt`, "wrong");
  };
  const world = () =>
    aMemoryWorld({
      spec: specOf(["a", "b", "c"]),
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
      limits: { attemptsMax: 20, jobs: 2 },
      script,
      clock,
      journal,
      tracker,
      repository,
    });
  return { world, tracker, asked };
}

describe("a part below which much failed and nothing was merged for an hour", () => {
  it("is asked about once, holds what is below it, and goes on with the answer", async () => {
    const { world, tracker, asked } = aRun();
    const first = world();

    const rest = await run(first);

    expect(rest.exitCode).toBe(3);
    const { state } = first.store;
    const questions = [...state.questions.values()];
    expect(questions.map((one) => [one.id, one.kind, one.about, one.blocks])).toEqual([
      ["fr-r1.a1.q1", "review", "fr-r1.a1", []],
    ]);
    expect(questions[0]?.tried).toMatch(
      /^0 of 2 tasks below it are settled\.\n\d+ of \d+ attempts/,
    );
    expect(questions[0]?.tried).toContain("a.txt lacks a");
    expect(first.repository.files().get("c.txt")?.trim()).toBe("c");
    const ids = ["fr-r1", "fr-r1.a1", "fr-r1.a1.a1", "fr-r1.a1.a2", "fr-r1.a2"];
    expect(ids.map((id) => statusOf(state, id))).toEqual([
      "split",
      "needs_human",
      "queued",
      "queued",
      "done",
    ]);
    // In Beads: no edge, named by what it is about, and the part is not offered as work.
    expect(tracker.task("fr-r1.a1.q1").meta).toMatchObject({ about: "fr-r1.a1" });
    expect(tracker.task("fr-r1.a1")).toMatchObject({ status: "in_progress", dependsOn: [] });
    expect(tracker.task("fr-r1.a1.a1").status).toBe("open");

    const before = asked.length;
    const second = world();
    second.store.record([resumed()]);
    expect((await run(second)).exitCode).toBe(3);
    expect(asked).toHaveLength(before);
    expect(second.store.state.questions.size).toBe(1);

    await tracker.person.respond("fr-r1.a1.q1", "mind the word");
    const third = world();
    third.store.record([resumed()]);
    expect((await run(third)).exitCode).toBe(0);
    expect(third.store.state.questions.size).toBe(1);
    expect(asked).toHaveLength(before + 2);
    expect(taskOf(third.store.state, "fr-r1.a1.a1").episode).toBe(2);
  });

  it("is given up when the question is dismissed: nothing below it begins, and the run says so", async () => {
    const { world, tracker, asked } = aRun();
    await run(world());
    const before = asked.length;
    await tracker.person.dismiss("fr-r1.a1.q1");
    const next = world();
    next.store.record([resumed()]);

    const rest = await run(next);

    expect(rest.exitCode).toBe(1);
    expect(asked).toHaveLength(before);
    expect(statusOf(next.store.state, "fr-r1.a1")).toBe("failed");
    const comments = await tracker.comments("fr-r1.a1");
    expect(Array.isArray(comments) && comments.map((one) => one.text)).toEqual([
      "Failed: its question fr-r1.a1.q1 was dismissed by a person",
    ]);

    // Opened again, all of it goes on.
    await tracker.mirror([{ id: "fr-r1.a1", status: "open", assignee: "" }]);
    const again = world();
    again.store.record([resumed()]);
    await run(again);
    expect(asked.length).toBeGreaterThan(before);
  });
});
