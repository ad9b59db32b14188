/** The tracker contract, kept in memory and by a real `bd`. */

import { vi } from "vitest";
import { memoryTracker } from "../../support/memory-tracker.ts";
import { trackerContract } from "../../support/tracker-contract.ts";
import { openRealTracker } from "./real-beads.ts";

// A write of the real one takes a quarter of a second, and a test makes up to thirty.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

trackerContract("memory", async () => {
  const tracker = memoryTracker();
  return {
    tracker,
    person: tracker.person,
    closeMeanwhile: (id) => {
      tracker.meanwhile = () => tracker.person.close(id);
    },
    close: async () => {},
  };
});

trackerContract("beads", openRealTracker);
