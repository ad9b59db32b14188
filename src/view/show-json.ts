/** Everything about one task as data, for `fractal show --json`. */
import { colourOf, statusOf, waitsFor } from "../rules/status.ts";
import { requirementsOf } from "./requirements.ts";
import type { ShowSource } from "./show.ts";
import { costOfTask, usageOfTask } from "./tally.ts";
import { callsOf } from "./task-calls.ts";

/** One task or question; undefined when the run has none of that id. Texts are whole. */
export function showJson(source: ShowSource, id: string): Record<string, unknown> | undefined {
  const { state } = source;
  const question = state.questions.get(id);
  if (question !== undefined) return { question };
  const task = state.tasks.get(id);
  if (task === undefined) return undefined;
  return {
    id,
    key: task.key,
    status: statusOf(state, id),
    colour: colourOf(state, id),
    unchecked: task.unchecked,
    waits_for: waitsFor(state, id) || null,
    parent: task.parent,
    children: task.children,
    depends_on: task.dependsOn,
    priority: task.priority,
    shape: task.shape,
    reason: task.endReason ?? null,
    commit: task.commit ?? null,
    contract: task.contract,
    requirements: requirementsOf(state, task, source.blob),
    assumptions: task.assumptions,
    guidance: task.guidance,
    questions: task.questions.flatMap((one) => state.questions.get(one) ?? []),
    attempts: task.attempts.map((attempt) => ({ ...attempt, costUsd: attempt.costUsd ?? null })),
    calls: callsOf(source.events, id, source.blob),
    rollup: task.rollup ?? null,
    usage: usageOfTask(task),
    cost_usd: costOfTask(task) ?? null,
  };
}
