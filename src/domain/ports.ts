/** All that the core asks of the world: Tracker, Model, Repository, Sandbox, Web, Packages, Human, Journal, Clock. */
import type { SandboxCommand, SandboxResult, SandboxToolCall, ToolResult } from "./contained.ts";
import type { ModelReply, ModelRequest } from "./conversation.ts";
import type { NewEvent, RunEvent } from "./event.ts";
import type { Failure } from "./failure.ts";
import type { Mirrored } from "./mirrored.ts";
import type { TaskId, TaskKind } from "./task.ts";

// ── Tracker ────────────────────────────────────────────────────────────────

/** Ours on an issue; an issue without it was made by a person. */
export interface TrackedMeta {
  run: string;
  key: string;
  size?: string;
  kind?: TaskKind | "question";
  /** A question without an edge names here what it is about. */
  about?: string;
  /** The interrupted creation's owner, and other notes of ours. */
  [note: string]: unknown;
}

/** What a command given while another process holds the lock leaves for the controller. */
export interface TrackedRequest {
  kind: "cancel" | "pause" | "unpause";
  by: string;
  at: string;
}

/** A task or question as the tracker shows it. */
export interface TrackedTask extends Mirrored {
  id: string;
  title: string;
  description: string;
  acceptance: string;
  priority: number;
  labels: string[];
  parent: string | null;
  /** Ids it waits for (`blocks` edges only). */
  dependsOn: string[];
  meta?: TrackedMeta;
  request?: TrackedRequest;
  commentCount: number;
  closeReason: string;
  createdBy: string;
  /** What it shows, where status and assignee are what somebody set before fractal wrote this over it. */
  now?: Mirrored;
}

/** A status and assignee to write. */
export interface TrackerLine extends Mirrored {
  id: string;
  reason?: string;
  /** What the issue was last seen to show; left out where it does not matter what is written over. */
  was?: Mirrored | undefined;
}

export interface NewTrackedTask {
  id: string;
  title: string;
  description: string;
  acceptance: string;
  status: Mirrored["status"];
  priority: number;
  labels: string[];
  parent: string | null;
  /** Siblings in the same call, or existing issues. */
  dependsOn: string[];
  /** Existing issues that shall wait for this one. */
  blocks?: string[];
  type: "epic" | "task";
  meta: TrackedMeta;
}

export interface TrackerComment {
  author: string;
  text: string;
  /** ISO 8601. */
  at: string;
}

/** What came of writing to the tracker. */
export interface Written {
  applied: string[];
  /** By id, what somebody set after `was` was read, and a line then wrote over. */
  overwritten: ReadonlyMap<string, Mirrored>;
  shown: TrackedTask[];
  version: string;
}

/**
 * The issue tracker. No method throws for what the tracker does; trouble is a failure of class
 * outage. Calls are queued: one runs at a time. After an unclear write the adapter re-reads.
 */
export interface Tracker {
  /** The prefix of issue ids in this repository, such as `fr`. */
  readonly prefix: string;
  /** Changes whenever anyone else writes, whatever this process writes itself; cheap. */
  version(): Promise<string>;
  /**
   * Calls `wake` soon after somebody wrote, until `signal` is aborted. A hint: any of them may be
   * lost, and a tracker that cannot tell leaves it out.
   */
  watch?(wake: () => void, signal: AbortSignal): void;
  /** Every issue, closed ones included. */
  read(): Promise<TrackedTask[] | Failure>;
  /** All or nothing. Tasks that already exist with the same run and key are left alone; `created` names the new ones. */
  create(tasks: NewTrackedTask[]): Promise<{ created: string[] } | Failure>;
  /**
   * Sets status and assignee, in batches; `more` is asked a few times for lines of other issues that
   * came due meanwhile. Returns the ids that now show what was asked, with all that was read to know
   * it, what was lost by it, and the version that reading is at least of.
   */
  mirror(lines: TrackerLine[], more?: () => TrackerLine[]): Promise<Written | Failure>;
  /** What lines that were written, unacknowledged, wrote over; nothing for one that is not shown. */
  overwritten(lines: TrackerLine[]): Promise<Written["overwritten"] | Failure>;
  /** Adds it, as often as it is asked to: who must know what came of it looks at `comments`. */
  comment(id: string, text: string): Promise<undefined | Failure>;
  comments(id: string): Promise<TrackerComment[] | Failure>;
  /** A person's answer: comment `Response: …`, then close. */
  respond(id: string, text: string): Promise<undefined | Failure>;
  /** Leaves a request for the controller, with the status that shows it. */
  request(
    id: string,
    request: TrackedRequest,
    status: Mirrored["status"],
  ): Promise<undefined | Failure>;
}

