/** A run's time goes on steadily, whatever is done to the machine's clock. */
import { expect, it, vi } from "vitest";
import { steadyClock } from "../../src/adapters/clock.ts";
import type { RunEvent } from "../../src/domain/event.ts";

const DAY_MS = 86_400_000;
const BEGAN = Date.parse("2026-03-01T10:00:00.000Z");

/** Both clocks at the run's beginning, and a way to move each. */
function machineAt(wallMs: number) {
  const wall = vi.spyOn(Date, "now").mockReturnValue(wallMs);
  const monotonic = vi.spyOn(performance, "now").mockReturnValue(500.4);
  return {
    setWall: (ms: number) => wall.mockReturnValue(ms),
    passes: (ms: number) => monotonic.mockReturnValue(500.4 + ms),
  };
}

const endedAt = (timestamp: string) => [{ timestamp } as RunEvent];

it("begins with the machine's time and counts what passes", () => {
  const machine = machineAt(BEGAN);
  const clock = steadyClock([]);
  expect(clock.now()).toBe(BEGAN);
  machine.passes(1234.9);
  expect(clock.now()).toBe(BEGAN + 1234);
});

it.each([3 * DAY_MS, -3 * DAY_MS])("goes on steadily when the clock is set by %i ms", (jumpMs) => {
  const machine = machineAt(BEGAN);
  const clock = steadyClock([]);
  machine.setWall(BEGAN + jumpMs);
  machine.passes(2000);
  expect(clock.now()).toBe(BEGAN + 2000);
});

it("goes on where the journal ended when the clock was set back since", () => {
  const machine = machineAt(BEGAN - 3 * DAY_MS);
  const clock = steadyClock(endedAt("2026-03-01T10:00:00.000Z"));
  machine.passes(10);
  expect(clock.now()).toBe(BEGAN + 10);
});

it("does not leave out the time between two processes of a run", () => {
  machineAt(BEGAN);
  expect(steadyClock(endedAt("2026-02-01T00:00:00.000Z")).now()).toBe(BEGAN);
});

it("sleeps on where a delay is longer than a timer can count", async () => {
  const end = new AbortController();
  let isAwake = false;
  const slept = steadyClock([])
    .sleep(1e12, end.signal)
    .then(() => {
      isAwake = true;
    });
  // A timer that overflows fires after 1 ms, before this one.
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(isAwake).toBe(false);
  end.abort();
  await slept;
  expect(isAwake).toBe(true);
});
