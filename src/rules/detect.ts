/** What work there is for each role, how urgent and why: a role without work is never run. */

import type { WorkRole } from "../domain/event/run.ts";
import type { Limits } from "../domain/limits.ts";
import type { Question, RoleWork, RunState, TaskState } from "../domain/run-state.ts";
import type { TaskId } from "../domain/task.ts";
import type { Denied } from "./money/budget-question.ts";
import { inOrder, knownCriticalPath } from "./schedule.ts";
import { judgeOf } from "./standing/judge.ts";
import type { Move, Scene } from "./standing.ts";
import { type Measure, urgencyOfQuestion, urgencyOfTask } from "./urgency.ts";

/** A move that may be made now, slots aside. */
export interface DueMove {
  task: TaskState;
  move: Move;
  urgency: number;
}

/** The work of one role. Exists only where there is some. */
export interface Detection {
  role: WorkRole;
  /** What may start now, the first to go first. */
  due: readonly DueMove[];
  underWay: readonly TaskId[];
  /** Open questions: the work of `human`. */
  questions: readonly string[];
  /** 0–10: of its most urgent piece, due or under way. */
  urgency: number;
  why: string;
}

/** One look over all tasks. */
export interface Work {
  /** The due moves of all roles, in the order in which they should start. */
  due: readonly DueMove[];
  detections: readonly Detection[];
  /** Tasks that met trouble outside: when they are tried again, and since when it lasts. */
  resting: readonly { untilMs: number; sinceMs: number | undefined; endpoint?: string }[];
  /** Tasks whose next call does not fit what a budget has left. */
  denied: readonly Denied[];
}

/** What the detectors look at: sorted once, so that each only picks its own. */
interface Seen {
  state: RunState;
  /** In the order in which they should start. */
  due: readonly DueMove[];
  underWay: readonly { task: TaskState; role: WorkRole }[];
  open: readonly Question[];
  /** Something goes on, or will, without a person. */
  moves: boolean;
  measure: Measure;
}

/** The role that makes a move. Routing by rules, asking and roll-ups need no model: `code`. */
export function roleOf(move: Move): WorkRole {
  switch (move.kind) {
    case "plan":
      return "planner";
    case "attempt":
      return "worker";
    case "fix":
      return "fixer";
    case "route":
      return move.to === "router" ? "router" : "code";
    case "roll-up":
    case "ask":
    case "give-up":
      return "code";
  }
}

type Detector = (seen: Seen) => Detection | undefined;

const DETECTORS: { readonly [R in WorkRole]: Detector } = {
  planner: ofTasks("planner"),
  worker: ofTasks("worker"),
  router: ofTasks("router"),
  fixer: ofTasks("fixer"),
  reviewer: detectReviewer,
  human: detectHuman,
  code: ofTasks("code"),
};

/** The work of every role that has some. Judges each task once; what it finds is what reconcile starts. */
export function detectWork(
  scene: Scene & { planOnly: boolean },
  limits: Limits,
  now: number,
): Work {
  const { state, busy, planOnly } = scene;
  const { path, longest } = knownCriticalPath(state);
  const measure = { path, longest, now };
  const judge = judgeOf(scene, limits, now);
  const found: DueMove[] = [];
  const denied: Denied[] = [];
  const underWay: { task: TaskState; role: WorkRole }[] = [];
  const resting: { untilMs: number; sinceMs: number | undefined; endpoint?: string }[] = [];
  for (const task of state.tasks.values()) {
    const standing = judge(task);
    if (standing.kind === "resting") resting.push(standing);
    if (standing.kind === "under-way") {
      const role = task.lease?.role ?? (busy.get(task.id) === "plan" ? "planner" : "code");
      underWay.push({ task, role });
    }
    if (standing.kind !== "due" && standing.kind !== "denied") continue;
    const { move } = standing;
    if (planOnly && (move.kind === "attempt" || move.kind === "roll-up")) continue;
    if (standing.kind === "denied") {
      // With nothing under way there is nothing to wait for.
      if (!standing.waits || busy.size === 0) denied.push({ task, by: standing.by });
      continue;
    }
    found.push({ task, move, urgency: urgencyOfTask(task, measure) });
  }
  const open = [...state.questions.values()].filter((question) => question.state === "open");
  denied.sort((a, b) => a.task.createdSeq - b.task.createdSeq);
  const due = inOrder(found, path);
  const moves = due.length > 0 || underWay.length > 0 || resting.length > 0;
  const seen = { state, due, underWay, open, moves, measure };
  const detections = Object.values(DETECTORS).map((detect) => detect(seen));
  return { due, detections: detections.filter((one) => one !== undefined), resting, denied };
}

