/** A deterministic check, its result, and the verdict drawn from results. */
import { z } from "zod";
import { runnable } from "./example.ts";

/**
 * When a check applies: `own` gates its own leaf; `leaf` runs after every leaf; `rollup` when all
 * children of its task are settled; `final` when the root rolls up.
 */
export const checkWhen = z.enum(["own", "leaf", "rollup", "final"]);

/** Who says so: only spec, quoted and person gate unasked; a planner's check must be accepted. */
export const checkSource = z.enum(["spec", "quoted", "planner", "person", "built-in"]);

/** One command run by `sh -c` in the workspace; it passes when exit code and output are as expected. */
export const check = z.object({
  name: z.string().min(1).max(120),
  run: z.string().min(1).max(4000),
  stdin: z.string().max(64_000).optional(),
  /** Expected exit code; 0 when left out. */
  exit: z.number().int().min(0).max(255).optional(),
  /** Expected standard output, compared without trailing white space. */
  stdout: z.string().max(64_000).optional(),
  when: checkWhen,
  source: checkSource,
  requirements: z.array(z.string()),
  /** False: it advises, its result is shown and decides nothing. */
  gates: z.boolean(),
  /** Files the check is made of, relative to the spec's root; read-only for workers. */
  oracle: z.array(z.string()),
  /**
   * What its files are rendered from. With them it is judged without these files: the work is only
   * told what to do, and what comes of it is compared elsewhere. Absent: `run` says all of it.
   */
  examples: z.array(runnable).optional(),
  timeoutMs: z.number().int().positive().optional(),
});
export type Check = z.infer<typeof check>;

/** What running one check showed. `detail` is distilled: the failing case, never a whole log. */
export const checkResult = z.object({
  name: z.string(),
  passed: z.boolean(),
  gates: z.boolean(),
  exitCode: z.number().nullable(),
  durationMs: z.number(),
  detail: z.string(),
  /** Hash of the whole output in the journal's blobs. */
  output: z.string().meta({ holds: "blob" }).optional(),
  /**
   * What only had to fail, and failed by an error that nobody caught, as anything broken does: a
   * line each. Green all the same.
   */
  crashed: z.array(z.string()).optional(),
  /** Red, and green when it ran once more on the same files: it says nothing about them. */
  flaky: z.literal(true).optional(),
});
export type CheckResult = z.infer<typeof checkResult>;

export const verdict = z.object({
  passed: z.boolean(),
  /** How many gating checks were green; 0 with `passed` means unchecked. */
  gatesGreen: z.number().int(),
  results: z.array(checkResult),
  /** Why it was rejected, for the next attempt; empty when passed. */
  reason: z.string(),
});
export type Verdict = z.infer<typeof verdict>;
