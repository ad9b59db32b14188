/** Judges what a run left on disk, in git, in Beads and on the machine: facts in, findings out. */
import type { RunEvent } from "../../domain/event.ts";
import type { TrackedTask } from "../../domain/ports.ts";
import type { Finding } from "./finding.ts";
import { beadsFindings } from "./fsck-beads.ts";
import { type BranchFacts, branchFindings, landedFindings } from "./fsck-branch.ts";
import { walkHistory } from "./fsck-history.ts";
import { type LeftoverFacts, leftoverFindings } from "./fsck-leftovers.ts";

/** All that is looked at of one run. What could not be looked at is left out. */
export interface RunFacts {
  runId: string;
  /** A controller holds the repository's lock: what is under way belongs to it. */
  live: boolean;
  journal: JournalFacts;
  /** Blobs that the journal names and that cannot be read back. */
  badBlobs: ReadonlyMap<string, "missing" | "damaged">;
  leftovers: LeftoverFacts;
  branch?: BranchFacts;
  /** Every issue that Beads shows. */
  beads?: readonly TrackedTask[];
}

export interface JournalFacts {
  /** `telemetry/<run>/events.jsonl`. */
  file: string;
  /** The good lines. */
  events: readonly RunEvent[];
  /** The first bad line, from 1; after it nothing can be believed. */
  damage?: { line: number; message: string; newer?: number };
  /** Bytes of a last line that was never finished. */
  tornBytes: number;
}

/** Everything found about one run; none when all is as promised. */
export function findingsOf(facts: RunFacts): Finding[] {
  const { runId, journal, live, branch, beads } = facts;
  const goOn = `fractal resume ${runId}`;
  const history = walkHistory(journal.events, journal.file);
  const found = [...journalFindings(facts, goOn), ...blobFindings(facts), ...history.findings];
  const { state } = history;
  // Of half a journal it cannot be told what the rest of the world should look like.
  if (state === undefined || journal.damage !== undefined) return found;
  const landed = branch === undefined ? [] : landedFindings(state, history, branch);
  // A controller at work is in the middle of all the rest.
  if (live) return [...found, ...landed];
  return [
    ...found,
    ...landed,
    ...leftoverFindings(state, facts.leftovers, goOn),
    ...(branch === undefined ? [] : branchFindings(state, history, branch, goOn)),
    ...(beads === undefined ? [] : beadsFindings(state, beads, goOn)),
  ];
}

function journalFindings({ journal, live }: RunFacts, goOn: string): Finding[] {
  const { file, damage, events, tornBytes } = journal;
  if (damage !== undefined) {
    const isNewer = damage.newer !== undefined;
    return [
      {
        kind: isNewer ? "journal-newer" : "journal-damaged",
        severity: "broken",
        where: `${file}:${damage.line}`,
        detail: damage.message,
        remedy: isNewer
          ? "look with that fractal or a newer one"
          : "restore the file from a backup: nothing from this line on can be believed",
      },
    ];
  }
  // While a controller writes, its last line may be seen half.
  if (tornBytes === 0 || live) return [];
  return [
    {
      kind: "journal-torn",
      severity: "unfinished",
      where: `${file}:${events.length + 1}`,
      detail: `the last line was cut off after ${tornBytes} bytes; it was never acknowledged`,
      remedy: `${goOn}   # cuts it off`,
    },
  ];
}

function blobFindings({ journal, badBlobs, runId }: RunFacts): Finding[] {
  return [...badBlobs].map(([hash, why]) => ({
    kind: why === "missing" ? "blob-missing" : "blob-damaged",
    severity: "broken",
    where: `${journal.file.replace(/events\.jsonl$/, "blobs")}/${hash.slice(0, 2)}/${hash}`,
    detail:
      why === "missing"
        ? "the journal names this text, and it is not there"
        : "this text is not the one that its name is the hash of",
    remedy: `restore it from a backup; what ${runId} did stands without it, what was said cannot be shown`,
  }));
}
