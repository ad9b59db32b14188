/** The loop on ports in memory: what is true of the world afterwards. */
import { describe, expect, it } from "vitest";
import type { Plan } from "../../src/domain/plan.ts";
import type { Human, TrackedTask } from "../../src/domain/ports.ts";
import { runLoop } from "../../src/orchestrator/loop.ts";
import { replay } from "../../src/rules/replay.ts";
import { statusOf } from "../../src/rules/status.ts";
import { memoryTracker } from "../support/memory-tracker.ts";
import { aMemoryWorld, type MemoryWorld } from "../support/memory-world.ts";
import { block, planOf, right, specOf } from "../support/words.ts";

/** A requirement and a part for each key; `dependencies` among them. */
const words = (keys: string[], dependencies: Plan["dependencies"] = []) => ({
  spec: specOf(keys),
  splits: { root: planOf(keys, { dependencies }) },
});

const run = (world: MemoryWorld, signal = new AbortController().signal) => runLoop(world, signal);

describe("the loop", () => {
  it("ends with every leaf merged and closed, and exit code 0", async () => {
    const world = aMemoryWorld({ ...words(["a", "b", "c"]), script: right });

    const rest = await run(world);

    expect(rest).toEqual({ exitCode: 0, reason: "all done" });
    const files = [...world.repository.files().entries()].sort();
    expect(files.map(([path, text]) => [path, text.trim()])).toEqual([
      ["a.txt", "a"],
      ["b.txt", "b"],
      ["c.txt", "c"],
    ]);
    const issues = await world.tracker.read();
    expect(Array.isArray(issues) && issues.map((issue) => issue.status)).toEqual([
      "closed",
      "closed",
      "closed",
      "closed",
    ]);
  });

  it("starts nothing before what it depends on is merged", async () => {
    const seen: string[] = [];
    const world = aMemoryWorld({
      ...words(
        ["a", "b", "c"],
        [
          { part: "a", needs: ["b"] },
          { part: "b", needs: ["c"] },
        ],
      ),
      script: (request) => {
        seen.push(`${request.taskKey}: ${[...world.repository.files().keys()].sort().join(" ")}`);
        return right(request);
      },
    });

    await run(world);

    expect(seen).toEqual(["c: ", "b: c.txt", "a: b.txt c.txt"]);
  });

  it("never has more attempts under way than jobs", async () => {
    let now = 0;
    let most = 0;
    const world = aMemoryWorld({
      ...words(["a", "b", "c", "d", "e", "f"]),
      limits: { jobs: 2 },
      script: async (request) => {
        now += 1;
        most = Math.max(most, now);
        await new Promise((resolve) => setImmediate(resolve));
        now -= 1;
        return right(request);
      },
    });

    await run(world);

    expect(most).toBe(2);
  });

  it("brings results onto the branch one at a time: none loses a race to another", async () => {
    const keys = ["a", "b", "c", "d"];
    const world = aMemoryWorld({ ...words(keys), script: right });

    await run(world);

    const merges = world.store.journal
      .read()
      .filter(({ event_type }) => event_type === "merge.started" || event_type === "merge.done");
    const oneByOne = keys.flatMap(() => ["merge.started", "merge.done"]);
    expect(merges.map(({ event_type }) => event_type)).toEqual(oneByOne);
  });

  it("asks a person after the ladder is climbed, and the rest is done meanwhile", async () => {
    const world = aMemoryWorld({
      ...words(["bad", "good"]),
      roles: ["planner", "worker", "fixer"],
      script: (request) => {
        if (request.role === "fixer") {
          return JSON.stringify({
            cause: "c",
            kind: "guidance",
            text: "try",
            question: "",
            options: [],
          });
        }
        return request.taskKey === "bad" ? block("bad.txt", "wrong") : right(request);
      },
    });

    const rest = await run(world);

    expect(rest.exitCode).toBe(3);
    const bad = [...world.store.state.tasks.values()].find((task) => task.key === "bad");
    const roles = bad?.attempts.map((attempt) => attempt.role);
    expect(roles).toEqual(["worker", "worker", "worker", "fixer", "worker", "worker"]);
    expect([...world.store.state.questions.values()].map((one) => one.about)).toEqual([bad?.id]);
    expect(world.repository.files().has("good.txt")).toBe(true);
    expect(world.repository.files().has("bad.txt")).toBe(false);
  });

  it("goes on with the answer given at the terminal", async () => {
    const human: Human = {
      present: true,
      ask: async () => "write bad, please",
      confirm: async () => undefined,
    };
    const world = aMemoryWorld({
      ...words(["bad", "z"]),
      human,
      script: (request) =>
        request.messages.some((one) => "text" in one && one.text.includes("write bad, please"))
          ? right(request)
          : block(`${request.taskKey}.txt`, "wrong"),
    });

    const rest = await run(world);

    expect(rest.exitCode).toBe(0);
    expect(world.repository.files().get("bad.txt")?.trim()).toBe("bad");
  });

  it("charges an outage nothing, and goes on when it is over", async () => {
    let calls = 0;
    const world = aMemoryWorld({
      ...words(["a", "z"]),
      script: (request) => {
        calls += 1;
        return calls <= 4 ? { failure: "model-unavailable", detail: "503" } : right(request);
      },
    });

    const rest = await run(world);

    expect(rest.exitCode).toBe(0);
    const leaves = [...world.store.state.tasks.values()].filter((one) => one.shape === "leaf");
    expect(leaves.map((task) => task.attempts.map((one) => one.outcome))).toEqual([
      ["succeeded"],
      ["succeeded"],
    ]);
  });

  it("ends with exit 6 when a model stays out of reach", async () => {
    const world = aMemoryWorld({
      ...words(["a", "z"]),
      script: () => ({ failure: "model-unavailable", detail: "503" }),
    });

    expect((await run(world)).exitCode).toBe(6);
  });

  it("ends with exit 4 when a key is refused", async () => {
    const world = aMemoryWorld({
      ...words(["a", "z"]),
      script: () => ({ failure: "credentials-missing", detail: "401" }),
    });

    expect((await run(world)).exitCode).toBe(4);
  });

  it("repairs a parent whose parts do not pass together, at most twice, then asks", async () => {
    const { spec, splits } = words(["a", "z"]);
    const whole = spec.replace(
      "language: text",
      'language: text\nchecks:\n  whole: "has a.txt together"',
    );
    const world = aMemoryWorld({ spec: whole, splits, script: right });

    const rest = await run(world);

    expect(rest.exitCode).toBe(3);
    const repairs = [...world.store.state.tasks.values()].filter((one) => one.origin === "repair");
    expect(repairs.map((one) => one.id)).toEqual(["fr-r1.r1"]);
  });

  it("keeps going when the tracker is away, and tells it everything once it is back", async () => {
    const tracker = memoryTracker();
    let refusals = 0;
    Object.defineProperty(tracker, "outage", {
      get() {
        if (refusals === 0) return undefined;
        refusals -= 1;
        return { failure: "tracker-unavailable", detail: "locked" };
      },
    });
    const world = aMemoryWorld({
      ...words(["a", "b"]),
      tracker,
      script: (request) => {
        refusals = 5;
        return right(request);
      },
    });

    const rest = await run(world);

    expect(rest.exitCode).toBe(0);
    expect(refusals).toBe(0);
    const issues = await tracker.read();
    expect(Array.isArray(issues) && issues.every((issue) => issue.status === "closed")).toBe(true);
  });

  it("accepts a task a person closed while its worker was busy, and drops the worker's result", async () => {
    const tracker = memoryTracker();
    const world = aMemoryWorld({
      ...words(["a", "b"]),
      tracker,
      script: async (request) => {
        if (request.taskKey === "a") {
          await tracker.person.close("fr-r1.a1");
          // The loop follows within a pass; the answer comes after that.
          await new Promise((resolve) => setTimeout(resolve, 30));
        }
        return right(request);
      },
    });

    const rest = await run(world);

    expect(rest.exitCode).toBe(0);
    expect(statusOf(world.store.state, "fr-r1.a1")).toBe("accepted");
    expect(world.repository.files().has("a.txt")).toBe(false);
  });

  it("goes on when a person reopens something after the last look, before the last write", async () => {
    const tracker = memoryTracker();
    let looks = 0;
    const world = aMemoryWorld({
      ...words(["a", "b"]),
      tracker: {
        ...tracker,
        async version() {
          const root = (await tracker.read()) as TrackedTask[];
          const isOver = root.some(({ id, status }) => id === "fr-r1" && status === "closed");
          looks += isOver ? 1 : 0;
          if (looks === 3) {
            await tracker.person.comment("fr-r1.a1", "again, please");
            await tracker.person.reopen("fr-r1.a1");
          }
          return tracker.version();
        },
      },
      script: ({ taskKey, attempt }) => block(`${taskKey}.txt`, `${taskKey} ${attempt}`),
    });

    const rest = await run(world);

    expect(rest.exitCode).toBe(0);
    expect(world.repository.files().get("a.txt")?.trim()).toBe("a 2");
    expect(statusOf(world.store.state, "fr-r1")).toBe("done");
  });

  it("leaves a journal that replays to the state it had", async () => {
    const world = aMemoryWorld({ ...words(["a", "b"]), script: right });
    await run(world);

    expect(replay(world.store.journal.read())).toEqual(world.store.state);
  });
});
