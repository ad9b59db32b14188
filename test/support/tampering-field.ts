/** A repository with tests of several kinds, in which a scripted worker may try anything at one leaf at a time. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { systemClock } from "../../src/adapters/clock.ts";
import { openRepository } from "../../src/adapters/git/repository.ts";
import { memoryJournal } from "../../src/adapters/journal/memory.ts";
import { scriptedModel } from "../../src/adapters/models/scripted.ts";
import { createSandbox } from "../../src/adapters/sandbox/sandbox.ts";
import type { Check } from "../../src/domain/check.ts";
import type { ModelReply, ModelRequest } from "../../src/domain/conversation.ts";
import { isFailure } from "../../src/domain/failure.ts";
import type { Attempt } from "../../src/domain/run-state.ts";
import { attemptTask } from "../../src/orchestrator/attempt-task.ts";
import { createdEvent } from "../../src/orchestrator/tracked.ts";
import { ACTOR, type World } from "../../src/orchestrator/world.ts";
import { oraclePath, renderOracle, renderTests } from "../../src/rules/plan/oracle.ts";
import { parseSpec } from "../../src/rules/spec/spec.ts";
import { taskOf } from "../../src/rules/status.ts";
import { aCheck, aContract } from "./builders.ts";
import { aMemoryWorld } from "./memory-world.ts";

/** One thing a worker tries at a leaf. */
export interface Try {
  /** Files of its contract; `src/sum.mjs` unless said. */
  files?: string[];
  /** The checks of its own; the rendered examples of `sum` unless said. */
  checks?: readonly Check[];
  /** What it hands in as files, … */
  text?: string;
  /** … or does in its workspace, before it reports. */
  commands?: string[];
  /** Where the reviewer is asked, what it says; it refuses unless this is true. */
  reviewerAccepts?: boolean;
  /** No reviewer is configured. */
  unreviewed?: true;
}

/** What came of it. */
export interface Came {
  attempt: Attempt;
  /** `failure: detail`; empty where it was merged. */
  said: string;
  /** It was merged. */
  merged: boolean;
  /** It was merged without a proof of its own. */
  unchecked: boolean;
  /** What the reviewer was told of why it looks; undefined when it was not asked. */
  reviewed: string | undefined;
}

const SPEC =
  "---\nlanguage: javascript\n---\n# Sums\n\n- R1: `sum(2, 3)` returns `5`.\n- R2: `sum(0, 0)` returns `0`.\n";
const EXAMPLES = [
  { kind: "call", file: "src/sum.mjs", name: "sum", args: [2, 3], value: 5 },
  { kind: "call", file: "src/sum.mjs", name: "sum", args: [0, 0], value: 0 },
] as const;

/** The rendered examples of `sum`: two processes. */
export const RENDERED: Check = renderOracle({
  key: "sum",
  acceptance: EXAMPLES.map((example) => ({
    part: "sum",
    requirement: "R1",
    example: { ...example, args: [...example.args] },
  })),
  when: "own",
  spec: parseSpec("spec.md", SPEC, "hash") as World["spec"],
  files: ["src/sum.mjs"],
  accepted: () => true,
  present: [],
}).checks[0] as Check;
/** Tests that load the work into their own process. */
export const NODE = aCheck("node", { run: "node --test test/add.test.mjs" });
export const NPM = aCheck("npm", { run: "npm --silent test" });
export const PYTHON = aCheck("python", { run: "python3 -m unittest -q test_calc" });
export const SNAPSHOT = aCheck("snapshot", { run: "node --test test/page.test.mjs" });

const BASE: Record<string, string> = {
  "docs/spec.md": SPEC,
  "package.json": JSON.stringify({
    type: "module",
    scripts: { test: "node --test test/add.test.mjs" },
  }),
  "package-lock.json": "{}\n",
  "src/sum.mjs": 'export function sum(a, b) { throw new Error("not implemented: sum"); }\n',
  "src/page.mjs": "export const page = () => '';\n",
  "src/other.mjs": "export const other = 1;\n",
  "calc.py": "def add(a, b):\n    raise NotImplementedError\n",
  [oraclePath("sum")]: renderTests(
    "sum",
    EXAMPLES.map((example) => ({ ...example, args: [...example.args] })),
  ),
  "test/helper.mjs": "export const five = 5;\n",
  "test/add.test.mjs": `import assert from "node:assert/strict";
import { test } from "node:test";
import { sum } from "../src/sum.mjs";
import { five } from "./helper.mjs";
test("adds", () => assert.equal(sum(2, 3), five));
test("keeps nothing", () => assert.equal(sum(0, 0), 0));
`,
  "test/__snapshots__/page.snap": "<p>hello</p>\n",
  "test/page.test.mjs": `import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { page } from "../src/page.mjs";
test("looks as ever", () => {
  const snapshot = new URL("__snapshots__/page.snap", import.meta.url);
  assert.equal(page(), readFileSync(snapshot, "utf8"));
});
`,
  "test_calc.py": `import unittest
import calc


class TestCalc(unittest.TestCase):
    def test_add(self):
        self.assertEqual(calc.add(2, 3), 5)


if __name__ == "__main__":
    unittest.main()
`,
  ".github/workflows/ci.yml": "on: push\n",
};

