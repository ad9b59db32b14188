/** Events about Beads: what is written there, and what a person changed there. */
import { z } from "zod";
import { mirrored } from "../mirrored.ts";

export const beadsFacts = [
  z.object({
    event_type: z.literal("mirror.started"),
    lines: z.array(mirrored.extend({ id: z.string() })),
  }),
  z.object({
    event_type: z.literal("mirror.done"),
    lines: z.array(mirrored.extend({ id: z.string() })),
  }),
  /**
   * A comment is owed to the issue `id`: recorded together with what it tells, written when Beads
   * can take it, and at most once. A `key` that is there already owes nothing new.
   */
  z.object({
    event_type: z.literal("note.started"),
    id: z.string(),
    key: z.string(),
    text: z.string(),
  }),
  /** It stands there (written now, or found written), or its issue is gone. */
  z.object({
    event_type: z.literal("note.done"),
    key: z.string(),
    how: z.enum(["written", "found", "gone"]),
    /** How many comments of the task's issue are read by now, where no person's is among the new. */
    comments: z.number().int().optional(),
  }),
  /** Beads shows what fractal did not write: a person did, and is followed. */
  z.object({
    event_type: z.literal("drift.seen"),
    kind: z.enum([
      "closed",
      "reopened",
      "deferred",
      "blocked",
      "undeferred",
      "deleted",
      /** An issue that was deleted is there again under its id. */
      "returned",
      "edited",
      "commented",
      "added",
      "edges",
      "taken",
      "released",
      "overwritten",
    ]),
    seen: mirrored.optional(),
    /** What Beads shows all the same: fractal had written over `seen` before it could know of it. */
    now: mirrored.optional(),
    detail: z.string(),
    /** How many comments were read by now. */
    comments: z.number().int().optional(),
    /** When the request was made that stood beside it (`fractal cancel`): it counts once. */
    request: z.string().optional(),
  }),
] as const;
