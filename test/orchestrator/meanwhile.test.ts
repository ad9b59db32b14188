/** What happens while something else is under way: what a person does, trouble, a lost process. */
import { describe, expect, it } from "vitest";
import type { NewEvent } from "../../src/domain/event.ts";
import type { Human, Sandbox } from "../../src/domain/ports.ts";
import type { TaskState } from "../../src/domain/run-state.ts";
import { runLoop } from "../../src/orchestrator/loop.ts";
import { statusOf, taskOf } from "../../src/rules/status.ts";
import { memoryRepository } from "../support/memory-repository.ts";
import { memoryTracker } from "../support/memory-tracker.ts";
import { aMemoryWorld, type MemoryWorld } from "../support/memory-world.ts";
import { block, part, planOf, right, specOf } from "../support/words.ts";

const run = (world: MemoryWorld) => runLoop(world, new AbortController().signal);
const asPerson = (id: string, event: object) =>
  ({ task_id: id, actor: "ann", ...event }) as NewEvent;
const question = (text: string, blocks: string[]) => ({
  question: text,
  why: `why ${text}`,
  options: [],
  blocks,
});

/** The world with its sandbox's `run` told of each command first. */
function watching(world: MemoryWorld, seen: (command: string) => void): MemoryWorld {
  const sandbox: Sandbox = {
    ...world.sandbox,
    run: (command, signal) => {
      seen(command.argv.at(-1) ?? "");
      return world.sandbox.run(command, signal);
    },
  };
  return { ...world, sandbox };
}

describe("a root that is planned as one leaf", () => {
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
  });

  it("is done only when the specification's final checks are green", async () => {
    const world = aMemoryWorld({
      spec: specOf(["a"], 'checks:\n  whole: "has a.txt together"\n'),
      splits: { root: self },
      script: ({ attempt }) => block("a.txt", attempt < 3 ? "a" : "a, together"),
    });

    const rest = await run(world);

    expect(rest.exitCode).toBe(0);
    expect(world.repository.files().get("a.txt")).toContain("together");
    expect(taskOf(world.store.state, "fr-r1").attempts.map((one) => one.outcome)).toEqual([
      "succeeded",
      "rejected",
      "succeeded",
    ]);
  });
});

describe("a leaf that a person gave a child", () => {
  it("is repaired in its own files, so that what it promised is done", async () => {
    const tracker = memoryTracker();
    const more = planOf([], {
      decision: "leaf",
      size: "S",
      parts: [part("self", { files: ["more.txt"] })],
      ownership: {},
      acceptance: [
        {
          part: "self",
          requirement: "own",
          example: { kind: "command", run: "has more.txt more", exit: 0 },
        },
      ],
    });
    const world = aMemoryWorld({
      spec: specOf(["a", "b"]),
      splits: { root: planOf(["a", "b"]), "a.1": more },
      tracker,
      script: async ({ taskKey, attempt }) => {
        if (taskKey === "a" && attempt === 1) {
          const task = () => taskOf(world.store.state, "fr-r1.a1");
          await expect.poll(() => task().mirror).toBeDefined();
          await tracker.person.addChild("fr-r1.a1", "More");
          await expect.poll(() => task().shape).toBe("split");
        }
        if (taskKey === "a.1") return block("more.txt", "more");
        // The repair is shown both files.
        return taskKey === "b" ? right({ taskKey }) : block("a.txt", "a");
      },
    });

    const rest = await run(world);

    expect(rest.exitCode).toBe(0);
    expect(taskOf(world.store.state, "fr-r1.a1.r1").contract.files).toEqual(["a.txt", "more.txt"]);
    expect(world.repository.files().get("a.txt")?.trim()).toBe("a");
  });
});

