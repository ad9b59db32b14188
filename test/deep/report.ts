/** The reports of proof: what each suite counted, as one page for reliability and one for security. */
import { z } from "zod";

/** The pages there are: `docs/<name>-report.md`. */
export const REPORTS = ["reliability", "security"] as const;
export type Report = (typeof REPORTS)[number];

/** One thing that was counted; suites append one JSON line each to the file FRACTAL_REPORT names. */
export const counted = z.object({
  suite: z.string(),
  /** What was done, as a sentence's beginning: `kill -9 before a journal line, then resume`. */
  what: z.string(),
  count: z.number().int(),
  passed: z.number().int(),
  seed: z.union([z.number(), z.string()]).optional(),
  /** Numbers and words that belong to it: seconds, names, versions. */
  details: z.record(z.string(), z.unknown()).optional(),
});
export type Counted = z.infer<typeof counted>;

/** A counted thing as it is kept: when, and whether all of it or a sample was done. */
export const kept = counted.extend({
  on: z.string(),
  counts: z.enum(["full", "sample"]),
  machine: z.string(),
});
export type Kept = z.infer<typeof kept>;

/** Lines of JSON as values; throws on a line that is not one. */
export function parseKept(text: string): Kept[] {
  return linesOf(text).map((line) => kept.parse(JSON.parse(line)));
}

export function parseCounted(text: string): Counted[] {
  return linesOf(text).map((line) => counted.parse(JSON.parse(line)));
}

const linesOf = (text: string) => text.split("\n").filter((line) => line !== "");

/** What was known, with the suites that were run now in place of what they said before. */
export function merged(before: Kept[], now: Kept[]): Kept[] {
  const anew = new Set(now.map((one) => one.suite));
  return [...before.filter((one) => !anew.has(one.suite)), ...now].sort((a, b) =>
    a.suite.localeCompare(b.suite, "en"),
  );
}

/** Under the name of the command that runs it; what it called itself goes before what it did. */
export function underName({ suite, what }: Counted, name: string): Pick<Counted, "suite" | "what"> {
  return { suite: name, what: suite === name ? what : `${suite}: ${what}` };
}

/** The page, in Markdown. */
export function renderReport(of: Report, results: Kept[]): string {
  const suites = [...new Set(results.map((one) => one.suite))];
  const machines = [...new Set(results.map((one) => one.machine))];
  const total = (name: "count" | "passed") => results.reduce((sum, one) => sum + one[name], 0);
  return [
    of === "reliability" ? "# Reliability report" : "# Security report",
    "",
    "Made by `npm run test:deep` (or `npm run test:deep SUITE…` for some of it); do not edit.",
    "Every row is a count of things done to the real program or the real core, and of how many came",
    "out right. *sample* means that fewer were done than the suite has. `npm test` does a sample of",
    "each and prints the seed.",
    "",
    `${total("passed")} of ${total("count")} came out right. Measured on ${machines.join("; ")}.`,
    ...suites.flatMap((suite) => section(suite, results)),
    "",
  ].join("\n");
}

function section(suite: string, results: Kept[]): string[] {
  const rows = results.filter((one) => one.suite === suite);
  return [
    "",
    `## ${suite}`,
    "",
    `\`npm run test:deep ${suite}\``,
    "",
    "| what | done | right | counts | seed | on | numbers |",
    "| --- | ---: | ---: | --- | --- | --- | --- |",
    ...rows.map(
      (one) =>
        `| ${cell(one.what)} | ${one.count} | ${one.passed} | ${one.counts} | ${one.seed ?? ""} | ${one.on} | ${cell(numbersOf(one))} |`,
    ),
  ];
}

function numbersOf({ details = {} }: Kept): string {
  return Object.entries(details)
    .map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
