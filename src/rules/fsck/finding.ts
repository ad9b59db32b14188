/** What `fractal fsck` finds: something that is not as the promises have it. */

/**
 * `unfinished`: a process that was cut off left it so, and the next `fractal resume` puts it right.
 * `broken`: nothing puts it right by itself.
 */
export type Severity = "broken" | "unfinished";

export type FindingKind =
  // The journal alone
  | "journal-damaged"
  | "journal-newer"
  | "journal-torn"
  | "event-impossible"
  | "blob-missing"
  | "blob-damaged"
  | "done-twice"
  | "asked-twice"
  | "fence-reused"
  | "result-stale"
  | "budget-broken"
  // What a run must let go of
  | "lease-open"
  | "reservation-open"
  | "workspace-left"
  | "process-running"
  // The branch
  | "branch-missing"
  | "commit-missing"
  | "trailer-missing"
  | "merged-twice"
  | "merge-unknown"
  | "merge-unfinished"
  | "ref-missing"
  | "ref-unknown"
  // Beads
  | "beads-orphan"
  | "beads-foreign"
  | "beads-behind"
  | "beads-unfollowed";

export interface Finding {
  kind: FindingKind;
  severity: Severity;
  /** A line of a file, a task, a ref, a folder. */
  where: string;
  /** What is wrong, in one sentence. */
  detail: string;
  /** What to do about it. */
  remedy: string;
}
