/** The planner: small questions or one, shown its own mistakes, within rounds. */
import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { planTask } from "../../src/agents/planner.ts";
import type { ModelReply, ModelRequest } from "../../src/domain/conversation.ts";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import type { Plan, PlanProblem } from "../../src/domain/plan.ts";
import type { ModelProfile } from "../../src/domain/profile.ts";
import type { Spec } from "../../src/domain/spec.ts";
import { NO_USAGE } from "../../src/domain/usage.ts";
import { reviewPlan } from "../../src/rules/plan/plan-review.ts";
import { signaturesAround } from "../../src/rules/plan/planning-facts.ts";
import { parseSpec } from "../../src/rules/spec/spec.ts";
import { tokensOf } from "../../src/rules/text/prompt.ts";
import { aState, aTask } from "../support/builders.ts";

let prompt: string;
let standard: Spec;
beforeAll(async () => {
  prompt = await readFile("prompts/planner.md", "utf8");
  standard = specOf(await readFile("test/fixtures/specs/standard.md", "utf8"));
});

function specOf(text: string): Spec {
  const spec = parseSpec("spec.md", text, "hash");
  if ("problems" in spec) throw new Error(JSON.stringify(spec.problems));
  return spec;
}
const SPEC = specOf("# Clock\n\nIt shows times.\n\n- R1: `now(1)` returns `2`.\n- R2: prints\n");

const part = (key: string, file = `src/${key}.mjs`) => ({
  key,
  title: key,
  purpose: `Makes ${key}.`,
  kind: "code",
  size: "S",
  files: [file],
  unchecked: "not here",
});
const ANSWERS = {
  size: { size: "M", decision: "split", reason: "two things" },
  parts: { parts: [part("core"), part("edge")] },
  ownership: { owners: { R1: "core", R2: "edge" } },
  interfaces: { interfaces: [] },
  dependencies: { dependencies: [{ part: "edge", needs: ["core"] }] },
  acceptance: { calls: [], commands: [], requests: [], acknowledgements: [] },
  questions: { questions: [], risks: [] },
};
const WHOLE = Object.assign({}, ...Object.values(ANSWERS)) as Record<string, unknown>;

/** A planner that answers by turn name; the requests it got are kept. */
function planner(answers: Record<string, unknown>, planning: ModelProfile["planning"]) {
  const asked: ModelRequest[] = [];
  const profile: ModelProfile = {
    model: {
      name: "scripted:planner",
      async ask(request): Promise<ModelReply> {
        asked.push(request);
        const answer = answers[request.turn];
        if (answer === undefined) throw new Error(`no answer to ${request.turn}`);
        const text = typeof answer === "string" ? answer : JSON.stringify(answer);
        const said = { toolCalls: [], stopReason: "end" as const, usage: NO_USAGE };
        return { text, ...said, answeredBy: "a test" };
      },
    },
    protocol: "files",
    style: "repair",
    planning,
    contextTokens: 60_000,
    outputTokensMax: 4000,
    price: undefined,
  };
  return { asked, profile };
}

async function planned(
  profile: ModelProfile,
  over: { spec?: Spec; offered?: string[]; review?: (plan: Plan) => PlanProblem[] } = {},
) {
  const spec = over.spec ?? SPEC;
  const task = aTask("fr-1", {
    key: "root",
    title: "Clock",
    origin: "root",
    shape: "unplanned",
    contract: { size: "XL", purpose: "All.", requirements: spec.requirements.map(({ id }) => id) },
  });
  const facts = { task, ancestors: [], tasksTotal: 1, spec, limits: DEFAULT_LIMITS };
  const rounds: [number, number][] = [];
  const result = await planTask(
    {
      task,
      ancestors: [],
      spec,
      guidance: [{ from: "Ada", text: "keep it small" }],
      existingFiles: ["package.json"],
      interfaces: [{ file: "lib/x.mjs", name: "x", declaration: "export function x()", doc: "" }],
      profile,
      prompt,
      identity: { taskId: "fr-1", attempt: 1 },
      limits: DEFAULT_LIMITS,
      offered: over.offered ?? [],
      review: over.review ?? ((plan) => reviewPlan({ ...facts, plan, existingFiles: [] })),
      onRound: (round, _, problems) => rounds.push([round, problems.length]),
    },
    new AbortController().signal,
  );
  return { result, rounds };
}

function textOf(request: ModelRequest | undefined): string {
  return request?.messages.map(({ text }) => text).join("\n") ?? "";
}

