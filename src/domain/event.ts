/**
 * Everything that goes into a run's journal, one variant per event type.
 *
 * Version rule: `v` is JOURNAL_VERSION when the line is written. A reader accepts its own version,
 * lifts an older one through an upgrader in adapters/journal/upgrade.ts, and refuses a newer one by
 * its number. Adding an optional field keeps the version; any other change raises it, with an
 * upgrader and a journal of the version before in test/fixtures/journals.
 *
 * Version 2 came with budgets, breakers, pauses and the kept record of decisions.
 *
 * Keys of lines are snake_case, as in other JSONL telemetry; domain values inside (contract,
 * verdict, usage) keep their own spelling.
 */
import { z } from "zod";
import { amounts, budgetScope } from "./budget.ts";
import { verdict } from "./check.ts";
import type { Failure } from "./failure.ts";
import { contract } from "./task.ts";

export const JOURNAL_VERSION = 2;

const role = z.enum(["planner", "worker", "router", "fixer", "reviewer"]);
/** Who has work to do: a role, a person (`human`), or fractal's own code, which needs neither. */
const workRole = z.enum([...role.options, "human", "code"]);
export type WorkRole = z.infer<typeof workRole>;
/** SHA-256 of a text among the run's blobs; `rules/fsck/blobs-named.ts` lists every one of them. */
const hash = z.string().meta({ holds: "blob" });
const usage = z.object({
  inputTokens: z.number(),
  outputTokens: z.number(),
  cacheReadTokens: z.number(),
  cacheWriteTokens: z.number(),
});
const failure = z.custom<Failure>(
  (value) => typeof value === "object" && value !== null && "failure" in value,
);
const call = { attempt: z.number().int(), turn: z.string(), role };
/** Where the model of a role is asked: its name, and the server where one is named. */
const endpoints = z.record(z.string(), z.string());
/** Flags that name models, as they were typed; `fractal resume` without any uses them again. */
const modelFlags = z.object({
  model: z.string().optional(),
  models: z.array(z.string()).optional(),
  base_url: z.string().optional(),
});
export type ModelFlags = z.infer<typeof modelFlags>;

/** What Beads was last told, or last showed, of one task: the fields a person may change. */
export const mirrored = z.object({
  status: z.enum(["open", "in_progress", "blocked", "deferred", "closed"]),
  assignee: z.string(),
});
export type Mirrored = z.infer<typeof mirrored>;

/** An invented check, known by its requirement and its words, and whether it may gate. */
const judgedCheck = z.object({ requirement: z.string(), text: z.string(), gates: z.boolean() });
export type JudgedCheck = z.infer<typeof judgedCheck>;
/** What a question is about; decides what its answer does (rules/replay.ts, settleQuestion). */
export const questionKind = z.enum([
  "stuck",
  "asks",
  "plan",
  "checks",
  "reopened",
  "dropped",
  "rollup",
  // A whole subtree of which much failed and nothing comes any more.
  "review",
  "flaky",
  "budget",
  // A person edited the text of what was done: once more, or as it is?
  "edited",
  // Edges in Beads make tasks wait for one another.
  "cycle",
  // Something keeps changing in Beads what fractal writes there.
  "drift",
  // A change of configuration, lock files, CI: may it be merged?
  "consent",
  // Something outside the sandbox that the user's settings do not allow.
  "needs",
]);
export type QuestionKind = z.infer<typeof questionKind>;

/** The limits in force from here on: what an event leads to depends on them, so they stand here too. */
const limits = z.record(z.string(), z.union([z.number(), z.string()]));

/** How a task came to be. */
export const origin = z.enum(["root", "plan", "repair", "person"]);

