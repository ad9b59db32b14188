/** What is kept of work that was not merged. */
import { expect, it } from "vitest";
import { withPatch } from "../../src/orchestrator/keep-work.ts";
import type { Lease, LeaseEnd } from "../../src/orchestrator/lease.ts";
import type { World } from "../../src/orchestrator/world.ts";

it("keeps a patch whole, also one beyond what a diff shows unasked", async () => {
  const whole = "+line\n".repeat(500_000);
  const blobs: string[] = [];
  const world = {
    repository: { diff: async (_: string, __: string, max = 1_000_000) => whole.slice(0, max) },
    store: { journal: { putBlob: (text: string) => `${blobs.push(text)}` } },
  } as unknown as World;
  const ended = { event_type: "attempt.ended", outcome: "rejected" };
  const end = { events: [ended] } as unknown as LeaseEnd;
  const kept = await withPatch(world, { base: "b" } as Lease, "k", end);
  expect(kept.events).toEqual([{ ...ended, kept: "k", patch: "1" }]);
  expect(blobs[0]?.length).toBe(whole.length);
});
