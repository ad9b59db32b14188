/** Issues that a person added to the tree. */
import type { NewEvent } from "../../domain/event.ts";
import type { TrackedTask } from "../../domain/ports.ts";
import type { RunState } from "../../domain/run-state.ts";
import type { Contract, TaskId } from "../../domain/task.ts";
import { describeContract } from "./describe.ts";
import { editedTexts } from "./drift-text.ts";

/** What a contract may hold (domain/task.ts); a person may write more. */
const TITLE_CHARS_MAX = 255;
const TEXT_CHARS_MAX = 64_000;
const EXAMPLE_CHARS_MAX = 2_000;

/** Events for what was added: a child of one of ours, or a parentless one labelled `fractal`. */
export function driftOfAdded(state: RunState, tracked: readonly TrackedTask[]): NewEvent[] {
  const parents = parentsOfAdded(state, tracked);
  const isTask = (id: string) => state.tasks.has(id) || parents.has(id);
  const issues = new Map(tracked.map((issue) => [issue.id, issue]));
  const keys = new Map([...state.tasks.values()].map((task) => [task.id, task.key]));
  const events: NewEvent[] = [];
  for (const [id, parent] of parents) {
    const issue = issues.get(id);
    if (issue === undefined) continue;
    const key = `${keys.get(parent) ?? "root"}.${id.split(".").at(-1)}`;
    keys.set(id, key);
    events.push(...eventsOf(issue, parent, key, issue.dependsOn.filter(isTask)));
  }
  return events;
}

/** The added issues with the parents they get, a parent before its children. */
export function parentsOfAdded(
  state: RunState,
  tracked: readonly TrackedTask[],
): Map<TaskId, TaskId> {
  const parents = new Map<TaskId, TaskId>();
  const strangers = tracked.filter(
    (issue) =>
      !state.tasks.has(issue.id) &&
      !state.questions.has(issue.id) &&
      issue.meta === undefined &&
      issue.status !== "closed",
  );
  for (let before = -1; before < parents.size; ) {
    before = parents.size;
    for (const { id, parent, labels } of strangers) {
      if (parents.has(id)) continue;
      if (parent === null) {
        if (labels.includes("fractal")) parents.set(id, state.rootId);
      } else if (state.tasks.has(parent) || parents.has(parent)) parents.set(id, parent);
    }
  }
  return parents;
}

/** What an issue says, as a contract that is still to be planned. */
function contractOf(issue: TrackedTask): Contract {
  return {
    title: issue.title.slice(0, TITLE_CHARS_MAX) || issue.id,
    purpose: issue.description.slice(0, TEXT_CHARS_MAX),
    kind: "code",
    size: "M",
    requirements: [],
    files: [],
    interfaces: [],
    checks: [],
    examples: issue.acceptance === "" ? [] : [issue.acceptance.slice(0, EXAMPLE_CHARS_MAX)],
    risks: [],
  };
}

function eventsOf(
  issue: TrackedTask,
  parent: TaskId,
  key: string,
  dependsOn: TaskId[],
): NewEvent[] {
  const by = issue.createdBy || "a person";
  const about = { task_id: issue.id, actor: by } as const;
  const contract = contractOf(issue);
  const seen = { status: issue.status, assignee: issue.assignee };
  const events: NewEvent[] = [
    {
      ...about,
      event_type: "task.created",
      parent,
      key,
      origin: "person",
      contract,
      depends_on: dependsOn,
      leaf: false,
      priority: issue.priority,
    },
    { ...about, event_type: "drift.seen", kind: "added", seen, detail: `added under ${parent}` },
  ];
  const edit = editedTexts(describeContract(contract), issue);
  if (edit !== undefined) events.push({ ...about, event_type: "task.edited", by, ...edit });
  if (issue.status === "deferred" || issue.status === "blocked") {
    events.push({ ...about, event_type: "task.paused", by });
  } else if (issue.assignee !== "" && !issue.assignee.startsWith("fractal/")) {
    events.push({ ...about, event_type: "task.taken", holder: issue.assignee });
  }
  return events;
}
