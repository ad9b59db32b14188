/** Whether a worker gets a file that its contract does not name. */
import { pathProblem } from "../../domain/path.ts";
import type { RunState, TaskState } from "../../domain/run-state.ts";
import { isSettled } from "../../domain/task.ts";
import { covers } from "../plan/plan-order.ts";
import { statusOf } from "../status.ts";
import { plainPath } from "./path-pattern.ts";
import { protectedBy } from "./protected.ts";

/** A task that needs more files than this beyond its own was cut wrongly. */
const GRANTED_MAX = 3;

/** What a worker is told of a file it asked for. */
export interface Granting {
  path: string;
  granted: boolean;
  /** In words it can act on. */
  reason: string;
}

/**
 * A file is granted that is nobody else's: no open task has declared it, and it neither judges nor
 * configures the work. Whoever owns it is named.
 */
export function judgeRequest(
  state: RunState,
  task: TaskState,
  asked: string,
  protectedPaths: readonly string[],
): Granting {
  const path = plainPath(asked);
  const refused = (reason: string): Granting => ({ path, granted: false, reason });
  const { contract, grantedFiles = [] } = task;
  const granting: Granting = { path, granted: true, reason: `${path} is yours now.` };
  if (contract.files.includes(path)) return granting;
  const problem = pathProblem(path);
  if (problem !== undefined) return refused(`"${path}" ${problem}: it cannot be granted.`);
  if (contract.kind !== "code") return refused("Only a task that writes code may have more files.");
  const pattern = protectedBy(path, protectedPaths);
  if (pattern !== undefined) {
    return refused(
      `${path} is protected (${pattern}): it judges or configures the work, and no task may change it. Do without; if that cannot be, ask a person.`,
    );
  }
  const owner = ownerOf(state, task, path);
  if (owner !== undefined) {
    return refused(
      `${path} belongs to "${owner.contract.title}" (${owner.key}), which is not finished. Do without it: use what is declared of it, and say in your report what you would have changed.`,
    );
  }
  if (grantedFiles.length >= GRANTED_MAX) {
    return refused(
      `You were given ${grantedFiles.length} more files already (${grantedFiles.join(", ")}); ${path} is one too many. Do without, or say that the task is too big.`,
    );
  }
  return granting;
}

/** The open task, not this one, that has declared the file; a split one has given its files away. */
function ownerOf(state: RunState, task: TaskState, path: string): TaskState | undefined {
  return [...state.tasks.values()].find(
    (other) =>
      other.id !== task.id &&
      other.shape !== "split" &&
      !isSettled(statusOf(state, other.id)) &&
      other.contract.files.some((file) => covers(file.replace(/^\.\//, ""), path)),
  );
}