// ── Model ──────────────────────────────────────────────────────────────────

/** Must not throw or reject: trouble is a failure. Retries are the caller's. */
export interface Model {
  /** `anthropic:claude-haiku-5-5`; the part before the colon is the provider. */
  readonly name: string;
  ask(request: ModelRequest, signal: AbortSignal): Promise<ModelReply | Failure>;
}

// ── Repository ─────────────────────────────────────────────────────────────

/** A file to put into a tree; null text deletes it. Paths are relative to the run's root folder. */
export interface FileWrite {
  path: string;
  text: string | null;
}

export interface Change {
  path: string;
  kind: "added" | "changed" | "deleted";
  linesAdded: number;
  linesDeleted: number;
}

/**
 * Git by plumbing alone, never touching the user's branch, index or files. `tree` and `commit` are
 * object ids of the whole repository; paths are relative to the run's root folder.
 */
export interface Repository {
  /** The tip of the run's branch. */
  head(): Promise<string>;
  /** Writes the root folder of a commit or tree into an empty folder. */
  checkout(treeish: string, folder: string): Promise<void>;
  /** Walks the folder, refuses hostile files, and returns the tree `commit` becomes with it. */
  collect(folder: string, commit: string): Promise<{ tree: string; changes: Change[] } | Failure>;
  /** The tree of `commit` with these files written. */
  write(commit: string, files: FileWrite[]): Promise<string>;
  changes(from: string, to: string): Promise<Change[]>;
  /** A unified diff, cut at `bytesMax`. */
  diff(from: string, to: string, bytesMax?: number): Promise<string>;
  /**
   * The difference in these files alone, as text even where they are none, cut at `bytesMax`. `id`
   * names all of it: the modes and contents of each file, before and after.
   */
  diffOf(
    from: string,
    to: string,
    paths: readonly string[],
    bytesMax: number,
  ): Promise<{ text: string; isCut: boolean; id: string }>;
  /** Undefined where the file is not there or not text. */
  readFile(treeish: string, path: string): Promise<string | undefined>;
  /** What can be read in any file, also one that is not text; of a link, where it points. Undefined where it is not there. */
  readLegible(treeish: string, path: string): Promise<string | undefined>;
  listFiles(treeish: string): Promise<string[]>;
  treeOf(commit: string): Promise<string>;
  commit(tree: string, parents: string[], message: string): Promise<string>;
  /**
   * Three-way merge of trees, without a work tree. `hunks`: the lines in conflict between the usual
   * marks, first as `ours` has them, then as `theirs` does; what is too much is left out.
   */
  merge(
    base: string,
    ours: string,
    theirs: string,
  ): Promise<{ tree: string } | { conflicts: string[]; hunks: string }>;
  /** Compare and swap of the run's branch; false when it moved meanwhile. */
  advance(from: string, to: string): Promise<boolean>;
  /** Keeps a commit reachable under refs/fractal/<run>/<name>. */
  keep(name: string, commit: string): Promise<void>;
  /** The commit on the run's branch whose trailer is `Fractal-Task: <task> <attempt>`. */
  findMerged(task: TaskId, attempt: number): Promise<string | undefined>;
  /** The commits that the run's branch has beyond its base: what is reachable now. */
  landed(): Promise<ReadonlySet<string>>;
}

// ── Sandbox ────────────────────────────────────────────────────────────────

