/** Why a run's branch was not merged, as a person reads it: what is in the way, and what to type. */
import type { RunState } from "../domain/run-state.ts";
import { EXIT, type Refusal, refuse } from "./exit.ts";
import type { machine } from "./wire.ts";

/** How many files a refusal names. */
const PATHS_MAX = 20;

type Checkout = Awaited<ReturnType<typeof machine.readCheckout>>;
type Merged = Awaited<ReturnType<typeof machine.mergeIntoCheckout>>;

/** What git said no to, as a refusal: nothing was changed, or what was left is named. */
export function refusalOfMerge(
  merged: Exclude<Merged, { kind: "merged" | "already" }>,
  state: RunState,
  branch: string,
): Refusal {
  switch (merged.kind) {
    case "conflicts":
      return refuse(EXIT.failed, `${state.branch} and ${branch} changed the same lines`, {
        where: merged.paths,
        next: [`git merge ${state.branch}   # then put these files right; nothing was changed yet`],
      });
    case "in-the-way":
      return refuse(EXIT.failed, "files that are in no commit lie where the merge writes", {
        where: listed(merged.paths),
        next: [
          "move them away, or commit them; nothing was changed",
          `fractal merge ${state.runId}`,
        ],
      });
    case "locked":
      return refuseLocked(merged.paths, state.runId);
    case "hooks":
      return refuse(EXIT.usage, `${state.branch} changes hooks that git would run by merging it`, {
        where: listed(merged.paths),
        next: [
          `git diff HEAD...${state.branch} -- ${merged.paths.slice(0, 3).join(" ")}   # read them; nothing was changed`,
          `git -c core.hooksPath=/dev/null merge ${state.branch}   # merges and runs no hook`,
        ],
      });
    case "refused": {
      const said = merged.said.split("\n").filter((line) => line.trim() !== "");
      const { left } = merged;
      if (left === undefined) {
        return refuse(EXIT.failed, "git did not merge; nothing was changed", {
          where: said,
          next: ["put that right, then once more: fractal merge"],
        });
      }
      return refuse(EXIT.failed, "git was cut off in the middle of the merge", {
        where: [...said, ...left],
        next: [
          "when no git is at work here any more, remove what ends in .lock",
          `fractal merge ${state.runId}   # puts back what was begun, and merges anew`,
        ],
      });
    }
  }
}

/** The locks are those of a person's git: fractal removes none of them. */
export function refuseLocked(paths: readonly string[], runId: string): Refusal {
  return refuse(EXIT.environment, "another git is at work in this checkout, or was killed there", {
    where: [...paths],
    next: [
      `rm ${paths.map((path) => `'${path}'`).join(" ")}   # only when no git is at work here`,
      `fractal merge ${runId}   # then: it goes on from here`,
    ],
  });
}

function listed(paths: readonly string[]): string[] {
  const over = paths.length - PATHS_MAX;
  return [...paths.slice(0, PATHS_MAX), ...(over > 0 ? [`and ${over} more`] : [])];
}

/** What of the user's checkout is in the way. */
export function refuseCheckout(checkout: Checkout, runId: string): Refusal | undefined {
  const { underWay, branch, changed } = checkout;
  if (underWay !== undefined) {
    return refuse(EXIT.usage, `a ${underWay} is under way in this checkout`, {
      next: [`git ${underWay} --continue   # or --abort`],
    });
  }
  if (branch === undefined) {
    return refuse(EXIT.usage, "HEAD is detached: no branch would have the merge", {
      next: ["git switch BRANCH", `fractal merge ${runId}`],
    });
  }
  if (changed.length === 0) return undefined;
  return refuse(EXIT.usage, "there are changes that are in no commit", {
    where: listed(changed),
    next: ["git commit   # or git stash", `fractal merge ${runId}`],
  });
}
