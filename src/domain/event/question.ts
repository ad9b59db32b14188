/** Events about a question to a person. */
import { z } from "zod";
import { budgetScope } from "../budget.ts";
import { hash } from "./fields.ts";

/** What a question is about; decides what its answer does (rules/replay/question.ts). */
const questionKind = z.enum([
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

export const questionFacts = [
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
    /** What the settings do not allow, where it is about that: none of it is asked about again. */
    needs: z.array(z.string()).optional(),
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
] as const;
