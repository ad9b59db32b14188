/** A budget holds: what is paid for is finished, one question is asked, and nothing is paid for twice. */
import { describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/domain/event.ts";
import { overspent } from "../../src/rules/money/overspent.ts";
import { type ServedCall, startModelServer } from "../support/model-server.ts";
import { aPart, aPlan, called, files } from "./plans.ts";
import { aRig, type Rig, until } from "./rig.ts";

const PARTS = ["one", "two", "three"] as const;

/** Three functions that need nothing of each other. */
const SPEC = `---
root: lib
---
# Three numbers

- R1: \`one(1)\` returns \`1\`.
- R2: \`two(1)\` returns \`2\`.
- R3: \`three(1)\` returns \`3\`.
`;

const PLAN = aPlan(
  PARTS.map((key) => aPart(key)),
  {
    interfaces: PARTS.map((key) => ({
      part: key,
      file: `${key}.mjs`,
      name: key,
      declaration: `export function ${key}(n)`,
      doc: "A number.",
    })),
    acceptance: PARTS.map((key, at) => called(key, `R${at + 1}`, key, [1], at + 1)),
  },
);

const partOf = ({ last }: Pick<ServedCall, "last">) =>
  PARTS.find((key) => last.includes(`Write ${key}.`));

/** The right answer, which costs 0.05 dollars at the price below. */
function right(call: ServedCall) {
  const key = partOf(call) ?? "one";
  const value = PARTS.indexOf(key) + 1;
  const text = files({ [`${key}.mjs`]: `export function ${key}(n) { return n * ${value}; }` });
  return { text, usage: { input: 4000, output: 1000 } };
}

/** Ten dollars per million tokens: a call of the worker's reserves about 0.06. */
function configured(rig: Rig, url: string, more: Record<string, unknown> = {}): void {
  rig.settings({
    model: { model: "openai:test", price: { input: 10, output: 10 } },
    base_url: url,
    jobs: 2,
    limits: { backoff_base_ms: 20, backoff_max_ms: 100 },
    ...more,
  });
}

const opened = (events: RunEvent[]) =>
  events.filter((event) => event.event_type === "question.opened");
const done = (events: RunEvent[]) =>
  events.flatMap((event) =>
    event.event_type === "task.done" ? [event.task_id?.split(".").at(-1)] : [],
  );

describe("a run whose budget is spent", () => {
  it("finishes what is paid for, asks once, ends with exit 5, and goes on when it is raised", async () => {
    using rig = aRig();
    await using server = await startModelServer(right);
    configured(rig, server.openaiUrl);
    const plan = rig.plan(SPEC, { root: PLAN });

    const first = await rig.fractal(["run", plan, "--budget", "0.13usd"]);

    expect(first.exitCode, first.all).toBe(5);
    expect(first.stdout).toContain("the budget of the run is spent");
    expect(done(rig.events())).toHaveLength(2);
    const questions = opened(rig.events());
    expect(questions).toMatchObject([{ kind: "budget", task_id: null, blocks: [] }]);
    const question = questions[0]?.question ?? "";
    expect(overspent(rig.events())).toEqual([]);
    // The tracker has it, as any other question, and no task waits for it by an edge.
    const shown = JSON.parse(rig.bd("show", question, "--json"))[0];
    expect(shown).toMatchObject({ status: "open", labels: ["human"] });

    // An answer that cannot be carried out is refused, and the question stays.
    const unclear = await rig.fractal(["answer", question, "yes please"]);
    expect(unclear.exitCode, unclear.all).toBe(2);
    expect(unclear.stderr).toContain("raise 2usd");
    const again = await rig.fractal(["resume"]);
    expect(again.exitCode, again.all).toBe(5);
    expect(opened(rig.events())).toHaveLength(1);

    const answered = await rig.fractal(["answer", question, "raise 1usd"]);
    expect(answered.exitCode, answered.all).toBe(0);
    const last = await rig.fractal(["resume"]);

    expect(last.exitCode, last.all).toBe(0);
    // Each task was asked about once: what was paid for was not asked again.
    expect(server.calls.map(partOf).sort()).toEqual([...PARTS].sort());
    const events = rig.events();
    expect(overspent(events)).toEqual([]);
    expect(events.filter((event) => event.event_type === "budget.set")).toMatchObject([
      { scope: "run", limit: { usd: 1.13 } },
    ]);
    // It cost no attempt.
    const attempts = events.filter((event) => event.event_type === "attempt.ended");
    expect(attempts.filter(({ role }) => role === "worker").map((one) => one.attempt)).toEqual([
      1, 1, 1,
    ]);
    const cost = JSON.parse((await rig.fractal(["cost", "--by", "task", "--json"])).stdout).data;
    expect(cost.total).toMatchObject({ calls: 3, tokens: 15_000, reserved_calls: 0 });
    expect(cost.total.spent_usd).toBeCloseTo(0.15, 9);
    expect(cost.budgets).toMatchObject([{ scope: "run", unit: "usd", limit: 1.13 }]);
  });

  it("understands the same answer by bd, and asks again when it does not", async () => {
    using rig = aRig();
    await using server = await startModelServer(right);
    configured(rig, server.openaiUrl, { budget: { task: "0calls" } });
    const plan = rig.plan(SPEC, { root: PLAN });

    const first = await rig.fractal(["run", plan]);
    expect(first.exitCode, first.all).toBe(5);
    expect(server.calls).toHaveLength(0);
    // The limit is of each task, so each is asked about, and waits for its own answer.
    const ids = opened(rig.events()).map((event) => event.question);
    expect(ids).toHaveLength(3);
    const [one = "", two = "", three = ""] = ids;

    rig.bd("human", "respond", one, "--response", "raise 2calls");
    rig.bd("human", "respond", two, "--response", "more!");
    const taskOfThree = three.split(".q")[0] ?? "";
    rig.bd("human", "respond", three, "--response", `drop ${taskOfThree}`);
    const next = await rig.fractal(["resume"]);

    expect(next.exitCode, next.all).toBe(5);
    expect(server.calls).toHaveLength(1);
    const asked = opened(rig.events()).slice(3);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ why: expect.stringContaining('"more!" was not understood') });
    const dropped = rig.events().filter((event) => event.event_type === "task.cancelled");
    expect(dropped.map((event) => event.task_id)).toEqual([taskOfThree]);

    const last = await rig.fractal(["resume", "--budget", "task=1calls"]);
    expect(last.exitCode, last.all).toBe(0);
    expect(server.calls).toHaveLength(2);
    const closed = rig.events().filter((event) => event.event_type === "question.closed");
    expect(closed).toMatchObject([{ how: "moot" }]);
  });
});

