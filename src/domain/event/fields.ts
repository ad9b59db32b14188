/** Fields that events of several kinds have. */
import { z } from "zod";
import type { Failure } from "../failure.ts";

export const role = z.enum(["planner", "worker", "router", "fixer", "reviewer"]);

/** SHA-256 of a text among the run's blobs; `rules/fsck/blobs-named.ts` lists every one of them. */
export const hash = z.string().meta({ holds: "blob" });

export const usage = z.object({
  inputTokens: z.number(),
  outputTokens: z.number(),
  cacheReadTokens: z.number(),
  cacheWriteTokens: z.number(),
});

export const failure = z.custom<Failure>(
  (value) => typeof value === "object" && value !== null && "failure" in value,
);

/** Which model call it is about. */
export const call = { attempt: z.number().int(), turn: z.string(), role };
