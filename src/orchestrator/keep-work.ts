/** Keeps what an attempt wrote, whatever becomes of it: under a ref, and as a patch where it was not merged. */
import { isFailure } from "../domain/failure.ts";
import type { TaskState } from "../domain/run-state.ts";
import type { Lease, LeaseEnd } from "./lease.ts";
import type { World } from "./world.ts";

/** A patch may one day be all that is left of the work: whole, as far as memory goes. */
const PATCH_BYTES_MAX = 2 ** 28;

/** Commits a tree on the lease's base and keeps it as `<task>.<attempt>`; returns the commit. */
export async function keepWork(
  { repository }: World,
  lease: Lease,
  task: TaskState,
  tree: string,
): Promise<string> {
  const message = `${task.contract.title}\n\nFractal-Attempt: ${lease.taskId} ${lease.attempt}\n`;
  const commit = await repository.commit(tree, [lease.base], message);
  await repository.keep(`${lease.taskId}.${lease.attempt}`, commit);
  return commit;
}

/** The end with the patch of its work, unless that was merged. */
export async function withPatch(
  { repository, store }: World,
  lease: Lease,
  kept: string,
  end: LeaseEnd,
): Promise<LeaseEnd> {
  const isLost = end.events.some(
    (event) => event.event_type === "attempt.ended" && event.outcome !== "succeeded",
  );
  if (!isLost) return end;
  const diff = await repository.diff(lease.base, kept, PATCH_BYTES_MAX);
  const patch = store.journal.putBlob(diff);
  const events = end.events.map((event) =>
    event.event_type === "attempt.ended" ? { ...event, kept, patch } : event,
  );
  return { ...end, events };
}

/**
 * The end of an attempt that stopped in the middle, with what lies in its folder by then; as it was
 * where nothing does, or nothing that may be taken over.
 */
export async function withHalfDone(
  world: World,
  lease: Lease,
  task: TaskState,
  folder: string,
  end: LeaseEnd,
): Promise<LeaseEnd> {
  const collected = await world.repository.collect(folder, lease.base);
  if (isFailure(collected) || collected.changes.length === 0) return end;
  const files = collected.changes.map((change) => change.path);
  const kept = await keepWork(world, lease, task, collected.tree);
  const events = end.events.map((event) =>
    event.event_type === "attempt.ended" ? { ...event, files } : event,
  );
  return withPatch(world, lease, kept, { ...end, events });
}
