/** Plays seeds from the command line: `node test/sim/try.ts 1 100`. */
import { play } from "./simulate.ts";

const from = Number(process.argv[2] ?? 1);
const count = Number(process.argv[3] ?? 1);
const startedAt = performance.now();
let failures = 0;
const sum = { crashes: 0, lines: 0, steps: 0, processes: 0, refused: 0, tasks: 0 };
const kinds = new Map<string, number[]>();
for (let seed = from; seed < from + count; seed += 1) {
  const played = await play(seed);
  for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += played[key];
  if (played.failure === undefined) continue;
  failures += 1;
  const kind = played.failure.message.replace(/fr-sim[\w.-]*/g, "T").replace(/\d+/g, "N").slice(0, 160);
  kinds.set(kind, [...(kinds.get(kind) ?? []), seed]);
  if (count === 1) {
    console.log(played.report());
    console.log(played.failure);
  }
}
const seconds = (performance.now() - startedAt) / 1000;
console.log(`${count} seeds, ${failures} failed, ${(count / seconds).toFixed(1)} seeds/s`, sum);
for (const [kind, seeds] of kinds) console.log(seeds.length, kind, seeds.slice(0, 5).join(" "));
