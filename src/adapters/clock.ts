/** The Clock port: the machine's time for a glance, and the steady time a run goes by. */
import { setTimeout as delay } from "node:timers/promises";
import type { RunEvent } from "../domain/event.ts";
import { parseInstant } from "../domain/instant.ts";
import type { Clock } from "../domain/ports.ts";

/** The time as the machine shows it now, which a person or a time server may set. */
export const systemClock: Clock = { now: () => Date.now(), sleep };

/**
 * The clock of one process at work on a run. It starts with the machine's time, or where the run's
 * journal ended if that is later, and goes on by the monotonic clock: setting the machine's clock
 * moves no deadline, and a journal's time never goes backwards.
 */
export function steadyClock(journaled: readonly RunEvent[]): Clock {
  const last = journaled.at(-1);
  const start = Math.max(Date.now(), last === undefined ? 0 : parseInstant(last.timestamp));
  const startedAt = performance.now();
  return { now: () => start + Math.floor(performance.now() - startedAt), sleep };
}

/** What Node's timers can count, 24.8 days; a longer delay would be none at all. */
const DELAY_MS_MAX = 2 ** 31 - 1;

async function sleep(delayMs: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(Math.min(delayMs, DELAY_MS_MAX), undefined, { signal });
  } catch {
    // Aborted: waking early is what was asked.
  }
}
