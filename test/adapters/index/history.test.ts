/** What single events add to the tables that grow. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Fact, NewEvent } from "../../../src/domain/event.ts";
import { aVerdict } from "../../support/builders.ts";
import { asked, indexOf } from "../../support/index-hash.ts";
import { aClock, aStoreWith, on } from "../../support/leaf-store.ts";

const call = { attempt: 1, turn: "1", role: "worker", model: "m", provider: "p" } as const;
const started = on("t", { event_type: "call.started", ...call, request: "asked", prompt: "" });
const answered = on("t", {
  event_type: "call.answered",
  ...call,
  reply: "said",
  usage: { inputTokens: 10, outputTokens: 5, cacheReadTokens: 3, cacheWriteTokens: 2 },
  cost_usd: 0.25,
  duration_ms: 40,
  answered_by: "m-1",
  stop_reason: "end",
});
const failed = on("t", {
  event_type: "call.failed",
  ...call,
  failure: { failure: "model-unavailable", detail: "gone" },
  duration_ms: 7,
});
const ofRun = (fact: Fact): NewEvent => ({ ...fact, task_id: null, actor: "fractal" });

/** The answer of an index that was caught up after each event, a second apart. */
function askedAfter(added: NewEvent[], sql: string): unknown[][] {
  const folder = mkdtempSync(join(tmpdir(), "fractal-history-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "index.db");
  const clock = aClock();
  const store = aStoreWith("running", clock);
  let index = indexOf(file, store.journal.read(), { runId: "r" });
  for (const event of added) {
    clock.nowMs += 1_000;
    store.record([event]);
    index = indexOf(file, store.journal.read(), { runId: "r" });
  }
  return asked(index, sql);
}

describe("the history of a run", () => {
  it("has a call once it is begun, and its end with the call that ended", () => {
    const sql = "SELECT ended IS NOT NULL, outcome, reply, cost_usd, input_tokens FROM model_calls";
    expect(askedAfter([started], sql)).toEqual([[0, null, null, null, null]]);
    expect(askedAfter([started, answered], sql)).toEqual([[1, "end", "said", 0.25, 10]]);
    expect(askedAfter([started, failed], sql)).toEqual([
      [1, "model-unavailable", null, null, null],
    ]);
    // Cut off by a crash, and made again under its name.
    expect(askedAfter([started, started, answered], sql)).toEqual([
      [0, null, null, null, null],
      [1, "end", "said", 0.25, 10],
    ]);
    expect(askedAfter([started, failed, started, answered], sql)).toEqual([
      [1, "model-unavailable", null, null, null],
      [1, "end", "said", 0.25, 10],
    ]);
  });

  it("has each process of the controller with its end, and of a killed one its last sign of life", () => {
    const resumed = (pid: number) =>
      ofRun({ event_type: "run.resumed", pid, models: {}, contained: true });
    const stopped = ofRun({ event_type: "run.stopped", reason: "stopped", exit_code: 130 });
    const decided = (reason: string) =>
      ofRun({ event_type: "pass.decided", decision: "continue", reason });
    const rows = askedAfter(
      [decided("a"), decided("b"), stopped, resumed(7), decided("c"), resumed(8)],
      "SELECT execution, pid, decisions, exit, reason, substr(ended, 18, 2) FROM orchestrator_executions",
    );
    expect(rows).toEqual([
      [1, null, 2, 130, "stopped", "03"],
      [2, 7, 1, null, null, "05"],
      [3, 8, 0, null, null, null],
    ]);
  });

  it("has what was found of work, and the results of checks", () => {
    const work = [
      { role: "worker", count: 3, urgency: 7, why: "3 due" },
      { role: "human", count: 0, urgency: 0, why: "nothing to do" },
    ] as const;
    const found = ofRun({ event_type: "work.detected", work: [...work] });
    const sql = "SELECT role, urgency, count, why, at FROM work_detection_cache";
    expect(askedAfter([found], sql)).toEqual([
      ["worker", 7, 3, "3 due", "2026-01-05T12:00:01.000Z"],
      ["human", 0, 0, "nothing to do", "2026-01-05T12:00:01.000Z"],
    ]);
    const rolled = on("t", { event_type: "task.rolled_up", verdict: aVerdict(), tree: "" });
    expect(
      askedAfter([rolled], "SELECT task_id, attempt, name, passed, gates FROM checks"),
    ).toEqual([["t", null, "works", 1, 1]]);
  });
});
