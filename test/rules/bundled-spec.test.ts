/** The bundled specification and its recorded answers: carried out by hand, they show what they promise. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { recordedModel } from "../../src/adapters/models/recorded.ts";
import { planTask } from "../../src/agents/planner.ts";
import type { Check } from "../../src/domain/check.ts";
import { isFailure } from "../../src/domain/failure.ts";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import type { Plan } from "../../src/domain/plan.ts";
import type { FileWrite } from "../../src/domain/ports.ts";
import type { TaskState } from "../../src/domain/run-state.ts";
import type { Spec } from "../../src/domain/spec.ts";
import type { Contract } from "../../src/domain/task.ts";
import { countCoverage, coverageOf } from "../../src/rules/plan/coverage.ts";
import { reviewPlan } from "../../src/rules/plan/plan-review.ts";
import { ancestorsIn, type PlannedTree, planTree } from "../../src/rules/plan/plan-tree.ts";
import { signaturesAround } from "../../src/rules/plan/planning-facts.ts";
import { parseSpec } from "../../src/rules/spec/spec.ts";
import { parseFileBlocks } from "../../src/rules/text/answer.ts";

const run = promisify(execFile);
const never = new AbortController().signal;

/** Attempts that are recorded to fail, by task key: the rest passes at the first. */
const FAILING = new Map([
  ["timing.matches", [1]],
  ["timing.next", [1, 2, 3]],
]);
const PASSING = new Map([
  ["timing.matches", 2],
  // Attempt 4 is the fixer's.
  ["timing.next", 5],
]);

let spec: Spec;
let tree: PlannedTree;
let folder: string;

beforeAll(async () => {
  const parsed = parseSpec("spec.md", await readFile("spec.md", "utf8"), "0".repeat(64));
  if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems));
  spec = parsed;
  folder = await mkdtemp(join(tmpdir(), "fractal-bundled-"));
  tree = await planAll();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function rootContract(): Contract {
  return {
    title: spec.title,
    purpose: "Everything that spec.md asks for.",
    kind: "code",
    size: "XL",
    requirements: spec.requirements.map(({ id }) => id),
    files: [],
    interfaces: [],
    checks: [],
    examples: [],
    risks: [],
  };
}

/** Plans on paper with the recorded planner until nothing is unplanned. */
async function planAll(): Promise<PlannedTree> {
  const prompt = await readFile("prompts/planner.md", "utf8");
  const plans = new Map<string, Plan>();
  for (;;) {
    const now = planTree({
      spec,
      root: rootContract(),
      plans,
      limits: DEFAULT_LIMITS,
      existingFiles: [],
    });
    const task = now.unplanned[0];
    if (task === undefined || now.problems.length > 0) return now;
    const byId = new Map(now.tasks.map((one) => [one.id, one]));
    const existingFiles = now.files.map(({ path }) => path);
    const ancestors = ancestorsIn(byId, task);
    const answer = await planTask(
      {
        task,
        ancestors,
        spec,
        guidance: [],
        existingFiles,
        interfaces: signaturesAround(byId, task),
        profile: {
          model: recordedModel("recordings"),
          protocol: "files",
          style: "repair",
          planning: "one",
          contextTokens: 100_000,
          outputTokensMax: 8000,
          price: undefined,
        },
        prompt,
        identity: { taskId: task.id, attempt: 1 },
        limits: DEFAULT_LIMITS,
        offered: [],
        review: (plan) =>
          reviewPlan({
            plan,
            task,
            ancestors,
            tasksTotal: now.tasks.length,
            spec,
            limits: DEFAULT_LIMITS,
            existingFiles,
          }),
        onRound: () => {},
      },
      never,
    );
    if (isFailure(answer)) throw new Error(`${task.key}: ${answer.detail}`);
    expect(answer.problems, task.key).toEqual([]);
    plans.set(task.key, answer.plan);
  }
}

async function put(files: readonly FileWrite[]): Promise<void> {
  for (const { path, text } of files) {
    const file = join(folder, path);
    if (text === null) await rm(file, { force: true });
    else {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    }
  }
}

/** What a check printed when it was red; undefined when it was green. */
async function redness(check: Check): Promise<string | undefined> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  try {
    await run("sh", ["-c", check.run], { cwd: folder, env });
    return undefined;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    return `${stdout}\n${stderr}`;
  }
}

