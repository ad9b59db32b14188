/** Holds Beads to its promise: off the critical path, and never in a person's way. */
import { appendFileSync } from "node:fs";
import { type BeadsCost, costOfBeads } from "./beads.ts";

const isDeep = process.env["FRACTAL_DEEP"] === "1";
const seconds = (ms: number) => Math.round(ms / 100) / 10;

function tell(what: string, holds: boolean, cost: BeadsCost, more: Record<string, unknown>): void {
  const details = { leaves: cost.leaves, seconds: seconds(cost.run.wall), ...more };
  console.log(`${holds ? "holds" : "BROKEN"}: ${what} ${JSON.stringify(details)}`);
  const { FRACTAL_REPORT: report } = process.env;
  const line = { suite: "beads", what, count: 1, passed: holds ? 1 : 0, details };
  if (report) appendFileSync(report, `${JSON.stringify(line)}\n`);
  if (!holds) process.exitCode = 1;
}

const leaves = isDeep ? 200 : 40;
const fast = await costOfBeads({ leaves, modelMs: 0, jobs: 2 });
const ratio = Math.round((fast.run.wall / fast.bdAlone) * 100) / 100;
tell("a model that answers at once: at most 1.2 times what bd alone takes", ratio <= 1.2, fast, {
  "bd alone": seconds(fast.bdAlone),
  writes: fast.writes,
  ratio,
});
const watched = await costOfBeads({ leaves, modelMs: 0, jobs: 2, isWatched: true });
tell("a person's `bd list` meanwhile waits 2 s at most", watched.listMax <= 2_000, watched, {
  lists: watched.lists,
  longest: seconds(watched.listMax),
});

// So many that what a run takes to begin and to end is a part of it as in a real one.
const some = isDeep ? 100 : 20;
const slow = await costOfBeads({ leaves: some, modelMs: 2_000, jobs: 2 });
const without = await costOfBeads({ leaves: some, modelMs: 2_000, jobs: 2, isUntracked: true });
const added = Math.round((slow.run.wall / without.run.wall - 1) * 1000) / 10;
tell("a model that takes 2 s: Beads adds less than 5 %", added < 5, slow, {
  without: seconds(without.run.wall),
  "added %": added,
});
