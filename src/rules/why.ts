/** Why a task does or does not run now: the same standing reconcile judges by, followed to its cause. */
import type { Limits } from "../domain/limits.ts";
import type { RunState, TaskState } from "../domain/run-state.ts";
import type { TaskId, TaskStatus } from "../domain/task.ts";
import { type DueMove, detectWork } from "./detect.ts";
import { movesFor, slotsOf } from "./reconcile.ts";
import { knownCriticalPath } from "./schedule.ts";
import { judgeOf } from "./standing/judge.ts";
import type { Scene, Standing } from "./standing.ts";
import { statusOf, taskOf } from "./status.ts";

/** One task on the way to the cause. */
export interface Link {
  task: TaskState;
  status: TaskStatus;
  standing: Standing;
}

export interface Why {
  /** The task asked about, then what it waits for, and so on; the last is the cause. */
  links: readonly [Link, ...Link[]];
  /** Reconcile would start it if a slot were free. */
  mayStart: boolean;
  /** Due moves that take a slot of the same kind and go first. */
  ahead: readonly DueMove[];
  /** Tasks on the longest chain of unfinished work that begins with it. */
  pathLength: number;
}

/** Explains one task. */
export function whyOf(scene: Scene, id: TaskId, limits: Limits, now: number): Why {
  const { state } = scene;
  const judge = judgeOf(scene, limits, now);
  const link = (task: TaskState): Link => ({
    task,
    status: statusOf(state, task.id),
    standing: judge(task),
  });
  const first = link(taskOf(state, id));
  const links: [Link, ...Link[]] = [first];
  for (let at: Link | undefined = first; at !== undefined; ) {
    at = nextOf(state, at, link);
    // What waits in a circle is asked about; until then the way ends where it began.
    if (at === undefined || links.some((one) => one.task.id === at?.task.id)) break;
    links.push(at);
  }
  const work = detectWork({ ...scene, planOnly: false }, limits, now);
  const free = { ...limits, jobs: state.tasks.size + 1 };
  const mayStart = movesFor({ ...scene, busy: new Map() }, free, now, work).some(
    (move) => move.task === id,
  );
  const pathLength = knownCriticalPath(state).path.get(id) ?? 0;
  return { links, mayStart, ahead: aheadOf(work.due, id), pathLength };
}

function aheadOf(due: readonly DueMove[], id: TaskId): readonly DueMove[] {
  const at = due.findIndex(({ task }) => task.id === id);
  const mine = due[at];
  if (mine === undefined) return [];
  const slots = slotsOf(mine.move);
  if (slots === undefined) return [];
  return due.slice(0, at).filter(({ move }) => slotsOf(move) === slots);
}

/** What a task waits for next; undefined where the cause is the task itself. */
function nextOf(
  state: RunState,
  { task, standing }: Link,
  link: (task: TaskState) => Link,
): Link | undefined {
  switch (standing.kind) {
    case "ended":
    case "asked":
    case "under-way":
    case "resting":
    case "denied":
    case "due":
      return undefined;
    case "held":
      return standing.hold.by === task.id ? undefined : linkTo(state, standing.hold.by, link);
    case "reviewed":
    case "probed":
      return linkTo(state, standing.by, link);
    case "reserved":
    case "taking-turns":
      return linkTo(state, standing.owner, link);
    case "waiting":
      return hardest(state, standing.on, link);
    case "parent":
      return hardest(state, standing.children, link);
  }
}

function linkTo(state: RunState, id: TaskId, link: (task: TaskState) => Link): Link | undefined {
  const task = state.tasks.get(id);
  return task === undefined ? undefined : link(task);
}

/** Of several what keeps the rest longest: what only a person can move, else the longest chain. */
function hardest(
  state: RunState,
  ids: readonly TaskId[],
  link: (task: TaskState) => Link,
): Link | undefined {
  const { path } = knownCriticalPath(state);
  const needsPerson = ({ standing }: Link) =>
    standing.kind === "asked" || standing.kind === "held" || standing.kind === "ended";
  const links = ids.flatMap((id) => linkTo(state, id, link) ?? []);
  return links.sort(
    (a, b) =>
      Number(needsPerson(b)) - Number(needsPerson(a)) ||
      (path.get(b.task.id) ?? 0) - (path.get(a.task.id) ?? 0) ||
      a.task.createdSeq - b.task.createdSeq,
  )[0];
}
