/** The planner's answer for one task: execute it, or split it into these parts. */
import { z } from "zod";
import { writtenAmounts } from "./amounts.ts";
import { need } from "./needs.ts";
import { signature, size, taskKind } from "./task.ts";

/** Acceptance as data. Calls, commands and requests are rendered to checks by code. */
export const example = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("call"),
    file: z.string().min(1).max(200),
    name: z.string().min(1).max(100),
    args: z.array(z.unknown()).max(10),
    /** The JSON value it must return; with `error` set it must throw instead. */
    value: z.unknown().optional(),
    /** A part of the message it must throw. */
    error: z.string().max(500).optional(),
  }),
  z.object({
    kind: z.literal("command"),
    run: z.string().min(1).max(2000),
    stdin: z.string().max(16_000).optional(),
    exit: z.number().int().min(0).max(255),
    stdout: z.string().max(16_000).optional(),
  }),
  z.object({
    kind: z.literal("http"),
    /** Starts the server; must listen on $PORT. */
    start: z.string().min(1).max(500),
    method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    path: z.string().min(1).max(500),
    body: z.string().max(16_000).optional(),
    status: z.number().int().min(100).max(599),
    /** A part of the response body. */
    contains: z.string().max(4000).optional(),
  }),
  z.object({ kind: z.literal("person"), what: z.string().min(1).max(1000) }),
  z.object({ kind: z.literal("judgement"), what: z.string().min(1).max(1000) }),
]);
export type Example = z.infer<typeof example>;

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