describe("a strong planner", () => {
  it("answers everything in one call", async () => {
    const { asked, profile } = planner({ plan: WHOLE }, "one");
    const { result, rounds } = await planned(profile);
    expect(result).toMatchObject({
      problems: [],
      plan: { decision: "split", ownership: { R1: "core", R2: "edge" } },
    });
    expect(asked.map(({ turn, role, taskKey }) => [turn, role, taskKey])).toEqual([
      ["plan", "planner", "root"],
    ]);
    expect(rounds).toEqual([[1, 0]]);
  });

  it("is shown the specification, the answers of people, what exists and what is fixed", async () => {
    const { asked, profile } = planner({ plan: WHOLE }, "one");
    await planned(profile);
    for (const said of [
      "R1 (line 5): `now(1)` returns `2`.",
      "It shows times.",
      "Ada: keep it small",
      "package.json",
      "lib/x.mjs: export function x()",
      "At most 20 parts",
    ]) {
      expect(textOf(asked[0])).toContain(said);
    }
    expect(textOf(asked[0])).not.toContain("fr-1");
  });

  it("is shown all problems and its own plan, and may mend them", async () => {
    const bad = {
      ...WHOLE,
      owners: { R1: "core" },
      dependencies: [{ part: "edge", needs: ["gone"] }],
    };
    const { asked, profile } = planner({ plan: bad, "plan.r2": WHOLE }, "one");
    const { result, rounds } = await planned(profile);
    expect(result).toMatchObject({ problems: [] });
    expect(rounds).toEqual([
      [1, 3],
      [2, 0],
    ]);
    expect(textOf(asked[1])).toContain("requirement R2 is owned by no part");
    expect(textOf(asked[1])).toContain("the dependencies name `gone`, which is no part");
    expect(textOf(asked[1])).toContain('"needs":["gone"]');
  });

  it("gets three rounds, and its last plan comes back with its problems", async () => {
    const bad = { ...WHOLE, owners: {} };
    const { asked, profile } = planner({ plan: bad, "plan.r2": bad, "plan.r3": bad }, "one");
    const { result, rounds } = await planned(profile);
    expect(asked).toHaveLength(3);
    expect(rounds.map(([round]) => round)).toEqual([1, 2, 3]);
    expect(result).toMatchObject({ plan: { decision: "split" } });
    if (!("problems" in result)) throw new Error("a failure");
    expect(result.problems.map(({ code }) => code)).toContain("uncovered");
  });

  it("that never answers in JSON is a failure, not a plan", async () => {
    const { profile } = planner({ plan: "no", "plan.2": "never", "plan.3": "{" }, "one");
    const { result } = await planned(profile);
    expect(result).toMatchObject({ failure: "answer-unusable" });
  });
});

describe("a small planner", () => {
  it("answers one question at a time, each after the same words", async () => {
    const { asked, profile } = planner(ANSWERS, "many");
    const { result } = await planned(profile);
    expect(asked.map(({ turn }) => turn)).toEqual(Object.keys(ANSWERS));
    const whole = await planned(planner({ plan: WHOLE }, "one").profile);
    expect(result).toEqual(whole.result);
    const prefixes = asked.map((request) => textOf(request).split("## Decided so far")[0]);
    expect(new Set(prefixes).size).toBe(1);
    expect(textOf(asked[2])).toContain('"key":"core"');
  });

  it("can name only the parts it made", async () => {
    const { asked, profile } = planner(
      {
        ...ANSWERS,
        ownership: { owners: { R1: "core", R2: "nobody" } },
        "ownership.2": ANSWERS.ownership,
      },
      "many",
    );
    const { result } = await planned(profile);
    expect(result).toMatchObject({ problems: [], plan: { ownership: { R2: "edge" } } });
    expect(JSON.stringify(asked[2]?.schema)).toContain('"enum":["core","edge","all"]');
  });

  it("is asked fewer questions about a leaf", async () => {
    const { asked, profile } = planner(
      {
        ...ANSWERS,
        size: { size: "S", decision: "leaf", reason: "small" },
        parts: { parts: [part("self")] },
      },
      "many",
    );
    const { result } = await planned(profile);
    expect(asked.map(({ turn }) => turn)).toEqual([
      "size",
      "parts",
      "interfaces",
      "acceptance",
      "questions",
    ]);
    expect(result).toMatchObject({ problems: [], plan: { ownership: { R1: "self", R2: "self" } } });
  });

  it("begins again only where the problems are", async () => {
    const circle = {
      dependencies: [...ANSWERS.dependencies.dependencies, { part: "core", needs: ["edge"] }],
    };
    const { asked, profile } = planner(
      {
        ...ANSWERS,
        dependencies: circle,
        "dependencies.r2": ANSWERS.dependencies,
        "acceptance.r2": ANSWERS.acceptance,
        "questions.r2": ANSWERS.questions,
      },
      "many",
    );
    const { result } = await planned(profile);
    expect(result).toMatchObject({
      problems: [],
      plan: { parts: [{ key: "core" }, { key: "edge" }] },
    });
    expect(asked.slice(7).map(({ turn }) => turn)).toEqual([
      "dependencies.r2",
      "acceptance.r2",
      "questions.r2",
    ]);
    expect(textOf(asked[7])).toContain("wait for each other in a circle");
  });
});

