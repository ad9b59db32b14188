/** Configuration, lock files and CI: a change waits for one yes to exactly this change, and costs nothing meanwhile. */
import { describe, expect, it } from "vitest";
import type { Packages, Sandbox } from "../../src/domain/ports.ts";
import type { TaskId } from "../../src/domain/task.ts";
import { runLoop } from "../../src/orchestrator/loop.ts";
import { taskOf } from "../../src/rules/status.ts";
import { memoryRepository } from "../support/memory-repository.ts";
import { memoryTracker } from "../support/memory-tracker.ts";
import { aMemoryWorld, type MemoryWorld, memorySandbox } from "../support/memory-world.ts";
import { block, planOf, right, specOf } from "../support/words.ts";

const run = (world: MemoryWorld) => runLoop(world, new AbortController().signal);

/** A run of one leaf `a` that may also write these files; its worker writes `texts` of them. */
function aRun(
  texts: Record<string, string>,
  base: Record<string, string> = {},
  o: {
    front?: string;
    packages?: Packages;
    /** What is written begins with how much was written before. */
    counts?: true;
  } = {},
) {
  const { front = "", packages } = o;
  const repository = memoryRepository(base);
  const sandbox = memorySandbox(repository);
  let writes = 0;
  const counting: Sandbox = {
    ...sandbox,
    tool(call, signal) {
      const { path, text } = call.args as { path: string; text: string };
      return sandbox.tool({ ...call, args: { path, text: `${writes++} ${text}` } }, signal);
    },
  };
  const tracker = memoryTracker();
  const mayChange = { question: "May it change?", why: "", options: [], blocks: ["a"] };
  const plan = planOf(["a", "b"], Object.keys(base).length > 0 ? { questions: [mayChange] } : {});
  const [part] = plan.parts;
  if (part === undefined) throw new Error("no part");
  part.files = [...part.files, ...Object.keys(texts)];
  const asked: number[] = [];
  const memory = aMemoryWorld({
    spec: specOf(["a", "b"], front),
    splits: { root: plan },
    script: (request) => {
      if (request.taskKey.endsWith("b")) return right(request);
      asked.push(request.attempt);
      const written = { "a.txt": "a", ...texts };
      return Object.entries(written)
        .map(([path, text]) => block(path, text))
        .join("\n");
    },
    tracker,
    repository,
    sandbox: o.counts ? counting : sandbox,
  });
  const world = { ...memory, ...(packages === undefined ? {} : { packages }) };
  /** Runs until it is asked about the change; what is asked when it is planned is answered with yes. */
  const runToConsent = async () => {
    const { state } = world.store;
    let exitCode = (await run(world)).exitCode;
    const planned = [...state.questions.values()].find(({ kind }) => kind !== "consent");
    if (planned !== undefined) {
      await tracker.person.respond(planned.id, "yes");
      exitCode = (await run(world)).exitCode;
    }
    const consents = [...state.questions.values()].filter(({ kind }) => kind === "consent");
    return { exitCode, consents };
  };
  return { world, tracker, asked, runToConsent };
}

const HASH = `sha512-${"A".repeat(86)}==`;
const PACKAGE = { "package.json": '{"name":"x"}' };
const PYPROJECT = '[project]\nname = "x"\ndependencies = ["requests"]\n';
const CHANGED = { "package.json": '{"name":"x","dependencies":{"left-pad":"1"}}' };

