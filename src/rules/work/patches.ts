/** Which pieces of work a task came to: its commits on the run's branch, else what its last attempt left. */
import type { RunEvent } from "../../domain/event.ts";
import type { RunState } from "../../domain/run-state.ts";
import type { TaskId } from "../../domain/task.ts";
import { descendantsOf, taskOf } from "../status.ts";

/** One piece: what changed from one commit to another. */
export interface Piece {
  task: TaskId;
  title: string;
  from: string;
  to: string;
  /** The attempt that made it; none did what a plan shares (stubs, tests). */
  attempt?: number;
  /** False for what was only kept. */
  merged: boolean;
  /** Blob of the patch, where the commit may be gone. */
  patch?: string;
}

/**
 * The pieces of a task and all below it, in the order in which they were merged. `commits` are those
 * of the run's branch beyond its base, oldest first, with their `<task> <attempt>`. Of a task of
 * which nothing is merged, its last attempt that left something; none where none did.
 */
export function piecesOf(
  state: RunState,
  events: readonly RunEvent[],
  commits: ReadonlyMap<string, readonly string[]>,
  id: TaskId,
): Piece[] {
  const task = taskOf(state, id);
  const ids = new Set([task, ...descendantsOf(state, id)].map((one) => one.id));
  const shared = sharedCommits(events, ids);
  const pieces = [...commits].flatMap(([commit, trailers]): Piece[] => {
    const between = { from: `${commit}^`, to: commit, merged: true };
    const plan = shared.get(commit);
    if (plan !== undefined) {
      const title = `interfaces and examples of ${taskOf(state, plan).contract.title}`;
      return [{ task: plan, title, ...between }];
    }
    return trailers.flatMap((trailer): Piece[] => {
      const [owner = "", number] = trailer.split(" ");
      if (!ids.has(owner)) return [];
      const { title } = taskOf(state, owner).contract;
      return [{ task: owner, title, attempt: Number(number), ...between }];
    });
  });
  if (pieces.length > 0) return pieces;
  const left = task.attempts.findLast((attempt) => attempt.kept !== undefined);
  return left === undefined ? [] : pieceOfAttempt(state, id, left.number);
}

/** What one attempt left, merged or not; nothing where it left nothing. */
export function pieceOfAttempt(state: RunState, id: TaskId, number: number): Piece[] {
  const task = taskOf(state, id);
  const attempt = task.attempts.find((one) => one.number === number);
  if (attempt?.kept === undefined) return [];
  return [
    {
      task: id,
      title: task.contract.title,
      from: attempt.base,
      to: attempt.kept,
      attempt: number,
      merged: attempt.outcome === "succeeded",
      ...(attempt.patch === undefined ? {} : { patch: attempt.patch }),
    },
  ];
}

/** The commits that plans made for the parts to share, by whose plan it was. */
function sharedCommits(events: readonly RunEvent[], ids: ReadonlySet<TaskId>): Map<string, TaskId> {
  const shared = new Map<string, TaskId>();
  for (const event of events) {
    if (event.event_type !== "task.split" && event.event_type !== "task.sized") continue;
    const id = event.task_id ?? "";
    if (event.commit !== undefined && ids.has(id)) shared.set(event.commit, id);
  }
  return shared;
}
