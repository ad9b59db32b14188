/** The Tracker port over `bd`: every write is judged by what can be read afterwards. */
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { type Failure, isFailure } from "../../domain/failure.ts";
import type { NewTrackedTask, TrackedTask, Tracker, TrackerLine } from "../../domain/ports.ts";
import { type Bd, type BdOptions, lost, openBd, unavailable } from "./bd.ts";
import { crossedBy, overwrittenIn } from "./crossing.ts";
import { batchLines, commentOf, graphOf, issue, issueComment, taskOf } from "./issue.ts";
import { openKnown } from "./known.ts";
import { watchBeads } from "./watch.ts";

/**
 * A person's own command waits for a whole batch. What a close takes, and how much more for each issue
 * there is (bd 1.3.0, 2 cores).
 */
const BATCH_MS = 700;
const CLOSE_MS = 80;
const GROWTH_MS = 0.09;
const LINES_MAX = 50;
/** What comes due while lines are written is written after them, so often, before all is read once. */
const ROUNDS_MAX = 4;
/** A graph grows slower with each issue; this much more time is allowed for each of them. */
const NODE_MS = 500;

export interface BeadsOptions extends BdOptions {
  /** The prefix of this database, from `prepareWorkspace`. */
  prefix: string;
}

/** The tracker kept in `.beads`, reached through the bd program alone. */
export function beadsTracker(options: BeadsOptions): Tracker {
  const known = openKnown(options.beadsDir);
  const bd = whileThere(openBd(options, known), options.beadsDir);
  /** What was there when it was last read. */
  let there: readonly TrackedTask[] = [];
  const read = async () => {
    const shown = await readAll(bd);
    if (!isFailure(shown)) there = shown;
    return shown;
  };
  const closesMax = () => Math.max(1, Math.floor(BATCH_MS / (CLOSE_MS + GROWTH_MS * there.length)));
  return {
    prefix: options.prefix,
    version: async () => known.version(),
    watch: (wake, signal) => watchBeads(options, wake, signal),
    read,
    create: (tasks) => createMissing(bd, tasks),
    mirror: async (first, more = () => []) => {
      const lines = [...first];
      for (let round = 1, due = first; due.length > 0; round++) {
        for (const batch of batchesOf(due, closesMax())) {
          const failure = await writeBatch(bd, batch);
          if (failure !== undefined) return failure;
        }
        due = round < ROUNDS_MAX ? more() : [];
        lines.push(...due);
      }
      const overwritten = await crossedBy(bd, lines, there[0]?.id, known.doubt);
      if (isFailure(overwritten)) return overwritten;
      // Taken before reading: what is written later gives another version, and is read again.
      const version = known.version();
      const shown = await read();
      if (isFailure(shown)) return shown;
      const applied = appliedOf(lines, shown);
      // Where something was written after ours, that is the last word.
      const lost = [...overwritten].filter(([id]) => applied.includes(id));
      return { applied, overwritten: new Map(lost), shown, version };
    },
    overwritten: (lines) => overwrittenIn(bd, lines),
    comment: async (id, text) => {
      const args = ["comments", "add", id, "-f", "-"];
      const call = { args, effect: "write", schema: z.unknown(), stdin: text, commits: 1 } as const;
      const written = await bd.run(call);
      return isFailure(written) ? written : undefined;
    },
    comments: (id) => readComments(bd, id),
    respond: (id, text) => respondTo(bd, id, text),
    request: async (id, request, status) => {
      const wake = status === "deferred" ? [] : ["--defer", ""];
      const metadata = JSON.stringify({ fractal_request: request });
      const args = ["update", id, "--status", status, "--metadata", metadata, ...wake];
      const written = await bd.run({ args, effect: "write", schema: z.unknown() });
      const shown = await readOne(bd, id);
      if (isFailure(shown)) return isFailure(written) ? written : shown;
      if (shown.status === status && shown.request?.at === request.at) return undefined;
      return isFailure(written) ? written : unavailable(`bd update ${id}: nothing was written`);
    },
  };
}

/** A database that is gone is not one that bd cannot reach just now. */
function whileThere(bd: Bd, beadsDir: string): Bd {
  return {
    run: async (call) => (existsSync(beadsDir) ? await bd.run(call) : lost(beadsDir)),
  };
}

/** Every issue of a database that is only looked at: one of another schema is a failure, not migrated. */
export function readBeads(options: BdOptions): Promise<TrackedTask[] | Failure> {
  return readAll(openBd(options), ["--readonly"]);
}