export interface Field extends AsyncDisposable {
  attempt(one: Try): Promise<Came>;
  /** A file at the tip of the run's branch. */
  onBranch(path: string): Promise<string | undefined>;
  readonly world: World;
}

/** Opens one; each try is a leaf of its own that starts from what is merged until then. */
export async function openField(): Promise<Field> {
  const place = mkdtempSync(join(tmpdir(), "fractal-tampering-"));
  chmodSync(place, 0o755);
  const git = (...args: string[]) => execFileSync("git", args, { cwd: place, stdio: "pipe" });
  git("init", "--quiet", "--initial-branch=main");
  for (const [path, text] of Object.entries(BASE)) {
    mkdirSync(dirname(join(place, path)), { recursive: true });
    writeFileSync(join(place, path), text);
  }
  git("add", "--all");
  const who = ["-c", "user.name=A", "-c", "user.email=a@example.org"];
  git(...who, "commit", "--quiet", "--message", "first");
  const runId = `t${process.pid}`;
  const sandbox = await createSandbox({ mode: "contained", checkout: place, root: ".", runId });
  if (isFailure(sandbox)) throw new Error(sandbox.detail);
  const repository = await openRepository({ checkout: place, runId, root: "." });
  await repository.startBranch({ base: "main" });

  let now: Try = {};
  let asked: string | undefined;
  const model = scriptedModel((request) => {
    if (request.role !== "reviewer") return answerOf(now, request);
    asked = request.messages.at(-1)?.text ?? "";
    return JSON.stringify({ reason: "It serves its tests.", accept: now.reviewerAccepts === true });
  });
  const memory = aMemoryWorld({
    spec: SPEC,
    splits: {},
    script: [],
    roles: ["reviewer"],
    journal: memoryJournal(runId),
    clock: systemClock,
    limits: { checkTimeoutMs: 8000, callTimeoutMs: 60_000, linesChangedMax: 60 },
  });
  const profileOf = (protocol: "files" | "tools") => ({
    ...memory.profiles.worker,
    model,
    protocol,
  });
  const spec = { ...memory.spec, path: "./docs/spec.md" };
  const world: World = { ...memory, spec, sandbox, repository };
  const { store } = world;
  const root = [...store.state.tasks.keys()][0] ?? "";
  const split = { task_id: root, actor: ACTOR } as const;
  const held = { attempt: 1, fence: 1 };
  const planner = { role: "planner", holder: "planner", deadline: "", base: "" } as const;
  store.record([
    { ...split, event_type: "lease.taken", ...held, ...planner },
    { ...split, event_type: "task.split", children: [], checks: [], assumptions: [] },
    { ...split, event_type: "lease.released", ...held, why: "ended" },
  ]);
  let tries = 0;

  return {
    world,
    async attempt(one) {
      now = one;
      asked = undefined;
      tries += 1;
      const id = `${root}.a${tries}`;
      const { files = ["src/sum.mjs"], checks = [RENDERED] } = one;
      const contract = aContract(`Try ${tries}`, { files, checks: [...checks] });
      const facts = { parent: root, dependsOn: [], priority: 2, leaf: true };
      store.record([createdEvent({ id, key: `t${tries}`, origin: "plan", contract, ...facts })]);
      const worker = profileOf(one.commands === undefined ? "files" : "tools");
      const { reviewer: _, ...others } = world.profiles;
      const reviewer = one.unreviewed ? {} : { reviewer: profileOf("files") };
      const profiles = { ...others, worker, ...reviewer };
      await attemptTask({ ...world, profiles }, id, new AbortController().signal);
      const task = taskOf(store.state, id);
      const attempt = task.attempts.at(-1);
      if (attempt === undefined) throw new Error(`no attempt at ${id}`);
      const { failure } = attempt;
      return {
        attempt,
        said: failure === undefined ? "" : `${failure.failure}: ${failure.detail}`,
        merged: task.end === "done",
        unchecked: task.unchecked,
        reviewed: asked === undefined ? undefined : whyOf(asked),
      };
    },
    async onBranch(path) {
      return repository.readFile(await repository.head(), path);
    },
    async [Symbol.asyncDispose]() {
      await sandbox.close();
      rmSync(place, { recursive: true, force: true });
    },
  };
}

function answerOf(one: Try, request: ModelRequest): string | Partial<ModelReply> {
  const replies = request.messages.filter((message) => message.from === "model").length;
  const command = one.commands?.[replies];
  if (command !== undefined) {
    return { toolCalls: [{ id: `c${replies}`, name: "run_command", args: { command } }] };
  }
  return one.commands === undefined ? (one.text ?? "") : '{"summary": "done, all tests pass"}';
}

function whyOf(asked: string): string {
  return /## Why you look\n+([\s\S]*?)\n+## The change/.exec(asked)?.[1] ?? "";
}