describe("a planner's questions", () => {
  it("about one part are asked as one, and none is lost", async () => {
    const world = aMemoryWorld({
      spec: specOf(["a", "b", "c"]),
      splits: {
        root: planOf(["a", "b", "c"], {
          questions: [
            question("Which one?", ["a"]),
            question("Which other?", ["c"]),
            question("How large?", ["b", "a"]),
          ],
        }),
      },
      script: right,
    });

    const rest = await run(world);

    expect(rest.exitCode).toBe(3);
    const asked = [...world.store.state.questions.values()];
    expect(asked.map(({ title, blocks }) => [title, [...blocks].sort()])).toEqual([
      ["Which other?", ["fr-r1.a3"]],
      ["Which one?\nHow large?", ["fr-r1.a1", "fr-r1.a2"]],
    ]);
    const refused = world.store.journal.read().filter((one) => one.event_type === "move.refused");
    expect(refused).toEqual([]);
  });

  it("keep their ids for themselves: the parent's own question gets another", async () => {
    const answers = ["this one", "give up"];
    const human: Human = {
      present: true,
      ask: async () => answers.shift(),
      confirm: async () => undefined,
    };
    const world = aMemoryWorld({
      spec: specOf(["a", "z"], 'checks:\n  whole: "has z.txt together"\n'),
      splits: { root: planOf(["a", "z"], { questions: [question("Which one?", ["a"])] }) },
      human,
      // The repairs say they did it, and did not.
      limits: { repairsMax: 0 },
      script: right,
    });

    const rest = await run(world);

    expect(rest.exitCode).toBe(3);
    const ids = [...world.store.state.questions.values()].map(({ id, kind }) => `${kind} ${id}`);
    expect(ids.slice(0, 2)).toEqual(["plan fr-r1.q1", "rollup fr-r1.q2"]);
  });
});

describe("while a task rolls up", () => {
  const spec = specOf(["a", "b"], 'checks:\n  whole: "has a.txt a"\n');

  it("a child that is reopened keeps its parent open until it is done again", async () => {
    let reopened = false;
    const inner = aMemoryWorld({ spec, splits: { root: planOf(["a", "b"]) }, script: right });
    const tracker = inner.tracker as ReturnType<typeof memoryTracker>;
    const world = watching(inner, () => {
      const { state } = inner.store;
      const isRollUp = taskOf(state, "fr-r1").children.every(
        (id) => taskOf(state, id).end === "done",
      );
      if (reopened || !isRollUp || taskOf(state, "fr-r1").children.length === 0) return;
      reopened = true;
      inner.store.record([
        asPerson("fr-r1.a1", { event_type: "task.reopened", by: "ann" }),
        asPerson("fr-r1.a1", { event_type: "task.paused", by: "ann" }),
      ]);
    });

    const rest = await run(world);

    expect(reopened).toBe(true);
    expect(rest.exitCode).toBe(3);
    expect(statusOf(world.store.state, "fr-r1")).toBe("split");
    expect(tracker.task("fr-r1").status).toBe("in_progress");
  });

  it("putting the task itself aside asks nothing about a green roll-up", async () => {
    let done = false;
    const inner = aMemoryWorld({ spec, splits: { root: planOf(["a", "b"]) }, script: right });
    const world = watching(inner, () => {
      const { state } = inner.store;
      const { children } = taskOf(state, "fr-r1");
      const isRollUp = children.length > 0 && children.every((id) => taskOf(state, id).end);
      if (done || !isRollUp) return;
      done = true;
      inner.store.record([asPerson("fr-r1", { event_type: "task.paused", by: "ann" })]);
    });

    expect((await run(world)).exitCode).toBe(3);
    world.store.record([asPerson("fr-r1", { event_type: "task.unpaused", by: "ann" })]);
    const rest = await run(world);

    expect(rest.exitCode).toBe(0);
    expect(world.store.state.questions.size).toBe(0);
  });

  it("a sandbox that stays away is tried again with pauses, and ends the run with exit 6", async () => {
    let tries = 0;
    const inner = aMemoryWorld({ spec, splits: { root: planOf(["a", "b"]) }, script: right });
    const sandbox: Sandbox = {
      ...inner.sandbox,
      run: async (command, signal) => {
        const { state } = inner.store;
        const { children } = taskOf(state, "fr-r1");
        if (!children.every((id) => taskOf(state, id).end))
          return inner.sandbox.run(command, signal);
        tries += 1;
        return { failure: "sandbox-unavailable", detail: "no bwrap" };
      },
    };

    const rest = await run({ ...inner, sandbox });

    expect(rest.exitCode).toBe(6);
    expect(tries).toBeLessThan(20);
  });

  it("what is answered about the whole is told to whoever repairs it", async () => {
    const prompts: string[] = [];
    const human: Human = {
      present: true,
      ask: async ({ title }) => (title.includes("as a whole") ? "write it into b.txt" : undefined),
      confirm: async () => undefined,
    };
    const world = aMemoryWorld({
      spec: specOf(["a", "b"], 'checks:\n  whole: "has b.txt together"\n'),
      splits: { root: planOf(["a", "b"]) },
      human,
      limits: { repairsMax: 1 },
      script: (request) => {
        if (!request.taskKey.startsWith("r")) return right(request);
        prompts.push(request.messages.map((one) => ("text" in one ? one.text : "")).join());
        return block("b.txt", "b");
      },
    });
    // The first repair is dropped by a person: nothing of it is left to be done.
    world.store.listen((event) => {
      if (event.event_type !== "task.created" || event.origin !== "repair") return;
      if (event.task_id !== "fr-r1.r1") return;
      const by = "ann";
      queueMicrotask(() =>
        world.store.record([
          asPerson("fr-r1.r1", { event_type: "task.cancelled", by, reason: "no" }),
        ]),
      );
    });

    await run(world);

    expect(prompts.length).toBeGreaterThan(0);
    expect(prompts.every((prompt) => prompt.includes("write it into b.txt"))).toBe(true);
  });
});

