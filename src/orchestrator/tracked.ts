/** Tells the tracker of new tasks and questions. */
import type { NewEvent } from "../domain/event.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { NewTrackedTask } from "../domain/ports.ts";
import type { RunState } from "../domain/run-state.ts";
import type { TaskId } from "../domain/task.ts";
import type { NewTaskFacts } from "../rules/new-task.ts";
import { issueOfQuestion, issueOfTask } from "../rules/people/tracked.ts";
import { ACTOR, type TrackedWorld } from "./world.ts";

/** `task.created` of a new task. */
export function createdEvent(task: NewTaskFacts): NewEvent {
  return {
    task_id: task.id,
    actor: ACTOR,
    event_type: "task.created",
    parent: task.parent,
    key: task.key,
    origin: task.origin,
    contract: task.contract,
    depends_on: task.dependsOn,
    leaf: task.leaf,
    priority: task.priority,
  };
}

function knownEvent(ids: string[]): NewEvent {
  return {
    task_id: null,
    actor: ACTOR,
    event_type: "mirror.done",
    lines: ids.map((id) => ({ id, status: "open", assignee: "" })),
  };
}

/** A person's own command waits for a whole call, half a second more, and may take 2 s in all. */
const CALL_MS = 800;
/** What one issue takes beside other work, and how much more for each that is there (bd 1.3.0, 2 cores). */
const ISSUE_MS = 120;
const GROWTH_MS = 0.17;

/** Writes tasks and questions that the journal has and the tracker has not, parents first. */
export async function publish(
  world: TrackedWorld,
  ids: readonly string[],
): Promise<Failure | undefined> {
  const there = world.store.state.tasks.size - ids.length;
  const atOnce = Math.max(1, Math.floor(CALL_MS / (ISSUE_MS + GROWTH_MS * Math.max(0, there))));
  for (let at = 0; at < ids.length; at += atOnce) {
    const issues = issuesOf(world, ids.slice(at, at + atOnce));
    const created = await world.tracker.create(issues);
    if (isFailure(created)) return created;
    world.store.record([knownEvent(issues.map((issue) => issue.id))]);
  }
  return undefined;
}

function issuesOf(world: TrackedWorld, ids: readonly string[]): NewTrackedTask[] {
  const { state } = world.store;
  // An edge to what was deleted would keep all of them from being written.
  const takesNoEdge = (id: TaskId) => {
    const task = state.tasks.get(id);
    return task?.shape === "split" || task?.deleted === true;
  };
  // Where one is made later, the edge comes with it.
  const isThere = (id: TaskId) => {
    const task = state.tasks.get(id);
    return ids.includes(id) || (task?.mirror !== undefined && task.deleted !== true);
  };
  return ids.flatMap((id): NewTrackedTask[] => {
    const task = state.tasks.get(id);
    if (task !== undefined) {
      const issue = issueOfTask(state.runId, task);
      const dependsOn = issue.dependsOn.filter(isThere);
      return [{ ...issue, dependsOn, blocks: waitingInTracker(state, id) }];
    }
    const question = state.questions.get(id);
    return question === undefined ? [] : [issueOfQuestion(state.runId, question, takesNoEdge)];
  });
}

/** Issues that stand there already and wait for one that is only now made: what is restored. */
function waitingInTracker(state: RunState, id: TaskId): TaskId[] {
  return [...state.tasks.values()]
    .filter((task) => task.dependsOn.includes(id) && task.without?.includes(id) !== true)
    .filter((task) => task.mirror !== undefined && task.deleted !== true)
    .map((task) => task.id);
}
