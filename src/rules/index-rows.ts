/** A run as rows of the index: what is wanted of each task, what it has, who works. */
import type { CurrentRows, RowOf } from "../domain/index-tables.ts";
import { renderInstant } from "../domain/instant.ts";
import { DEFAULT_LIMITS } from "../domain/limits.ts";
import type { RunState, TaskState } from "../domain/run-state.ts";
import type { TaskStatus } from "../domain/task.ts";
import { addCost, type CostUsd } from "../domain/usage.ts";
import { renderDenial } from "./money/budget-text.ts";
import { wavesOf } from "./plan/waves.ts";
import { judgeOf } from "./standing/judge.ts";
import type { Move, Standing } from "./standing.ts";
import { colourOf, descendantsOf, type Hold, statusOf } from "./status.ts";

/** All rows, tasks in the order of the tree, as of the journal's last line: no clock is read. */
export function currentRows(state: RunState): CurrentRows {
  const judge = judgeOf(
    { state, busy: new Map(), resting: new Map() },
    DEFAULT_LIMITS,
    state.lastAtMs,
  );
  const tasks = inTreeOrder(state);
  const waves = wavesOf(state);
  return {
    desired_state: tasks.map((task, position) => desiredRow(task, position)),
    actual_state: tasks.map((task) => actualRow(state, task, judge(task))),
    agents: agentRows(state, tasks),
    execution_graphs: tasks.map((task) => ({
      task_id: task.id,
      state: statusOf(state, task.id),
      wave: waves.get(task.id) ?? 0,
      parent: task.parent,
      edges: JSON.stringify(task.dependsOn),
    })),
    attempts: tasks.flatMap(attemptRows),
    questions: [...state.questions.values()].map((question) => ({
      question_id: question.id,
      task_id: question.about,
      kind: question.kind,
      state: question.state,
      title: question.title,
      opened: renderInstant(question.openedAt),
      by: question.by ?? null,
      answer: question.answer ?? null,
    })),
  };
}

function inTreeOrder(state: RunState): TaskState[] {
  const root = state.tasks.get(state.rootId);
  return root === undefined ? [] : [root, ...descendantsOf(state, root.id)];
}

/**
 * The status a task is to reach: done, unless a person said otherwise of it. What is done stays
 * wanted; what failed is wanted done as before.
 */
function desiredStatusOf(task: TaskState): TaskStatus {
  if (task.end === "done" || task.end === "accepted" || task.end === "cancelled") return task.end;
  return task.paused ? "paused" : "done";
}

/** In a few words, why a task is not yet as wanted; undefined when it is. */
function whyNotYet(state: RunState, task: TaskState, standing: Standing): string | undefined {
  const status = statusOf(state, task.id);
  if (status === desiredStatusOf(task)) return undefined;
  switch (standing.kind) {
    case "ended":
      return task.endReason ?? `${status} since`;
    case "asked":
      return `an answer to ${standing.question} is due`;
    case "under-way":
      return `${task.lease?.role ?? "code"} at work, attempt ${task.lease?.attempt ?? ""}`;
    case "held":
      return `${standing.hold.by} ${HELD[standing.hold.how]}`;
    case "reviewed":
      return `a person is asked about all below ${standing.by}`;
    case "resting":
      return `not before ${renderInstant(standing.untilMs)}`;
    case "probed":
      return `${standing.endpoint} was out of reach; ${standing.by} finds out whether it is back`;
    case "waiting":
      return `waits for ${standing.on.join(", ")}`;
    case "parent":
      return `${standing.children.length} of ${task.children.length} children are not settled`;
    case "reserved":
      return `${standing.file} is kept for ${standing.owner}`;
    case "taking-turns":
      return `${standing.owner} may write ${standing.file} and is at work`;
    case "denied":
      return `waits for more budget: ${renderDenial(standing.by)}`;
    case "due":
      return DUE[standing.move.kind];
  }
}

const DUE: { readonly [K in Move["kind"]]: string } = {
  plan: "its planning is due",
  attempt: "a worker's attempt is due",
  fix: "the fixer's turn",
  route: "to be routed to the next rung",
  "roll-up": "its roll-up is due",
  ask: "a question is to be asked",
  "give-up": "to be given up",
};