describe("while a result is merged", () => {
  it("putting its task aside does not lose it: what is merged is done", async () => {
    const repository = memoryRepository();
    const world = aMemoryWorld({
      spec: specOf(["a", "b"]),
      splits: { root: planOf(["a", "b"]) },
      script: right,
      repository: {
        ...repository,
        async advance(from, to) {
          const task = taskOf(world.store.state, "fr-r1.a1");
          if (task.merge !== undefined && task.end === undefined && !task.paused) {
            world.store.record([asPerson(task.id, { event_type: "task.paused", by: "ann" })]);
          }
          return repository.advance(from, to);
        },
      },
    });

    const rest = await run(world);

    expect(rest.exitCode).toBe(0);
    expect(taskOf(world.store.state, "fr-r1.a1").attempts).toHaveLength(1);
  });

  it("a task that was dropped a moment before is not merged, though nobody came round to say so", async () => {
    const inner = aMemoryWorld({
      spec: specOf(["a", "b"]),
      splits: { root: planOf(["a", "b"]) },
      script: right,
    });
    let checks = 0;
    const world = watching(inner, (command) => {
      // Red first, then on its own tree: the second is green, and the merge follows at once.
      if (!command.startsWith("has a.txt")) return;
      checks += 1;
      if (checks !== 2) return;
      inner.store.record([
        asPerson("fr-r1.a1", { event_type: "task.cancelled", by: "ann", reason: "no" }),
      ]);
    });

    await run(world);

    expect(checks).toBe(2);
    expect(statusOf(world.store.state, "fr-r1.a1")).toBe("cancelled");
    expect(world.repository.files().has("a.txt")).toBe(false);
  });
});

