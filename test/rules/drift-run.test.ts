/** Runs played by chance with a person who does anything to any issue at any moment. */
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { showsSame } from "../../src/domain/mirrored.ts";
import type { RunState } from "../../src/domain/run-state.ts";
import { openFollower } from "../../src/orchestrator/follower.ts";
import { commentsWanted, detectDrift } from "../../src/rules/people/drift.ts";
import { desiredMirror, isFought } from "../../src/rules/people/mirror.ts";
import { DROP_TOO, LEAVE, RESTORE } from "../../src/rules/people/wanted.ts";
import { reconcile } from "../../src/rules/reconcile.ts";
import { replay } from "../../src/rules/replay.ts";
import { knownCriticalPath } from "../../src/rules/schedule.ts";
import { taskOf } from "../../src/rules/status.ts";
import { OURS } from "../support/followed-store.ts";
import { runsOf } from "../support/runs.ts";
import { type Chance, chanceOf, type ToyRun, toyRun } from "../support/toy-run.ts";

type Shown = Parameters<typeof detectDrift>[1][number];

/** What a person did that was not followed yet; nothing is recorded. */
async function unseen({ store, tracker }: ToyRun) {
  const shown = (await tracker.read()) as Shown[];
  const comments = new Map();
  for (const id of commentsWanted(store.state, shown)) comments.set(id, await tracker.comments(id));
  return detectDrift(store.state, shown, comments, OURS);
}

/** One edit of any kind on any issue there is; an edge may make a cycle. */
async function edit({ tracker, store }: ToyRun, chance: Chance): Promise<void> {
  const shown = (await tracker.read()) as Shown[];
  if (shown.length === 0) return;
  const pick = () => shown[chance(shown.length)]?.id ?? "";
  const [id, other] = [pick(), pick()];
  const { person } = tracker;
  // Without any of the run's issues it is no tracker of this run.
  const isLast = shown.filter((issue) => store.state.tasks.has(issue.id)).length < 2;
  const acts: (() => Promise<unknown>)[] = [
    () => person.close(id),
    () => person.reopen(id),
    () => person.comment(id, "a word"),
    () => person.defer(id),
    () => person.block(id),
    () => person.take(id, chance(2) === 0 ? "bob" : "eve"),
    () => tracker.mirror([{ id, status: "open", assignee: "" }]),
    () => tracker.mirror([{ id, status: "in_progress", assignee: "" }]),
    () => person.edit(id, { title: `T${chance(9)}`, description: `D${chance(9)}` }),
    () => person.edit(id, { acceptance: `A${chance(9)}` }),
    () => person.setPriority(id, chance(5)),
    () => person.addEdge(id, other),
    () => person.removeEdge(id, other),
    () => person.addChild(id, "One more"),
    () => person.add("Do this too", chance(2) === 0 ? ["fractal"] : []),
    () => person.respond(id, ["so", RESTORE, DROP_TOO, LEAVE][chance(4)] ?? ""),
    () => person.dismiss(id),
    () => tracker.request(id, { kind: "cancel", by: "ann", at: `${chance(99)}` }, "deferred"),
    () => (chance(3) === 0 && !isLast ? person.delete(id) : person.comment(id, "hm")),
  ];
  await acts[chance(acts.length)]?.();
}

const isOpen = (state: RunState) =>
  [...state.questions.values()].filter((question) => question.state === "open");

/** Some passes, with edits between them; `look` is called after each was followed. */
async function play(run: ToyRun, chance: Chance, look: () => Promise<void> | void): Promise<void> {
  const follower = openFollower({ store: run.store, tracker: run.tracker });
  for (let pass = 0; pass < 40; pass++) {
    const actions = reconcile(run.snapshot(), run.limits, run.clock.nowMs);
    for (const action of actions) await run.start(action);
    for (const id of [...run.busy.keys()]) if (chance(2) === 0) await run.finish(id);
    for (let n = chance(3); n > 0; n--) await edit(run, chance);
    await follower.follow(true);
    await look();
  }
}

