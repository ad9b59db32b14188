/** A node of the work tree: what it must achieve, where it stands among the others. */
import { z } from "zod";
import { amounts } from "./budget.ts";
import { check } from "./check.ts";
import { need } from "./needs.ts";

/** A Beads issue id, such as `fr-k3f9x2.a1`. */
export type TaskId = string;

export const size = z.enum(["XS", "S", "M", "L", "XL"]);
export type Size = z.infer<typeof size>;
export const SIZES: readonly Size[] = size.options;

export const taskKind = z.enum(["code", "text", "command"]);
export type TaskKind = z.infer<typeof taskKind>;

/** An exact exported signature, in the language's own words. */
export const signature = z.object({
  file: z.string().min(1).max(200),
  /** The exported name. */
  name: z.string().min(1).max(100),
  /** As it would stand in the source, without a body: `export function parse(text: string): Doc`. */
  declaration: z.string().min(1).max(1000),
  /** What it does, for its callers. */
  doc: z.string().max(2000),
});
export type Signature = z.infer<typeof signature>;

/** All that a task must achieve: the text for people is in Beads, this is what code decides by. */
export const contract = z.object({
  title: z.string().min(1).max(255),
  purpose: z.string().max(64_000),
  kind: taskKind,
  size,
  /** Requirement ids this task alone owns. */
  requirements: z.array(z.string()),
  /** Files it may create or change, relative to the spec's root. */
  files: z.array(z.string()),
  interfaces: z.array(signature),
  checks: z.array(check),
  /** What must be true, a line each, in words for people and prompts: `parse("1h") returns 3600`. */
  examples: z.array(z.string().max(2000)),
  /** Why there is no check, where the plan says so. */
  unchecked: z.string().max(1000).optional(),
  /** Open risks; any of them demands planning or a second look. */
  risks: z.array(z.string().max(500)),
  /** The shell command of a `command` task. */
  command: z.string().max(4000).optional(),
  /** What it needs from outside the sandbox, for itself and all below it. */
  needs: z.array(need).max(100).optional(),
  /** What it and all below it may use up. */
  budget: amounts.optional(),
});
export type Contract = z.infer<typeof contract>;

export type TaskStatus =
  | "queued"
  | "waiting"
  | "running"
  | "escalated"
  | "needs_human"
  | "failed"
  | "split"
  | "done"
  | "accepted"
  | "paused"
  | "cancelled";

export type Colour = "dim" | "yellow" | "red" | "green";

/** True when nothing more happens to a task in this status by itself. */
export function isSettled(status: TaskStatus): boolean {
  return status === "done" || status === "accepted" || status === "cancelled";
}
