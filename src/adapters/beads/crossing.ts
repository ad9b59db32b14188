/** Finds what a person's bd wrote after it was last looked and before our batch, which then wrote over it. */
import { z } from "zod";
import { type Failure, isFailure } from "../../domain/failure.ts";
import { type Mirrored, overwrittenBy } from "../../domain/mirrored.ts";
import type { TrackerLine } from "../../domain/ports.ts";
import type { Bd } from "./bd.ts";
import { issue, taskOf } from "./issue.ts";
import type { Doubt } from "./known.ts";

/** One commit of anyone, and what the issue showed from then on. */
const commit = z.object({ CommitDate: z.coerce.date(), Issue: issue });

/** So many commits after a line, in the moment until it is looked, and it is given up. */
const COMMITS_MAX = 40;

/** What lines wrote over, by id. Nothing else tells it: a batch has no conditions (bd 1.3.0). */
export async function overwrittenIn(
  bd: Bd,
  lines: readonly TrackerLine[],
): Promise<Map<string, Mirrored> | Failure> {
  const found = new Map<string, Mirrored>();
  for (const line of lines) {
    if (line.was === undefined) continue;
    const states = await historyOf(bd, line.id, COMMITS_MAX);
    if (isFailure(states)) return states;
    const shown = states.map((state) => taskOf(state.Issue));
    const theirs = overwrittenBy(line, line.was, shown);
    if (theirs !== undefined) found.set(line.id, theirs);
  }
  return found;
}

/**
 * What these lines, just written, wrote over. It is asked for each of them only where there are more
 * commits than ours since the doubt began: a person may have been there to read. The history of any
 * issue, such as `older`, has all commits since it was made.
 */
export async function crossedBy(
  bd: Bd,
  lines: readonly TrackerLine[],
  older: string | undefined,
  doubt: () => Doubt | undefined,
): Promise<ReadonlyMap<string, Mirrored> | Failure> {
  const { ours = COMMITS_MAX } = doubt() ?? { ours: 0 };
  if (ours === 0) return new Map();
  if (older !== undefined && ours < COMMITS_MAX) {
    const commits = await historyOf(bd, older, COMMITS_MAX);
    if (isFailure(commits)) return commits;
    // Counted now: writes of ours that were asked for before this look came before it.
    const now = doubt();
    const before = now?.ours === undefined ? undefined : commits[now.ours];
    if (now !== undefined && before !== undefined && before.CommitDate < now.since)
      return new Map();
  }
  return await overwrittenIn(bd, lines);
}

/** Newest first; none where bd knows of none, as of an issue that was deleted. */
async function historyOf(bd: Bd, id: string, limit: number) {
  const args = ["history", id, "--limit", String(limit)];
  const commits = await bd.run({ args, effect: "read", schema: z.array(commit).nullable() });
  if (!isFailure(commits)) return commits ?? [];
  return commits.refused === true ? [] : commits;
}
