/** Events about what an attempt asks: calls of a model and of a tool. */
import { z } from "zod";
import { budgetScope } from "../budget.ts";
import { call, failure, hash, usage } from "./fields.ts";

export const callFacts = [
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
] as const;
