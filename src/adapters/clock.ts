/** The system clock. */
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../domain/ports.ts";

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(delayMs, signal) {
    try {
      await delay(delayMs, undefined, { signal });
    } catch {
      // Aborted: waking early is what was asked.
    }
  },
};
