/** Events about the run as a whole: its processes, passes, money and packages. */
import { z } from "zod";
import { amounts, budgetScope } from "../budget.ts";
import { hash, role } from "./fields.ts";

/** Who has work to do: a role, a person (`human`), or fractal's own code, which needs neither. */
const workRole = z.enum([...role.options, "human", "code"]);
export type WorkRole = z.infer<typeof workRole>;

/** Where the model of a role is asked: its name, and the server where one is named. */
const endpoints = z.record(z.string(), z.string());

/** Flags that name models, as they were typed; `fractal resume` without any uses them again. */
const modelFlags = z.object({
  model: z.string().optional(),
  models: z.array(z.string()).optional(),
  base_url: z.string().optional(),
});
export type ModelFlags = z.infer<typeof modelFlags>;

/** The limits in force from here on: what an event leads to depends on them, so they stand here too. */
const limits = z.record(z.string(), z.union([z.number(), z.string()]));

/**
 * A person merged the run's branch into theirs with `fractal merge`, or git would not: `actor` is who.
 * Where another process held the lock, the line is written by that one, or by the next that has it.
 */
export const runMerged = z.object({
  event_type: z.literal("run.merged"),
  /** The person's branch. */
  into: z.string(),
  /** The commit of the run's branch that they asked for. */
  tip: z.string(),
  /** `found`: it was in that branch already, by a merge that no line tells of. */
  result: z.enum([
    ...(["fast-forward", "merge", "found"] as const),
    ...(["conflicts", "in-the-way", "hooks", "locked", "refused"] as const),
  ]),
  /** The commits of that branch; empty where it had none. */
  before: z.string(),
  after: z.string(),
  /** When it was done, as in `timestamp`, which may be later. */
  at: z.string(),
});

export const runFacts = [
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
  runMerged,
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
  /** What the whole run will probably take, made once everything is planned; null: no price. */
  z.object({
    event_type: z.literal("forecast.made"),
    leaves: z.number().int(),
    calls: z.number(),
    tokens: z.number(),
    cost_usd: z.number().nullable(),
  }),
  /**
   * The limits of a scope; units that are left out keep theirs. `task_id` is the task of a subtree,
   * or the one task whose own limit it is; null for every other scope. `actor` is who set it.
   */
  z.object({ event_type: z.literal("budget.set"), scope: budgetScope, limit: amounts }),
  /** A person will not raise it: nothing more is asked about it until the run is resumed. */
  z.object({ event_type: z.literal("budget.stopped"), scope: budgetScope }),
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
] as const;
