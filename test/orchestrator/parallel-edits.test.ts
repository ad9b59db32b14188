/** Leaves side by side on a real repository: every change is on the branch, or the run says what is in the way. */
import { afterAll, describe, expect, it, vi } from "vitest";
import { memoryJournal } from "../../src/adapters/journal/memory.ts";
import type { ModelRequest } from "../../src/domain/conversation.ts";
import type { Plan } from "../../src/domain/plan.ts";
import { runLoop } from "../../src/orchestrator/loop.ts";
import { statusOf } from "../../src/rules/status.ts";
import { type Ground, gitGround } from "../support/ground.ts";
import type { MemoryRepository } from "../support/memory-repository.ts";
import { aMemoryWorld, type MemoryWorld } from "../support/memory-world.ts";
import { report } from "../support/report.ts";
import { IS_DEEP } from "../support/seed.ts";
import { block, part, planOf, specOf } from "../support/words.ts";

vi.setConfig({ testTimeout: 300_000 });

/** Of each kind; a sample in every run of the suite. */
const RUNS = IS_DEEP ? 7 : 2;
const counted: Record<string, number> = {};
let passed = 0;
let tried = 0;

afterAll(() => {
  const what = "runs of leaves side by side on a real repository: each change kept or told";
  report({ suite: "parallel-edits", what, count: tried, passed, details: counted });
});

/** A run of these leaves on a ground of its own. */
async function run(
  keys: string[],
  fileOf: (key: string) => string,
  base: Record<string, string>,
  script: (request: ModelRequest, ground: Ground) => string,
): Promise<{ world: MemoryWorld; ground: Ground; exitCode: number; reason: string }> {
  const ground = await gitGround(base);
  const plan: Plan = planOf(keys, {
    parts: keys.map((key) => part(key, { files: [fileOf(key)] })),
    acceptance: keys.map((key, at) => ({
      part: key,
      requirement: `R${at + 1}`,
      example: { kind: "command", run: `has ${fileOf(key)} ${key}`, exit: 0 },
    })),
  });
  const world = aMemoryWorld({
    spec: specOf(keys),
    splits: { root: plan },
    journal: memoryJournal("r1"),
    clock: ground.clock,
    repository: ground.repository as MemoryRepository,
    sandbox: ground.sandbox,
    sharedFiles: true,
    limits: { jobs: 8 },
    script: (request) => script(request, ground),
  });
  const { exitCode, reason } = await runLoop(world, new AbortController().signal);
  return { world, ground, exitCode, reason };
}

/** What a prompt shows of a file. */
const shownIn = (request: ModelRequest, file: string) =>
  new RegExp(`\`\`\`txt ${file}\\n([\\s\\S]*?)\\n\`\`\``).exec(
    request.messages.at(-1)?.text ?? "",
  )?.[1];

const wordOf = ({ taskKey }: ModelRequest) => taskKey.split(".").at(-1) ?? "";

/** Done and there, or not done, told, and kept under a ref. Returns how many are done. */
async function judge(
  { world, ground, exitCode, reason }: Awaited<ReturnType<typeof run>>,
  keys: string[],
  fileOf: (key: string) => string,
): Promise<number> {
  const { state } = world.store;
  const head = await ground.repository.head();
  let done = 0;
  for (const key of keys) {
    const task = [...state.tasks.values()].find((one) => one.key === key);
    if (task === undefined) throw new Error(`${key} was never made`);
    const text = (await ground.repository.readFile(head, fileOf(key))) ?? "";
    const isThere = text.split(/\s+/).includes(key);
    if (task.end === "done") {
      done += 1;
      expect(isThere, `${key} is done and not there: ${text}`).toBe(true);
    } else {
      expect(isThere, `${key} is there and not done`).toBe(false);
      expect(["failed", "needs_human"]).toContain(statusOf(state, task.id));
      expect(ground.kept(`${task.id}.${task.attempts.at(-1)?.number}`)).toBeDefined();
    }
  }
  const asked = [...state.questions.values()].map(({ title, why }) => `${title}\n${why}`);
  expect([exitCode === 0, done], [reason, ...asked].join("\n")).toEqual([
    done === keys.length,
    done,
  ]);
  expect(ground.log().filter((text) => text.includes("Fractal-Task:"))).toHaveLength(done);
  return done;
}

async function all(name: string, once: () => Promise<number>): Promise<void> {
  for (let at = 0; at < RUNS; at++) {
    tried += 1;
    counted[`${name}, done`] = (counted[`${name}, done`] ?? 0) + (await once());
    passed += 1;
  }
}

describe("leaves side by side", () => {
  const eight = Array.from({ length: 8 }, (_, at) => `word${at + 1}`);
  const twenty = Array.from({ length: 20 }, (_, at) => `part${at + 1}`);

  it("keep all of 8 edits of one line, in every run", () =>
    all("one line", async () => {
      const fileOf = () => "list.txt";
      const ran = await run(eight, fileOf, { "list.txt": "start\n" }, (request) =>
        block("list.txt", `${shownIn(request, "list.txt")} ${wordOf(request)}`),
      );
      try {
        const done = await judge(ran, eight, fileOf);
        expect(done).toBe(8);
        return done;
      } finally {
        ran.ground.close();
      }
    }));

  it("keep what they can of 8 edits by workers that undo what others wrote, and tell the rest", () =>
    all("one line, careless", async () => {
      const fileOf = () => "list.txt";
      const ran = await run(eight, fileOf, { "list.txt": "start\n" }, (request) =>
        block("list.txt", wordOf(request)),
      );
      try {
        return await judge(ran, eight, fileOf);
      } finally {
        ran.ground.close();
      }
    }));

  it("keep all of 20 disjoint changes, in every run", () =>
    all("disjoint", async () => {
      const fileOf = (key: string) => `${key}.txt`;
      const ran = await run(twenty, fileOf, { "README.md": "# Here\n" }, (request) =>
        block(fileOf(wordOf(request)), wordOf(request)),
      );
      try {
        const done = await judge(ran, twenty, fileOf);
        expect(done).toBe(20);
        return done;
      } finally {
        ran.ground.close();
      }
    }));
});
