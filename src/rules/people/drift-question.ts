/** What a person did to a question in Beads: answered it, dismissed it, deleted it. */
import type { NewEvent } from "../../domain/event.ts";
import type { TrackedTask, TrackerComment } from "../../domain/ports.ts";
import type { Question, RunState } from "../../domain/run-state.ts";
import { answerEvents } from "./said.ts";

/** Who did it, as far as the issue tells. */
export function personOf(issue: TrackedTask): string {
  return issue.request?.by || "a person";
}

/** The comment with which `bd human respond` and `fractal answer` answer. */
const RESPONSE = /^Response:\s*/;

/** The events that follow; none while it is untouched, or was closed by fractal. */
export function driftOfQuestion(
  state: RunState,
  question: Question,
  issue: TrackedTask | undefined,
  comments: ReadonlyMap<string, readonly TrackerComment[]>,
  ours: string,
): NewEvent[] {
  if (question.mirror === undefined) return [];
  if (issue === undefined) return driftOfDeleted(question);
  if (question.state !== "open" || issue.status !== "closed") return [];
  const said = [...(comments.get(question.id) ?? [])].reverse();
  const response =
    said.find((comment) => RESPONSE.test(comment.text)) ??
    said.find((comment) => comment.author !== ours);
  const text = response?.text.replace(RESPONSE, "").trim() ?? "";
  // Closed without an answer, or with an empty one.
  if (response === undefined || text === "") return [dismissed(question, personOf(issue))];
  const by = response.author;
  return answerEvents(state, question, { by, text, isTold: true });
}

function dismissed(question: Question, by: string): NewEvent {
  return {
    task_id: question.about,
    actor: by,
    event_type: "question.closed",
    question: question.id,
    by,
    how: "dismissed",
  };
}

/** A question nobody can see any more: an open one is dismissed, and nothing is left to be closed. */
function driftOfDeleted(question: Question): NewEvent[] {
  const gone: NewEvent = {
    task_id: null,
    actor: "fractal",
    event_type: "mirror.done",
    lines: [{ id: question.id, status: "closed", assignee: "" }],
  };
  if (question.mirror?.status === "closed") return [];
  return question.state === "open" ? [dismissed(question, "a person"), gone] : [gone];
}
