/** Runs a switch's tests in a process of their own and tells which of them went red. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import type { Switch } from "./switches.ts";

const PACKAGE = join(import.meta.dirname, "../..");
/** Against what a missing safeguard keeps from ending. */
const TRIAL_MS = 300_000;
/** How often a property is tried: each of these safeguards is missed at once. */
const PROPERTY_RUNS = "20";

/** How the tests went. `trouble`: they could not be judged, which is not being red. */
export interface Verdict {
  /** Names of the tests that failed. */
  red: string[];
  green: number;
  trouble: string | undefined;
  seconds: number;
}

const seen = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      message: z.string(),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()),
        }),
      ),
    }),
  ),
});

/** With the safeguard removed, or, where `isWhole`, as they are. */
export async function trial(one: Switch, isWhole = false): Promise<Verdict> {
  const place = mkdtempSync(join(tmpdir(), "fractal-sabotage-"));
  const file = join(place, "seen.json");
  const startedAt = performance.now();
  const seconds = () => Math.round((performance.now() - startedAt) / 100) / 10;
  try {
    const { all } = await execa(
      process.execPath,
      [
        join(PACKAGE, "node_modules/vitest/vitest.mjs"),
        ...["run", "--project", "unit", "--reporter", "json", "--outputFile", file],
        ...(one.named === undefined ? [] : ["-t", one.named]),
        ...one.tests,
      ],
      {
        cwd: PACKAGE,
        reject: false,
        all: true,
        timeout: TRIAL_MS,
        extendEnv: false,
        env: { ...environment(), ...(isWhole ? {} : { FRACTAL_SABOTAGE: one.name }) },
      },
    );
    if (!existsSync(file)) return { red: [], green: 0, trouble: all, seconds: seconds() };
    return { ...judged(JSON.parse(readFileSync(file, "utf8"))), seconds: seconds() };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** A file that does not load has failed without a test of it having failed. */
function judged(value: unknown): Omit<Verdict, "seconds"> {
  const files = seen.parse(value).testResults;
  const results = files.flatMap((one) => one.assertionResults);
  const named = (status: string) =>
    results.filter((one) => one.status === status).map((one) => one.fullName);
  const unloaded = files.find((one) => one.assertionResults.length === 0);
  const trouble =
    unloaded === undefined ? undefined : `${unloaded.name} did not load: ${unloaded.message}`;
  return { red: named("failed"), green: named("passed").length, trouble };
}

/** Without what this process was told for itself: its own runner, its counts, its report. */
function environment(): NodeJS.ProcessEnv {
  const isOwn = (name: string) =>
    /^(VITEST|FRACTAL_DEEP|FRACTAL_REPORT|FRACTAL_SABOTAGE)/.test(name);
  const inherited = Object.entries(process.env).filter(([name]) => !isOwn(name));
  return { PROPERTY_RUNS, ...Object.fromEntries(inherited) };
}
