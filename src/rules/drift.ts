/**
 * What a person did in Beads, found by comparing what it shows with what fractal last knew, as
 * events to journal. Nothing here fights: what a person set stands.
 */
import type { Mirrored, NewEvent } from "../domain/event.ts";
import type { TrackedTask, TrackerComment } from "../domain/ports.ts";
import type { RunState, TaskState } from "../domain/run-state.ts";
import { cancelBelow, cancelTask, openQuestion } from "./cancel.ts";
import { driftOfAdded } from "./drift-added.ts";
import { driftOfQuestion, personOf } from "./drift-question.ts";
import { showsSame } from "./mirror.ts";

/** Issues whose comments are needed before drift can be told. */
export function commentsWanted(state: RunState, tracked: readonly TrackedTask[]): string[] {
  return tracked
    .filter((issue) => {
      const task = state.tasks.get(issue.id);
      if (task !== undefined) return issue.commentCount > task.commentsRead;
      const question = state.questions.get(issue.id);
      return question !== undefined && question.state === "open" && issue.status === "closed";
    })
    .map((issue) => issue.id);
}

/**
 * The events that follow a person's edits. `ours` is the actor fractal writes as; `comments` holds
 * those of the issues in `commentsWanted`; an issue that was written while it was read is not
 * comparable.
 */
export function detectDrift(
  state: RunState,
  tracked: readonly TrackedTask[],
  comments: ReadonlyMap<string, readonly TrackerComment[]>,
  ours: string,
  isComparable: (id: string) => boolean = () => true,
): NewEvent[] {
  const shown = new Map(tracked.map((issue) => [issue.id, issue]));
  const events: NewEvent[] = [];
  for (const task of state.tasks.values()) {
    if (!isComparable(task.id)) continue;
    const issue = shown.get(task.id);
    if (issue === undefined) {
      if (task.mirror !== undefined) events.push(...driftOfDeleted(state, task));
      continue;
    }
    if (task.mirror === undefined) continue;
    const said = (comments.get(task.id) ?? []).slice(task.commentsRead);
    const fromPeople = said.filter((comment) => comment.author !== ours);
    events.push(
      ...driftOfStatus(state, task, task.mirror, issue, fromPeople),
      ...driftOfText(state, task, issue),
      ...driftOfComments(task, issue, said.length > 0, fromPeople),
    );
  }
  for (const question of state.questions.values()) {
    if (!isComparable(question.id)) continue;
    events.push(...driftOfQuestion(question, shown.get(question.id), comments, ours));
  }
  events.push(...driftOfAdded(state, tracked));
  return events;
}

function driftOfStatus(
  state: RunState,
  task: TaskState,
  known: Mirrored,
  issue: TrackedTask,
  said: readonly TrackerComment[],
): NewEvent[] {
  const isKnown =
    showsSame(issue, known) ||
    (task.mirrorPending !== undefined && showsSame(issue, task.mirrorPending));
  if (isKnown) return [];
  const seen: Mirrored = { status: issue.status, assignee: issue.assignee };
  const by = said.at(-1)?.author ?? personOf(issue);
  const about = { task_id: task.id, actor: by } as const;
  const drift = (kind: (NewEvent & { event_type: "drift.seen" })["kind"], detail: string) =>
    ({ ...about, event_type: "drift.seen", kind, seen, detail }) satisfies NewEvent;

  if (issue.status === "closed") {
    if (task.end === "done" || task.end === "accepted") return [drift("closed", "already done")];
    return [drift("closed", `closed by ${by}`), ...accept(state, task, by)];
  }
  if (known.status === "closed") {
    return [drift("reopened", `reopened by ${by}`), ...reopen(task, by, said)];
  }
  if (issue.status === "deferred" || (issue.status === "blocked" && known.status !== "blocked")) {
    if (issue.request?.kind === "cancel") {
      return [
        drift("deferred", `cancelled by ${by}`),
        ...cancelTask(state, task, by, "cancelled"),
      ];
    }
    const kind = issue.status === "deferred" ? "deferred" : "blocked";
    return [drift(kind, `paused by ${by}`), { ...about, event_type: "task.paused", by }];
  }
  if (task.paused && issue.status === "open") {
    return [
      drift("undeferred", `unpaused by ${by}`),
      { ...about, event_type: "task.unpaused", by },
    ];
  }
  if (task.end === "failed" && issue.status === "open") {
    return [drift("reopened", `reopened by ${by}`), { ...about, event_type: "task.reopened", by }];
  }
  const holder = issue.assignee;
  if (holder !== "" && !holder.startsWith("fractal/")) {
    return [drift("taken", `taken by ${holder}`), { ...about, event_type: "task.taken", holder }];
  }
  if (task.takenBy !== undefined && holder === "") {
    return [
      drift("released", `let go by ${task.takenBy}`),
      { ...about, event_type: "task.taken", holder: null },
    ];
  }
  // Something else was set, which means nothing to fractal: noted, and written again.
  return [drift("overwritten", `${issue.status}, ${holder || "nobody"}`)];
}

