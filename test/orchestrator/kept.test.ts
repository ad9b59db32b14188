/** No work is lost: what did not make it is kept, what conflicts is done again on top of the others'. */
import { describe, expect, it } from "vitest";
import { memoryJournal } from "../../src/adapters/journal/memory.ts";
import type { ModelRequest } from "../../src/domain/conversation.ts";
import type { Journal } from "../../src/domain/ports.ts";
import { runLoop } from "../../src/orchestrator/loop.ts";
import { statusOf, taskOf } from "../../src/rules/status.ts";
import { memoryRepository } from "../support/memory-repository.ts";
import { memoryTracker } from "../support/memory-tracker.ts";
import {
  aMemoryWorld,
  type MemoryWorld,
  type MemoryWorldOptions,
  resumed,
} from "../support/memory-world.ts";
import { block, part, planOf, right, specOf } from "../support/words.ts";

const run = (world: MemoryWorld) => runLoop(world, new AbortController().signal);
const endings = (world: MemoryWorld) =>
  world.store.journal.read().filter((event) => event.event_type === "attempt.ended");
const wordOf = ({ taskKey }: ModelRequest) => taskKey.split(".").at(-1) ?? "";
const promptOf = (request: ModelRequest) => request.messages.at(-1)?.text ?? "";

/** Leaves a and b, both of which write `list.txt`, side by side. */
const shared = (script: MemoryWorldOptions["script"], over: Partial<MemoryWorldOptions> = {}) =>
  aMemoryWorld({
    spec: specOf(["a", "b"]),
    splits: {
      root: planOf(["a", "b"], {
        parts: ["a", "b"].map((key) => part(key, { files: ["list.txt"] })),
        acceptance: ["a", "b"].map((key, at) => ({
          part: key,
          requirement: `R${at + 1}`,
          example: { kind: "command", run: `has list.txt ${key}`, exit: 0 },
        })),
      }),
    },
    sharedFiles: true,
    repository: memoryRepository({ "list.txt": "start" }),
    script,
    ...over,
  });

/** Adds its word to the file as the prompt shows it. */
const adds = (request: ModelRequest) => {
  const now = /```txt list\.txt\n([\s\S]*?)\n```/.exec(promptOf(request))?.[1];
  return block("list.txt", `${now} ${wordOf(request)}`);
};

describe("an attempt that did not make it", () => {
  it("keeps what it wrote under a ref, and as a patch among the blobs", async () => {
    const world = aMemoryWorld({
      spec: specOf(["a", "b"]),
      splits: { root: planOf(["a", "b"]) },
      script: (request) =>
        request.attempt === 1 ? block(`${wordOf(request)}.txt`, "wrong") : right(request),
    });

    expect((await run(world)).exitCode).toBe(0);

    const [lost] = endings(world).filter((event) => event.outcome === "rejected");
    if (lost?.event_type !== "attempt.ended") throw new Error("none was rejected");
    expect(world.repository.kept.get(`${lost.task_id}.1`)).toBe(lost.kept);
    expect(world.store.journal.getBlob(lost.patch ?? "")).toContain(".txt");
    const attempt = taskOf(world.store.state, lost.task_id ?? "").attempts[0];
    expect([attempt?.kept, attempt?.patch]).toEqual([lost.kept, lost.patch]);
    const won = endings(world).find(
      (event) => event.outcome === "succeeded" && event.role === "worker",
    );
    expect(won).not.toHaveProperty("patch");
  });

  it("keeps what lay in its folder when it stopped in the middle", async () => {
    const world = aMemoryWorld({
      spec: specOf(["a", "b"]),
      splits: { root: planOf(["a", "b"]) },
      // Its second file may not be written: the first one is there by then.
      script: (request) =>
        request.taskKey === "a" && request.attempt === 1
          ? `${block("a.txt", "half")}\n${block("b.txt", "not mine")}`
          : right(request),
    });
    const { tool } = world.sandbox;
    world.sandbox.tool = (call, signal) => {
      const { path } = call.args as { path: string };
      if (path === "b.txt" && call.folder.includes("a1")) {
        return Promise.resolve({ text: "b.txt is not yours", isError: true });
      }
      return tool(call, signal);
    };

    await run(world);

    const [half] = endings(world).filter((event) => event.task_id === "fr-r1.a1");
    expect(half).toMatchObject({ outcome: "rejected", files: ["a.txt"] });
    const kept = world.repository.kept.get("fr-r1.a1.1") ?? "";
    expect(await world.repository.readFile(kept, "a.txt")).toBe("half\n");
  });
});

