/** Leaves what a suite counted for the reliability report, where one is being made. */
import { appendFileSync } from "node:fs";

export interface Counted {
  suite: string;
  /** What was done, as a sentence's beginning. */
  what: string;
  count: number;
  passed: number;
  seed?: number;
  /** Numbers and words that belong to it. */
  details?: Record<string, unknown>;
}

/** Appends one line to the file that FRACTAL_REPORT names; without it nothing is kept. */
export function report(counted: Counted): void {
  const file = process.env["FRACTAL_REPORT"];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(counted)}\n`);
}
