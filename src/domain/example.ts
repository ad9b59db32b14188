/** An example: one thing that must be true of work, as data; code renders most kinds to checks. */
import { z } from "zod";

const call = z.object({
  kind: z.literal("call"),
  file: z.string().min(1).max(200),
  name: z.string().min(1).max(100),
  args: z.array(z.unknown()).max(10),
  /** The JSON value it must return; with `error` set it must throw instead. */
  value: z.unknown().optional(),
  /** A part of the message it must throw. */
  error: z.string().max(500).optional(),
});

const command = z.object({
  kind: z.literal("command"),
  run: z.string().min(1).max(2000),
  stdin: z.string().max(16_000).optional(),
  exit: z.number().int().min(0).max(255),
  stdout: z.string().max(16_000).optional(),
});

const http = z.object({
  kind: z.literal("http"),
  /** Starts the server; must listen on $PORT. */
  start: z.string().min(1).max(500),
  method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]),
  path: z.string().min(1).max(500),
  body: z.string().max(16_000).optional(),
  status: z.number().int().min(100).max(599),
  /** A part of the response body. */
  contains: z.string().max(4000).optional(),
});

/** What a machine can try out. */
export const runnable = z.discriminatedUnion("kind", [call, command, http]);
export type Runnable = z.infer<typeof runnable>;

/** The same, and what people and models say. */
export const example = z.discriminatedUnion("kind", [
  call,
  command,
  http,
  z.object({ kind: z.literal("person"), what: z.string().min(1).max(1000) }),
  z.object({ kind: z.literal("judgement"), what: z.string().min(1).max(1000) }),
]);
export type Example = z.infer<typeof example>;
