/** A journal comes to one state: however often, from whichever line on, and whoever folds it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { stateHash } from "../../src/cli/state-hash.ts";
import { JOURNAL_VERSION, type RunEvent } from "../../src/domain/event.ts";
import type { RunState } from "../../src/domain/run-state.ts";
import { reconcile } from "../../src/rules/reconcile.ts";
import { applyEvent, emptyState, replay } from "../../src/rules/replay.ts";
import { canonicalText } from "../../src/rules/text/canonical.ts";
import { report } from "../support/report.ts";
import { runsOf } from "../support/runs.ts";
import { IS_DEEP, SEED } from "../support/seed.ts";
import { chanceOf, type ToyRun, toyRun } from "../support/toy-run.ts";

vi.setConfig({ testTimeout: 600_000 });

/** The state after each event, folded on and on in place, as the controller does. */
function hashesOf(events: readonly RunEvent[]): string[] {
  const state = emptyState(events[0] as Parameters<typeof emptyState>[0]);
  return events.map((event) => {
    applyEvent(state, event);
    return stateHash(state);
  });
}

async function played(seed: number): Promise<ToyRun> {
  const chance = chanceOf(seed);
  const run = toyRun(chance);
  for (let pass = 0; pass < 25; pass++) {
    for (const action of reconcile(run.snapshot(), run.limits, run.clock.nowMs)) {
      await run.start(action);
    }
    for (const id of [...run.busy.keys()]) if (chance(2) === 0) await run.finish(id);
    if (run.busy.size === 0) run.clock.nowMs += 600_000;
  }
  return run;
}

describe("the state of a journal", () => {
  it("at each line is the one that was reached event by event", async () => {
    const { numRuns } = runsOf(IS_DEEP ? 1000 : 25);
    let prefixes = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (runSeed) => {
        const run = await played(runSeed);
        const events = run.store.journal.read();
        const text = JSON.stringify(events);
        const inPlace = hashesOf(events);
        expect(inPlace.at(-1)).toBe(stateHash(run.store.state));
        for (const [at, hash] of inPlace.entries()) {
          expect(stateHash(replay(events.slice(0, at + 1))), `event ${at}`).toBe(hash);
        }
        // Folding changes nothing of what it folds: a second fold would come to something else.
        expect(JSON.stringify(events)).toBe(text);
        prefixes += events.length;
      }),
      { numRuns, seed: SEED },
    );
    report({
      suite: "replay",
      what: "state from the journal at each line = state folded event by event",
      count: numRuns,
      passed: numRuns,
      seed: SEED,
      details: { prefixes },
    });
  });

  it("follows from the limits that it was begun with, whatever they are when it is read", async () => {
    const run = toyRun(chanceOf(7), { attemptsMax: 9, attemptsAfterGuidance: 5, backoffBaseMs: 1 });
    for (const action of reconcile(run.snapshot(), run.limits, run.clock.nowMs)) {
      await run.start(action);
    }
    for (const id of [...run.busy.keys()]) await run.finish(id);
    const again = replay(run.store.journal.read());
    expect(again.limits).toEqual(run.limits);
    expect([...again.tasks.values()].some((task) => task.attemptsLeft > 3)).toBe(true);
    expect(stateHash(again)).toBe(stateHash(run.store.state));
  });

  it("is the same from the file of an older version, read line by line", () => {
    const file = join(import.meta.dirname, "..", "fixtures", "journals", "v1.jsonl");
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    const events = lines.map((line) => ({ ...JSON.parse(line), v: JOURNAL_VERSION }) as RunEvent);
    const state = emptyState(events[0] as Parameters<typeof emptyState>[0]);
    for (const [at, event] of events.entries()) {
      applyEvent(state, event);
      expect(stateHash(replay(events.slice(0, at + 1)))).toBe(stateHash(state));
    }
  });
});

describe("the canonical text of a state", () => {
  it("does not depend on the order of keys, and does on everything else", () => {
    expect(canonicalText({ b: 1, a: { d: [1, 2], c: undefined } })).toBe(
      canonicalText({ a: { d: [1, 2] }, b: 1 }),
    );
    expect(canonicalText({ a: [1, 2] })).not.toBe(canonicalText({ a: [2, 1] }));
    const tasks = (...ids: string[]) => new Map(ids.map((id) => [id, { id }]));
    expect(canonicalText(tasks("a", "b"))).not.toBe(canonicalText(tasks("b", "a")));
    expect(canonicalText(new Set(["b", "a"]))).toBe('["a","b"]');
    expect(canonicalText({ m: new Map([["k", new Map([["x", 1]])]]) })).toBe(
      '{"m":[["k",[["x",1]]]]}',
    );
  });

  it("tells states apart that differ in one attempt's cost", async () => {
    const { store } = await played(3);
    const other: RunState = structuredClone(store.state);
    const task = [...other.tasks.values()].find(({ attempts }) => attempts.length > 0);
    if (task?.attempts[0] === undefined) throw new Error("the seed made no attempt");
    expect(stateHash(other)).toBe(stateHash(store.state));
    task.attempts[0].costUsd = 1;
    expect(stateHash(other)).not.toBe(stateHash(store.state));
  });
});
