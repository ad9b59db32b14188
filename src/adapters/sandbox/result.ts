/** What the end of a sandboxed process is to who asked for it. */
import type { SandboxResult } from "../../domain/contained.ts";
import { type Ceilings, limitOfEnd } from "./limits.ts";
import type { ProcessEnd } from "./process.ts";

/** True when the process was stopped from here: then its exit code says nothing. */
export function wasStopped(end: ProcessEnd): boolean {
  return end.exitCode === null && end.startError === undefined;
}

/** The result; a limit it came to stands in words at the end of its stderr, for a model to read. */
export function resultOf(end: ProcessEnd, place: string, ceilings: Ceilings): SandboxResult {
  const { status: _, startError: __, limit: cameTo, ...result } = end;
  const limit = cameTo ?? limitOfEnd(end, ceilings);
  if (limit === undefined) return { ...result, place };
  const said = end.stderr === "" || end.stderr.endsWith("\n") ? end.stderr : `${end.stderr}\n`;
  const how = wasStopped(end) ? "fractal ended it" : "fractal's limits";
  return { ...result, stderr: `${said}[${how}: ${limit}]\n`, place };
}
