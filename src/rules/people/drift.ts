/**
 * What a person did in Beads, found by comparing what it shows with what fractal last knew, as
 * events to journal. Nothing here fights: what a person set stands.
 */
import type { NewEvent } from "../../domain/event.ts";
import { type Mirrored, showsSame } from "../../domain/mirrored.ts";
import type { TrackedTask, TrackerComment } from "../../domain/ports.ts";
import type { RunState, TaskState } from "../../domain/run-state.ts";
import { draftOf } from "../draft.ts";
import { taskOf } from "../status.ts";
import { askDependents, dropTask } from "./cancel.ts";
import { driftOfAdded, parentsOfAdded } from "./drift-added.ts";
import { driftOfQuestion, personOf } from "./drift-question.ts";
import { driftOfStatus } from "./drift-status.ts";
import { driftOfText } from "./drift-text.ts";
import { desiredMirror } from "./mirror.ts";

/** Issues whose comments are needed before drift can be told. */
export function commentsWanted(state: RunState, tracked: readonly TrackedTask[]): string[] {
  const added = parentsOfAdded(state, tracked);
  return tracked
    .filter((issue) => {
      if (added.has(issue.id)) return issue.commentCount > 0;
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
 * comparable. Each edit is judged by what the edits before it lead to, so that two of them do not
 * end one task, or ask one question, twice.
 */
export function detectDrift(
  state: RunState,
  tracked: readonly TrackedTask[],
  comments: ReadonlyMap<string, readonly TrackerComment[]>,
  ours: string,
  isComparable: (id: string) => boolean = () => true,
): NewEvent[] {
  const shown = new Map(tracked.map((issue) => [issue.id, issue]));
  const draft = draftOf(state);
  // First what fractal wrote itself, and then what is new: edges may lead to it.
  draft.follow(settledWrites(state, shown, isComparable));
  draft.follow(driftOfAdded(draft.state, tracked));
  const seen = [...draft.state.tasks.values()].filter(
    (task) => task.mirror !== undefined && isComparable(task.id),
  );
  // Then what is gone: Beads forgets the edges to it, which is nobody's edit.
  for (const { id } of seen) {
    if (!shown.has(id)) draft.follow(driftOfDeleted(draft.state, taskOf(draft.state, id)));
  }
  for (const { id } of seen) {
    const issue = shown.get(id);
    if (issue === undefined) continue;
    const now = () => taskOf(draft.state, id);
    draft.follow(driftOfReturned(draft.state, now(), issue));
    if (now().deleted) continue;
    const said = (comments.get(id) ?? []).slice(now().commentsRead);
    const fromPeople = said.filter((comment) => comment.author !== ours);
    const by = fromPeople.at(-1)?.author ?? personOf(issue);
    // What was said comes first: it is why a task is closed, or opened again.
    draft.follow(driftOfComments(now(), said.length, fromPeople));
    draft.follow(driftOfStatus(draft.state, now(), issue, by));
    draft.follow(driftOfText(draft.state, now(), issue));
  }
  for (const id of [...draft.state.questions.keys()]) {
    const question = draft.state.questions.get(id);
    if (question === undefined || !isComparable(id)) continue;
    draft.follow(driftOfQuestion(draft.state, question, shown.get(id), comments, ours));
  }
  return [...draft.events, ...askDependents(draft.state, draft.events)];
}

/**
 * Writes that were begun and never acknowledged, settled by looking: done, or not done at all. While
 * one is open, a person's edit could be taken for it. An issue that was made all the same, its call
 * cut short, is there as it was made: what it must show since then is owed to it.
 */
function settledWrites(
  state: RunState,
  shown: ReadonlyMap<string, TrackedTask>,
  isComparable: (id: string) => boolean,
): NewEvent[] {
  const lines: (Mirrored & { id: string })[] = [];
  for (const one of [...state.tasks.values(), ...state.questions.values()]) {
    const { id, mirror, mirrorPending } = one;
    const issue = shown.get(id);
    if (issue === undefined || !isComparable(id)) continue;
    if (mirror === undefined && mirrorPending === undefined) {
      const key = "key" in one ? one.key : id;
      const isOurs = issue.meta?.run === state.runId && issue.meta.key === key;
      if (isOurs) lines.push({ id, status: "open", assignee: "" });
    }
    if (mirrorPending === undefined) continue;
    if (showsSame(issue, mirrorPending)) lines.push({ id, ...mirrorPending });
    else if (mirror !== undefined && showsSame(issue, mirror)) lines.push({ id, ...mirror });
  }
  if (lines.length === 0) return [];
  return [{ task_id: null, actor: "fractal", event_type: "mirror.done", lines }];
}

function driftOfDeleted(state: RunState, task: TaskState): NewEvent[] {
  if (task.deleted) return [];
  const by = "a person";
  const detail = `${task.id} was deleted`;
  const isOpen = task.end === undefined || task.end === "failed";
  return [
    { task_id: task.id, actor: by, event_type: "drift.seen", kind: "deleted", detail },
    // What is merged stays merged; all else satisfies nothing any more.
    ...(isOpen ? dropTask(state, task, by, "deleted") : []),
  ];
}

/**
 * A deleted issue that is there again, from a copy say, is its task's again, unless another was made
 * in its place: what differs from what fractal would show of it is what the person wants.
 */
function driftOfReturned(state: RunState, task: TaskState, issue: TrackedTask): NewEvent[] {
  if (!task.deleted || task.restoredAs !== undefined) return [];
  return [
    {
      task_id: task.id,
      actor: personOf(issue),
      event_type: "drift.seen",
      kind: "returned",
      seen: desiredMirror(state, task.id),
      detail: `${task.id} is there again`,
      comments: Math.min(task.commentsRead, issue.commentCount),
    },
  ];
}

function driftOfComments(
  task: TaskState,
  added: number,
  said: readonly TrackerComment[],
): NewEvent[] {
  if (added === 0) return [];
  const events: NewEvent[] = [
    {
      task_id: task.id,
      actor: said.at(-1)?.author ?? "fractal",
      event_type: "drift.seen",
      kind: "commented",
      detail: `${said.length} new`,
      // Those that were read, not those that were counted: more may have come between.
      comments: task.commentsRead + added,
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