async function worked(task: TaskState, attempt: number): Promise<FileWrite[]> {
  const text = await readFile(`recordings/worker/${task.key}.${attempt}.1.md`, "utf8");
  const files = parseFileBlocks(text.replace(/^---\n[\s\S]*?\n---\n/, ""), task.contract.files);
  if (isFailure(files)) throw new Error(`${task.key}.${attempt}: ${files.detail}`);
  return files.files;
}

/** Leaves in an order in which each comes after all that it, or a parent of it, depends on. */
function inOrder(): TaskState[] {
  const byId = new Map(tree.tasks.map((task) => [task.id, task]));
  const leavesOf = (id: string): string[] => {
    const task = byId.get(id);
    return task?.shape === "leaf" ? [id] : (task?.children.flatMap(leavesOf) ?? []);
  };
  const waitsFor = (task: TaskState) =>
    [task, ...ancestorsIn(byId, task)].flatMap(({ dependsOn }) => dependsOn.flatMap(leavesOf));
  const order: TaskState[] = [];
  const open = tree.tasks.filter(({ shape }) => shape === "leaf");
  while (open.length > 0) {
    const done = new Set(order.map(({ id }) => id));
    const next = open.findIndex((task) => waitsFor(task).every((id) => done.has(id)));
    if (next < 0) throw new Error("the leaves wait for each other");
    order.push(...open.splice(next, 1));
  }
  return order;
}

describe("the bundled specification", () => {
  it("becomes a tree of two levels with six to twelve leaves and real dependencies", () => {
    expect(tree.problems).toEqual([]);
    expect(tree.unplanned).toEqual([]);
    expect(tree.tasks.filter(({ shape }) => shape === "leaf").map(({ key }) => key)).toEqual([
      "reading.value",
      "reading.field",
      "reading.expression",
      "timing.matches",
      "timing.next",
      "wording.words",
      "wording.time",
      "wording.days",
      "wording.describe",
      "command",
      "package",
    ]);
    expect(tree.tasks.flatMap(({ dependsOn }) => dependsOn).length).toBeGreaterThan(8);
    expect(tree.edgesAdded).toEqual([]);
  });

  it("has every requirement checked by its own words", () => {
    expect(countCoverage(coverageOf(spec, tree.tasks))).toEqual({
      checked: spec.requirements.length,
      unchecked: 0,
      dropped: 0,
      uncovered: 0,
    });
    const sources = tree.tasks.flatMap(({ contract }) => contract.checks.map((one) => one.source));
    expect(new Set(sources)).toEqual(new Set(["quoted"]));
  });

  it("fails where it is recorded to fail, and passes in the end", {
    timeout: 120_000,
  }, async () => {
    await put(tree.files);
    for (const check of spec.checks.filter(({ when }) => when === "leaf")) {
      expect(await redness(check), `${check.name} before the work`).toBeUndefined();
    }
    for (const task of inOrder()) {
      const { key, contract } = task;
      const [check] = contract.checks;
      if (check === undefined) throw new Error(`${key} has no check`);
      expect(await redness(check), `${key} before its work`).toBeDefined();
      for (const attempt of FAILING.get(key) ?? []) {
        await put(await worked(task, attempt));
        expect(await redness(check), `${key}.${attempt}`).toMatch(/expected/);
      }
      await put(await worked(task, PASSING.get(key) ?? 1));
      for (const one of [
        ...contract.checks,
        ...spec.checks.filter(({ when }) => when === "leaf"),
      ]) {
        expect(await redness(one), `${key}: ${one.name}`).toBeUndefined();
      }
    }
    const last = [
      ...tree.tasks.flatMap((task) => (task.shape === "split" ? task.contract.checks : [])),
      ...spec.checks,
    ];
    for (const check of last) expect(await redness(check), check.run).toBeUndefined();
  });

  it("has a recording for every call and none besides", async () => {
    const workers = tree.tasks
      .filter(({ shape }) => shape === "leaf")
      .flatMap(({ key }) =>
        [...(FAILING.get(key) ?? []), PASSING.get(key) ?? 1].map(
          (attempt) => `worker/${key}.${attempt}.1.md`,
        ),
      );
    const planners = tree.tasks
      .filter(({ shape }) => shape === "split")
      .map(({ key }) => `planner/${key}.1.plan.md`);
    const found = await readdir("recordings", { recursive: true });
    expect(found.filter((name) => name.endsWith(".md")).sort()).toEqual(
      [...workers, ...planners, "fixer/timing.next.4.decide.md"].sort(),
    );
  });
});