const HELD: { readonly [H in Hold["how"]]: string } = {
  paused: "is paused",
  taken: "is taken",
  deleted: "is deleted",
  cancelled: "is cancelled",
  accepted: "is accepted",
  failed: "is given up",
  unwritten: "is being split",
};

function desiredRow(task: TaskState, position: number): RowOf<"desired_state"> {
  return {
    task_id: task.id,
    desired_status: desiredStatusOf(task),
    dependencies: JSON.stringify(task.dependsOn),
    priority: task.priority,
    title: task.contract.title,
    parent: task.parent,
    position,
    shape: task.shape,
    kind: task.contract.kind,
    size: task.contract.size,
    requirements: JSON.stringify(task.contract.requirements),
  };
}

function actualRow(state: RunState, task: TaskState, standing: Standing): RowOf<"actual_state"> {
  const failed = task.attempts.filter(
    ({ outcome }) => outcome !== undefined && outcome !== "succeeded" && outcome !== "cancelled",
  );
  const newest = task.attempts.at(-1);
  const error = failed.at(-1);
  const cost = task.attempts.reduce<CostUsd>((sum, one) => addCost(sum, one.costUsd), 0);
  return {
    task_id: task.id,
    actual_status: statusOf(state, task.id),
    assigned_agent: task.lease?.holder ?? task.takenBy ?? null,
    last_attempt: newest === undefined ? null : renderInstant(newest.startedAt),
    failure_count: failed.length,
    last_error: error?.failure?.detail ?? error?.summary ?? null,
    attempts: task.attempts.length,
    attempts_left: task.attemptsLeft,
    why: whyNotYet(state, task, standing) ?? null,
    not_before:
      task.notBeforeMs > 0 && task.end === undefined ? renderInstant(task.notBeforeMs) : null,
    colour: colourOf(state, task.id),
    unchecked: task.unchecked ? 1 : 0,
    question: task.question ?? null,
    cost_usd: cost ?? null,
    commit_id: task.commit ?? null,
  };
}

function attemptRows(task: TaskState): RowOf<"attempts">[] {
  return task.attempts.map((attempt) => ({
    task_id: task.id,
    attempt: attempt.number,
    role: attempt.role,
    model: attempt.model,
    episode: attempt.episode,
    started: renderInstant(attempt.startedAt),
    ended: attempt.endedAt === undefined ? null : renderInstant(attempt.endedAt),
    worked_ms: attempt.workedMs,
    outcome: attempt.outcome ?? null,
    failure: attempt.failure?.failure ?? null,
    detail: attempt.failure?.detail ?? null,
    calls: attempt.calls,
    input_tokens: attempt.usage.inputTokens,
    output_tokens: attempt.usage.outputTokens,
    cost_usd: attempt.costUsd ?? null,
    kept: attempt.kept ?? null,
    summary: attempt.summary,
  }));
}

/** Holders of leases, then the roles at rest, then who took a task from outside. */
function agentRows(state: RunState, tasks: TaskState[]): RowOf<"agents">[] {
  const capable = (role: string) => JSON.stringify({ role, model: state.models[role] ?? "" });
  const working = tasks.flatMap((task) =>
    task.lease === undefined
      ? []
      : [
          {
            agent_id: task.lease.holder,
            status: "working",
            current_task: task.id,
            capabilities: capable(task.lease.role),
          },
        ],
  );
  const busy = new Set(tasks.map((task) => task.lease?.role));
  const idle = Object.keys(state.models)
    .filter((role) => !busy.has(role as never))
    .map((role) => ({
      agent_id: `fractal/${role}`,
      status: "idle",
      current_task: null,
      capabilities: capable(role),
    }));
  const outside = tasks.flatMap((task) =>
    task.takenBy === undefined
      ? []
      : [
          {
            agent_id: task.takenBy,
            status: "outside",
            current_task: task.id,
            capabilities: JSON.stringify({}),
          },
        ],
  );
  return [...working, ...idle, ...outside];
}
