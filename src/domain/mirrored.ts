/** What Beads shows of a task: when two of these are the same, and what one wrote over. */
import { z } from "zod";

/** What Beads was last told, or last showed, of one task: the fields a person may change. */
export const mirrored = z.object({
  status: z.enum(["open", "in_progress", "blocked", "deferred", "closed"]),
  assignee: z.string(),
});
export type Mirrored = z.infer<typeof mirrored>;

/** True when the two show the same; who held a closed issue is history, not a difference. */
export function showsSame(a: Mirrored, b: Mirrored): boolean {
  return a.status === b.status && (a.status === "closed" || a.assignee === b.assignee);
}

/**
 * What `line` wrote over, from what the issue showed with each write of anyone, newest first.
 * Undefined where that was no more than `was`, and where something else was written after the line:
 * that is shown, and the last word.
 */
export function overwrittenBy(
  line: Mirrored,
  was: Mirrored,
  states: readonly Mirrored[],
): Mirrored | undefined {
  const [last] = states;
  if (showsSame(line, was) || last === undefined || !showsSame(last, line)) return undefined;
  const before = states.find((state) => !showsSame(state, line));
  if (before === undefined || showsSame(before, was)) return undefined;
  return { status: before.status, assignee: before.assignee };
}
