/** What must be true of a run that was cut off and went on, judged by what lies on disk. */

import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { RunEvent } from "../../src/domain/event.ts";
import { type Rig, until } from "../e2e/rig.ts";
import { processes } from "../support/processes.ts";
import { journalText, namesBelow, type SmallRun } from "./small-run.ts";

/** What a finished run comes to, the same however often it was cut off; without its own id. */
export interface Outcome {
  /** Every file that differs from the base, by its hash. */
  files: string[];
  /** The subjects of the commits with their trailers, sorted: what waits for nothing comes in any order. */
  commits: string[];
  /** Every issue in Beads: id, status, assignee unless it is closed. */
  issues: string[];
  /** Every reply that was kept, once each. */
  replies: string[];
  /** How each attempt ended, how each task ended, and each question. */
  ends: string[];
}

interface Issue {
  id: string;
  status: string;
  assignee?: string;
}

export function outcomeOf(rig: Rig, run: string): Outcome {
  const branch = `fractal/${run}/main`;
  const events = rig.events(run);
  const base = events[0]?.event_type === "run.started" ? events[0].base : "";
  const log = rig.git(
    "log",
    "--reverse",
    "--format=%s%x09%(trailers:separator=%x2C)",
    `${base}..${branch}`,
  );
  const issues = JSON.parse(rig.bd("list", "--all", "--limit", "0", "--json")) as Issue[];
  const plain = (text: string) => text.replaceAll(run, "RUN");
  return {
    files: rig.git("diff-tree", "-r", base, branch).split("\n"),
    commits: log.split("\n").map(plain).sort(),
    issues: issues
      .map(({ id, status, assignee }) => {
        return plain(`${id} ${status} ${status === "closed" ? "" : (assignee ?? "")}`.trim());
      })
      .sort(),
    replies: events
      .flatMap((event) => (event.event_type === "call.answered" ? [keyOf(event)] : []))
      .map(plain)
      .sort(),
    ends: events.flatMap(endOf).map(plain).sort(),
  };
}

type Call = { task_id: string | null; attempt: number; turn: string };
const keyOf = ({ task_id, attempt, turn }: Call) => `${task_id}.${attempt}.${turn}`;

function endOf(event: RunEvent): string[] {
  const id = event.task_id;
  switch (event.event_type) {
    case "attempt.ended":
      return [`${id} attempt ${event.attempt} of ${event.role}: ${event.outcome}`];
    case "task.split":
      return [`${id} split into ${event.children.join(", ")}`];
    case "task.done":
    case "task.created":
    case "task.sized":
    case "escalation.routed":
      return [`${id} ${event.event_type}`];
    case "question.opened":
    case "question.answered":
      return [`${event.question} ${event.event_type}`];
    default:
      return [];
  }
}

/**
 * Judges a run that ended well after `kills` deaths: it came to what an undisturbed run comes to,
 * paid again only for what was in flight, and left nothing behind.
 */
export async function expectWhole(small: SmallRun, wanted: Outcome, kills: number): Promise<void> {
  const { rig } = small;
  const [run = "", ...others] = small.begun();
  expect(others, "more than one run began").toEqual([]);
  expect(outcomeOf(rig, run)).toEqual(wanted);
  const events = rig.events(run);
  expect(askedAgain(events), "replies asked for again").toBeLessThanOrEqual(kills);
  expect(leasesLeft(events), "leases never let go").toEqual([]);
  expect(fencesOutOfOrder(events), "fences that were given twice").toEqual([]);
  expectUntouched(rig);
  const checked = await small.fractal(["fsck", run]);
  expect(checked.exitCode, checked.all).toBe(0);
  await expectNothingLeft(small, run);
}

function askedAgain(events: RunEvent[]): number {
  const started = events.filter((event) => event.event_type === "call.started");
  return started.length - new Set(started.map(keyOf)).size;
}

function leasesLeft(events: RunEvent[]): string[] {
  const held = new Map<string, number>();
  for (const event of events) {
    if (event.event_type === "lease.taken") held.set(`${event.task_id}`, event.fence);
    if (event.event_type === "lease.released") held.delete(`${event.task_id}`);
  }
  return [...held.keys()];
}

