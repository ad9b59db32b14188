/** Issues that a person added to the tree. */
import type { NewEvent } from "../domain/event.ts";
import type { TrackedTask } from "../domain/ports.ts";
import type { RunState } from "../domain/run-state.ts";
import type { Contract } from "../domain/task.ts";

/** Events for what was added: a child of one of ours, or a parentless one labelled `fractal`. */
export function driftOfAdded(state: RunState, tracked: readonly TrackedTask[]): NewEvent[] {
  const events: NewEvent[] = [];
  for (const issue of tracked) {
    if (state.tasks.has(issue.id) || state.questions.has(issue.id)) continue;
    if (issue.meta !== undefined || issue.status === "closed") continue;
    const isOurs = issue.parent !== null && state.tasks.has(issue.parent);
    const isLabelled = issue.parent === null && issue.labels.includes("fractal");
    if (!isOurs && !isLabelled) continue;
    const parent = isOurs ? (issue.parent ?? state.rootId) : state.rootId;
    const about = { task_id: issue.id, actor: issue.createdBy || "a person" } as const;
    const contract: Contract = {
      title: issue.title,
      purpose: issue.description,
      kind: "code",
      size: "M",
      requirements: [],
      files: [],
      interfaces: [],
      checks: [],
      examples: issue.acceptance === "" ? [] : [issue.acceptance],
      risks: [],
    };
    events.push(
      {
        ...about,
        event_type: "task.created",
        parent,
        key: `${state.tasks.get(parent)?.key ?? "root"}.${issue.id.split(".").at(-1)}`,
        origin: "person",
        contract,
        depends_on: issue.dependsOn.filter((id) => state.tasks.has(id)),
        leaf: false,
        priority: issue.priority,
      },
      {
        ...about,
        event_type: "drift.seen",
        kind: "added",
        seen: { status: issue.status, assignee: issue.assignee },
        detail: `added under ${parent}`,
        comments: 0,
      },
      {
        ...about,
        event_type: "task.edited",
        by: about.actor,
        title: issue.title,
        description: issue.description,
        acceptance: issue.acceptance,
      },
    );
  }
  return events;
}
