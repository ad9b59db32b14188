/** Makes a failing seed smaller, and tells all that is needed to look into it. */
import { type Milder, type Played, play } from "./simulate.ts";

/** A seed that goes on for long does so again and again: what was found by then is told. */
const SHRINK_MS = 20_000;

/** The same seed with as little going wrong as still breaks it. */
export async function shrunk(failed: Played): Promise<{ played: Played; milder: Milder }> {
  let best = { played: failed, milder: {} as Milder };
  const isWorse = async (milder: Milder) => {
    const played = await play(failed.seed, milder);
    if (played.failure !== undefined) best = { played, milder };
    return played.failure !== undefined;
  };
  for (const one of [{ noPeople: true }, { noFaults: true }] as const) {
    await isWorse({ ...best.milder, ...one });
  }
  const until = performance.now() + SHRINK_MS;
  for (let crashesMax = 0; crashesMax < best.played.crashes; crashesMax += 1) {
    if (performance.now() > until) break;
    if (await isWorse({ ...best.milder, crashesMax })) break;
  }
  return best;
}

/** What a failure message says: the promise, the command that plays it again, the end of the journal. */
export async function tell(failed: Played): Promise<string> {
  const { played, milder } = await shrunk(failed);
  return [
    `seed ${failed.seed}: ${failed.failure?.message}`,
    `made smaller: ${played.failure?.message} after ${played.crashes} crashes`,
    `play it again: node test/sim/play.ts ${failed.seed} 1 '${JSON.stringify(milder)}'`,
    played.report(),
    played.failure?.stack ?? "",
  ].join("\n");
}
