/** Budgets on ports in memory: whole runs under limits by chance, and a call denied in the middle of an attempt. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Amounts, BudgetScope } from "../../src/domain/budget.ts";
import type { ModelRequest } from "../../src/domain/conversation.ts";
import type { Plan } from "../../src/domain/plan.ts";
import { NO_USAGE, type Price } from "../../src/domain/usage.ts";
import { runLoop } from "../../src/orchestrator/loop.ts";
import type { World } from "../../src/orchestrator/world.ts";
import { answeredEvents } from "../../src/rules/money/budget-answer.ts";
import { overspent } from "../../src/rules/money/overspent.ts";
import { replay } from "../../src/rules/replay.ts";
import { aMemoryWorld, type MemoryWorldOptions, resumed } from "../support/memory-world.ts";
import { runsOf } from "../support/runs.ts";
import { chanceOf } from "../support/toy-run.ts";

/** Ten dollars per million tokens of any kind: a call reserves about 0.08. */
const PRICE: Price = { inputUsd: 10, outputUsd: 10, cacheReadUsd: 10, cacheWriteUsd: 10 };

/** Independent leaves, one file each; without a check where `unchecked`. */
function words(keys: string[], unchecked?: string): Pick<MemoryWorldOptions, "spec" | "splits"> {
  const lines = keys.map((key, i) => `- R${i + 1}: ${key}.txt has ${key}`).join("\n");
  const plan: Plan = {
    decision: "split",
    size: "L",
    reason: "one a word",
    parts: keys.map((key) => ({
      key,
      title: `The ${key}`,
      purpose: `Write ${key}.`,
      kind: "code",
      size: "S",
      files: [`${key}.txt`],
      risks: [],
      ...(unchecked === undefined ? {} : { unchecked }),
    })),
    ownership: Object.fromEntries(keys.map((key, i) => [`R${i + 1}`, key])),
    interfaces: [],
    dependencies: [],
    acceptance:
      unchecked === undefined
        ? keys.map((key, i) => ({
            part: key,
            requirement: `R${i + 1}`,
            example: { kind: "command", run: `has ${key}.txt ${key}`, exit: 0 },
          }))
        : [],
    questions: [],
  };
  return { spec: `---\nlanguage: text\n---\n# Words\n\n${lines}\n`, splits: { root: plan } };
}

const right = ({ taskKey }: ModelRequest) => `\`\`\`txt ${taskKey}.txt\n${taskKey}\n\`\`\`\n`;
const callOf = ({ taskId, attempt, turn, role }: ModelRequest) =>
  `${role} ${taskId}.${attempt}.${turn}`;

/** A world whose models have a price. */
function aPricedWorld(o: MemoryWorldOptions): World {
  const world = aMemoryWorld(o);
  const priced = Object.entries(world.profiles).map(([role, one]) => [
    role,
    { ...one, price: PRICE },
  ]);
  return { ...world, profiles: Object.fromEntries(priced) as World["profiles"] };
}

function setBudget(world: World, scope: BudgetScope, limit: Amounts): void {
  world.store.record([{ task_id: null, actor: "ann", event_type: "budget.set", scope, limit }]);
}

const openQuestions = (world: World) =>
  [...world.store.state.questions.values()].filter((one) => one.state === "open");
/** Runs until it rests, as a process does that then says so. */
async function run(world: World) {
  const rest = await runLoop(world, new AbortController().signal);
  const { exitCode: exit_code, reason } = rest;
  const stopped = { event_type: "run.stopped", exit_code, reason } as const;
  world.store.record([{ ...stopped, task_id: null, actor: "fractal" }]);
  return rest;
}

/** Runs, and raises whatever is asked about, as the question offers it, until the run is done. */
async function runAndRaise(world: World, look: (code: number) => void): Promise<void> {
  for (let round = 0; round < 60; round++) {
    const { exitCode } = await run(world);
    look(exitCode);
    if (exitCode !== 5) return;
    for (const question of openQuestions(world)) {
      const answer = question.options[0] ?? "";
      world.store.record(answeredEvents(world.store.state, question, "ann", answer));
    }
    world.store.record([resumed()]);
  }
  throw new Error("raised sixty times, and still not done");
}

