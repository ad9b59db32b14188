/** Walks a journal line by line: every line possible after those before it, nothing counted twice. */
import { renderAmount } from "../../domain/amounts.ts";
import type { RunEvent } from "../../domain/event.ts";
import type { RunState } from "../../domain/run-state.ts";
import type { TaskId } from "../../domain/task.ts";
import { renderBudgetOf } from "../money/budget-text.ts";
import { overspent } from "../money/overspent.ts";
import { applyEvent, emptyState } from "../replay.ts";
import type { Finding, FindingKind } from "./finding.ts";

/** What the lines of a journal come to, and what is impossible among them. */
export interface History {
  /** Undefined when there are no lines, or one of them cannot follow. */
  state: RunState | undefined;
  findings: Finding[];
  /** Of each task, the attempts whose merge made it done. */
  doneBy: Map<TaskId, number[]>;
  /** Of each task, the attempts whose merge was begun. */
  mergesBegun: Map<TaskId, number[]>;
}

/** The lines in their order, with the state that each one finds. `file` is for where. */
export function walkHistory(events: readonly RunEvent[], file: string): History {
  const history: History = {
    state: undefined,
    findings: [],
    doneBy: new Map(),
    mergesBegun: new Map(),
  };
  const first = events[0];
  if (first === undefined) return history;
  const at = (line: number) => `${file}:${line}`;
  const impossible = (line: number, why: string) =>
    history.findings.push({
      kind: "event-impossible",
      severity: "broken",
      where: at(line),
      detail: why,
      remedy: "no fractal writes this: restore the file from a backup, and report it",
    });
  if (first.event_type !== "run.started") {
    impossible(1, "a journal starts with run.started");
    return history;
  }
  const state = emptyState(first);
  for (const [index, event] of events.entries()) {
    const line = index + 1;
    for (const [kind, detail] of contradictionsOf(state, event)) {
      const remedy = "a safeguard did not hold: keep this folder, and report it";
      history.findings.push({ kind, severity: "broken", where: at(line), detail, remedy });
    }
    try {
      applyEvent(state, event);
    } catch (error) {
      impossible(line, error instanceof Error ? error.message : String(error));
      return history;
    }
    noteMerge(history, event);
  }
  history.findings.push(...overspentFindings(events, at));
  return { ...history, state };
}

function noteMerge({ doneBy, mergesBegun }: History, event: RunEvent): void {
  if (event.event_type !== "task.done" && event.event_type !== "merge.started") return;
  if (event.task_id === null || event.attempt === undefined) return;
  const noted = event.event_type === "task.done" ? doneBy : mergesBegun;
  noted.set(event.task_id, [...(noted.get(event.task_id) ?? []), event.attempt]);
}

/** Lines after which more was spent and reserved than a budget allows, though nobody overcharged. */
function overspentFindings(events: readonly RunEvent[], at: (line: number) => string): Finding[] {
  return overspent(events)
    .filter(({ kind }) => kind === "admitted")
    .map(({ seq, scope, task, unit, limit, committed }) => ({
      kind: "budget-broken",
      severity: "broken",
      where: at(seq + 1),
      detail: `a call was made with which ${renderBudgetOf({ scope, task })} takes ${renderAmount(committed, unit)} of ${renderAmount(limit, unit)}`,
      remedy: "a safeguard did not hold: keep this folder, and report it",
    }));
}

/** What the line says that the lines before it forbid. */
function contradictionsOf(state: RunState, event: RunEvent): [FindingKind, string][] {
  const task = state.tasks.get(event.task_id ?? "");
  switch (event.event_type) {
    case "task.done":
      if (task?.end !== "done") return [];
      return [["done-twice", `${task.id} is done already; its result was accepted twice`]];
    case "lease.taken":
      if (task === undefined || event.fence > task.fence) return [];
      return [
        ["fence-reused", `${task.id} gets fence ${event.fence}, and ${task.fence} was given`],
      ];
    case "attempt.ended":
      if (task === undefined || event.fence === task.fence) return [];
      return [
        ["result-stale", `${task.id} takes a result of fence ${event.fence}, not ${task.fence}`],
      ];
    case "question.opened":
      if (task?.question === undefined) return [];
      return [["asked-twice", `${task.id} waits for ${task.question}, and is asked again`]];
    default:
      return [];
  }
}
