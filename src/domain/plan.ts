/** The planner's answer for one task: execute it, or split it into these parts. */
import { z } from "zod";
import { writtenAmounts } from "./amounts.ts";
import { example } from "./example.ts";
import { need } from "./needs.ts";
import { signature, size, taskKind } from "./task.ts";

/** Who must satisfy it (`all` is the parent's roll-up), for which requirement, and how it shows. */
export const acceptance = z.object({
  part: z.string(),
  requirement: z.string(),
  example,
  /** The words of the spec this was taken from; believed only when found there. */
  quote: z.string().max(1000).optional(),
});
export type Acceptance = z.infer<typeof acceptance>;

/** One part of a split. */
export const part = z.object({
  /** A short slug, unique among its siblings: letters, digits, dashes. */
  key: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  title: z.string().min(1).max(200),
  purpose: z.string().min(1).max(4000),
  kind: taskKind,
  size,
  files: z.array(z.string().min(1).max(200)).max(10),
  command: z.string().max(4000).optional(),
  unchecked: z.string().max(1000).optional(),
  risks: z.array(z.string().max(500)).max(5),
  /** What it and all that becomes of it need from outside the sandbox. */
  needs: z.array(need).max(20).optional(),
  /** What it and all that becomes of it may use up. */
  budget: writtenAmounts.optional(),
});
export type Part = z.infer<typeof part>;

/** A question only a person can decide, with the parts it blocks; a default makes it an assumption. */
export const planQuestion = z.object({
  question: z.string().min(1).max(2000),
  why: z.string().max(2000),
  options: z.array(z.string().max(500)).max(6),
  blocks: z.array(z.string()).max(20),
  default: z.string().max(500).optional(),
});
export type PlanQuestion = z.infer<typeof planQuestion>;

/**
 * The folded plan of one task. For a leaf, `parts` has exactly one entry, keyed `self`, that
 * completes the task's own contract. `ownership` maps each requirement of the task to a part's key
 * or `all`.
 */
export const plan = z.object({
  decision: z.enum(["leaf", "split"]),
  size,
  reason: z.string().max(2000),
  parts: z.array(part).max(100),
  ownership: z.record(z.string(), z.string()),
  interfaces: z.array(signature.extend({ part: z.string() })).max(200),
  dependencies: z.array(z.object({ part: z.string(), needs: z.array(z.string()) })).max(100),
  acceptance: z.array(acceptance).max(400),
  questions: z.array(planQuestion).max(10),
});
export type Plan = z.infer<typeof plan>;

/** One thing wrong with a plan, in words the planner can act on. */
export interface PlanProblem {
  code: string;
  message: string;
}