describe("what parts need from outside the sandbox", () => {
  const needy = {
    ...ANSWERS.parts,
    parts: [{ ...part("core"), needs: ["install"] }, part("edge")],
  };

  it.each([
    ["one", { plan: { ...WHOLE, ...needy } }],
    ["many", { ...ANSWERS, parts: needy }],
  ] as const)(
    "is asked of a planner that answers %s, with what is allowed",
    async (how, answers) => {
      const { asked, profile } = planner(answers, how);
      const { result } = await planned(profile, { offered: ["install", "web:docs.a.org"] });
      const saying = asked.filter((request) => textOf(request).includes("`needs`: only where"));
      expect(saying.map(({ turn }) => turn)).toEqual([how === "one" ? "plan" : "parts"]);
      expect(textOf(saying[0])).toContain(
        "outside its sandbox: `install` (the packages of the lock file), `web:docs.a.org` (its pages). Usually",
      );
      expect(result).toMatchObject({ problems: [], plan: { parts: [{ needs: ["install"] }, {}] } });
    },
  );

  it.each([
    ["one", { plan: { ...WHOLE, ...needy } }],
    ["many", { ...ANSWERS, parts: needy }],
  ] as const)("is not asked where nothing is allowed, and not heard: %s", async (how, answers) => {
    const { asked, profile } = planner(answers, how);
    const { result } = await planned(profile);
    for (const request of asked) {
      expect(textOf(request)).not.toContain("`needs`: only where");
      expect(JSON.stringify(request.schema)).not.toContain("install|search");
    }
    expect(JSON.stringify(result)).not.toContain("install");
  });

  it("takes a line of the prompt and no more", async () => {
    const ask = async (offered: string[]) => {
      const { asked, profile } = planner({ plan: WHOLE }, "one");
      await planned(profile, { offered });
      return tokensOf(textOf(asked[0]));
    };
    const [without, some] = [await ask([]), await ask(["install", "search", "web:docs.a.org"])];
    expect(some - without).toBeLessThan(130);
  });
});

it("is asked the same whatever other branches have planned meanwhile", () => {
  const fixed = (name: string) => ({
    interfaces: [{ file: `${name}.mjs`, name, declaration: `export function ${name}()`, doc: "" }],
  });
  const { tasks } = aState({
    tasks: [
      aTask("root"),
      aTask("a", { parent: "root", contract: fixed("a") }),
      aTask("b", { parent: "root", contract: fixed("b") }),
      aTask("added", { parent: "root", origin: "person", contract: fixed("added") }),
      aTask("a.x", { parent: "a", contract: fixed("x") }),
      aTask("a.y", { parent: "a", contract: fixed("y") }),
      aTask("b.z", { parent: "b", contract: fixed("z") }),
    ],
  });
  const task = tasks.get("a.x");
  if (!task) throw new Error("it was built");
  expect(signaturesAround(tasks, task).map(({ name }) => name)).toEqual(["y", "b"]);
});

it("plans a whole standard on its outline, within the budget, each requirement owned", async () => {
  const review = () => [];
  let asked: ModelRequest[] = [];
  const profile: ModelProfile = {
    ...planner({}, "one").profile,
    contextTokens: 32_000,
    model: {
      name: "scripted:planner",
      async ask(request) {
        asked = [...asked, request];
        const schema = request.schema?.json as {
          properties: { owners: { properties: Record<string, unknown> } };
        };
        const units = Object.keys(schema.properties.owners.properties);
        const owners = Object.fromEntries(units.map((id, at) => [id, at % 2 ? "core" : "edge"]));
        const text = JSON.stringify({ ...WHOLE, owners });
        const said = { toolCalls: [], stopReason: "end" as const, usage: NO_USAGE };
        return { text, ...said, answeredBy: "a test" };
      },
    },
  };
  const { result } = await planned(profile, { spec: standard, review });
  if (!("plan" in result)) throw new Error("a failure");
  expect(Object.keys(result.plan.ownership).sort()).toEqual(
    standard.requirements.map(({ id }) => id).sort(),
  );
  expect(tokensOf(textOf(asked[0]))).toBeLessThan(28_000);
  expect(textOf(asked[0])).toContain("this is its outline");
});
