/** The reviewer's look at a change whose checks say too little of it. */
import { reviewWork } from "../agents/reviewer.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import { profileFor } from "./journaled-model.ts";
import type { Lease } from "./lease.ts";
import { gatherPack } from "./pack.ts";
import type { World } from "./world.ts";

/** What the reviewer is shown of a change, at most; a longer one is not accepted. */
const DIFF_BYTES_MAX = 60_000;

/** Why the reviewer does not accept it; undefined where it does, or there is none. */
export async function reviewChange(
  world: World,
  lease: Lease,
  candidate: string,
  doubts: string[],
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const profile = profileFor(world, lease, "reviewer");
  if (profile === undefined) return undefined;
  // Cut one byte later than it may be long, and without a newline at its end.
  const diff = await world.repository.diff(lease.base, candidate, DIFF_BYTES_MAX + 2);
  if (Buffer.byteLength(diff) > DIFF_BYTES_MAX) return tooLong();
  const answer = await reviewWork(
    {
      profile,
      prompt: world.prompts.reviewer,
      identity: { taskId: lease.taskId, attempt: lease.attempt },
      pack: await gatherPack(world, lease.taskId, candidate, "fresh"),
      diff,
      doubts,
    },
    signal,
  );
  if (isFailure(answer)) return answer;
  if (answer.accept) return undefined;
  return { failure: "check-failed", detail: `the reviewer: ${answer.reason}`, checks: ["review"] };
}

/** Padding must not hide what comes behind it: who judges a change sees all of it. */
function tooLong(): Failure {
  const detail = `the change is to be reviewed, and longer than the ${DIFF_BYTES_MAX / 1000} kB a reviewer is shown: make it shorter`;
  return { failure: "check-failed", detail, checks: ["review"] };
}
