/** What a planner says that parts need from outside: had where the settings allow it, else asked about once. */
import { describe, expect, it } from "vitest";
import type { ScriptedAnswer } from "../../src/adapters/models/scripted.ts";
import type { ModelRequest } from "../../src/domain/conversation.ts";
import type { NewEvent } from "../../src/domain/event.ts";
import { runLoop } from "../../src/orchestrator/loop.ts";
import { reachOf } from "../../src/orchestrator/reach.ts";
import { memoryTracker } from "../support/memory-tracker.ts";
import { aMemoryWorld, resumed } from "../support/memory-world.ts";
import { part, specOf } from "../support/words.ts";

const KEYS = ["a", "b", "c"];

/** A planner's answer: a part for each key, with what it is said to need. */
const answerOf = (needs: Record<string, string[]>) =>
  JSON.stringify({
    size: "L",
    decision: "split",
    reason: "one a word",
    parts: KEYS.map((key) => {
      const { risks: _, ...about } = part(key);
      return { ...about, needs: needs[key] ?? [] };
    }),
    owners: Object.fromEntries(KEYS.map((key, at) => [`R${at + 1}`, key])),
    commands: KEYS.map((key, at) => ({
      part: key,
      requirement: `R${at + 1}`,
      run: `has ${key}.txt ${key}`,
      exit: 0,
    })),
  });

/** A worker with tools that writes what is asked for, and says so. */
function work({ taskKey, turn }: ModelRequest): ScriptedAnswer {
  if (turn !== "1") return JSON.stringify({ summary: "Done.", confidence: 1 });
  const args = { path: `${taskKey}.txt`, text: taskKey };
  return { toolCalls: [{ id: "c1", name: "write_file", args }] };
}

/** A run whose settings allow this, and whose planner says so; its workers have tools. */
function aRun(allows: string[], needs: Record<string, string[]>, front = "") {
  const tracker = memoryTracker();
  const asked: ModelRequest[] = [];
  const memory = aMemoryWorld({
    spec: specOf(KEYS, front),
    splits: {},
    script: (request) => {
      asked.push(request);
      return request.role === "planner" ? answerOf(needs) : work(request);
    },
    tracker,
  });
  const { planner, worker } = memory.profiles;
  const web = { hosts: ["a.org"], searches: false, fetch: never, search: never };
  const profiles = { planner, worker: { ...worker, protocol: "tools" as const } };
  const world = { ...memory, web, profiles };
  const { store } = world;
  const goOn = (now: string[]) =>
    store.record([{ ...resumed(), allows: now } as NewEvent & { event_type: "run.resumed" }]);
  goOn(allows);
  const run = async () => (await runLoop(world, new AbortController().signal)).exitCode;
  const questions = () => [...store.state.questions.values()];
  const done = () =>
    [...store.state.tasks.values()].filter(({ end }) => end === "done").map(({ key }) => key);
  return { world, tracker, asked, run, goOn, questions, done };
}

const never = async () => {
  throw new Error("nothing is to be asked of the web");
};

describe("a need that the settings allow", () => {
  it("is the part's, and nobody is asked", async () => {
    const { world, run, questions, done } = aRun(["web:a.org"], { a: ["web:a.org"] });
    expect(await run()).toBe(0);
    expect(questions()).toEqual([]);
    expect(done().sort()).toEqual(["a", "b", "c", "root"]);
    const of = (key: string) => [...world.store.state.tasks.values()].find((t) => t.key === key);
    const [a, b] = [of("a"), of("b")];
    if (!a || !b) throw new Error("both were planned");
    expect(a.contract.needs).toEqual(["web:a.org"]);
    expect(reachOf(world, a)).toEqual({ tools: ["fetch_url"], hosts: ["a.org"] });
    expect(reachOf(world, b)).toEqual({ tools: [], hosts: [] });
  });
});

describe("a need that the settings do not allow", () => {
  it("is asked about once for the whole plan, while the rest goes on", async () => {
    const { tracker, run, questions, done, goOn } = aRun(["web:a.org"], {
      a: ["web:b.org"],
      b: ["search", "web:a.org"],
    });
    expect(await run()).toBe(3);
    expect(done()).toEqual(["c"]);
    expect(questions()).toMatchObject([
      {
        kind: "needs",
        state: "open",
        needs: ["search", "web:b.org"],
        blocks: [expect.any(String), expect.any(String)],
        title:
          '"The a" and "The b" need what your settings do not allow: search, web:b.org. What now?',
        why: expect.stringMatching(/A planner says so[\s\S]*web: \{hosts: \["b\.org"\], search:/),
      },
    ]);
    // Looked at again, it stays that one question.
    goOn(["web:a.org"]);
    expect(await run()).toBe(3);
    expect(questions()).toHaveLength(1);

    await tracker.person.respond(questions()[0]?.id ?? "", "do it without");
    expect(await run()).toBe(0);
    expect(questions()).toHaveLength(1);
    expect(done().sort()).toEqual(["a", "b", "c", "root"]);
  });

  it("is had once the person allowed it, with or without an answer", async () => {
    for (const answer of ["it is allowed now", undefined]) {
      const { tracker, run, questions, goOn } = aRun(["web:a.org"], { a: ["search"] });
      expect(await run()).toBe(3);
      if (answer !== undefined) await tracker.person.respond(questions()[0]?.id ?? "", answer);
      goOn(["search", "web:a.org"]);
      expect(await run()).toBe(0);
      expect(questions()).toMatchObject([{ state: answer === undefined ? "moot" : "answered" }]);
    }
  });

  it("is asked about also where the person was asked about something else before", async () => {
    const front = "needs: [search]\n";
    const { tracker, run, questions } = aRun(["web:a.org"], { a: ["install"] }, front);
    expect(await run()).toBe(3);
    expect(questions()).toMatchObject([{ needs: ["search"] }]);
    expect(questions()[0]?.why).not.toContain("planner");
    await tracker.person.respond(questions()[0]?.id ?? "", "do without a search");
    expect(await run()).toBe(3);
    expect(questions().map(({ needs }) => needs)).toEqual([["search"], ["install"]]);
  });
});

describe("where nothing is allowed, or nothing more could be had", () => {
  it.each([
    ["nothing is allowed", [], ""],
    ["all of it is declared for all", ["web:a.org"], 'needs: ["web:a.org"]\n'],
    ["there is no lock file to install from", ["install"], ""],
  ])("the planner is not asked: %s", async (_, allows, front) => {
    const { asked, run, questions } = aRun(allows, { a: ["search"] }, front);
    expect(await run()).toBe(0);
    const [planning] = asked;
    expect(planning?.role).toBe("planner");
    expect(planning?.messages[0]?.text).not.toContain("`needs`: only where");
    expect(questions()).toEqual([]);
  });
});