function fencesOutOfOrder(events: RunEvent[]): string[] {
  const last = new Map<string, number>();
  return events.flatMap((event) => {
    if (event.event_type !== "lease.taken") return [];
    const before = last.get(`${event.task_id}`) ?? 0;
    last.set(`${event.task_id}`, event.fence);
    return event.fence === before + 1 ? [] : [`${event.task_id} ${before} ${event.fence}`];
  });
}

/** The user's own branch, index and files are as they were. */
function expectUntouched(rig: Rig): void {
  expect(rig.git("status", "--porcelain"), "the user's checkout").toBe("");
  expect(rig.git("log", "--format=%s", "main"), "the user's branch").toBe("first");
}

/** No process, workspace, lock or half-made file of the run is left. */
async function expectNothingLeft(small: SmallRun, run: string): Promise<void> {
  const { rig } = small;
  await until(
    `the end of all processes of run ${run}`,
    () => processesOf([rig.dir, `/${run}/`]).length === 0,
  );
  expect(workspacesOf(rig, run), "workspaces").toEqual([]);
  const halfMade = globSync(join(rig.dir, ".fractal", "new-beads-*", ".beads"));
  expect(halfMade, "half a database").toEqual([]);
  const scratch = namesBelow(join(rig.dir, ".git", "fractal", "plumbing", "scratch"));
  expect(
    scratch.filter((name) => name !== run),
    "bytes on their way in",
  ).toEqual([]);
  const drafts = namesBelow(join(rig.dir, "telemetry")).filter((name) => name.endsWith(".tmp"));
  expect(drafts, "half-written blobs").toEqual([]);
  const locks = namesBelow(join(rig.dir, ".git")).filter((name) => name.endsWith(".lock"));
  expect(locks, "git's locks").toEqual([]);
}

function workspacesOf(rig: Rig, run: string): string[] {
  const isRoot = process.getuid?.() === 0;
  const home = join(rig.dir, "..", "home");
  const cache = isRoot ? "/var/cache/fractal" : join(home || homedir(), ".cache", "fractal");
  return globSync(join(cache, "sandbox", "workspaces", run, "*"));
}

/** Command lines of processes that name one of these. */
function processesOf(names: string[]): string[] {
  return processes()
    .filter((one) =>
      names.some((name) => one.commandLine.includes(name) || one.environment.includes(name)),
    )
    .map((one) => one.commandLine);
}

/** All that a run is made of, as it lies on disk. */
export interface Standing {
  journal: string;
  beads: string;
  refs: string;
  objects: number;
}

export function standingOf(small: SmallRun): Standing {
  const { rig } = small;
  const [run = ""] = small.begun();
  const manifests = globSync(".beads/embeddeddolt/*/.dolt/noms/manifest", { cwd: rig.dir }).sort();
  const beads = createHash("sha256");
  for (const file of manifests) beads.update(readFileSync(join(rig.dir, file)));
  return {
    journal: journalText(rig, run),
    beads: beads.digest("hex"),
    refs: rig.git("for-each-ref"),
    objects: namesBelow(join(rig.dir, ".git", "objects")).length,
  };
}

/** What resuming a run says of itself; anything else is a change. */
const NOTES = new Set(["run.resumed", "run.stopped", "pass.decided"]);

/** A run that is resumed when all is done changes nothing: it only says that it looked. */
export async function expectNoChange(small: SmallRun): Promise<void> {
  const [run = ""] = small.begun();
  const before = standingOf(small);
  const ran = await small.fractal(["resume", run]);
  expect(ran.exitCode, ran.all).toBe(0);
  const after = standingOf(small);
  expect(after.journal.startsWith(before.journal), "the journal was rewritten").toBe(true);
  const added = after.journal.slice(before.journal.length).trimEnd().split("\n");
  const types = added.map((line) => (JSON.parse(line) as RunEvent).event_type);
  expect(types.filter((type) => !NOTES.has(type))).toEqual([]);
  expect({ ...after, journal: "" }).toEqual({ ...before, journal: "" });
}
