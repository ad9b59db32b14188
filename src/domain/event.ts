/**
 * Everything that goes into a run's journal: one line, and the variants of what it says.
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
import { attemptFacts } from "./event/attempt.ts";
import { beadsFacts } from "./event/beads.ts";
import { callFacts } from "./event/call.ts";
import { questionFacts } from "./event/question.ts";
import { runFacts } from "./event/run.ts";
import { taskFacts } from "./event/task.ts";

export const JOURNAL_VERSION = 2;

const fact = z.discriminatedUnion("event_type", [
  ...runFacts,
  ...taskFacts,
  ...attemptFacts,
  ...callFacts,
  ...questionFacts,
  ...beadsFacts,
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
