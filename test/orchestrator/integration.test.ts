/** Random leaves, merges, conflicts, crashes and a person's hand: done by fractal ⇔ on the branch, and green there. */
import { afterAll, describe, expect, it, vi } from "vitest";
import { gitGround, memoryGround } from "../support/ground.ts";
import { report } from "../support/report.ts";
import { BASE, type Happened, playSchedule } from "../support/schedule.ts";
import { IS_DEEP, SEED } from "../support/seed.ts";

vi.setConfig({ testTimeout: 600_000 });

const only = process.env["FRACTAL_ONLY"];

/** In memory, where whole files are merged, and on a real repository: the same schedules. */
const GROUNDS = {
  memory: {
    open: async () => memoryGround(BASE),
    count: 2000,
    sample: 500,
  },
  git: { open: () => gitGround(BASE), count: 60, sample: 4 },
} as const;

const counted: Record<string, number> = {};
let passed = 0;
let tried = 0;

afterAll(() => {
  const what = "schedules of leaves, merges, conflicts, crashes and edits by hand";
  report({ suite: "integration", what, count: tried, passed, seed: SEED, details: counted });
  const told = Object.entries(counted).map(([name, n]) => `${n} ${name}`);
  process.stderr.write(
    `integration: ${passed} of ${tried} schedules hold, ${told.join(", ")} (FRACTAL_SEED=${SEED})\n`,
  );
});

describe("what is done by fractal", () => {
  it.each(Object.keys(GROUNDS) as (keyof typeof GROUNDS)[])(
    "is on the run's branch and green there, and nothing else is on it (%s)",
    async (name) => {
      const { open, count, sample } = GROUNDS[name];
      const wanted =
        only === undefined
          ? Array.from({ length: IS_DEEP ? count : sample }, (_, at) => SEED + at)
          : [Number(only)];
      const failed: string[] = [];
      for (const seed of wanted) {
        const ground = await open();
        tried += 1;
        try {
          add(await playSchedule(seed, ground));
          counted[`on ${name}`] = (counted[`on ${name}`] ?? 0) + 1;
          passed += 1;
        } catch (error) {
          const again = `FRACTAL_ONLY=${seed} npx vitest run --project unit test/orchestrator/integration.test.ts -t ${name}`;
          failed.push(
            `${error instanceof Error ? error.message : error}\n  try it again: ${again}`,
          );
          if (failed.length > 5) break;
        } finally {
          ground.close();
        }
      }
      expect(failed).toEqual([]);
    },
  );

  it("was tried with all that can come between", () => {
    if (only !== undefined) return;
    const { conflicts = 0, crashes = 0, rewinds = 0, edits = 0, races = 0, whole = 0 } = counted;
    expect(Math.min(conflicts, crashes, rewinds, edits, races, whole)).toBeGreaterThan(0);
  });
});

function add(happened: Happened): void {
  for (const [name, n] of Object.entries(happened)) counted[name] = (counted[name] ?? 0) + n;
}
