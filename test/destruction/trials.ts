/** Many trials of one promise: a sample in every run of the suite, all of them under FRACTAL_DEEP=1. */
import { appendFileSync } from "node:fs";
import { IS_DEEP, SEED } from "../support/seed.ts";

/** Numbers from 0 below 1, the same for the same seed. */
export function chanceOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Some of them, each at most once, in their order. */
export function sampleOf<T>(all: readonly T[], count: number, chance: () => number): T[] {
  const left = all.map((_, at) => at);
  const picked: number[] = [];
  while (picked.length < count && left.length > 0) {
    picked.push(...left.splice(Math.floor(chance() * left.length), 1));
  }
  return picked.sort((a, b) => a - b).flatMap((at) => all.slice(at, at + 1));
}

export interface Trials<T> {
  /** The test file, for the command that tries one again. */
  file: string;
  /** Vitest's project that holds the file; e2e when left out. */
  project?: string;
  /** The suite's name in the report. */
  suite: string;
  /** What is promised, in a few words. */
  what: string;
  cases: readonly T[];
  /** The case as text, from which `FRACTAL_ONLY` picks it again. */
  nameOf(one: T): string;
  /** Throws when the promise does not hold; what it returns is counted under that name. */
  attempt(one: T): Promise<string | undefined>;
  /** How many at once. */
  parallel?: number;
}

/**
 * Tries every case, or the one that `FRACTAL_ONLY` names, and throws one error that lists all that
 * failed, each with the command that tries it again. Leaves a line in the file `FRACTAL_REPORT`.
 */
export async function tryAll<T>(trials: Trials<T>): Promise<void> {
  const { suite, what, nameOf, parallel = 2 } = trials;
  const only = process.env["FRACTAL_ONLY"];
  const due = trials.cases.filter((one) => only === undefined || nameOf(one) === only);
  const queue = [...due];
  const failed: string[] = [];
  const counts: Record<string, number> = {};
  const work = async () => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      try {
        const kind = await trials.attempt(one);
        if (kind !== undefined) counts[kind] = (counts[kind] ?? 0) + 1;
      } catch (error) {
        const text = failureText(trials, nameOf(one), error);
        // Said at once: the rest may take hours.
        process.stderr.write(`${text}\n\n`);
        failed.push(text);
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  const passed = due.length - failed.length;
  const line = { suite, what, count: due.length, passed, seed: SEED, details: counts };
  const report = process.env["FRACTAL_REPORT"];
  if (report !== undefined) appendFileSync(report, `${JSON.stringify(line)}\n`);
  const kinds = Object.entries(counts).map(([kind, count]) => `, ${count} ${kind}`);
  process.stderr.write(
    `${suite}: ${passed} of ${due.length} hold${kinds.join("")} (FRACTAL_SEED=${SEED})\n`,
  );
  if (failed.length > 0) throw new Error(failed.join("\n\n"));
  if (due.length === 0) throw new Error(`${suite}: there is nothing to try`);
}

function failureText<T>(
  { file, suite, project = "e2e" }: Trials<T>,
  name: string,
  error: unknown,
): string {
  const words = error instanceof Error ? error.message : String(error);
  const again = `FRACTAL_SEED=${SEED} FRACTAL_DEEP=${IS_DEEP ? 1 : 0} FRACTAL_ONLY=${quoted(name)}`;
  const stack = error instanceof Error ? (error.stack ?? "").split("\n").slice(-6).join("\n") : "";
  return [
    `${suite}: ${name}`,
    words,
    ...differences(error),
    stack,
    `try it again: ${again} npx vitest run --project ${project} ${file}`,
  ].join("\n");
}

/** What an assertion found and wanted, the lines in which they differ. */
function differences(error: unknown): string[] {
  if (typeof error !== "object" || error === null || !("actual" in error)) return [];
  const { actual, expected } = error as { actual: unknown; expected?: unknown };
  const linesOf = (value: unknown) => (JSON.stringify(value, null, 1) ?? "undefined").split("\n");
  const [found, wanted] = [linesOf(actual), linesOf(expected)];
  if ([...found].sort().join("\n") === [...wanted].sort().join("\n"))
    return ["the order differs:", ...found];
  return [
    ...wanted.filter((line) => !found.includes(line)).map((line) => `- ${line.trim()}`),
    ...found.filter((line) => !wanted.includes(line)).map((line) => `+ ${line.trim()}`),
  ];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
