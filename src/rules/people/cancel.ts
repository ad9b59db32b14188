/** What follows when a person drops a task: all below it goes too, and who waited for it is asked about. */

import type { QuestionKind } from "../../domain/event/question.ts";
import type { NewEvent } from "../../domain/event.ts";
import type { RunState, TaskState } from "../../domain/run-state.ts";
import type { TaskId } from "../../domain/task.ts";
import { descendantsOf } from "../status.ts";
import type { Cycle } from "./cycle.ts";
import { DROP_TOO, KEEP, LEAVE, notWaiting, RESTORE, WITHOUT, WRITE } from "./wanted.ts";

/** The events of dropping a task, with one question for each open task that waits for it. */
export function cancelTask(
  state: RunState,
  task: TaskState,
  by: string,
  reason: string,
): NewEvent[] {
  const events = dropTask(state, task, by, reason);
  return [...events, ...askDependents(state, events)];
}

/** The events of dropping a task and all that is unfinished below it; nobody is asked yet. */
export function dropTask(state: RunState, task: TaskState, by: string, reason: string): NewEvent[] {
  const about = { task_id: task.id, actor: by } as const;
  return [
    { ...about, event_type: "task.cancelled", by, reason },
    ...dropBelow(state, task, by, `${task.id} was ${reason}`),
    ...closeMoot(state, [task.id, ...unfinishedBelow(state, task)], by),
  ];
}

/** A person accepts a task as it is: what is unfinished below it is dropped, its question is moot. */
export function acceptTask(state: RunState, task: TaskState, by: string): NewEvent[] {
  return [
    { task_id: task.id, actor: by, event_type: "task.accepted", by },
    ...dropBelow(state, task, by, `${task.id} was closed`),
    ...closeMoot(state, [task.id, ...unfinishedBelow(state, task)], by),
  ];
}

function unfinishedBelow(state: RunState, task: TaskState): TaskId[] {
  return descendantsOf(state, task.id)
    .filter((one) => one.end === undefined || one.end === "failed")
    .map((one) => one.id);
}

function dropBelow(state: RunState, task: TaskState, by: string, reason: string): NewEvent[] {
  return unfinishedBelow(state, task).map((id) => ({
    task_id: id,
    actor: by,
    event_type: "task.cancelled",
    by,
    reason,
  }));
}

/** Closes the questions that only these tasks wait for. */
function closeMoot(state: RunState, ids: readonly TaskId[], by: string): NewEvent[] {
  const ended = new Set(ids);
  const events: NewEvent[] = [];
  for (const question of state.questions.values()) {
    if (question.state !== "open") continue;
    const waiting = [...state.tasks.values()].filter((task) => task.question === question.id);
    if (waiting.length === 0 || waiting.some((task) => !ended.has(task.id))) continue;
    events.push({
      task_id: question.about,
      actor: by,
      event_type: "question.closed",
      question: question.id,
      by,
      how: "moot",
    });
  }
  return events;
}

/** One question for each open task that waits for what `events` cancel; `now` is what they led to. */
export function askDependents(now: RunState, events: readonly NewEvent[]): NewEvent[] {
  const dropped = new Map<TaskId, string>();
  for (const event of events) {
    if (event.event_type === "task.cancelled") dropped.set(event.task_id ?? "", event.by);
  }
  const asked: NewEvent[] = [];
  for (const task of now.tasks.values()) {
    if (task.end !== undefined || task.question !== undefined || dropped.has(task.id)) continue;
    const lost = task.dependsOn.find(
      (id) => dropped.has(id) && now.tasks.get(id)?.end !== "accepted",
    );
    if (lost === undefined || task.without?.includes(lost)) continue;
    asked.push(askDropped(now, task, lost, ` by ${dropped.get(lost)}`));
  }
  return asked;
}

/** The question of a task whose dependency `lost` was dropped, `by` whom where that is known. */
export function askDropped(state: RunState, task: TaskState, lost: TaskId, by = ""): NewEvent {
  const title = state.tasks.get(lost)?.contract.title ?? "";
  return openQuestion(state, task, "dropped", {
    title: `"${task.contract.title}" needs ${lost}, which was dropped. What now?`,
    why: `${lost} "${title}" was dropped${by}; nothing satisfies this dependency. Any other answer goes on without it, as guidance.`,
    options: [WITHOUT, RESTORE, DROP_TOO],
  });
}

/** The question of a task whose text was edited after it was done. */
export function askEdited(state: RunState, task: TaskState, by: string): NewEvent {
  const again = task.shape === "split" ? "check the whole again" : "do it again with the new text";
  return openQuestion(state, task, "edited", {
    title: `"${task.contract.title}" was edited after it was done. Do it again?`,
    why: `${by} changed the text of ${task.id}, whose work is merged. Any other answer does it again, with the answer as guidance.`,
    options: [again, KEEP],
  });
}

/** The question about tasks that wait for one another; asked of one of them. */
export function askCycle(state: RunState, task: TaskState, cycle: Cycle): NewEvent {
  const [first = task.id] = cycle.path;
  const title = `These tasks wait for one another: ${[...cycle.path, first].join(" → ")}. Which one shall not wait?`;
  const remove = cycle.edges.map(({ task: id, on }) => `bd dep remove ${id} ${on}`);
  return openQuestion(state, task, "cycle", {
    title,
    why: `Edges in Beads make a circle (a parent waits for its children). None of these tasks starts until it is open. Choose, or take an edge away: ${remove.join("  or  ")}`,
    options: cycle.edges.map(({ task: id, on }) => notWaiting(id, on)),
  });
}

/** The question about a task whose status something keeps writing over. */
export function askDrift(state: RunState, task: TaskState, shown: string): NewEvent {
  return openQuestion(state, task, "drift", {
    title: `Something keeps setting "${task.contract.title}" to ${shown} in Beads. What is right?`,
    why: `What fractal writes of ${task.id} was written over with ${shown}, the same again and again. Nothing more is written there until this is answered.`,
    options: [WRITE, LEAVE],
  });
}

/**
 * Questions with an edge to their task. An edge to a split task would block everything below it;
 * what is done waits for nothing; and where edges are the trouble, no other is added.
 */
const HOLDS_BY_EDGE: ReadonlySet<QuestionKind> = new Set(["reopened", "dropped"]);

/** A question that a person's own edit makes necessary. */
export function openQuestion(
  state: RunState,
  task: TaskState,
  kind: "reopened" | "dropped" | "edited" | "cycle" | "drift",
  text: { title: string; why: string; options: string[] },
): NewEvent {
  return {
    task_id: task.id,
    actor: "fractal",
    event_type: "question.opened",
    question: nextQuestionId(state, task),
    kind,
    tried: "",
    blocks: task.shape === "split" || !HOLDS_BY_EDGE.has(kind) ? [] : [task.id],
    ...text,
  };
}

/** The id of a task's next question: one that no question ever had, nor one of those `besides`. */
export function nextQuestionId(
  state: RunState,
  task: TaskState,
  besides: readonly string[] = [],
): string {
  const isTaken = (id: string) => state.questions.has(id) || besides.includes(id);
  let number = task.questions.length + 1;
  while (isTaken(`${task.id}.q${number}`)) number += 1;
  return `${task.id}.q${number}`;
}
