/** Measures what the README and the issues promise: `npm run bench`. Figures are of this machine, now. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import Table from "cli-table3";
import { execaSync } from "execa";
import { compileScrubber } from "../src/rules/secrets/scrubber.ts";
import { splitOfBundledRun } from "./bundled.ts";
import { costOfStart, costOfWorkspace } from "./containment.ts";
import { costOfDeciding } from "./passes.ts";
import { costOfTask } from "./scheduler.ts";

const PROGRAM = join(import.meta.dirname, "..", "bin", "fractal.mjs");
const RUNS = 11;

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** The median time of a command as a whole process, in turn with another, ms. */
function timesOf(...commands: string[][]): number[] {
  const times: number[][] = commands.map(() => []);
  for (let run = 0; run < RUNS; run++) {
    for (const [index, args] of commands.entries()) {
      const startedAt = performance.now();
      execaSync(process.execPath, args);
      times[index]?.push(performance.now() - startedAt);
    }
  }
  return times.map(median);
}

function print(title: string, rows: [string, string][]): void {
  const table = new Table({ head: [title, ""], style: { head: [], border: [] } });
  table.push(...rows);
  console.log(table.toString());
}

const ms = (value: number) => `${value < 10 ? value.toFixed(2) : Math.round(value)} ms`;

/** The median time of taking the secrets out of a text of one megabyte that holds a few, ms. */
function scrubTime(): number {
  const known = Array.from({ length: 10 }, (_, at) => ({
    name: `K${at}`,
    value: `Zq7-${at}-${"kJ8w2nXc5v".repeat(3)}`,
  }));
  const { scrub } = compileScrubber(known);
  const source = readFileSync(
    join(import.meta.dirname, "..", "src", "rules", "reconcile.ts"),
    "utf8",
  );
  const text = `${known[3]?.value} ${source.repeat(Math.ceil(1e6 / source.length))}`.slice(0, 1e6);
  return median(
    Array.from({ length: RUNS }, () => {
      const startedAt = performance.now();
      scrub(text);
      return performance.now() - startedAt;
    }),
  );
}

const [bare = 0, version = 0] = timesOf(["-e", "0"], [PROGRAM, "--version"]);
print(`start-up, median of ${RUNS}`, [
  ["node -e 0", ms(bare)],
  ["fractal --version", ms(version)],
  ["difference (goal: 20 ms)", ms(version - bare)],
]);

print("secrets", [["taken out of 1 MB of text, ten known values and all shapes", ms(scrubTime())]]);
const start = await costOfStart();
print("start of a command, medians in turn", [
  ["true", ms(start.bare)],
  ["true in the sandbox", ms(start.contained)],
  ["difference (goal: 15 ms)", ms(start.contained - start.bare)],
]);

for (const [root, goal] of [
  ["part", 50],
  [".", 350],
] as const) {
  const cost = await costOfWorkspace(root);
  print(`a workspace of ${cost.files} of 5,000 files, medians`, [
    ["made", ms(cost.make)],
    ["removed", ms(cost.remove)],
    [`made and removed (goal: ${goal} ms)`, ms(cost.make + cost.remove)],
    ["gone from the disk, behind the work", ms(cost.behind)],
    ["the same files by `tar -x` alone, in turn with it", ms(cost.tar)],
  ]);
}

const sizes = [100, 1_000];
const costs: [string, string][] = [];
await costOfTask(20);
for (const leaves of sizes) costs.push([`${leaves} leaves`, ms(await costOfTask(leaves))]);
print("fractal's own cost a leaf, ports in memory, 8 jobs (goal: flat, 1 ms)", costs);

const deciding: [string, string][] = [];
for (const leaves of [...sizes, 10_000]) {
  deciding.push([`${leaves} leaves`, `${costOfDeciding(leaves).toFixed(4)} ms`]);
}
print("deciding alone, a leaf, all ready at once, 8 jobs (goal: flat, 1 ms)", deciding);

const split = await splitOfBundledRun();
print(
  "the bundled run, recorded answers, 1 job; ports overlap",
  Object.entries(split).map(([name, value]) => [
    name,
    `${ms(value)}  ${Math.round((value / split.wall) * 100)} %`,
  ]),
);