const fact = z.discriminatedUnion("event_type", [
  // The run
  z.object({
    event_type: z.literal("run.started"),
    spec_path: z.string(),
    spec_hash: z.string(),
    /** Blob of the specification's bytes. */
    spec: hash,
    title: z.string(),
    /** The commit the work is based on; empty for the empty tree. */
    base: z.string(),
    branch: z.string(),
    root_id: z.string(),
    /** Model name per role. */
    models: z.record(z.string(), z.string()),
    endpoints: endpoints.optional(),
    /** False when started with --dangerously-no-sandbox. */
    contained: z.boolean(),
    /** Slots: attempts at a time, and as many plannings beside them. */
    jobs: z.number().int().optional(),
    /** Blob of the plan given instead of a planner, where `run plan.json` was used. */
    given_plan: hash.optional(),
    model_flags: modelFlags.optional(),
    /** The given plan lets leaves write one file side by side. */
    shared_files: z.literal(true).optional(),
    /** Of the process that started it. */
    pid: z.number().optional(),
    limits: limits.optional(),
    /** What of the world outside the sandbox the user's settings allow, as tasks declare it. */
    allows: z.array(z.string()).optional(),
    /** What it may use up, by scope, as flag, settings and front matter said. */
    budget: z.record(z.string(), amounts).optional(),
  }),
  z.object({
    event_type: z.literal("run.resumed"),
    pid: z.number(),
    limits: limits.optional(),
    models: z.record(z.string(), z.string()),
    endpoints: endpoints.optional(),
    contained: z.boolean(),
    /** Slots: attempts at a time, and as many plannings beside them. */
    jobs: z.number().int().optional(),
    model_flags: modelFlags.optional(),
    allows: z.array(z.string()).optional(),
  }),
  z.object({ event_type: z.literal("run.stopped"), reason: z.string(), exit_code: z.number() }),
  z.object({
    event_type: z.literal("pass.decided"),
    decision: z.enum(["continue", "pause", "stop"]),
    reason: z.string(),
    /** The longest time until the next look: 1, 5 or 10 s. */
    pause_ms: z.number().optional(),
  }),
  /**
   * The work of roles, recorded where it differs materially from what was recorded last: a role has
   * work or has none any more, twice or half as much, or of another urgency band (rules/detect.ts).
   */
  z.object({
    event_type: z.literal("work.detected"),
    work: z.array(
      z.object({
        role: workRole,
        count: z.number().int(),
        urgency: z.number().int().min(0).max(10),
        why: z.string(),
      }),
    ),
  }),
  // The tree
  z.object({
    event_type: z.literal("task.created"),
    parent: z.string().nullable(),
    key: z.string(),
    origin,
    contract,
    depends_on: z.array(z.string()),
    /** True when code accepted it as a leaf without planning it. */
    leaf: z.boolean(),
    priority: z.number().int(),
    /** The deleted task in whose place it stands: who waited for that waits for this. */
    restores: z.string().optional(),
  }),
  z.object({
    event_type: z.literal("plan.proposed"),
    ...call,
    round: z.number().int(),
    plan: hash,
    problems: z.array(z.object({ code: z.string(), message: z.string() })),
  }),
  /** A split is about to be written: graph, stubs and oracle follow, then `task.split`. */
  z.object({ event_type: z.literal("split.started"), attempt: z.number().int(), plan: hash }),
  z.object({
    event_type: z.literal("task.split"),
    children: z.array(z.string()),
    /** The commit that holds stubs and oracle; absent when there was nothing to commit. */
    commit: z.string().optional(),
    /** The parent's own roll-up checks, which the split gave it. */
    checks: contract.shape.checks,
    assumptions: z.array(z.string()),
  }),
  z.object({
    event_type: z.literal("task.sized"),
    contract,
    commit: z.string().optional(),
    assumptions: z.array(z.string()),
  }),
  z.object({
    event_type: z.literal("task.done"),
    attempt: z.number().int().optional(),
    commit: z.string().optional(),
    /** True when no gating check covers it. */
    unchecked: z.boolean(),
  }),
  z.object({ event_type: z.literal("task.failed"), reason: z.string() }),
  z.object({ event_type: z.literal("task.accepted"), by: z.string() }),
  z.object({ event_type: z.literal("task.cancelled"), by: z.string(), reason: z.string() }),
  z.object({ event_type: z.literal("task.paused"), by: z.string() }),
  z.object({ event_type: z.literal("task.unpaused"), by: z.string() }),
  z.object({ event_type: z.literal("task.reopened"), by: z.string() }),
  z.object({
    event_type: z.literal("task.edited"),
    by: z.string(),
    title: z.string().optional(),
    description: z.string().optional(),
    acceptance: z.string().optional(),
    priority: z.number().int().optional(),
    depends_on: z.array(z.string()).optional(),
  }),
  /** Somebody outside fractal holds it (`holder`), or let it go (null). */
  z.object({ event_type: z.literal("task.taken"), holder: z.string().nullable() }),
  z.object({ event_type: z.literal("task.rolled_up"), verdict, tree: z.string() }),
  /** The packages of a lock file that are not on this machine are about to be downloaded. */
  z.object({
    event_type: z.literal("packages.requested"),
    /** SHA-256 of package.json and lock file. */
    key: z.string(),
    /** How many packages the lock file names of each host. */
    hosts: z.record(z.string(), z.number().int()),
  }),
  /** The packages of a lock file were installed, once for all workspaces. */
  z.object({
    event_type: z.literal("packages.installed"),
    /** SHA-256 of package.json and lock file. */
    key: z.string(),
    packages: z.number().int(),
    downloaded: z.number().int(),
    duration_ms: z.number(),
  }),
  // Attempts
  z.object({
    event_type: z.literal("lease.taken"),
    attempt: z.number().int(),
    role,
    fence: z.number().int(),
    holder: z.string(),
    deadline: z.string(),
    /** The commit the attempt starts from; a resumed attempt keeps its first. */
    base: z.string(),
  }),
  z.object({
    event_type: z.literal("lease.renewed"),
    attempt: z.number().int(),
    fence: z.number().int(),
    deadline: z.string(),
  }),
  z.object({
    event_type: z.literal("lease.released"),
    attempt: z.number().int(),
    fence: z.number().int(),
    why: z.string(),
    /** Set when trouble outside the task cut the attempt off: it goes on later under its number. */
    outage: failure.optional(),
  }),
  z.object({
    event_type: z.literal("attempt.ended"),
    attempt: z.number().int(),
    role,
    fence: z.number().int(),
    outcome: z.enum(["succeeded", "rejected", "blocked", "failed", "cancelled"]),
    failure: failure.optional(),
    failure_class: z.string().optional(),
    verdict: verdict.optional(),
    /** Gating leaf checks that were red on the base and so did not gate this attempt. */
    not_yet: z.array(z.string()).optional(),
    /** Own checks that were already green before the work: they prove nothing. */
    vacuous: z.array(z.string()).optional(),
    /** Why its green checks say too little: the reviewer looked, where there is one. */
    doubts: z.array(z.string()).optional(),
    summary: z.string(),
    model: z.string(),
    provider: z.string(),
    usage,
    /** Null when the price is unknown. */
    cost_usd: z.number().nullable(),
    calls: z.number().int(),
    duration_ms: z.number(),
    /** Version and hash of the role's prompt, as in `call.started`. */
    prompt: z.string().optional(),
    files: z.array(z.string()),
    /** The commit that keeps this attempt's files under refs/fractal. */
    kept: z.string().optional(),
    /** Blob of what it changed, as a patch, where it was not merged. */
    patch: hash.optional(),
  }),
  /** A result that came too late: its fence is not the current one. */
  z.object({
    event_type: z.literal("result.fenced"),
    attempt: z.number().int(),
    fence: z.number().int(),
    current: z.number().int(),
  }),
  z.object({
    event_type: z.literal("call.started"),
    ...call,
    model: z.string(),
    provider: z.string(),
    request: hash,
    prompt: z.string(),
    /** The worst it can come to, held against every budget until it is settled; null: no price. */
    reserved: z.object({ usd: z.number().nullable(), tokens: z.number() }).optional(),
  }),
  z.object({
    event_type: z.literal("call.answered"),
    ...call,
    model: z.string(),
    provider: z.string(),
    reply: hash,
    usage,
    cost_usd: z.number().nullable(),
    duration_ms: z.number(),
    answered_by: z.string(),
    stop_reason: z.string(),
    mismatch: z.boolean().optional(),
  }),
  z.object({
    event_type: z.literal("call.failed"),
    ...call,
    model: z.string(),
    provider: z.string(),
    failure,
    duration_ms: z.number(),
    /** The provider cannot have charged for it: its reservation is let go. Else that stays spent. */
    uncharged: z.literal(true).optional(),
  }),
  /** What the whole run will probably take, made once everything is planned; null: no price. */
  z.object({
    event_type: z.literal("forecast.made"),
    leaves: z.number().int(),
    calls: z.number(),
    tokens: z.number(),
    cost_usd: z.number().nullable(),
  }),
  // Budgets
  /**
   * The limits of a scope; units that are left out keep theirs. `task_id` is the task of a subtree,
   * or the one task whose own limit it is; null for every other scope. `actor` is who set it.
   */
  z.object({ event_type: z.literal("budget.set"), scope: budgetScope, limit: amounts }),
  /** A call was not made: it may cost more than is left. Its attempt is left open and costs nothing. */
  z.object({
    event_type: z.literal("budget.denied"),
    ...call,
    needs: z.object({ usd: z.number().nullable(), tokens: z.number() }),
    scope: budgetScope,
    /** The task of the budget that denied it; null where that is of no task. */
    scope_task: z.string().nullable(),
    unit: z.enum(["usd", "tokens", "calls", "minutes"]),
  }),
  /** A person will not raise it: nothing more is asked about it until the run is resumed. */
  z.object({ event_type: z.literal("budget.stopped"), scope: budgetScope }),
  z.object({
    event_type: z.literal("tool.called"),
    ...call,
    tool: z.string(),
    /** Which call of its turn it is, from 1. */
    nth: z.number().int().positive().optional(),
    args: hash,
  }),
  z.object({
    event_type: z.literal("tool.returned"),
    ...call,
    tool: z.string(),
    nth: z.number().int().positive().optional(),
    is_error: z.boolean(),
    /** The task may not do this: nothing was carried out. */
    refused: z.literal(true).optional(),
    output: hash,
    duration_ms: z.number(),
  }),
  /** The worker asked for a file beyond its contract's: when granted, the contract grows by it. */
  z.object({
    event_type: z.literal("file.requested"),
    attempt: z.number().int(),
    path: z.string(),
    why: z.string(),
    granted: z.boolean(),
    /** What the worker was told. */
    reason: z.string(),
  }),
  z.object({
    event_type: z.literal("merge.started"),
    attempt: z.number().int(),
    fence: z.number().int(),
    onto: z.string(),
    commit: z.string(),
  }),
  z.object({
    event_type: z.literal("merge.done"),
    attempt: z.number().int(),
    commit: z.string(),
  }),
  // Stuck work and people
  z.object({
    event_type: z.literal("escalation.routed"),
    to: z.enum(["fixer", "split", "person"]),
    by: z.enum(["rules", "router", "fixer"]),
    reason: z.string(),
  }),
  z.object({
    event_type: z.literal("guidance.given"),
    from: z.string(),
    text: z.string(),
    /** Worker attempts it restores, at least. */
    attempts: z.number().int(),
  }),
  z.object({
    event_type: z.literal("question.opened"),
    question: z.string(),
    kind: questionKind,
    title: z.string(),
    why: z.string(),
    options: z.array(z.string()),
    tried: z.string(),
    /** Tasks that wait for it by an edge; empty when it is about a split task or the run. */
    blocks: z.array(z.string()),
    /** The attempt that asked, where one did. */
    attempt: z.number().int().optional(),
    /** The change that a person is to say yes or no to: blob of its diff. */
    diff: hash.optional(),
    /** The attempt's work that waits for the yes: the commit it is kept in, and what was said of it. */
    work: z.object({ commit: z.string(), said: z.string() }).optional(),
    /** The budget that is spent, of which unit, how much is needed, and which tasks wait for that. */
    budget: z
      .object({
        scope: budgetScope,
        task: z.string().nullable(),
        unit: z.enum(["usd", "tokens", "calls", "minutes"]),
        /** Null where its price is unknown. */
        need: z.number().nullable(),
        tasks: z.array(z.string()),
      })
      .optional(),
  }),
  z.object({
    event_type: z.literal("question.answered"),
    question: z.string(),
    by: z.string(),
    text: z.string(),
  }),
  z.object({
    event_type: z.literal("question.closed"),
    question: z.string(),
    by: z.string(),
    how: z.enum(["dismissed", "moot"]),
  }),
  /** The person's `notify` command was started for it. */
  z.object({ event_type: z.literal("question.notified"), question: z.string() }),
  /** Which of a plan's invented checks may gate, and who said so: a person, `reviewer`, `-y`, `nobody`. */
  z.object({
    event_type: z.literal("checks.judged"),
    by: z.string(),
    checks: z.array(judgedCheck),
  }),
  /** An event that the table of moves does not allow; nothing changed. */
  z.object({ event_type: z.literal("move.refused"), refused: z.string(), reason: z.string() }),
  // Beads
  z.object({
    event_type: z.literal("mirror.started"),
    lines: z.array(mirrored.extend({ id: z.string() })),
  }),
  z.object({
    event_type: z.literal("mirror.done"),
    lines: z.array(mirrored.extend({ id: z.string() })),
  }),
  /**
   * A comment is owed to the issue `id`: recorded together with what it tells, written when Beads
   * can take it, and at most once. A `key` that is there already owes nothing new.
   */
  z.object({
    event_type: z.literal("note.started"),
    id: z.string(),
    key: z.string(),
    text: z.string(),
  }),
  /** It stands there (written now, or found written), or its issue is gone. */
  z.object({
    event_type: z.literal("note.done"),
    key: z.string(),
    how: z.enum(["written", "found", "gone"]),
    /** How many comments of the task's issue are read by now, where no person's is among the new. */
    comments: z.number().int().optional(),
  }),
  /** Beads shows what fractal did not write: a person did, and is followed. */
  z.object({
    event_type: z.literal("drift.seen"),
    kind: z.enum([
      "closed",
      "reopened",
      "deferred",
      "blocked",
      "undeferred",
      "deleted",
      /** An issue that was deleted is there again under its id. */
      "returned",
      "edited",
      "commented",
      "added",
      "edges",
      "taken",
      "released",
      "overwritten",
    ]),
    seen: mirrored.optional(),
    /** What Beads shows all the same: fractal had written over `seen` before it could know of it. */
    now: mirrored.optional(),
    detail: z.string(),
    /** How many comments were read by now. */
    comments: z.number().int().optional(),
    /** When the request was made that stood beside it (`fractal cancel`): it counts once. */
    request: z.string().optional(),
  }),
]);

/** What happened, before the journal stamps it. */
export type Fact = z.infer<typeof fact>;
export type FactOf<T extends Fact["event_type"]> = Extract<Fact, { event_type: T }>;

/** A fact and the task it is about; null where it is about the run. `actor` is who did it. */
export type NewEvent = Fact & { task_id: string | null; actor: string };

const envelope = z.object({
  v: z.literal(JOURNAL_VERSION),
  seq: z.number().int(),
  run_id: z.string(),
  task_id: z.string().nullable(),
  /** ISO 8601, UTC, milliseconds. */
  timestamp: z.string(),
  /** `fractal`, a role (`worker`), or a person's name. */
  actor: z.string(),
  /** SHA-256 of the line before, hex; empty on the first. */
  prev: z.string(),
  /**
   * How many lines of the same write follow, where some do. What was recorded together is believed
   * together: at the end of a file a write that is not whole is a torn tail.
   */
  left: z.number().int().positive().optional(),
});

/** One line of `events.jsonl`. */
export const runEvent = z.intersection(envelope, fact);
export type RunEvent = z.infer<typeof envelope> & Fact;