describe("a call that was never answered", () => {
  it("keeps its reservation after kill -9, beside what it costs when it is asked again", async () => {
    using rig = aRig();
    let isSilent = true;
    await using server = await startModelServer((call) =>
      isSilent ? { fault: "silence" } : right(call),
    );
    configured(rig, server.openaiUrl, { jobs: 1 });
    const plan = rig.plan(SPEC, { root: PLAN });
    const run = rig.start(["run", plan, "--budget", "2usd"]);
    await until("a call", () => server.calls.length > 0);
    run.kill("SIGKILL");
    await run;
    const started = rig.events().find((event) => event.event_type === "call.started");
    const reserved = started?.event_type === "call.started" ? started.reserved : undefined;
    expect(reserved?.usd).toBeGreaterThan(0.02);
    isSilent = false;

    const resumed = await rig.fractal(["resume"]);

    expect(resumed.exitCode, resumed.all).toBe(0);
    expect(overspent(rig.events())).toEqual([]);
    const { total } = JSON.parse((await rig.fractal(["cost", "--json"])).stdout).data;
    expect(total.reserved_usd).toBe(reserved?.usd);
    expect(total.spent_usd).toBeCloseTo(0.15, 9);
    expect(server.calls).toHaveLength(4);
    // Whoever resumes once more pays nothing.
    const table = await rig.fractal(["cost"]);
    expect(table.stdout).toMatch(/^worker\t3\t/m);
  });
});

describe("a budget in dollars", () => {
  it("is refused with exit 2 where a price is unknown, before anything is made", async () => {
    using rig = aRig();
    const plan = rig.plan(SPEC, { root: PLAN });
    const model = ["--model", "openai:test", "--base-url", "http://127.0.0.1:9/v1"];

    const ran = await rig.fractal(["run", plan, ...model, "--budget", "5usd"]);

    expect(ran.exitCode, ran.all).toBe(2);
    expect(ran.stderr).toContain("the price of openai:test");
    expect(ran.stderr).toContain("--budget 200ktokens");
    expect(() => rig.runs()).toThrow();
  });
});
