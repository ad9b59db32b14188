/** What a worker hands in: data, never a decision. */
import { z } from "zod";

export const report = z.object({
  summary: z.string().max(4000),
  files_changed: z.array(z.string().max(400)).max(100).default([]),
  tests_run: z.array(z.string().max(400)).max(50).default([]),
  confidence: z.number().min(0).max(1).default(0.5),
  open_questions: z.array(z.string().max(2000)).max(10).default([]),
});
export type Report = z.infer<typeof report>;
