/** Events about a task: how it came to be and was planned, how it ends, and what is done about it when stuck. */
import { z } from "zod";
import { verdict } from "../check.ts";
import { contract } from "../task.ts";
import { call, hash } from "./fields.ts";

/** How a task came to be. */
const origin = z.enum(["root", "plan", "repair", "person"]);

/** An invented check, known by its requirement and its words, and whether it may gate. */
const judgedCheck = z.object({ requirement: z.string(), text: z.string(), gates: z.boolean() });
export type JudgedCheck = z.infer<typeof judgedCheck>;

export const taskFacts = [
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
  /** Which of a plan's invented checks may gate, and who said so: a person, `reviewer`, `-y`, `nobody`. */
  z.object({
    event_type: z.literal("checks.judged"),
    by: z.string(),
    checks: z.array(judgedCheck),
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
  /** An event that the table of moves does not allow; nothing changed. */
  z.object({ event_type: z.literal("move.refused"), refused: z.string(), reason: z.string() }),
] as const;
