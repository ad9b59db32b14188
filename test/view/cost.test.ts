/** What `fractal cost` shows: sums that are right, and what is unknown called so. */
import { describe, expect, it } from "vitest";
import { costJson, renderCost } from "../../src/view/cost.ts";
import { aPurse, type Purse } from "../support/purse.ts";

/** Two tasks were paid for, one call is under way, one was never answered. */
function aSpender(): Purse {
  const purse = aPurse();
  purse.limit("run", { usd: 1 });
  purse.limit("task", { calls: 5 });
  purse.start("r", "planner", "1", { usd: 0.2, tokens: 900 });
  purse.answer("r", "planner", "1", { usd: 0.1, tokens: 500 });
  purse.start("r.a1.a1", "worker", "1", { usd: 0.2, tokens: 400 });
  purse.answer("r.a1.a1", "worker", "1", { usd: 0.3, tokens: 300 });
  purse.start("r.a1.a2", "worker", "1", { usd: 0.05, tokens: 200 });
  purse.fail("r.a1.a2", "worker", "1");
  purse.start("r.a2", "worker", "1", { usd: 0.06, tokens: 250 });
  return purse;
}

type Json = {
  rows: Record<string, unknown>[];
  total: Record<string, unknown>;
  budgets: unknown[];
};
const json = (purse: Purse, by: "role" | "model" | "task" | "level") =>
  costJson(purse.store.state, by, purse.clock.nowMs) as Json;

describe("what a run cost", () => {
  it("is summed by role, the dearest first, with what is reserved and each one's share", () => {
    const { rows, total } = json(aSpender(), "role");
    expect(rows).toMatchObject([
      { name: "worker", calls: 1, tokens: 300, spent_usd: 0.3, reserved_calls: 2, share: 0.75 },
      { name: "planner", calls: 1, tokens: 500, spent_usd: 0.1, reserved_calls: 0, share: 0.25 },
    ]);
    expect(total).toMatchObject({ calls: 2, tokens: 800, spent_usd: 0.4, reserved_tokens: 450 });
    expect(total).toMatchObject({ reserved_usd: 0.11 });
  });

  it("of a task holds all that is below it, in the order of the tree", () => {
    const { rows } = json(aSpender(), "task");
    expect(rows.map(({ name, tokens, reserved_calls }) => [name, tokens, reserved_calls])).toEqual([
      ["r", 800, 2],
      ["r.a1", 300, 1],
      ["r.a1.a1", 300, 0],
      ["r.a1.a2", 0, 1],
      ["r.a2", 0, 1],
    ]);
    const levels = json(aSpender(), "level").rows;
    expect(levels.map(({ name, tokens }) => [name, tokens])).toEqual([
      ["level 0", 500],
      ["level 1", 0],
      ["level 2", 300],
    ]);
  });

  it("names every budget with what counts against it", () => {
    expect(json(aSpender(), "role").budgets).toMatchObject([
      { scope: "run", task: null, unit: "usd", limit: 1 },
      { scope: "task", task: null, unit: "calls", limit: 5, used: null },
    ]);
  });

  it("is a table at a terminal, and plain lines in a pipe", () => {
    const purse = aSpender();
    const look = { colour: false, now: purse.clock.nowMs };
    expect(renderCost(purse.store.state, "role", { ...look, tables: true })).toBe(
      `${[
        "role     calls  tokens  spent    reserved      share",
        "worker   1      300     $0.3000  $0.1100 in 2  75 %",
        "planner  1      500     $0.1000                25 %",
        "all      2      800     $0.4000  $0.1100 in 2  100 %",
        "",
        "budget of  may use  used     left",
        "the run    $1.00    $0.5100  $0.4900",
        "each task  5 calls",
      ].join("\n")}`,
    );
    expect(renderCost(purse.store.state, "role", { ...look, tables: false }).split("\n")[0]).toBe(
      "worker\t1\t300\t$0.3000\t$0.1100 in 2\t75 %",
    );
  });

  it("is unknown where a price is, and shares go by tokens then", () => {
    const purse = aSpender();
    purse.record({
      task_id: "r.a2",
      actor: "worker",
      event_type: "call.answered",
      attempt: 1,
      turn: "1",
      role: "worker",
      model: "test:m",
      provider: "test",
      reply: "",
      usage: { inputTokens: 200, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 },
      cost_usd: null,
      duration_ms: 1,
      answered_by: "m",
      stop_reason: "end",
    });
    const { rows, total, budgets } = json(purse, "role");
    expect(total).toMatchObject({ spent_usd: null, tokens: 1000 });
    expect(rows).toMatchObject([
      { name: "planner", spent_usd: 0.1, share: 0.5 },
      { name: "worker", spent_usd: null, share: 0.5 },
    ]);
    expect(budgets[0]).toMatchObject({ used: null });
  });
});