describe("a whole run under budgets", () => {
  it("never goes over one, asks for no paid answer twice, and ends green when they are raised", {
    timeout: 300_000,
  }, async () => {
    let short = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
        const chance = chanceOf(seed);
        const answered = new Map<string, number>();
        const world = aPricedWorld({
          ...words(["a", "b", "c", "d"]),
          limits: { jobs: 1 + chance(4) },
          script: async (request) => {
            for (let turns = chance(4); turns > 0; turns--) {
              await new Promise((resolve) => setImmediate(resolve));
            }
            const trouble = chance(8);
            if (trouble === 0) return { failure: "model-unavailable", detail: "cut" };
            if (trouble === 1) {
              return { failure: "model-unavailable", detail: "429", uncharged: true };
            }
            answered.set(callOf(request), (answered.get(callOf(request)) ?? 0) + 1);
            const usage = { ...NO_USAGE, inputTokens: chance(1500), outputTokens: chance(4000) };
            return { text: right(request), usage };
          },
        });
        if (chance(2) === 0) setBudget(world, "run", { usd: chance(40) / 100 });
        if (chance(2) === 0) setBudget(world, "worker", { tokens: chance(30_000) });
        if (chance(3) === 0) setBudget(world, "small", { calls: chance(4) });
        if (chance(3) === 0) setBudget(world, "task", { calls: chance(2), usd: chance(20) / 100 });

        let last = -1;
        await runAndRaise(world, (code) => {
          last = code;
          if (code === 5) short += 1;
          // One question a budget, and all of them about budgets.
          const about = openQuestions(world).map(
            ({ budget }) => `${budget?.scope} ${budget?.task}`,
          );
          expect(new Set(about).size).toBe(about.length);
        });

        expect(last).toBe(0);
        const events = world.store.journal.read();
        expect(overspent(events)).toEqual([]);
        expect([...answered].filter(([, times]) => times > 1)).toEqual([]);
        expect(events.filter((one) => one.event_type === "move.refused")).toEqual([]);
        expect(replay(events)).toEqual(world.store.state);
      }),
      runsOf(40),
    );
    // Runs that never fall short would prove little.
    expect(short).toBeGreaterThan(25);
  });
});

describe("a call denied in the middle of an attempt", () => {
  it("leaves the attempt open at no cost; what was paid for is not asked again", async () => {
    const asked: string[] = [];
    const world = aPricedWorld({
      ...words(["a", "b"], "there is no way to check it"),
      roles: ["planner", "worker", "reviewer"],
      script: (request) => {
        asked.push(request.role);
        return request.role === "reviewer"
          ? JSON.stringify({ accept: true, reason: "fine" })
          : right(request);
      },
    });
    setBudget(world, "reviewer", { calls: 0 });

    const first = await run(world);

    expect(first).toEqual({ exitCode: 5, reason: "the budget of the reviewer is spent" });
    expect(asked).toEqual(["worker", "worker"]);
    const [question] = openQuestions(world);
    expect(question).toMatchObject({ kind: "budget", about: null, blocks: [] });
    const leaf = [...world.store.state.tasks.values()].find((task) => task.key === "a");
    expect(leaf).toMatchObject({ attemptsLeft: world.limits.attemptsMax, episode: 1 });
    expect(leaf?.attempts).toMatchObject([{ number: 1, calls: 1 }]);
    expect(leaf?.attempts[0]?.endedAt).toBeUndefined();

    if (question === undefined) throw new Error("nothing was asked");
    world.store.record(answeredEvents(world.store.state, question, "ann", "raise 2calls"));
    world.store.record([resumed()]);
    const last = await run(world);

    expect(last.exitCode).toBe(0);
    expect(asked).toEqual(["worker", "worker", "reviewer", "reviewer"]);
    expect(leaf?.attempts).toHaveLength(1);
  });

  it("of one task waits for an answer about that task, which is no new episode", async () => {
    const asked: string[] = [];
    const world = aPricedWorld({
      ...words(["a", "b"], "there is no way to check it"),
      roles: ["planner", "worker", "reviewer"],
      limits: { jobs: 1 },
      script: (request) => {
        asked.push(callOf(request));
        return request.role === "reviewer"
          ? JSON.stringify({ accept: true, reason: "fine" })
          : right(request);
      },
    });
    setBudget(world, "task", { calls: 1 });
    await run(world);
    const questions = openQuestions(world);
    expect(questions.map(({ about, blocks }) => blocks[0] === about)).toEqual([true, true]);

    for (const question of questions) {
      world.store.record(answeredEvents(world.store.state, question, "ann", "raise 1call"));
    }
    world.store.record([resumed()]);
    const last = await run(world);

    expect(last.exitCode).toBe(0);
    expect(new Set(asked).size).toBe(asked.length);
    for (const { about } of questions) {
      const task = world.store.state.tasks.get(about ?? "");
      expect(task).toMatchObject({ episode: 1, guidance: [], questions: [] });
      expect(task?.attempts).toHaveLength(1);
    }
  });

  it("is asked about anew after `stop` only when the run is resumed", async () => {
    const world = aPricedWorld({ ...words(["a", "b"]), limits: { jobs: 1 }, script: right });
    setBudget(world, "worker", { calls: 0 });
    await run(world);
    const [question] = openQuestions(world);
    if (question === undefined) throw new Error("nothing was asked");

    world.store.record(answeredEvents(world.store.state, question, "ann", "stop"));
    const stopped = await run(world);

    expect(stopped).toEqual({ exitCode: 5, reason: "the budget of the worker is spent" });
    expect(openQuestions(world)).toEqual([]);
    world.store.record([resumed()]);
    expect((await run(world)).exitCode).toBe(5);
    expect(openQuestions(world)).toHaveLength(1);
  });
});