const seeds = fc.integer({ min: 0, max: 2 ** 31 });
vi.setConfig({ testTimeout: 120_000 });

describe("a person's edits", () => {
  it("are followed once: what was followed is seen no more", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const chance = chanceOf(seed);
        const run = toyRun(chance);
        await play(run, chance, async () => {
          expect(await unseen(run)).toEqual([]);
          // What is open again has its place in the order again.
          const { tasks } = run.store.state;
          const open = [...tasks.values()].filter((task) => task.end === undefined);
          const known = knownCriticalPath(run.store.state).path;
          expect(open.filter((task) => !known.has(task.id))).toEqual([]);
        });
      }),
      runsOf(50),
    );
  });

  it("lead to no move that the table refuses", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const chance = chanceOf(seed);
        const run = toyRun(chance);
        await play(run, chance, () => {});
        const refused = run.store.journal.read().filter((one) => one.event_type === "move.refused");
        expect(refused).toEqual([]);
      }),
      runsOf(50),
    );
  });

  it("and what fractal writes after them settle: a second look and a second write find nothing", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const chance = chanceOf(seed);
        const run = toyRun(chance);
        const { state } = run.store;
        await play(run, chance, async () => {
          const owed = [...state.questions.values()].filter((one) => one.mirror === undefined);
          const ids = owed.filter((one) => one.state === "open").map((one) => one.id);
          if (ids.length > 0) await run.start({ kind: "publish", ids });
          await run.start({ kind: "mirror", lines: [] });
          expect(await unseen(run)).toEqual([]);
          for (const task of state.tasks.values()) {
            // What is written over again and again is left to a person.
            if (isFought(task) || task.leftAlone) continue;
            const isOurs = task.mirror && task.takenBy === undefined && !task.deleted;
            if (!isOurs) continue;
            expect(showsSame(run.tracker.task(task.id), desiredMirror(state, task.id))).toBe(true);
          }
        });
      }),
      runsOf(40),
    );
  });

  it("leave at most one open question about a task, and none about what is settled", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const chance = chanceOf(seed);
        const run = toyRun(chance);
        const { state } = run.store;
        await play(run, chance, () => {
          const about = isOpen(state).map((question) => question.about ?? "");
          expect(new Set(about).size).toBe(about.length);
          for (const { about, kind } of isOpen(state)) {
            // Whether what is done shall be done again is asked about what is done.
            const settled = kind === "edited" ? ["accepted"] : ["done", "accepted", "cancelled"];
            expect(settled).not.toContain(taskOf(state, about ?? "").end);
          }
        });
      }),
      runsOf(40),
    );
  });

  it("amount to the same state when the journal is read again", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const chance = chanceOf(seed);
        const run = toyRun(chance);
        await play(run, chance, () => {});
        expect(replay(run.store.journal.read())).toEqual(run.store.state);
      }),
      runsOf(50),
    );
  });

  it("never keep a run from coming to rest once the person lets it be", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const chance = chanceOf(seed);
        const run = toyRun(chance);
        await play(run, chance, () => {});
        for (let pass = 0; pass < 3_000; pass++) {
          const before = run.store.state.seq;
          const actions = reconcile(run.snapshot(), run.limits, run.clock.nowMs);
          if (actions.some((action) => action.kind === "stop")) return;
          for (const action of actions) await run.start(action);
          const waits = actions.some((action) => action.kind === "wait");
          if (run.busy.size === 0 && !waits && run.store.state.seq === before) {
            throw new Error(`a pass led nowhere: ${JSON.stringify(actions)}`);
          }
          for (const id of [...run.busy.keys()]) if (chance(2) === 0) await run.finish(id);
        }
        throw new Error("the run does not come to rest");
      }),
      runsOf(50),
    );
  });
});
