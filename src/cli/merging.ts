/** Merges a run's branch into the branch the user is on, or says what is in the way. */

import { landedFindings } from "../rules/fsck/fsck-branch.ts";
import { walkHistory } from "../rules/fsck/fsck-history.ts";
import { notYet } from "../rules/work/mergeable.ts";
import { EXIT, isRefusal, type Refusal, refuse } from "./exit.ts";
import { isOpen, readableRuns } from "./find-run.ts";
import type { Secrets } from "./secrets.ts";
import { topFolderOf } from "./top-folder.ts";
import { machine } from "./wire.ts";
import { openRunWork, type RunWork } from "./work.ts";

/** What came of it. */
export interface MergeEnd {
  work: RunWork;
  /** The user's branch. */
  into: string;
  how: "fast-forward" | "merge" | "already";
  /** The commit the user's branch was at; empty where it had none. */
  before: string;
  after: string;
  /** A merge that was cut off before this one, and what became of it. */
  earlier?: "finished" | "undone";
}

/** How many files a refusal names. */
const PATHS_MAX = 20;

type Checkout = Awaited<ReturnType<typeof machine.readCheckout>>;

/** One at a time in a checkout. A run may be at work meanwhile: its branch's tip is read once. */
export async function mergeRun(o: {
  dir: string;
  run?: string;
  /** Makes a merge commit also where a fast-forward would do. */
  commits: boolean;
  /** Also when the run is not done, or its branch was changed since it was checked. */
  anyway: boolean;
  /** What git and the user's hooks are not given. */
  secrets: Secrets;
}): Promise<MergeEnd | Refusal> {
  const top = await topFolderOf(o.dir);
  const work = await openRunWork(o);
  if (isRefusal(work)) return work;
  if ((await machine.surveyFolder(top)).repository?.top === undefined) {
    const what = `${o.dir} is a bare repository, or inside .git: there is no branch to merge into`;
    return refuse(EXIT.usage, what, { next: ["cd into a checkout, or make one with git clone"] });
  }
  const found = await machine.readCheckout(top);
  const lock = machine.takeMergeLock(found.gitDir);
  if (lock === undefined) {
    return refuse(EXIT.usage, "another fractal merge is at work in this checkout");
  }
  try {
    return await mergeLocked(work, top, o);
  } finally {
    lock.release();
  }
}

async function mergeLocked(
  work: RunWork,
  top: string,
  o: { commits: boolean; anyway: boolean; secrets: Secrets },
): Promise<MergeEnd | Refusal> {
  const { state, tip } = work;
  const recovered = await machine.recoverMerge(await machine.readCheckout(top));
  if (recovered.kind === "locked") return refuseLocked(recovered.paths, state.runId);
  if (recovered.kind === "stuck") {
    return refuse(EXIT.usage, recovered.why, {
      where: recovered.paths,
      next: [
        "git status   # shows them; git checkout HEAD -- FILE takes one back",
        `fractal merge ${state.runId}   # goes on when that is settled`,
      ],
    });
  }
  const earlier = recovered.kind === "none" ? {} : { earlier: recovered.kind };
  const checkout = await machine.readCheckout(top);
  const { head = "", branch } = checkout;
  const isIn = head !== "" && (await machine.isWithin(top, tip, head));
  if (isIn) {
    return { work, into: branch ?? "HEAD", how: "already", before: head, after: head, ...earlier };
  }
  const refusal = (await refuseRun(work, top, o.anyway)) ?? refuseCheckout(checkout, state.runId);
  if (refusal !== undefined) return refusal;
  const merged = await machine.mergeIntoCheckout(checkout, {
    commit: tip,
    message: `Merge fractal run ${state.runId}: ${state.spec.title}`,
    commits: o.commits,
    isUnrelated: state.base === "",
    env: o.secrets.environment(),
  });
  switch (merged.kind) {
    case "merged": {
      const { how, before, after } = merged;
      return { work, into: branch ?? "HEAD", how, before, after, ...earlier };
    }
    case "already":
      return { work, into: branch ?? "HEAD", how: "already", before: head, after: head };
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
function refuseLocked(paths: readonly string[], runId: string): Refusal {
  return refuse(EXIT.environment, "another git is at work in this checkout, or was killed there", {
    where: [...paths],
    next: [
      `rm ${paths.map((path) => `'${path}'`).join(" ")}   # only when no git is at work here`,
      `fractal merge ${runId}   # nothing was changed`,
    ],
  });
}

function listed(paths: readonly string[]): string[] {
  const over = paths.length - PATHS_MAX;
  return [...paths.slice(0, PATHS_MAX), ...(over > 0 ? [`and ${over} more`] : [])];
}

/** What of the run itself is in the way. */
async function refuseRun(
  work: RunWork,
  top: string,
  anyway: boolean,
): Promise<Refusal | undefined> {
  const { state, events, tip, commits, refs } = work;
  const { runId } = state;
  const history = walkHistory(events, runId);
  const lost = landedFindings(state, history, { tip, commits, refs });
  if (lost.length > 0) {
    return refuse(EXIT.failed, `${state.branch} lacks work that is done`, {
      where: lost.map(({ detail }) => detail),
      next: [`fractal fsck ${runId}`],
    });
  }
  const why = anyway ? undefined : notYet(state, events, await work.treeOf(tip));
  if (why === undefined) return undefined;
  const done = readableRuns(top).find((run) => !isOpen(run.state) && run.runId !== runId);
  return refuse(EXIT.usage, `run ${runId} ${why}`, {
    next: [
      `fractal tree ${runId}   # what is missing`,
      `fractal merge ${runId} --anyway   # takes what is merged so far; each piece passed its checks`,
      ...(done === undefined
        ? []
        : [`fractal merge ${done.runId}   # another run, which has ended`]),
    ],
  });
}

/** What of the user's checkout is in the way. */
function refuseCheckout(checkout: Checkout, runId: string): Refusal | undefined {
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
