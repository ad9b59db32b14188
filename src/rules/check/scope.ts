/** Whether a change stays within what its task declared, and off the paths that are protected. */
import type { Failure } from "../../domain/failure.ts";
import { pathProblem } from "../../domain/path.ts";
import type { Change } from "../../domain/ports.ts";
import type { Contract } from "../../domain/task.ts";
import { isUnder, plainPath } from "./path-pattern.ts";
import { FRACTALS_OWN, protectedBy } from "./protected.ts";
import { isAskable } from "./sensitive.ts";

const PATHS_SHOWN_MAX = 20;

/**
 * The failure of a change that touches a protected path, another file than the contract declares,
 * or more lines than a task of its size may; undefined when it is in scope. `protectedPaths` come
 * on top of the usual ones. A protected path is the task's own when its contract declares it and it
 * was not there before, or when a person can say yes to it (sensitive.ts). fractal's own are nobody's.
 */
export function judgeScope(
  changes: readonly Change[],
  contract: Contract,
  protectedPaths: readonly string[],
  linesMax: number,
): Failure | undefined {
  const steering = changes.filter((change) => isUnder(change.path, FRACTALS_OWN));
  if (steering.length > 0) {
    return {
      failure: "protected-path",
      detail: `These files steer fractal itself: no task may write them, new or not. Do the work without them, or under other names:\n${listed(steering)}`,
      paths: steering.map((change) => change.path),
    };
  }
  const declared = new Set(contract.files.map(plainPath));
  // What is there already, and askable, is asked about before it is merged.
  const isOwn = (change: Change) =>
    declared.has(change.path) &&
    (change.kind === "added" || (isAskable(change.path) && !isUnder(change.path, protectedPaths)));

  const guarded = changes.filter(
    (change) => !isOwn(change) && protectedBy(change.path, protectedPaths),
  );
  if (guarded.length > 0) {
    return {
      failure: "protected-path",
      detail: `These files are protected and must stay as they are:\n${listed(guarded)}`,
      paths: guarded.map((change) => change.path),
    };
  }
  const strays = changes.filter(
    (change) => !declared.has(change.path) || pathProblem(change.path) !== undefined,
  );
  if (strays.length > 0) {
    const allowed = [...declared].join(", ") || "none";
    return {
      failure: "out-of-scope",
      detail: `Only these files may change: ${allowed}. Also changed:\n${listed(strays)}`,
      paths: strays.map((change) => change.path),
    };
  }
  const lines = changes.reduce((sum, change) => sum + change.linesAdded + change.linesDeleted, 0);
  if (lines <= linesMax) return undefined;
  return {
    failure: "out-of-scope",
    detail: `The change has ${lines} lines; a task of this size may change ${linesMax}. Change less:\n${listed(changes, linesOf)}`,
    paths: changes.map((change) => change.path),
  };
}

function listed(changes: readonly Change[], describe: (change: Change) => string = kindOf): string {
  const lines = changes.slice(0, PATHS_SHOWN_MAX).map((one) => `- ${one.path} (${describe(one)})`);
  const rest = changes.length - lines.length;
  return [...lines, ...(rest > 0 ? [`- and ${rest} more`] : [])].join("\n");
}

const kindOf = ({ kind }: Change) => kind;
const linesOf = ({ linesAdded, linesDeleted }: Change) => `+${linesAdded} −${linesDeleted}`;
