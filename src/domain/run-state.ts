/** What a journal amounts to: the run, its tasks, attempts and questions as they stand. */

import type { BudgetScope, Ledger, Unit } from "./budget.ts";
import type { Verdict } from "./check.ts";
import type { Role } from "./conversation.ts";
import type { QuestionKind } from "./event/question.ts";
import type { WorkRole } from "./event/run.ts";
import type { JudgedCheck } from "./event/task.ts";
import type { Failure } from "./failure.ts";
import type { Limits } from "./limits.ts";
import type { Mirrored } from "./mirrored.ts";
import type { Contract, TaskId } from "./task.ts";
import type { CostUsd, Usage } from "./usage.ts";

export interface Attempt {
  number: number;
  role: Role;
  fence: number;
  episode: number;
  /** The commit it started from. */
  base: string;
  startedAt: number;
  /** Absent while it is open (running, or cut off by a crash). */
  endedAt?: number;
  /** How long somebody was at work on it, over all its leases but the one that is held now, in ms. */
  workedMs: number;
  outcome?: "succeeded" | "rejected" | "blocked" | "failed" | "cancelled";
  failure?: Failure;
  verdict?: Verdict;
  vacuous: string[];
  /** Why its green checks say too little. */
  doubts?: string[];
  /** Leaf checks that were red before the work: its parent's roll-up owes them. */
  notYet: string[];
  summary: string;
  model: string;
  usage: Usage;
  costUsd: CostUsd;
  calls: number;
  files: string[];
  /** The commit that holds its files, under refs/fractal/<run>/<task>.<number>. */
  kept?: string;
  /** Tool calls outside of what its task may do, since it was begun or gone on with. */
  refusedCalls?: number;
  /** What the web said, by turn and number of the call: the same after a crash, without asking again. */
  webReplies?: Record<string, { output: string; isError: boolean; refused?: true }>;
  /** Blob of what it changed, where it was not merged. */
  patch?: string;
  /** A person edited the task while it was open: what comes of it does not count. */
  outdated?: true;
}

export interface Lease {
  attempt: number;
  role: Role;
  fence: number;
  holder: string;
  deadlineMs: number;
  /** Since when this process is at work; absent once it is known to have ended. */
  sinceMs?: number;
}

export interface Guidance {
  from: string;
  text: string;
  /** Given after the task had ended: why it is reopened. */
  afterEnd?: boolean;
}

/** What an attempt made, as it is kept, and what was said of it. */
interface KeptWork {
  attempt: number;
  commit: string;
  said: string;
}

export interface Question {
  id: string;
  about: TaskId | null;
  kind: QuestionKind;
  title: string;
  why: string;
  options: string[];
  tried: string;
  blocks: TaskId[];
  state: "open" | "answered" | "dismissed" | "moot";
  openedAt: number;
  answer?: string;
  by?: string;
  /** The person's `notify` command was started for it. */
  notified?: boolean;
  /** What Beads was last known to hold; absent until it was written there. */
  mirror?: Mirrored;
  mirrorPending?: Mirrored;
  /** The change a person is to say yes or no to: the hash of its diff. */
  diff?: string;
  /** The work that waits for that yes. */
  work?: KeptWork;
  /** Of a question about what the settings do not allow: which needs. Absent in older journals: all. */
  needs?: string[];
  /** Of a question about a budget: which, and which tasks wait for more of it. */
  budget?: {
    scope: BudgetScope;
    task: TaskId | null;
    unit: Unit;
    need: number | null;
    tasks: TaskId[];
  };
}

/** A comment of fractal's on the issue of a task or question, owed until it is known to be there. */
export interface Note {
  key: string;
  /** The issue it belongs on. */
  id: string;
  text: string;
  done: boolean;
}

/** The texts of an issue that a person may edit. */
export interface Described {
  title: string;
  description: string;
  acceptance: string;
}

/** How a task ended for good, or for this episode. */
export type TaskEnd = "done" | "accepted" | "failed" | "cancelled";

