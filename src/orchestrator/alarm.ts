/** What ends the loop's pauses early. Losing every ring costs time only. */
import type { Clock } from "../domain/ports.ts";

export interface Alarm {
  /** Something may have changed. Rung while nobody waits, it ends the next wait at once. */
  ring(): void;
  /** Until it rings, `signal` is aborted, or the time is up. */
  wait(delayMs: number, signal: AbortSignal): Promise<void>;
}

export function openAlarm(clock: Clock): Alarm {
  let hasRung = false;
  let wake = () => {};
  return {
    ring() {
      hasRung = true;
      wake();
    },
    async wait(delayMs, signal) {
      if (!hasRung && !signal.aborted) {
        const timer = new AbortController();
        const rung = new Promise<void>((resolve) => {
          wake = resolve;
        });
        await Promise.race([rung, clock.sleep(delayMs, AbortSignal.any([timer.signal, signal]))]);
        timer.abort();
      }
      hasRung = false;
    },
  };
}
