/** Brings a checked commit onto the run's branch: merge, check the merged tree, move the branch. */
import type { Check } from "../domain/check.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { TaskId } from "../domain/task.ts";
import { drawVerdict, failureOf } from "../rules/check/verdict.ts";
import { isLost, taskOf } from "../rules/status.ts";
import { checkTree } from "./check-tree.ts";
import type { Lease } from "./lease.ts";
import { ACTOR, type World } from "./world.ts";

/** So often in a row may somebody else move the branch before the merge is given up. */
const RACES_MAX = 3;

/**
 * Merges `candidate`, made from the lease's base, onto the branch's head, and returns the commit
 * there. One at a time; `checksOf` is asked when it is this one's turn, and told which tasks are on
 * the branch though their process died before it could say so; moving the branch is the commit
 * point. Who moved it meanwhile is built upon: merged and checked anew. A conflict, a red check on
 * the merged tree and a lost lease are failures.
 */
export function integrate(
  world: World,
  lease: Lease,
  candidate: string,
  checksOf: (landed: ReadonlySet<TaskId>) => Check[],
  signal: AbortSignal,
): Promise<string | Failure> {
  return world.integration(async () => {
    for (let race = 1; race <= RACES_MAX; race++) {
      const checks = checksOf(await landedUnsaid(world));
      const landed = await landOnHead(world, lease, candidate, checks, signal);
      if (landed !== undefined) return landed;
    }
    const detail = "the run's branch was moved by somebody else again and again";
    return { failure: "merge-conflict", detail, paths: [] };
  });
}

/** Tasks whose work is on the branch though no process lived to say so: it must hold all the same. */
async function landedUnsaid({ store, repository }: World): Promise<ReadonlySet<TaskId>> {
  const begun = [...store.state.tasks.values()].flatMap(({ id, end, merge, attempts }) => {
    const isOpen = attempts.some((one) => one.number === merge?.attempt && !one.endedAt);
    return end === undefined && merge !== undefined && isOpen ? [{ id, merge }] : [];
  });
  if (begun.length === 0) return new Set();
  const landed = await repository.landed();
  return new Set(begun.filter(({ merge }) => landed.has(merge.commit)).map(({ id }) => id));
}

/** One merge onto the head as it is; undefined when the branch was moved meanwhile. */
async function landOnHead(
  world: World,
  lease: Lease,
  candidate: string,
  checks: Check[],
  signal: AbortSignal,
): Promise<string | Failure | undefined> {
  const { repository, store } = world;
  const task = taskOf(store.state, lease.taskId);
  const head = await repository.head();
  // The git of a fractal that was killed may have moved the branch since it was first looked at.
  const late = await landedCommit(world, lease);
  if (late !== undefined) return late;
  const tree = await mergedTree(world, lease, head, candidate);
  if (isFailure(tree)) return tree;
  const message = `${task.contract.title}\n\nFractal-Task: ${lease.taskId} ${lease.attempt}\n`;
  const commit = await repository.commit(tree, [head], message);
  // Green on its own tree a moment ago: what is red now may be the check.
  const rigour = { stopAtFirst: true, confirmsRed: true };
  const results = await checkTree(world, commit, checks, rigour, signal);
  if (isFailure(results)) return results;
  const verdict = drawVerdict(results, checks);
  if (!verdict.passed) {
    const failure = failureOf(verdict);
    return { ...failure, detail: `on the tree merged with the others' work: ${failure.detail}` };
  }
  // Asked of the state, not of the signal alone: the loop may not have come round to abort yet.
  if (signal.aborted || !lease.isCurrent() || isLost(store.state, task)) {
    return { failure: "cancelled", detail: "let go" };
  }
  const about = { task_id: lease.taskId, actor: ACTOR } as const;
  const { attempt, fence } = lease;
  store.record([{ ...about, event_type: "merge.started", attempt, fence, onto: head, commit }]);
  if (!(await repository.advance(head, commit))) return landedCommit(world, lease);
  store.record([{ ...about, event_type: "merge.done", attempt, commit }]);
  return commit;
}

/**
 * The commit by which an earlier process brought this attempt onto the branch before it could say
 * so; undefined where there is none. Only what was begun can have been done.
 */
export async function landedCommit(world: World, lease: Lease): Promise<string | undefined> {
  const { merge } = taskOf(world.store.state, lease.taskId);
  if (merge?.attempt !== lease.attempt) return undefined;
  return world.repository.findMerged(lease.taskId, lease.attempt);
}

async function mergedTree(
  world: World,
  lease: Lease,
  head: string,
  candidate: string,
): Promise<string | Failure> {
  if (head === lease.base) return world.repository.treeOf(candidate);
  const merged = await world.repository.merge(lease.base, head, candidate);
  if ("tree" in merged) return merged.tree;
  return {
    failure: "merge-conflict",
    detail: `another task changed the same lines of ${merged.conflicts.join(", ")} meanwhile; start again from the new state of these files`,
    paths: merged.conflicts,
    hunks: merged.hunks,
  };
}
