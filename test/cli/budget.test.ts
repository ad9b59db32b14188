/** Budgets of flags, environment, files and front matter: which one holds, and who may only tighten. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { tightened } from "../../src/cli/budget.ts";
import { type Config, loadConfig } from "../../src/cli/config.ts";
import { isRefusal, type Refusal } from "../../src/cli/exit.ts";
import type { Spec } from "../../src/domain/spec.ts";
import { parseSpec } from "../../src/rules/spec/spec.ts";

interface Sources {
  repository?: string;
  user?: string;
  env?: Record<string, string>;
  flags?: string[];
}

function load({ repository, user, env, flags }: Sources): Promise<Config | Refusal> {
  const dir = mkdtempSync(join(tmpdir(), "fractal-budget-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, "home/fractal"), { recursive: true });
  if (repository !== undefined) writeFileSync(join(dir, "fractal.yaml"), repository);
  if (user !== undefined) writeFileSync(join(dir, "home/fractal/config.yaml"), user);
  return loadConfig({
    dir,
    env: { XDG_CONFIG_HOME: join(dir, "home"), ...env },
    flags: flags === undefined ? {} : { budget: flags },
  });
}

async function budgetOf(sources: Sources) {
  const config = await load(sources);
  if (isRefusal(config)) throw new Error(config.where.join("\n"));
  return config.budget;
}

describe("a budget in settings", () => {
  it("is of the run when it names no scope, else of a role, a tier, or each task", async () => {
    expect(await budgetOf({ user: "budget: 5usd 90min" })).toEqual({
      run: { usd: 5, minutes: 90 },
    });
    expect(await budgetOf({ user: "budget: {run: 5usd, worker: 1usd, task: 20calls}" })).toEqual({
      run: { usd: 5 },
      worker: { usd: 1 },
      task: { calls: 20 },
    });
    const flags = ["5usd", "200ktokens", "small=1usd", "fr-x.a1=2usd"];
    expect(await budgetOf({ flags })).toEqual({
      run: { usd: 5, tokens: 200_000 },
      small: { usd: 1 },
    });
    expect(await budgetOf({ env: { FRACTAL_BUDGET: "5usd, worker=9calls" } })).toEqual({
      run: { usd: 5 },
      worker: { calls: 9 },
    });
  });

  it("of a flag beats the environment and the user's file, unit by unit", async () => {
    const user = "budget: {run: 5usd 100calls}";
    expect(await budgetOf({ user, flags: ["9usd"] })).toEqual({ run: { usd: 9, calls: 100 } });
    const env = { FRACTAL_BUDGET: "7usd" };
    expect(await budgetOf({ user, env })).toEqual({ run: { usd: 7, calls: 100 } });
  });

  it("of a repository tightens what a person says, and never loosens it", async () => {
    const repository = "budget: {run: 3usd, worker: 10calls}";
    expect(await budgetOf({ repository, flags: ["9usd"] })).toEqual({
      run: { usd: 3 },
      worker: { calls: 10 },
    });
    expect(await budgetOf({ repository, user: "budget: 2usd" })).toMatchObject({ run: { usd: 2 } });
    const config = (await load({ repository, flags: ["9usd"] })) as Config;
    const shown = config.settings.find(({ key }) => key === "budget.run");
    expect(shown).toEqual({ key: "budget.run", value: "3usd", origin: "fractal.yaml:1" });
  });

  it("of a specification's front matter tightens it too", () => {
    const spec = parseSpec(
      "s.md",
      "---\nbudget: {run: 2usd, fixer: 3calls}\n---\n# T\n\n- R1: a\n",
      "h",
    );
    expect(tightened({ run: { usd: 9, tokens: 50 } }, (spec as Spec).budget)).toEqual({
      run: { usd: 2, tokens: 50 },
      fixer: { calls: 3 },
    });
  });

  it.each([
    [{ repository: "budget: 5\n" }, "fractal.yaml:1:1 `budget.run`: `5` is no amount: write 5usd"],
    [{ repository: "budget: [5usd]\n" }, "must be an amount (5usd"],
    [
      { repository: "budget:\n  wroker: 5usd\n" },
      "fractal.yaml:2:3 unknown key `budget.wroker`: did you mean `worker`?",
    ],
    [{ flags: ["5"] }, "--budget `budget.run`: `5` is no amount"],
    [{ flags: ["worker=x"] }, "--budget `budget.worker`: `x` is no amount"],
    [{ env: { FRACTAL_BUDGET: "wroker=1usd" } }, "FRACTAL_BUDGET unknown key `budget.wroker`"],
  ])("%j is refused: %s", async (sources, said) => {
    const refused = await load(sources);
    if (!isRefusal(refused)) throw new Error("it was accepted");
    expect(refused.exit).toBe(2);
    expect(refused.where.join("\n")).toContain(said);
  });
});
