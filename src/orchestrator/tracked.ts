/** Everything the controller does with the tracker: create, publish, mirror, and follow a person. */
import type { NewEvent } from "../domain/event.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { NewTrackedTask, TrackedTask, TrackerComment } from "../domain/ports.ts";
import type { Contract, TaskId } from "../domain/task.ts";
import { describeContract } from "../rules/describe.ts";
import { commentsWanted, detectDrift } from "../rules/drift.ts";
import { type MirrorLine, mirrorLines } from "../rules/mirror.ts";
import { issueOfQuestion, issueOfTask } from "../rules/tracked.ts";
import { ACTOR, type TrackedWorld } from "./world.ts";

export interface NewTask {
  id: TaskId;
  key: string;
  parent: TaskId | null;
  dependsOn: TaskId[];
  priority: number;
  contract: Contract;
  leaf: boolean;
  origin: "root" | "plan" | "repair" | "person";
}

/**
 * Creates tasks in the tracker, all or nothing, and returns the events that make them known. Those
 * that exist already, from an interrupted try, are left as they are.
 */
export async function createTasks(
  world: TrackedWorld,
  tasks: NewTask[],
): Promise<NewEvent[] | Failure> {
  const { runId } = world.store.state;
  const created = await world.tracker.create(
    tasks.map((task) =>
      issueOfTask(runId, { ...task, described: describeContract(task.contract) }),
    ),
  );
  if (isFailure(created)) return created;
  return [...tasks.map(createdEvent), knownEvent(tasks.map((task) => task.id))];
}

/** `task.created` of a new task. */
export function createdEvent(task: NewTask): NewEvent {
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

/** Writes tasks and questions that the journal has and the tracker has not. */
export async function publish(
  world: TrackedWorld,
  ids: readonly string[],
): Promise<Failure | undefined> {
  const { state } = world.store;
  const isSplit = (id: TaskId) => state.tasks.get(id)?.shape === "split";
  const issues = ids.flatMap((id): NewTrackedTask[] => {
    const task = state.tasks.get(id);
    if (task !== undefined) return [issueOfTask(state.runId, task)];
    const question = state.questions.get(id);
    return question === undefined ? [] : [issueOfQuestion(state.runId, question, isSplit)];
  });
  const created = await world.tracker.create(issues);
  if (isFailure(created)) return created;
  world.store.record([knownEvent(issues.map((issue) => issue.id))]);
  return undefined;
}

/**
 * Brings the tracker's statuses to what they should be. What a person changed meanwhile is read and
 * followed first, so that it is not written over; the window of one write remains.
 */
export async function mirror(world: TrackedWorld): Promise<Failure | undefined> {
  const followed = await followPerson(world);
  if (isFailure(followed)) return followed;
  const lines = mirrorLines(world.store.state);
  if (lines.length === 0) return undefined;
  const about = { task_id: null, actor: ACTOR } as const;
  world.store.record([{ ...about, event_type: "mirror.started", lines: lines.map(plain) }]);
  const written = await world.tracker.mirror(lines);
  if (isFailure(written)) return written;
  const applied = new Set(written.applied);
  const done = lines.filter((line) => applied.has(line.id)).map(plain);
  if (done.length > 0) world.store.record([{ ...about, event_type: "mirror.done", lines: done }]);
  if (done.length === lines.length) return undefined;
  const left = lines.filter((line) => !applied.has(line.id)).map((line) => line.id);
  return { failure: "tracker-unavailable", detail: `the tracker did not take ${left.join(", ")}` };
}

const plain = ({ id, status, assignee }: MirrorLine) => ({ id, status, assignee });

/** Reads the tracker and journals what a person did there; true when something was. */
export async function followPerson(world: TrackedWorld): Promise<boolean | Failure> {
  const { tracker, store } = world;
  const knownBefore = knownNow(world);
  const tracked = await tracker.read();
  if (isFailure(tracked)) return tracked;
  const comments = await readComments(world, tracked);
  if (isFailure(comments)) return comments;
  // What fractal itself wrote while it was reading is not yet in what it read.
  const knownAfter = knownNow(world);
  const isComparable = (id: string) => knownBefore.get(id) === knownAfter.get(id);
  const events = detectDrift(store.state, tracked, comments, ACTOR, isComparable);
  if (events.length > 0) store.record(events);
  return events.length > 0;
}

/** What the tracker is known to hold, by id; a new value is a new object. */
function knownNow(world: TrackedWorld): Map<string, unknown> {
  const { tasks, questions } = world.store.state;
  return new Map([...tasks.values(), ...questions.values()].map((one) => [one.id, one.mirror]));
}

async function readComments(
  world: TrackedWorld,
  tracked: TrackedTask[],
): Promise<Map<string, TrackerComment[]> | Failure> {
  const comments = new Map<string, TrackerComment[]>();
  for (const id of commentsWanted(world.store.state, tracked)) {
    const read = await world.tracker.comments(id);
    if (isFailure(read)) return read;
    comments.set(id, read);
  }
  return comments;
}
