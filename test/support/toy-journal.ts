/** The journal of a run played by chance: some of everything that happens, and goes wrong. */
import { memoryJournal } from "../../src/adapters/journal/memory.ts";
import type { Fact, NewEvent, RunEvent } from "../../src/domain/event.ts";
import type { TaskState } from "../../src/domain/run-state.ts";
import { reconcile } from "../../src/rules/reconcile.ts";
import { aVerdict } from "./builders.ts";
import { type Chance, chanceOf, toyRun } from "./toy-run.ts";

/** Calls, checks, decisions, drift and ends of processes, which a toy run alone leaves out, come in between. */
export async function journalOf(seed: number): Promise<RunEvent[]> {
  const chance = chanceOf(seed);
  const journal = memoryJournal("toy");
  const run = toyRun(chance, {}, journal);
  const { store } = run;
  for (let pass = 0; pass < 60; pass++) {
    const actions = reconcile(run.snapshot(), run.limits, run.clock.nowMs);
    if (actions.some((action) => action.kind === "stop")) break;
    for (const action of actions) await run.start(action);
    store.record([...ofRun(chance, pass), ...ofTasks(chance, [...store.state.tasks.values()])]);
    for (const id of [...run.busy.keys()]) if (chance(2) === 0) await run.finish(id);
    run.clock.nowMs += 1_000;
  }
  return [...journal.read()];
}

const about = (task: string | null, fact: Fact): NewEvent => ({
  ...fact,
  task_id: task,
  actor: "fractal",
});

function ofRun(chance: Chance, pass: number): NewEvent[] {
  const work = { role: "worker", count: chance(5), urgency: chance(11), why: "some" } as const;
  const stopped = { event_type: "run.stopped", reason: "stopped", exit_code: 130 } as const;
  const resumed = { event_type: "run.resumed", pid: pass, models: {}, contained: true } as const;
  return [
    about(null, { event_type: "pass.decided", decision: "continue", reason: `pass ${pass}` }),
    ...(chance(4) === 0 ? [about(null, { event_type: "work.detected", work: [work] })] : []),
    ...(chance(20) === 0 ? [about(null, stopped)] : []),
    ...(chance(15) === 0 ? [about(null, resumed)] : []),
  ];
}

function ofTasks(chance: Chance, tasks: TaskState[]): NewEvent[] {
  return tasks.flatMap((task) => {
    if (task.lease === undefined) return [];
    const { attempt, role } = task.lease;
    const call = { attempt, role, turn: String(chance(3)), model: "toy", provider: "toy" };
    const usage = { inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0 };
    const price = chance(5) === 0 ? null : chance(100) / 100;
    const started = { event_type: "call.started", ...call, request: "r", prompt: "p" } as const;
    const end: Fact =
      chance(4) === 0
        ? {
            event_type: "call.failed",
            ...call,
            failure: { failure: "model-unavailable", detail: "gone" },
            duration_ms: 3,
          }
        : {
            event_type: "call.answered",
            ...call,
            reply: "a",
            usage,
            cost_usd: price,
            duration_ms: 5,
            answered_by: "toy",
            stop_reason: "end",
          };
    const red = aVerdict({ passed: false, reason: "red" });
    for (const result of red.results) result.passed = chance(2) === 0;
    return [
      about(task.id, started),
      ...(chance(6) === 0 ? [] : [about(task.id, end)]),
      ...(chance(8) === 0
        ? [about(task.id, { event_type: "task.rolled_up", verdict: red, tree: "t" })]
        : []),
      ...(chance(10) === 0
        ? [about(task.id, { event_type: "drift.seen", kind: "edited", detail: "edited: title" })]
        : []),
    ];
  });
}