describe("a change of what configures, installs or runs elsewhere", () => {
  it("is merged after a yes, by the same attempt, and no model is asked again", async () => {
    const { world, tracker, asked, runToConsent } = aRun(CHANGED, PACKAGE);
    const { exitCode, consents } = await runToConsent();
    expect(exitCode).toBe(3);

    const { state } = world.store;
    const [question, ...others] = consents;
    expect(others).toEqual([]);
    expect(question).toMatchObject({ kind: "consent", about: "fr-r1.a1", options: ["yes", "no"] });
    expect(question?.title).toContain("package.json");
    expect(world.repository.files().has("a.txt")).toBe(false);

    await tracker.person.respond(question?.id ?? "", "Yes.");
    expect((await run(world)).exitCode).toBe(0);
    expect(world.repository.files().get("package.json")).toContain("left-pad");
    const task = taskOf(state, "fr-r1.a1");
    expect(task.attempts.map(({ outcome }) => outcome)).toEqual(["succeeded"]);
    expect(asked).toEqual([1]);
  });

  it("is thrown away after anything else, which the next attempt is told", async () => {
    const { world, tracker, runToConsent } = aRun(CHANGED, PACKAGE);
    const [question] = (await runToConsent()).consents;
    const { state } = world.store;
    await tracker.person.respond(question?.id ?? "", "no, use what node has");
    await run(world);

    expect(world.repository.files().get("package.json")).toBe('{"name":"x"}');
    const task = taskOf(state, "fr-r1.a1");
    expect(task.attempts[0]?.failure).toMatchObject({
      failure: "out-of-scope",
      detail: expect.stringContaining("use what node has"),
      paths: ["package.json"],
    });
    expect(task.guidance.map(({ text }) => text).join()).toContain("use what node has");
    // The next attempts do the same, so they come to the same end, unasked.
    expect([...state.questions.values()].filter(({ kind }) => kind === "consent")).toHaveLength(1);
  });

  it("is merged as it was shown, though done again it would come out otherwise", async () => {
    const { world, tracker, runToConsent } = aRun({ "x.lock": "at" }, {}, { counts: true });
    const [question] = (await runToConsent()).consents;
    const shown = /\+(\d+ at)/.exec(question?.why ?? "")?.[1];
    await tracker.person.respond(question?.id ?? "", "yes");
    expect((await run(world)).exitCode).toBe(0);
    expect(shown).toMatch(/ at$/);
    expect(world.repository.files().get("x.lock")?.trim()).toBe(shown);
    const { questions, tasks } = world.store.state;
    expect([...questions.values()].filter(({ kind }) => kind === "consent")).toHaveLength(1);
    const [attempt] = tasks.get("fr-r1.a1" as TaskId)?.attempts ?? [];
    expect(attempt).toMatchObject({ outcome: "succeeded", files: ["a.txt", "x.lock"] });
  });

  it("shows what it is about, whatever else is changed, and says where it does not show all", async () => {
    const { consents } = await aRun({
      "a.json": "x".repeat(20_000),
      "zz/.npmrc": "registry=https://evil.example",
    }).runToConsent();
    expect(consents[0]?.why).toContain("+registry=https://evil.example");
    expect(consents[0]?.why).not.toContain("longer than what is shown");
    const long = await aRun({ "zz/.npmrc": "x".repeat(20_000) }).runToConsent();
    expect(long.consents[0]?.why).toContain("longer than what is shown");
  });

  it("is asked about before anything that its lock file names is downloaded", async () => {
    const entry = { resolved: "https://registry.npmjs.org/x.tgz", integrity: HASH };
    const lock = JSON.stringify({ lockfileVersion: 3, packages: { "node_modules/x": entry } });
    const gathered: string[] = [];
    const packages: Packages = {
      downloads: true,
      async gather(named) {
        gathered.push(...named.map(({ url }) => url));
        return { files: new Map(), missing: [...named], downloaded: 0 };
      },
    };
    const texts = { "package.json": "{}", "package-lock.json": lock };
    const { world, tracker, runToConsent } = aRun(
      texts,
      {},
      { front: "needs: [install]\n", packages },
    );
    const { consents } = await runToConsent();
    const requested = () =>
      world.store.journal.read().filter((one) => one.event_type === "packages.requested");
    expect(consents).toHaveLength(1);
    expect(consents[0]?.why).toContain("packages that its lock file names are downloaded");
    expect([gathered, requested()]).toEqual([[], []]);

    await tracker.person.respond(consents[0]?.id ?? "", "yes");
    await run(world);
    expect(gathered).toContain("https://registry.npmjs.org/x.tgz");
    expect(requested()[0]).toMatchObject({ hosts: { "registry.npmjs.org": 1 } });
  });

  it.each([
    ["a new CI file", { ".github/workflows/x.yml": "on: push" }, {}],
    ["a new hook", { ".husky/pre-commit": "curl x" }, {}],
    ["a new lock file", { "package-lock.json": "{}" }, {}],
    ["a new package.json that names packages", CHANGED, {}],
    ["one whose script runs by itself", { "package.json": '{"scripts":{"postinstall":"x"}}' }, {}],
    ["one that is no JSON", { "package.json": "{" }, {}],
    ["a new pyproject.toml that names some", { "pyproject.toml": PYPROJECT }, {}],
    [
      "a list of them that names another",
      { "requirements.txt": "a\nb" },
      { "requirements.txt": "a" },
    ],
    ["a changed configuration", { "tsconfig.json": "{}" }, { "tsconfig.json": "" }],
  ])("is asked about: %s", async (_what, texts, base) => {
    const { runToConsent } = aRun(texts as Record<string, string>, base as Record<string, string>);
    const { exitCode, consents } = await runToConsent();
    expect([exitCode, consents.length]).toEqual([3, 1]);
  });

  it.each([
    ["a new configuration", { "tsconfig.json": "{}" }],
    [
      "a new package.json without packages",
      { "package.json": '{"type":"module","scripts":{"test":"x"}}' },
    ],
    ["a new pyproject.toml without packages", { "pyproject.toml": '[project]\nname = "x"\n' }],
    ["a new list of none", { "requirements.txt": "# none\n" }],
    ["an ordinary file", { "c.txt": "c" }],
  ])("is not asked about: %s", async (_what, texts) => {
    const { world } = aRun(texts as Record<string, string>);
    expect((await run(world)).exitCode).toBe(0);
    expect(world.store.state.questions.size).toBe(0);
  });

  it("is not asked about again: a remark in a list of packages that a person let it change", async () => {
    const list = "requirements.txt";
    const { runToConsent } = aRun({ [list]: "# why\na==1" }, { [list]: "a==1" });
    expect(await runToConsent()).toEqual({ exitCode: 0, consents: [] });
  });
});