export interface TaskState {
  id: TaskId;
  key: string;
  parent: TaskId | null;
  children: TaskId[];
  /** Its own dependencies; its ancestors' hold as well. */
  dependsOn: TaskId[];
  /** Dropped dependencies that a person said to go on without. */
  without?: TaskId[];
  origin: "root" | "plan" | "repair" | "person";
  contract: Contract;
  priority: number;
  createdSeq: number;
  /** When something last happened to it, ms since 1970. */
  changedAtMs: number;
  /** `unplanned` until code accepts it as a leaf or its split is written. */
  shape: "unplanned" | "leaf" | "split";
  end?: TaskEnd;
  endReason?: string;
  /** Done without a gating check. */
  unchecked: boolean;
  /** The commit on the run's branch that holds its work. */
  commit?: string;
  paused: boolean;
  pausedBy?: string;
  /** A person or tool outside fractal that took it in Beads. */
  takenBy?: string;
  /** From 1; a new one begins at each answer and each reopening. */
  episode: number;
  /** Worker attempts that may still be made before the next rung. */
  attemptsLeft: number;
  /** The fixer was asked in this episode. */
  fixerUsed: boolean;
  /** The failure that must be routed before anything else is tried. */
  pending?: Failure;
  /** The call that did not fit a budget, until one is made again. */
  denied?: { role: Role; usd: CostUsd; tokens: number };
  /** Where stuck work was sent, until that is carried out. */
  route?: "fixer" | "split" | "person";
  /** Conflicts in a row, and outages in a row. */
  conflicts: number;
  outages: number;
  /** When the first of these outages was. */
  outageSinceMs?: number;
  /** Not to be tried before this instant, ms since 1970. */
  notBeforeMs: number;
  attempts: Attempt[];
  lease?: Lease;
  /** The highest fence given out. */
  fence: number;
  guidance: Guidance[];
  /** The open question, if any. */
  question?: string;
  questions: string[];
  /** Interrupted split: its plan's blob, and the episode that its children's ids name. */
  splitStarted?: { plan: string; episode: number };
  /** Interrupted integration. */
  merge?: { attempt: number; fence: number; onto: string; commit: string; done: boolean };
  /** The last roll-up; cleared when a child changes afterwards. */
  rollup?: Verdict;
  /** When it was done last. */
  doneAtMs?: number;
  /** When a person last answered about all that is below it. */
  reviewedAtMs?: number;
  /** Repair leaves made in this episode. */
  repairs: number;
  assumptions: string[];
  /** Files that were granted to it at its worker's request; its contract has them too. */
  grantedFiles?: string[];
  /** What was said of the checks its plan invented: nobody is asked the same again. */
  judged?: JudgedCheck[];
  /** What Beads was last known to hold, and a write not yet acknowledged. */
  mirror?: Mirrored;
  mirrorPending?: Mirrored;
  /** What a person said of changes that need a yes, by the hash of the diff. */
  consents?: Record<string, { yes: boolean; by: string; text: string }>;
  /** The work that a person last said yes to: its attempt goes on with that, and does it not again. */
  agreed?: KeptWork;
  /** A person deleted its issue: nothing more is written there, and the id is not made again. */
  deleted?: boolean;
  /** The task that was made in its place after it was deleted. */
  restoredAs?: TaskId;
  /** How often what fractal wrote was written over, by what was shown instead, since it was asked about. */
  overwritten?: Record<string, number>;
  /** A person said that its status is not to be written any more, but when it is closed. */
  leftAlone?: true;
  commentsRead: number;
  /** When the last request that was followed was made, as the tracker has it. */
  requestAt?: string;
  /** Its texts as Beads last held them. */
  described: Described;
}

/** What is known of a model endpoint: whether it answers, and whether work on it comes to an end. */
export interface Endpoint {
  /** Failed calls in a row. */
  failures: number;
  /** How often it was opened in a row: each time it is left alone for longer. */
  openings: number;
  /** Set while it is not trusted: nobody asks before this instant, and then one to begin with. */
  openUntilMs?: number;
  openedBy?: "calls" | "crashes";
  /** Until when the server asked to be left alone (`Retry-After`). */
  wishUntilMs: number;
  /** Since when it has been out of reach; absent when it is not, or nobody was waiting. */
  sinceMs?: number;
  /** The task whose call shows whether it is back. */
  probe?: TaskId;
  /** When attempts on it crashed last. */
  crashes: number[];
}

/** The run's branch in one of a person's. */
export interface MergedInto {
  into: string;
  /** The commit of the run's branch. */
  tip: string;
  /** The commit that theirs was at then. */
  after: string;
  by: string;
  atMs: number;
}

/** A step an attempt was about to take. */
export interface Intent {
  task: TaskId;
  attempt: number;
  step: string;
}

/** A stored model answer, by `task.attempt.turn`. */
export interface StoredReply {
  reply: string;
  usage: Usage;
  costUsd: CostUsd;
}

/** What work a role had when that was last recorded. */
export interface RoleWork {
  role: WorkRole;
  /** Tasks due and under way; open questions for `human`. */
  count: number;
  /** 0–10. */
  urgency: number;
  why: string;
  atMs: number;
}

export interface RunState {
  runId: string;
  seq: number;
  /** When the last event happened: as far as is known, somebody was at work until then. */
  lastAtMs: number;
  startedAt: number;
  /** When the process that is at work, or was last, began. */
  processSinceMs: number;
  spec: { path: string; hash: string; blob: string; title: string };
  base: string;
  branch: string;
  rootId: TaskId;
  models: Record<string, string>;
  /** The endpoint of each role, where it is more than the model's name. */
  endpointNames: Record<string, string>;
  /** By their names; only those that were ever in trouble. */
  endpoints: Map<string, Endpoint>;
  /** The last step that was journaled in this process. */
  lastIntent?: Intent;
  /** Where the controller died last, and how often in a row. */
  deaths?: Intent & { times: number };
  contained: boolean;
  /** What the settings of this process allow outside the sandbox; absent: nothing. */
  allows?: string[];
  /** Slots of the process that began or resumed it last; absent where that was not recorded. */
  jobs?: number;
  /** What decides how many attempts and how long a pause an event leads to. */
  limits: Limits;
  givenPlan?: string;
  /** The plan lets leaves write one file side by side; else two that declare it take turns. */
  sharedFiles?: true;
  /** The last event that changed what waits for what. */
  structureSeq: number;
  /** In order of creation. */
  tasks: Map<TaskId, TaskState>;
  questions: Map<string, Question>;
  /** Comments that were owed to issues, by key, in the order in which they were. */
  notes: Map<string, Note>;
  replies: Map<string, StoredReply>;
  /** Where a person merged it, oldest first; absent where nobody did. */
  merged?: MergedInto[];
  /** Set between `run.stopped` and the next `run.resumed`. */
  stopped?: { reason: string; exitCode: number };
  lastDecision: string;
  /** The work that was last recorded of each role, by role. */
  work: Map<string, RoleWork>;
  usage: Usage;
  costUsd: CostUsd;
  calls: number;
  mismatches: number;
  ledger: Ledger;
  /** What the run was expected to take, once everything was planned. */
  forecast?: { leaves: number; calls: number; tokens: number; costUsd: CostUsd };
  /** Who answered model calls, with counts. */
  answeredBy: Map<string, number>;
}