/** Runs model-written things, contained. A sandbox that cannot start is a failure of class outage. */
export interface Sandbox {
  /** False only under --dangerously-no-sandbox. */
  readonly contained: boolean;
  /** An empty folder that sandboxed commands may write; an existing one of that name is emptied. */
  workspace(name: string): Promise<string>;
  /** Gives files written by the controller into a workspace to the sandbox's user. */
  handOver(folder: string): Promise<void>;
  discard(folder: string): Promise<void>;
  run(command: SandboxCommand, signal: AbortSignal): Promise<SandboxResult | Failure>;
  /** Installed packages, kept for all workspaces and shown in them read-only. */
  readonly installed: Installed;
  /** One file tool (`read_file` …, see agents/tools.ts), carried out inside; a refusal is a result. */
  tool(call: SandboxToolCall, signal: AbortSignal): Promise<ToolResult | Failure>;
}

/** Folders of installed packages, by a key that says what is in them. */
export interface Installed {
  has(key: string): Promise<boolean>;
  /** Moves a folder of a workspace out of it, to stay. One that is there already is left alone. */
  keep(key: string, folder: string, path: string): Promise<void>;
  /** From now on every command in `folder` finds it at `path`, and cannot change it. */
  show(key: string, folder: string, path: string): Promise<void>;
}

// ── Web ────────────────────────────────────────────────────────────────────

/**
 * Reads the web for a task, from the controller: nothing inside a sandbox has a network. Text only,
 * bounded in size and time, without credentials; what is refused or fails is a result.
 */
export interface Web {
  /** Hosts that the user's settings allow; empty: no page is read. */
  readonly hosts: readonly string[];
  /** A search endpoint is configured. */
  readonly searches: boolean;
  /** The text of a page. Every hop of it must be allowed by `hosts` and by `declared`. */
  fetch(url: string, declared: readonly string[], signal: AbortSignal): Promise<WebText>;
  search(query: string, signal: AbortSignal): Promise<WebText>;
}

/** A text of the web, where it is from, or why there is none. */
export type WebText =
  | { text: string; from: string }
  /** `refused`: it may not be read. */
  | { trouble: string; refused?: true };

// ── Packages ───────────────────────────────────────────────────────────────

/** A package of others as a lock file names it. */
export interface LockedPackage {
  url: string;
  /** `sha512-…` of its bytes, in base64. */
  hash: string;
  /** It may be missing: it is for another machine, say. */
  optional: boolean;
}

/** Packages of others by their hash, fetched by the controller; nothing of them is run out here. */
export interface Packages {
  /** What is not on this machine is downloaded. */
  readonly downloads: boolean;
  /** Puts them into a folder; `files` gives the name of each there by its hash. */
  gather(
    packages: readonly LockedPackage[],
    folder: string,
    signal: AbortSignal,
  ): Promise<{ files: Map<string, string>; missing: LockedPackage[]; downloaded: number }>;
}

// ── Human ──────────────────────────────────────────────────────────────────

export interface Prompt {
  title: string;
  why: string;
  options: string[];
  tried: string;
  /** The task it is about, for the heading. */
  about: string;
}

/** A person at the terminal. Not there when there is no terminal or --no-input was given. */
export interface Human {
  readonly present: boolean;
  /** Undefined when skipped or aborted: the question stays open. */
  ask(prompt: Prompt, signal: AbortSignal): Promise<string | undefined>;
  /** Yes or no; `undefined` when nobody is there. */
  confirm(text: string, signal: AbortSignal): Promise<boolean | undefined>;
}

// ── Journal ────────────────────────────────────────────────────────────────

/** The append-only file of events, and blobs by hash beside it. The only writer holds the lock. */
export interface Journal {
  readonly runId: string;
  /** All events so far, in order. */
  read(): RunEvent[];
  /**
   * Stamps with `at` (ms since 1970), writes and fsyncs before it returns; one write for all.
   * Throws a DiskTrouble when the disk does: the run must end, and a torn line is cut back.
   */
  append(events: NewEvent[], at: number): RunEvent[];
  /** SHA-256 of the text; on disk before it returns. */
  putBlob(text: string): string;
  getBlob(hash: string): string | undefined;
}

// ── Clock ──────────────────────────────────────────────────────────────────

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after the delay, or at once when aborted. */
  sleep(delayMs: number, signal: AbortSignal): Promise<void>;
}
