/**
 * Plays seeds from the command line, one summary line as JSON at the end:
 * `node test/sim/play.ts FROM [COUNT [MILDER]]`; a single one shows its journal.
 */
import { play } from "./simulate.ts";
import { totalsOf } from "./totals.ts";

const [from = "1", count = "1", milder = "{}"] = process.argv.slice(2);
const totals = totalsOf(Number(from));
for (let seed = Number(from); seed < Number(from) + Number(count); seed += 1) {
  // One that ends the process is known by this.
  if (count !== "1") process.stderr.write(`${seed}\n`);
  const played = await play(seed, JSON.parse(milder));
  totals.add(played);
  if (count !== "1") continue;
  process.stdout.write(`${played.all().join("\n")}\n\n${played.report()}\n`);
  if (played.failure) process.stdout.write(`${played.failure.stack}\n`);
}
process.stdout.write(`${JSON.stringify(totals.sums)}\n`);
if (totals.sums.failures.length > 0) process.exitCode = 1;
