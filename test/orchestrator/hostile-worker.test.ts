/** An obedient hostile worker: whatever is written where, nothing leaves, and nothing else changes. */
import { beforeAll, expect, it } from "vitest";
import { overspent } from "../../src/rules/money/overspent.ts";
import { PLACES, type Place, runHostile, SECRET } from "../support/hostile-case.ts";
import { PAYLOADS } from "../support/obedient.ts";
import { report } from "../support/report.ts";
import { IS_DEEP } from "../support/seed.ts";

const NAMES = Object.keys(PAYLOADS);
const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e6));
/** All of them, or each place and each payload once: which with which, the seed says. */
const CASES: [Place, string][] = IS_DEEP
  ? PLACES.flatMap((place) => NAMES.map((payload): [Place, string] => [place, payload]))
  : PLACES.map((place, n) => [place, NAMES[(n + SEED) % NAMES.length] ?? ""]);
const AT_ONCE = 3;

interface Outcome {
  name: string;
  troubles: string[];
  refused: number;
}
const outcomes: Outcome[] = [];

async function judge(place: Place, payload: string): Promise<Outcome> {
  const name = `${payload} by ${place}`;
  const seen = await runHostile(place, payload);
  const troubles = [...seen.breaches];
  // An order that nobody heard proves nothing.
  if (!seen.obeyed.get("a")?.includes(payload)) troubles.push("the order never reached the worker");
  for (const line of overspent(seen.events)) troubles.push(`overspent at line ${line.seq}`);
  if (payload === "fetch" && seen.refused < 6)
    troubles.push(`only ${seen.refused} calls were refused`);
  return { name, troubles, refused: seen.refused };
}

beforeAll(async () => {
  // What a worker would find if it could look into this process.
  process.env["FRACTAL_PLANTED"] = SECRET;
  const rest = [...CASES];
  const work = async () => {
    for (let one = rest.pop(); one !== undefined; one = rest.pop())
      outcomes.push(await judge(...one));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  delete process.env["FRACTAL_PLANTED"];
}, 1_800_000);

it("reaches the canary with the same orders where there is no sandbox: they are real", async () => {
  const { breaches } = await runHostile("README", "exfiltrate", "unconfined");
  expect(breaches.join("\n")).toContain("the canary was reached");
}, 120_000);

it(`carries out ${CASES.length} orders, and none has any effect beyond its task (SEED=${SEED})`, () => {
  const bad = outcomes.filter(({ troubles }) => troubles.length > 0);
  report({
    suite: "hostile-worker",
    what: "orders planted in what a worker reads, obeyed, and without effect beyond its own task",
    count: outcomes.length,
    passed: outcomes.length - bad.length,
    ...(IS_DEEP ? {} : { seed: SEED }),
    details: {
      places: PLACES.length,
      payloads: NAMES.length,
      "calls refused": outcomes.reduce((sum, one) => sum + one.refused, 0),
    },
  });
  expect(bad).toEqual([]);
  expect(outcomes).toHaveLength(CASES.length);
});