function accept(state: RunState, task: TaskState, by: string): NewEvent[] {
  const about = { task_id: task.id, actor: by } as const;
  const events: NewEvent[] = [
    { ...about, event_type: "task.accepted", by },
    ...cancelBelow(state, task, by, `${task.id} was closed`),
  ];
  if (task.question !== undefined) {
    const question = task.question;
    events.push({ ...about, event_type: "question.closed", question, by, how: "moot" });
  }
  return events;
}

function reopen(task: TaskState, by: string, said: readonly TrackerComment[]): NewEvent[] {
  const about = { task_id: task.id, actor: by } as const;
  const events: NewEvent[] = [{ ...about, event_type: "task.reopened", by }];
  if (task.shape === "split" || said.length > 0) return events;
  events.push(
    openQuestion(task, "reopened", {
      title: `What is wrong with "${task.contract.title}"?`,
      why: `${task.id} was reopened without a comment, so nothing says what to change.`,
      options: [],
      blocks: [task.id],
    }),
  );
  return events;
}

function driftOfDeleted(state: RunState, task: TaskState): NewEvent[] {
  if (task.end === "cancelled") return [];
  const by = "a person";
  const about = { task_id: task.id, actor: by } as const;
  return [
    { ...about, event_type: "drift.seen", kind: "deleted", detail: `${task.id} was deleted` },
    ...cancelTask(state, task, by, "deleted"),
  ];
}

function driftOfText(state: RunState, task: TaskState, issue: TrackedTask): NewEvent[] {
  const by = personOf(issue);
  const was = task.described;
  const edit: { title?: string; description?: string; acceptance?: string } = {};
  if (issue.title.trim() !== was.title.trim()) edit.title = issue.title;
  if (issue.description.trim() !== was.description.trim()) edit.description = issue.description;
  if (issue.acceptance.trim() !== was.acceptance.trim()) edit.acceptance = issue.acceptance;
  const dependsOn = issue.dependsOn.filter((id) => state.tasks.has(id));
  const isEdgeChange = !isSameSet(dependsOn, task.dependsOn);
  const isPriorityChange = issue.priority !== task.priority;
  const what = [
    ...Object.keys(edit),
    ...(isEdgeChange ? ["dependencies"] : []),
    ...(isPriorityChange ? ["priority"] : []),
  ];
  if (what.length === 0) return [];
  const about = { task_id: task.id, actor: by } as const;
  return [
    { ...about, event_type: "drift.seen", kind: "edited", detail: `edited: ${what.join(", ")}` },
    {
      ...about,
      event_type: "task.edited",
      by,
      ...edit,
      ...(isEdgeChange ? { depends_on: dependsOn } : {}),
      ...(isPriorityChange ? { priority: issue.priority } : {}),
    },
  ];
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value) => b.includes(value));
}

function driftOfComments(
  task: TaskState,
  issue: TrackedTask,
  isNew: boolean,
  said: readonly TrackerComment[],
): NewEvent[] {
  if (!isNew) return [];
  const events: NewEvent[] = [
    {
      task_id: task.id,
      actor: said.at(-1)?.author ?? "fractal",
      event_type: "drift.seen",
      kind: "commented",
      detail: `${said.length} new`,
      comments: issue.commentCount,
    },
  ];
  for (const comment of said) {
    events.push({
      task_id: task.id,
      actor: comment.author,
      event_type: "guidance.given",
      from: comment.author,
      text: comment.text,
      attempts: 0,
    });
  }
  return events;
}
