/** Finds what a person's bd wrote after it was last looked and before our batch, which then wrote over it. */
import { z } from "zod";
import { type Failure, isFailure } from "../../domain/failure.ts";
import { type Mirrored, overwrittenBy } from "../../domain/mirrored.ts";
import type { TrackerLine } from "../../domain/ports.ts";
import type { Bd } from "./bd.ts";
import { issue, taskOf } from "./issue.ts";

/** One commit of anyone, and what the issue showed from then on. */
const commit = z.object({ CommitHash: z.string(), CommitDate: z.coerce.date(), Issue: issue });

/** So many commits of others after ours, in the moment until it is looked, and a line is given up. */
const COMMITS_MAX = 20;
/** What two clocks may differ by over a few seconds, and more. */
const SLACK_MS = 50;

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

/** Looks after each batch of one flush. */
export interface Crossing {
  /** What these lines, written by one batch, wrote over; the flush's lines were decided `agoMs` ago. */
  after(
    lines: readonly TrackerLine[],
    agoMs: number,
  ): Promise<ReadonlyMap<string, Mirrored> | Failure>;
}

/**
 * Asks for each line only once somebody was seen to write, not only to read: each write is a commit
 * with a date, and between the decision and now there are more than ours.
 */
export function openCrossing(bd: Bd): Crossing {
  /** The newest commit when nobody but us had written. */
  let calm: string | undefined;
  let isCrossed = false;
  return {
    async after(lines, agoMs) {
      const [line] = lines;
      if (line === undefined) return new Map();
      if (!isCrossed) {
        const commits = await historyOf(bd, line.id, 2);
        if (isFailure(commits)) return commits;
        const [last, before] = commits;
        const apartMs = Number(last?.CommitDate) - Number(before?.CommitDate);
        const isCalm = before?.CommitHash === calm || apartMs > agoMs + SLACK_MS;
        isCrossed = last === undefined || before === undefined || !isCalm;
        calm = last?.CommitHash;
      }
      return isCrossed ? await overwrittenIn(bd, lines) : new Map();
    },
  };
}

/** Newest first; none where bd knows of none, as of an issue that was deleted. */
async function historyOf(bd: Bd, id: string, limit: number) {
  const args = ["history", id, "--limit", String(limit)];
  const commits = await bd.run({ args, effect: "read", schema: z.array(commit).nullable() });
  if (!isFailure(commits)) return commits ?? [];
  return commits.refused === true ? [] : commits;
}