async function readAll(bd: Bd, more: string[] = []): Promise<TrackedTask[] | Failure> {
  const args = ["list", "--all", "--include-gates", "--limit", "0", ...more];
  const rows = await bd.run({ args, effect: "read", schema: z.array(issue) });
  return isFailure(rows) ? rows : rows.map(taskOf).sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** By `list`: what `show` answers has another shape. */
async function readOne(bd: Bd, id: string): Promise<TrackedTask | Failure> {
  const tasks = await readAll(bd, ["--id", id]);
  if (isFailure(tasks)) return tasks;
  return tasks.find((task) => task.id === id) ?? unavailable(`there is no issue ${id}`);
}

async function readComments(bd: Bd, id: string) {
  const args = ["comments", id];
  const rows = await bd.run({ args, effect: "read", schema: z.array(issueComment).nullable() });
  return isFailure(rows) ? rows : (rows ?? []).map(commentOf);
}

/** Ids are deterministic and bd refuses one that exists, so trying first and looking after is safe. */
async function createMissing(
  bd: Bd,
  tasks: NewTrackedTask[],
): Promise<{ created: string[] } | Failure> {
  if (tasks.length === 0) return { created: [] };
  const first = await createGraph(bd, tasks);
  if (!isFailure(first)) return { created: first };
  const missing = await missingOf(bd, tasks);
  if (isFailure(missing)) return missing;
  if (missing.length === 0) return { created: [] };
  if (missing.length === tasks.length) return first;
  const second = await createGraph(bd, missing);
  if (!isFailure(second)) return { created: second };
  const left = await missingOf(bd, missing);
  if (isFailure(left)) return left;
  return left.length === 0 ? { created: missing.map((task) => task.id) } : second;
}

async function createGraph(bd: Bd, tasks: NewTrackedTask[]): Promise<string[] | Failure> {
  const folder = await mkdtemp(join(tmpdir(), "fractal-graph-"));
  try {
    const file = join(folder, "graph.json");
    await writeFile(file, JSON.stringify(graphOf(tasks)), { mode: 0o600 });
    const answer = await bd.run({
      args: ["create", "--graph", file],
      effect: "write",
      commits: 1,
      schema: z.object({ ids: z.record(z.string(), z.string()) }),
      extraMs: tasks.length * NODE_MS,
    });
    if (isFailure(answer)) return answer;
    const wrong = tasks.find((task) => answer.ids[task.id] !== task.id);
    if (wrong !== undefined) return unavailable(`bd create did not make ${wrong.id}`);
    return tasks.map((task) => task.id);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The tasks that are not there yet; a failure when an id belongs to something else. */
async function missingOf(bd: Bd, tasks: NewTrackedTask[]): Promise<NewTrackedTask[] | Failure> {
  const existing = await readAll(bd);
  if (isFailure(existing)) return existing;
  const byId = new Map(existing.map((task) => [task.id, task]));
  const foreign = tasks.find(({ id, meta }) => {
    const found = byId.get(id);
    return found !== undefined && (found.meta?.run !== meta.run || found.meta.key !== meta.key);
  });
  if (foreign !== undefined)
    return unavailable(`the issue ${foreign.id} belongs to something else`);
  return tasks.filter((task) => !byId.has(task.id));
}

function batchesOf(lines: readonly TrackerLine[], closesMax: number): TrackerLine[][] {
  const batches: TrackerLine[][] = [];
  let closes = 0;
  for (const line of lines) {
    const isClose = line.status === "closed";
    const batch = batches.at(-1);
    const isFull = batch === undefined || batch.length === LINES_MAX;
    if (isFull || (isClose && closes === closesMax)) {
      batches.push([line]);
      closes = isClose ? 1 : 0;
    } else {
      batch.push(line);
      closes += isClose ? 1 : 0;
    }
  }
  return batches;
}

/**
 * One line that bd refuses (a deleted id) rolls the whole batch back, so what is still to be done is
 * tried in halves. Lines that remain refused are left to the caller, who compares with what is shown.
 */
async function writeBatch(bd: Bd, lines: TrackerLine[]): Promise<undefined | Failure> {
  const stdin = `${lines.flatMap(batchLines).join("\n")}\n`;
  const schema = z.object({ operations: z.number() });
  const answer = await bd.run({ args: ["batch"], effect: "write", schema, stdin, commits: 1 });
  if (!isFailure(answer)) return undefined;
  const tasks = await readAll(bd);
  if (isFailure(tasks)) return tasks;
  if (answer.refused !== true) return answer;
  const applied = new Set(appliedOf(lines, tasks));
  const known = new Set(tasks.map((task) => task.id));
  const due = lines.filter((line) => known.has(line.id) && !applied.has(line.id));
  if (due.length === 0) return undefined;
  if (due.length < lines.length) return await writeBatch(bd, due);
  if (due.length === 1) return undefined;
  const middle = Math.ceil(due.length / 2);
  return (await writeBatch(bd, due.slice(0, middle))) ?? (await writeBatch(bd, due.slice(middle)));
}

function appliedOf(lines: TrackerLine[], tasks: TrackedTask[]): string[] {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  return lines
    .filter((line) => {
      const shown = byId.get(line.id);
      return shown?.status === line.status && shown.assignee === line.assignee;
    })
    .map((line) => line.id);
}

async function respondTo(bd: Bd, id: string, text: string): Promise<undefined | Failure> {
  const args = ["human", "respond", id, "--stdin"];
  const written = await bd.run({ args, effect: "write", schema: z.unknown(), stdin: text });
  const shown = await readOne(bd, id);
  if (isFailure(shown)) return isFailure(written) ? written : shown;
  if (!isFailure(written)) {
    return shown.status === "closed" ? undefined : unavailable(`bd left ${id} open`);
  }
  const comments = await readComments(bd, id);
  const isSaid =
    !isFailure(comments) && comments.some((one) => one.text.trim() === `Response: ${text.trim()}`);
  if (!isSaid) return written;
  if (shown.status === "closed") return undefined;
  const closed = await bd.run({
    args: ["close", id, "--reason", "Responded"],
    effect: "write",
    schema: z.unknown(),
  });
  return isFailure(closed) ? closed : undefined;
}
