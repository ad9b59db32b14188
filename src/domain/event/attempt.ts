/** Events about an attempt: its leases, its end, and the merge of what it made. */
import { z } from "zod";
import { verdict } from "../check.ts";
import { failure, hash, role, usage } from "./fields.ts";

export const attemptFacts = [
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
    /** Own checks that were green before the work, or would be by any failure: they prove nothing. */
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
] as const;