describe("a process that ended between two steps", () => {
  const spec = specOf(["a", "b"]);
  const splits = { root: planOf(["a", "b"]) };

  it("finds the merge and makes no other; it is unchecked when nothing proved it", async () => {
    // `true` was green before the work: it proves nothing.
    const vacuous = planOf(["a", "b"]);
    const acceptance = vacuous.acceptance.map((one) =>
      one.part === "a"
        ? { ...one, example: { kind: "command" as const, run: "true", exit: 0 } }
        : one,
    );
    const broken = new Error("killed");
    const repository = memoryRepository();
    const options = { spec, splits: { root: { ...vacuous, acceptance } }, script: right };
    const world = aMemoryWorld({
      ...options,
      repository: {
        ...repository,
        async advance(from, to) {
          await repository.advance(from, to);
          if (repository.log()[0]?.includes("fr-r1.a1 1")) throw broken;
          return true;
        },
      },
    });
    await expect(run(world)).rejects.toThrow("killed");

    const rest = await run({ ...world, repository });

    expect(rest.exitCode).toBe(0);
    const task = taskOf(world.store.state, "fr-r1.a1");
    expect([task.end, task.unchecked, task.attempts.length]).toEqual(["done", true, 1]);
    const merges = repository.log().filter((message) => message.includes("Task: fr-r1.a1 "));
    expect(merges).toHaveLength(1);
  });

  it.each([
    ["before the head is read", "head"],
    ["before the branch is moved", "advance"],
  ] as const)("finds a merge that the git of the dead process made %s", async (_, when) => {
    const repository = memoryRepository();
    let isDead = false;
    let late: (() => Promise<unknown>) | undefined;
    const isFirst = () => repository.log()[0]?.includes("fr-r1.a1 1") === false;
    const world = aMemoryWorld({
      spec,
      splits,
      script: right,
      limits: { jobs: 1 },
      repository: {
        ...repository,
        async advance(from, to) {
          const { state } = world.store;
          if (isDead || taskOf(state, "fr-r1.a1").merge === undefined) {
            return repository.advance(from, to);
          }
          isDead = true;
          late = () => repository.advance(from, to);
          throw new Error("killed");
        },
      },
    });
    await expect(run(world)).rejects.toThrow("killed");
    expect(isFirst()).toBe(true);

    // The next process has looked for the merge, and only then it is there.
    const comesLate = async () => {
      await late?.();
      late = undefined;
    };
    let looked = false;
    const slow = {
      ...repository,
      async findMerged(id: string, attempt: number) {
        const found = await repository.findMerged(id, attempt);
        looked = true;
        return found;
      },
      async head() {
        if (looked && when === "head") await comesLate();
        return repository.head();
      },
      async advance(from: string, to: string) {
        if (looked && when === "advance") await comesLate();
        return repository.advance(from, to);
      },
    };
    const rest = await run({ ...world, repository: slow });

    expect(rest.exitCode).toBe(0);
    expect(late).toBeUndefined();
    expect(taskOf(world.store.state, "fr-r1.a1").attempts).toHaveLength(1);
    const merges = repository.log().filter((message) => message.includes("Task: fr-r1.a1 "));
    expect(merges).toHaveLength(1);
  });

  it("goes on with an interrupted split under the ids it began with, whatever was answered since", async () => {
    const repository = memoryRepository();
    let killed = false;
    const world = aMemoryWorld({
      spec,
      splits,
      script: right,
      repository: {
        ...repository,
        async head() {
          const { state } = world.store;
          if (!killed && taskOf(state, "fr-r1").splitStarted !== undefined) {
            killed = true;
            throw new Error("killed");
          }
          return repository.head();
        },
      },
    });
    await expect(run(world)).rejects.toThrow("killed");
    const root = "fr-r1";
    world.store.record([
      asPerson(root, {
        event_type: "question.opened",
        question: "fr-r1.q1",
        kind: "dropped",
        title: "?",
        why: "",
        options: [],
        tried: "",
        blocks: [root],
      }),
      asPerson(root, {
        event_type: "question.answered",
        question: "fr-r1.q1",
        by: "ann",
        text: "yes",
      }),
    ]);

    const rest = await run(world);

    expect(rest.exitCode).toBe(0);
    expect(taskOf(world.store.state, root).children).toEqual(["fr-r1.a1", "fr-r1.a2"]);
  });
});

describe("a leaf that a person gives a child while it is worked on", () => {
  it("is done with that child, and not with its own result", async () => {
    const tracker = memoryTracker();
    const world = aMemoryWorld({
      spec: specOf(["a", "b"]),
      splits: { root: planOf(["a", "b"]) },
      tracker,
      script: async (request) => {
        if (request.taskKey === "a") {
          await tracker.person.addChild("fr-r1.a1", "more");
          // Put aside, so that nothing of it is done in this run.
          await tracker.person.defer("fr-r1.a1.1");
          await new Promise((resolve) => setTimeout(resolve, 30));
        }
        return right(request);
      },
    });

    const rest = await run(world);

    expect(rest.exitCode).toBe(3);
    expect(statusOf(world.store.state, "fr-r1.a1")).toBe("split");
    expect(world.repository.files().has("a.txt")).toBe(false);
  });
});

