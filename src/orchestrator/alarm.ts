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
      const timer = new AbortController();
      const rung = new Promise<void>((resolve) => {
        wake = resolve;
      });
      // Rung already, it still takes a moment: news that make news must not keep a signal from being heard.
      const over = clock.sleep(hasRung ? 0 : delayMs, AbortSignal.any([timer.signal, signal]));
      await (hasRung ? over : Promise.race([rung, over]));
      timer.abort();
      hasRung = false;
    },
  };
}
