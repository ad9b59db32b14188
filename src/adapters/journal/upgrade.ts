/** Lifts journal lines of older versions to today's: what a run wrote stays readable. */
import { JOURNAL_VERSION } from "../../domain/event.ts";

/** A line as JSON gives it. */
type Line = { v: number } & Record<string, unknown>;

/**
 * What each version's lines need to be lines of the next. Lines of one file may differ in version: a
 * run begun by an older fractal goes on under a newer one, and its old lines are never rewritten.
 */
const UPGRADERS: { readonly [version: number]: (line: Line) => Line } = {
  // Version 2 only adds: event types, and fields that may be missing.
  1: (line) => ({ ...line, v: 2 }),
};

/** The line as today's version has it; one of no known version stays as it is, for the schema to refuse. */
export function upgraded(value: unknown): unknown {
  if (!isLine(value)) return value;
  let line = value;
  while (line.v < JOURNAL_VERSION) {
    const upgrade = UPGRADERS[line.v];
    if (upgrade === undefined) return value;
    line = upgrade(line);
  }
  return line;
}

/** The version of a line that only a newer fractal reads. */
export function newerVersion(value: unknown): number | undefined {
  return isLine(value) && value.v > JOURNAL_VERSION ? value.v : undefined;
}

function isLine(value: unknown): value is Line {
  return typeof value === "object" && value !== null && "v" in value && Number.isInteger(value.v);
}