/** Tasks whose next move, or whose lease, is this role's. */
function ofTasks(role: WorkRole): Detector {
  return ({ due, underWay, measure }) => {
    const mine = due.filter(({ move }) => roleOf(move) === role);
    const going = underWay.filter((one) => one.role === role).map(({ task }) => task);
    const first = mine[0];
    if (first === undefined && going.length === 0) return undefined;
    let urgency = 0;
    for (const one of mine) urgency = Math.max(urgency, one.urgency);
    for (const task of going) urgency = Math.max(urgency, urgencyOfTask(task, measure));
    const ahead =
      first === undefined
        ? ""
        : `; first ${first.task.id}: ${rankText(first.task, measure.path.get(first.task.id) ?? 0)}`;
    return {
      role,
      due: mine,
      underWay: going.map(({ id }) => id),
      questions: [],
      urgency,
      why: `${mine.length} due, ${going.length} under way${ahead}`,
    };
  };
}

/** By what a task's turn is decided, in words. */
export function rankText(task: TaskState, pathLength: number): string {
  return `critical path ${pathLength}, priority ${task.priority}`;
}

/** Leaves whose work only the reviewer's word can prove; it is asked within their attempts. */
function detectReviewer({ due, underWay, measure }: Seen): Detection | undefined {
  const tasks = [
    ...due.filter(({ move }) => move.kind === "attempt").map(({ task }) => task),
    ...underWay.filter(({ role }) => role === "worker").map(({ task }) => task),
  ].filter(isUnproven);
  if (tasks.length === 0) return undefined;
  return {
    role: "reviewer",
    due: [],
    underWay: tasks.map(({ id }) => id),
    questions: [],
    urgency: Math.max(...tasks.map((task) => urgencyOfTask(task, measure))),
    why: `${tasks.length} without a check that gates; first ${tasks[0]?.id}`,
  };
}

/** No gating check of its own, or only ones that were green before the work. */
function isUnproven(task: TaskState): boolean {
  const vacuous = new Set(task.attempts.at(-1)?.vacuous ?? []);
  return !task.contract.checks.some((check) => check.gates && !vacuous.has(check.name));
}

function detectHuman({ state, open, moves, measure }: Seen): Detection | undefined {
  const first = open[0];
  if (first === undefined) return undefined;
  const urgencies = open.map((one) => urgencyOfQuestion(state, one, moves, measure.now));
  const rest = moves ? "the rest goes on" : "nothing moves without an answer";
  return {
    role: "human",
    due: [],
    underWay: [],
    questions: open.map(({ id }) => id),
    urgency: Math.max(...urgencies),
    why: `${open.length} open, the oldest ${first.id}; ${rest}`,
  };
}

/** Pieces of work: tasks, or open questions. */
function countOf({ due, underWay, questions }: Detection): number {
  return due.length + underWay.length + questions.length;
}

/**
 * What of a look is worth recording: roles that have work or have none any more, twice or half as
 * much as was recorded last, or of an urgency three away from that.
 */
export function newsOf(
  known: ReadonlyMap<string, RoleWork>,
  detections: readonly Detection[],
): Omit<RoleWork, "atMs">[] {
  const found = new Map(detections.map((one) => [one.role, one]));
  return (Object.keys(DETECTORS) as WorkRole[]).flatMap((role) => {
    const one = found.get(role);
    const now =
      one === undefined
        ? { role, count: 0, urgency: 0, why: "nothing to do" }
        : { role, count: countOf(one), urgency: one.urgency, why: one.why };
    const last = known.get(role) ?? { count: 0, urgency: 0 };
    const isMore = now.count >= 2 * last.count && now.count > last.count;
    const isLess = now.count * 2 <= last.count && now.count < last.count;
    return isMore || isLess || Math.abs(now.urgency - last.urgency) >= 3 ? [now] : [];
  });
}