describe("a merge that conflicts", () => {
  it("is done again on the new base, with the lines in conflict in its prompt", async () => {
    const prompts: string[] = [];
    const world = shared((request) => {
      if (request.attempt > 1) prompts.push(promptOf(request));
      return adds(request);
    });

    expect((await run(world)).exitCode).toBe(0);

    expect(world.repository.files().get("list.txt")?.trim().split(" ").sort()).toEqual([
      "a",
      "b",
      "start",
    ]);
    expect(prompts).toHaveLength(1);
    expect(prompts[0]).toContain("<<<<<<< as it is now");
    expect(prompts[0]).toContain("met with the work of others");
    const lost = endings(world).find((event) => event.outcome === "rejected");
    expect(lost).toMatchObject({ failure: { failure: "merge-conflict", paths: ["list.txt"] } });
  });

  it("shows a file that others changed as it is now, whatever was wrong with the last try", async () => {
    let isFirst = true;
    const prompts: string[] = [];
    // b answers once a is merged, and is red: what it wrote then knows nothing of a.
    const world: MemoryWorld = shared(
      async (request) => {
        if (wordOf(request) === "b" && isFirst) {
          isFirst = false;
          const isMerged = () => taskOf(world.store.state, "fr-r1.a1").end === "done";
          while (!isMerged()) await world.clock.sleep(1_000, new AbortController().signal);
          return block("list.txt", "start wrong");
        }
        if (wordOf(request) === "b") prompts.push(promptOf(request));
        return adds(request);
      },
      { limits: { jobs: 2 } },
    );

    expect((await run(world)).exitCode).toBe(0);

    expect(world.repository.files().get("list.txt")?.trim().split(" ").sort()).toEqual([
      "a",
      "b",
      "start",
    ]);
    expect(prompts.join("\n")).not.toContain("start wrong");
  });
});

describe("work that landed in the moment its process died", () => {
  it("is not undone by who lands before anybody could say that it is done", async () => {
    const lasting = {
      journal: memoryJournal("r1"),
      tracker: memoryTracker(),
      repository: memoryRepository({ "list.txt": "start" }),
    };
    const { journal } = lasting;
    const dying: Journal = {
      ...journal,
      append(events, at) {
        if (events.some((event) => event.event_type === "task.done")) throw new Error("killed");
        return journal.append(events, at);
      },
    };
    const first = shared(adds, { ...lasting, journal: dying, limits: { jobs: 1 } });
    await expect(run(first)).rejects.toThrow("killed");
    expect(lasting.repository.files().get("list.txt")).toContain("a");

    // b, as it is first tried, forgets what others wrote.
    const again: MemoryWorld = shared(
      (request) => block("list.txt", request.attempt === 1 ? "b" : "start a b"),
      lasting,
    );
    const b = () => taskOf(again.store.state, "fr-r1.a2");
    const { findMerged } = again.repository;
    again.repository.findMerged = async (task, attempt) => {
      while (task === "fr-r1.a1" && b().attempts.length < 2 && b().end === undefined) {
        await again.clock.sleep(1_000, new AbortController().signal);
      }
      return findMerged(task, attempt);
    };
    again.store.record([resumed()]);

    expect((await run(again)).exitCode).toBe(0);

    expect(b().attempts[0]?.failure?.detail).toContain("on the tree merged with the others' work");
    expect(lasting.repository.files().get("list.txt")?.trim().split(" ").sort()).toEqual([
      "a",
      "b",
      "start",
    ]);
  });
});

describe("the run's branch, moved by somebody else", () => {
  /** A person's commit on the branch, made in the moment before it is moved. */
  const byHand = async ({ repository }: MemoryWorld, path: string, text: string) => {
    const head = await repository.head();
    const tree = await repository.write(head, [{ path, text }]);
    await repository.advance(head, await repository.commit(tree, [head], "by hand"));
  };

  it("is built upon at once: merged and checked anew, at the cost of no attempt", async () => {
    const world = aMemoryWorld({
      spec: specOf(["a", "b"]),
      splits: { root: planOf(["a", "b"]) },
      limits: { jobs: 1 },
      script: right,
    });
    const { advance } = world.repository;
    let isFirst = true;
    world.repository.advance = async (from, to) => {
      if (isFirst) {
        isFirst = false;
        world.repository.advance = advance;
        await byHand(world, "mine.txt", "mine");
        return advance(from, to);
      }
      return advance(from, to);
    };

    expect((await run(world)).exitCode).toBe(0);

    expect(world.repository.files().get("mine.txt")).toBe("mine");
    expect(taskOf(world.store.state, "fr-r1.a1").attempts).toHaveLength(1);
  });

  it("and back: what was done and is gone is asked about, and the run is not done", async () => {
    const world = aMemoryWorld({
      spec: specOf(["a", "b"]),
      splits: { root: planOf(["a", "b"]) },
      limits: { jobs: 1 },
      script: right,
    });
    world.store.listen((event) => {
      if (event.event_type === "task.done" && event.task_id === "fr-r1.a2")
        world.repository.rewind();
    });

    expect((await run(world)).exitCode).toBe(3);

    const [asked] = [...world.store.state.questions.values()];
    expect(asked?.why).toContain("no longer has the work of fr-r1.a2");
    expect(statusOf(world.store.state, "fr-r1")).not.toBe("done");
    const repairs = [...world.store.state.tasks.values()].filter((one) => one.origin === "repair");
    expect(repairs).toEqual([]);
  });
});