describe("a roll-up", () => {
  const plan = planOf(["a", "b"]);

  it("of which all parts were dropped proves nothing: the task is done, unchecked", async () => {
    const world = aMemoryWorld({
      spec: specOf(["a", "b"]),
      splits: { root: plan },
      script: () => ({ failure: "cancelled", detail: "never asked" }),
    });
    world.store.listen((event) => {
      if (event.event_type !== "task.split") return;
      const by = "ann";
      queueMicrotask(() =>
        world.store.record(
          ["fr-r1.a1", "fr-r1.a2"].map((id) =>
            asPerson(id, { event_type: "task.cancelled", by, reason: "no" }),
          ),
        ),
      );
    });

    const rest = await run(world);

    expect(rest.exitCode).toBe(0);
    expect(taskOf(world.store.state, "fr-r1").unchecked).toBe(true);
  });

  it("that is red where no file may be changed is asked about, not repaired", async () => {
    const parts = plan.parts.map((one) => ({
      ...one,
      kind: "command" as const,
      command: "true",
      files: [],
    }));
    const world = aMemoryWorld({
      spec: specOf(["a", "b"], 'checks:\n  whole: "has a.txt a"\n'),
      splits: { root: { ...plan, parts, acceptance: [] } },
      script: right,
    });

    const rest = await run(world);

    expect(rest.exitCode).toBe(3);
    expect([...world.store.state.questions.values()].map((one) => one.kind)).toEqual(["rollup"]);
  });
});

describe("a result text", () => {
  it("may be longer than a worker's step in code", async () => {
    const plan = planOf(["a", "b"]);
    const parts = plan.parts.map((one) =>
      one.key === "a" ? { ...one, kind: "text" as const, files: [] } : one,
    );
    const acceptance = plan.acceptance.filter((one) => one.part === "b");
    const world = aMemoryWorld({
      spec: specOf(["a", "b"]),
      splits: { root: { ...plan, parts, acceptance } },
      limits: { linesChangedMax: 10 },
      script: (request) =>
        request.taskKey === "a" ? `# R1\n\n${"a line\n".repeat(50)}` : right(request),
    });
    const inner = world.sandbox;
    // The built-in check of a text is a shell command; the words of this sandbox are fewer.
    const sandbox: Sandbox = {
      ...inner,
      run: (command, signal) => {
        const argv = command.argv.at(-1)?.includes("test -s")
          ? ["has .results/a.md R1"]
          : command.argv;
        return inner.run({ ...command, argv }, signal);
      },
    };

    const rest = await run({ ...world, sandbox });

    expect(rest.exitCode).toBe(0);
  });
});

describe("a question about several tasks", () => {
  it("reaches the tracker also when one of them was deleted before it was written", async () => {
    const tracker = memoryTracker();
    const world = aMemoryWorld({
      spec: specOf(["a", "b"]),
      splits: { root: planOf(["a", "b"], { questions: [question("Which?", ["a", "b"])] }) },
      tracker,
      script: right,
    });
    world.store.listen((event) => {
      if (event.event_type !== "question.opened") return;
      // Before the next pass writes it.
      void tracker.person.delete("fr-r1.a1");
      const detail = "deleted";
      queueMicrotask(() =>
        world.store.record([
          asPerson("fr-r1.a1", { event_type: "drift.seen", kind: "deleted", detail }),
          asPerson("fr-r1.a1", { event_type: "task.cancelled", by: "ann", reason: detail }),
        ]),
      );
    });

    const rest = await run(world);

    expect(rest.exitCode).toBe(3);
    expect(tracker.task("fr-r1.a2").dependsOn).toEqual(["fr-r1.q1"]);
  });
});

describe("a stop", () => {
  it("for want of a key takes the prompt away and tells the tracker how things stand", async () => {
    const tracker = memoryTracker();
    let aborted = false;
    const human: Human = {
      present: true,
      ask: (_, signal) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => {
            aborted = true;
            resolve(undefined);
          });
        }),
      confirm: async () => undefined,
    };
    const world = aMemoryWorld({
      spec: specOf(["a", "b"]),
      splits: { root: planOf(["a", "b"], { questions: [question("Which one?", ["b"])] }) },
      tracker,
      human,
      script: () => ({ failure: "credentials-missing", detail: "401" }),
    });

    const rest = await run(world);

    expect(rest.exitCode).toBe(4);
    expect(aborted).toBe(true);
    const leaf = world.store.state.tasks.get("fr-r1.a1") as TaskState;
    expect(tracker.task(leaf.id)).toMatchObject({ status: "open", assignee: "" });
    expect(tracker.task("fr-r1")).toMatchObject({ status: "in_progress" });
  });
});
