/** How the loop waits: with every wake-up lost, kept up for new work, and no longer than work allows. */
import { describe, expect, it } from "vitest";
import type { ModelRequest } from "../../src/domain/conversation.ts";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import type { Plan } from "../../src/domain/plan.ts";
import type { Clock } from "../../src/domain/ports.ts";
import type { Alarm } from "../../src/orchestrator/alarm.ts";
import { type Rest, runLoop } from "../../src/orchestrator/loop.ts";
import { statusOf } from "../../src/rules/status.ts";
import { type MemoryTracker, memoryTracker } from "../support/memory-tracker.ts";
import { aMemoryWorld, type MemoryWorld } from "../support/memory-world.ts";
import { part, planOf } from "../support/words.ts";

const spec = `---\nlanguage: text\n---\n# Words\n\n- R1: a.txt has a\n- R2: b.txt has b\n`;
/** The plan of what a person adds: one file, unchecked. */
const added: Plan = {
  ...planOf([]),
  decision: "leaf",
  size: "S",
  parts: [{ ...part("self"), files: ["more.txt"], unchecked: "a person looks at it" }],
  ownership: {},
  acceptance: [],
};

function answer({ role, taskKey }: ModelRequest): string {
  if (role === "planner") return JSON.stringify(added);
  const path = ["a", "b"].includes(taskKey) ? `${taskKey}.txt` : "more.txt";
  return `\`\`\`txt ${path}\n${taskKey}\n\`\`\`\n`;
}

/** A tracker that looks the same whatever is written, and wakes nobody. */
function silent(tracker: MemoryTracker): MemoryTracker {
  const { watch: _, ...rest } = tracker;
  return Object.assign(Object.create(tracker), rest, {
    watch: undefined,
    version: async () => "always",
  });
}

/** Hears nothing: only the time ends a pause. */
const deaf = (clock: Clock): Alarm => ({
  ring: () => undefined,
  wait: (delayMs, signal) => clock.sleep(delayMs, signal),
});

/** Waits until it is so, as long as less virtual time than this has passed. */
async function until(world: MemoryWorld, limitMs: number, isSo: () => boolean): Promise<number> {
  const from = world.clock.now();
  while (!isSo()) {
    if (world.clock.now() - from > limitMs) throw new Error("not seen in time");
    await new Promise((resolve) => setImmediate(resolve));
  }
  return world.clock.now() - from;
}

const isDone = (world: MemoryWorld, id: string) =>
  world.store.state.tasks.has(id) && statusOf(world.store.state, id) === "done";
const ROOT = "fr-r1";
const SOON_MS = 60_000;

describe("with every wake-up lost", () => {
  const aDeafWorld = (keeps: boolean) => {
    const tracker = memoryTracker();
    const world = aMemoryWorld({
      spec,
      splits: { root: planOf(["a", "b"]) },
      script: answer,
      tracker: silent(tracker),
      keeps,
    });
    return { world, tracker, alarm: deaf(world.clock) };
  };

  it("a run is carried out all the same", async () => {
    const { world, alarm } = aDeafWorld(false);
    const rest = await runLoop(world, new AbortController().signal, alarm);
    expect(rest).toEqual({ exitCode: 0, reason: "all done" });
  });

  it("what a person adds, edits, pauses and frees is followed by the resync", async () => {
    const { world, tracker, alarm } = aDeafWorld(true);
    const { state } = world.store;
    const stop = new AbortController();
    const ended = runLoop(world, stop.signal, alarm);
    await until(world, SOON_MS, () => isDone(world, ROOT));
    const resync = DEFAULT_LIMITS.resyncMs + SOON_MS;

    const id = await tracker.person.addChild(ROOT, "One more");
    await until(world, resync, () => isDone(world, id) && isDone(world, ROOT));
    expect(world.repository.files().has("more.txt")).toBe(true);

    await tracker.person.reopen(`${ROOT}.a1`);
    await until(world, resync, () => state.questions.has(`${ROOT}.a1.q1`));
    await until(world, SOON_MS, () => state.questions.get(`${ROOT}.a1.q1`)?.mirror !== undefined);
    await tracker.person.defer(`${ROOT}.a1`);
    await until(world, resync, () => statusOf(state, `${ROOT}.a1`) === "paused");
    await tracker.person.respond(`${ROOT}.a1.q1`, "as it was");
    await until(world, resync, () => state.questions.get(`${ROOT}.a1.q1`)?.state === "answered");

    stop.abort("SIGINT");
    expect(await ended).toEqual({ exitCode: 130, reason: "stopped" });
  });
});

describe("a run that is kept up", () => {
  async function kept(act: (tracker: MemoryTracker, world: MemoryWorld) => Promise<void>) {
    const tracker = memoryTracker();
    const world = aMemoryWorld({
      spec,
      splits: { root: planOf(["a", "b"]) },
      script: answer,
      tracker,
      keeps: true,
    });
    const stop = new AbortController();
    const ended: Promise<Rest> = runLoop(world, stop.signal);
    await until(world, SOON_MS, () => isDone(world, ROOT));
    await until(world, SOON_MS, () => world.store.state.lastDecision.startsWith("pause"));
    expect(world.store.state.lastDecision).toContain("all done; stays up for new work");
    await act(tracker, world);
    stop.abort("SIGINT");
    expect((await ended).exitCode).toBe(130);
    return world;
  }

  it("picks up a child at once, and is done again with it", async () => {
    await kept(async (tracker, world) => {
      const id = await tracker.person.addChild(ROOT, "One more");
      await until(world, SOON_MS, () => isDone(world, id) && isDone(world, ROOT));
      // Not done meanwhile: it rolled up twice.
      const ends = world.store.journal.read().filter((event) => event.event_type === "task.done");
      expect(ends.map((event) => event.task_id).slice(-3)).toEqual([ROOT, id, ROOT]);
      await until(world, SOON_MS, () => tracker.task(ROOT).status === "closed");
    });
  });

  it("takes a parentless issue labelled fractal for a child of the root, and no other", async () => {
    await kept(async (tracker, world) => {
      const other = await tracker.person.add("Not for fractal", []);
      const id = await tracker.person.add("For fractal", ["fractal"]);
      await until(world, SOON_MS, () => isDone(world, id) && isDone(world, ROOT));
      expect(world.store.state.tasks.get(id)?.parent).toBe(ROOT);
      expect(world.store.state.tasks.has(other)).toBe(false);
    });
  });

  it("records no more while nothing happens", async () => {
    await kept(async (_, world) => {
      const { state } = world.store;
      await until(world, 10 * SOON_MS, () => isTold(world));
      const before = state.seq;
      const from = world.clock.now();
      await until(world, 3_700_000, () => world.clock.now() - from > 3_600_000);
      expect(state.seq).toBe(before);
    });
  });

  it("goes on with what was added after it was stopped, when it is resumed", async () => {
    const tracker = memoryTracker();
    const first = aMemoryWorld({
      spec,
      splits: { root: planOf(["a", "b"]) },
      script: answer,
      tracker,
    });
    await runLoop(first, new AbortController().signal);
    const id = await tracker.person.addChild(ROOT, "One more");
    const again = aMemoryWorld({
      spec,
      splits: {},
      script: answer,
      tracker,
      journal: first.store.journal,
      repository: first.repository,
    });
    const rest = await runLoop(again, new AbortController().signal);
    expect(rest.exitCode).toBe(0);
    expect([isDone(again, id), isDone(again, ROOT)]).toEqual([true, true]);
  });
});

const isTold = (world: MemoryWorld) =>
  [...world.store.state.tasks.values()].every((task) => task.mirror?.status === "closed");
