/** The tree of a run as data, for `fractal tree --json`. */
import { renderInstant } from "../domain/instant.ts";
import type { RunState, TaskState } from "../domain/run-state.ts";
import { colourOf, statusOf, waitsFor } from "../rules/status.ts";
import { costOfTask, tallyOf, usageOfTask } from "./tally.ts";

/** The run and its tasks, nested as they stand. Costs are null where unknown. */
export function treeJson(state: RunState): Record<string, unknown> {
  const tally = tallyOf(state);
  return {
    run_id: state.runId,
    spec: { path: state.spec.path, hash: state.spec.hash, title: state.spec.title },
    base: state.base,
    branch: state.branch,
    contained: state.contained,
    models: state.models,
    stopped: state.stopped
      ? { reason: state.stopped.reason, exit_code: state.stopped.exitCode }
      : null,
    merged: (state.merged ?? []).map(({ into, tip, after, by, atMs }) => {
      return { into, tip, after, by, at: renderInstant(atMs) };
    }),
    leaves: tally.leaves,
    by_status: Object.fromEntries(tally.byStatus),
    unchecked: tally.unchecked,
    calls: state.calls,
    usage: state.usage,
    cost_usd: state.costUsd ?? null,
    questions: [...state.questions.values()]
      .filter((question) => question.state === "open")
      .map((question) => ({
        id: question.id,
        about: question.about,
        kind: question.kind,
        title: question.title,
        why: question.why,
        options: question.options,
        tried: question.tried,
        blocks: question.blocks,
      })),
    root: taskJson(state, state.rootId),
  };
}

function taskJson(state: RunState, id: string): Record<string, unknown> | null {
  const task = state.tasks.get(id);
  if (task === undefined) return null;
  const waits = waitsFor(state, id);
  return {
    id,
    key: task.key,
    title: task.contract.title,
    status: statusOf(state, id),
    colour: colourOf(state, id),
    kind: task.contract.kind,
    size: task.contract.size,
    shape: task.shape,
    origin: task.origin,
    priority: task.priority,
    unchecked: task.unchecked,
    depends_on: task.dependsOn,
    waits_for: waits === "" ? null : waits,
    question: task.question ?? null,
    taken_by: task.takenBy ?? null,
    reason: task.endReason ?? null,
    commit: task.commit ?? null,
    attempts: task.attempts.map(attemptJson),
    usage: usageOfTask(task),
    cost_usd: costOfTask(task) ?? null,
    children: task.children.map((child) => taskJson(state, child)),
  };
}

function attemptJson(attempt: TaskState["attempts"][number]): Record<string, unknown> {
  return {
    number: attempt.number,
    role: attempt.role,
    model: attempt.model,
    outcome: attempt.outcome ?? null,
    failure: attempt.failure?.failure ?? null,
    calls: attempt.calls,
    usage: attempt.usage,
    cost_usd: attempt.costUsd ?? null,
    duration_ms: attempt.endedAt === undefined ? null : attempt.workedMs,
  };
}
