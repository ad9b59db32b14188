/** What a person did to a question in Beads: answered it, dismissed it, deleted it. */
import type { NewEvent } from "../domain/event.ts";
import type { TrackedTask, TrackerComment } from "../domain/ports.ts";
import type { Question } from "../domain/run-state.ts";

/** Who did it, as far as the issue tells. */
export function personOf(issue: TrackedTask): string {
  return issue.request?.by || "a person";
}

/** The comment with which `bd human respond` and `fractal answer` answer. */
const RESPONSE = /^Response:\s*/;

/** The events that follow; none while it is open and untouched. */
export function driftOfQuestion(
  question: Question,
  issue: TrackedTask | undefined,
  comments: ReadonlyMap<string, readonly TrackerComment[]>,
  ours: string,
): NewEvent[] {
  if (question.state !== "open" || question.mirror === undefined) return [];
  const about = { task_id: question.about } as const;
  const close = (by: string): NewEvent => ({
    ...about,
    actor: by,
    event_type: "question.closed",
    question: question.id,
    by,
    how: "dismissed",
  });
  if (issue === undefined) return [close("a person")];
  if (issue.status !== "closed") return [];
  const said = [...(comments.get(question.id) ?? [])].reverse();
  const response =
    said.find((comment) => RESPONSE.test(comment.text)) ??
    said.find((comment) => comment.author !== ours);
  if (response === undefined) return [close(personOf(issue))];
  const text = response.text.replace(RESPONSE, "").trim();
  const by = response.author;
  return [
    { ...about, actor: by, event_type: "question.answered", question: question.id, by, text },
  ];
}
