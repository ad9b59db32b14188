/** What `fractal fsck` finds: nothing about what is right, and each kind of wrong by its name. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NewEvent, RunEvent } from "../../../src/domain/event.ts";
import type { TrackedTask } from "../../../src/domain/ports.ts";
import type { RunState } from "../../../src/domain/run-state.ts";
import type { FindingKind } from "../../../src/rules/fsck/finding.ts";
import { findingsOf, type RunFacts } from "../../../src/rules/fsck/fsck.ts";
import { desiredMirror } from "../../../src/rules/people/mirror.ts";
import { reconcile } from "../../../src/rules/reconcile.ts";
import { applyEvent, type emptyState, replay } from "../../../src/rules/replay.ts";
import { taskOf } from "../../../src/rules/status.ts";
import { aContract, anEvent } from "../../support/builders.ts";
import {
  aStore,
  created,
  done,
  ended,
  on,
  opened,
  released,
  runStarted,
  taken,
} from "../../support/leaf-store.ts";
import { runsOf } from "../../support/runs.ts";
import { chanceOf, toyRun } from "../../support/toy-run.ts";

const FILE = "telemetry/r/events.jsonl";
const BASE = "0".repeat(40);
const COMMIT = "c".repeat(40);

/** The run of `leaf-store`: `t` done by attempt 1 with COMMIT, `d` waiting, all of it in Beads. */
function aRun(): { events: RunEvent[]; record(...events: NewEvent[]): void; state: RunState } {
  const store = aStore();
  const t = () => taskOf(store.state, "t");
  const record = (...events: NewEvent[]) => store.record(events);
  record(taken(t()));
  record(
    { ...done("t"), attempt: 1, commit: COMMIT } as NewEvent,
    ended(t(), { kept: COMMIT }),
    released(t()),
  );
  const lines = [...store.state.tasks.keys()].map((id) => ({
    id,
    ...desiredMirror(store.state, id),
  }));
  record({ task_id: null, actor: "fractal", event_type: "mirror.done", lines });
  return { events: store.journal.read(), record, state: store.state };
}

const stopped: NewEvent = {
  task_id: null,
  actor: "fractal",
  event_type: "run.stopped",
  reason: "t",
  exit_code: 1,
};

/** What Beads shows when all of it was written. */
function shownOf(state: RunState): TrackedTask[] {
  return [...state.tasks.values()].map((task) => ({
    id: task.id,
    ...task.described,
    ...(task.mirror ?? { status: "open", assignee: "" }),
    priority: task.priority,
    labels: [],
    parent: task.parent,
    dependsOn: task.dependsOn,
    meta: { run: state.runId, key: task.key },
    commentCount: 0,
    closeReason: "",
    createdBy: "fractal",
  }));
}

/** Everything as it should be after these events. */
function facts(events: RunEvent[], over: Partial<RunFacts> = {}): RunFacts {
  const beads = over.beads ?? shownOf(replay(events));
  return {
    runId: "r",
    live: false,
    journal: { file: FILE, events, tornBytes: 0 },
    badBlobs: new Map(),
    leftovers: { workspaces: [], processes: [] },
    branch: {
      tip: COMMIT,
      commits: new Map([[COMMIT, ["t 1"]]]),
      refs: new Map([
        ["base", BASE],
        ["t.1", COMMIT],
      ]),
    },
    ...over,
    beads,
  };
}

const kinds = (facts: RunFacts) => findingsOf(facts).map(({ kind }) => kind);
const clean = () => {
  const run = aRun();
  run.record(stopped);
  return run;
};

describe("a run that stopped in order", () => {
  it("has no findings", () => {
    expect(findingsOf(facts(clean().events))).toEqual([]);
  });

  it("has none in what chance makes of a run, at any moment of it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
        const chance = chanceOf(seed);
        const run = toyRun(chance);
        for (let pass = 0; pass < 40; pass++) {
          for (const action of reconcile(run.snapshot(), run.limits, run.clock.nowMs)) {
            await run.start(action);
          }
          for (const id of [...run.busy.keys()]) if (chance(2) === 0) await run.finish(id);
        }
        const journal = { file: FILE, events: run.store.journal.read(), tornBytes: 0 };
        const leftovers = { workspaces: [] };
        const now = { runId: "toy", live: true, journal, badBlobs: new Map(), leftovers };
        expect(findingsOf(now)).toEqual([]);
      }),
      runsOf(30),
    );
  });
});

describe("the journal", () => {
  it("is named with its first bad line, and nothing is concluded from the rest", () => {
    const { events } = clean();
    const damage = { line: 4, message: "it is not JSON" };
    const journal = { file: FILE, events: events.slice(0, 3), tornBytes: 0, damage };
    expect(findingsOf(facts(events, { journal }))).toEqual([
      expect.objectContaining({
        kind: "journal-damaged",
        severity: "broken",
        where: `${FILE}:4`,
        detail: "it is not JSON",
      }),
    ]);
    const newer = { ...journal, damage: { ...damage, newer: 9 } };
    expect(kinds(facts(events, { journal: newer }))).toEqual(["journal-newer"]);
  });

  it("may end in a torn line while somebody writes it, and not otherwise", () => {
    const { events } = clean();
    const journal = { file: FILE, events, tornBytes: 7 };
    expect(findingsOf(facts(events, { journal }))).toEqual([
      expect.objectContaining({
        kind: "journal-torn",
        severity: "unfinished",
        where: `${FILE}:${events.length + 1}`,
      }),
    ]);
    expect(kinds(facts(events, { journal, live: true }))).toEqual([]);
  });

  it("is found out when a line cannot follow those before it", () => {
    const { events } = clean();
    const [first, ...rest] = events;
    expect(kinds(facts(rest, { beads: [] }))).toEqual(["event-impossible"]);
    const stranger = anEvent(done("nobody"), { seq: 1, taskId: "nobody" });
    const found = findingsOf(facts([first as RunEvent, stranger], { beads: [] }));
    expect(found).toEqual([
      expect.objectContaining({ kind: "event-impossible", where: `${FILE}:2` }),
    ]);
  });

  it("names blobs that are missing or not what they are named after", () => {
    const badBlobs = new Map([
      ["a".repeat(64), "missing"],
      ["b".repeat(64), "damaged"],
    ] as const);
    const found = findingsOf(facts(clean().events, { badBlobs }));
    expect(found.map(({ kind, where }) => [kind, where])).toEqual([
      ["blob-missing", `telemetry/r/blobs/aa/${"a".repeat(64)}`],
      ["blob-damaged", `telemetry/r/blobs/bb/${"b".repeat(64)}`],
    ]);
  });
});

describe("what the lines say together", () => {
  const saying = (...events: ((state: RunState) => NewEvent)[]): FindingKind[] => {
    const run = aRun();
    // Straight into the fold: the store refuses what is not allowed, which is what must be found.
    const all = [...run.events];
    const state = replay(all);
    for (const make of events) {
      const { task_id, actor, ...fact } = make(state);
      const event = anEvent(fact, { seq: all.length, taskId: task_id, actor });
      applyEvent(state, event);
      all.push(event);
    }
    return kinds(facts(all, { live: true }));
  };

  it("is found out when a result is accepted twice", () => {
    expect(saying(() => done("t"))).toEqual(["done-twice"]);
    expect(
      saying(
        () => on("t", { event_type: "task.reopened", by: "ann" }),
        () => done("t"),
      ),
    ).toEqual([]);
  });

  it("is found out when a fence is given twice", () => {
    const again = (state: RunState) => ({ ...taken(taskOf(state, "t")), fence: 1 }) as NewEvent;
    expect(saying(again)).toEqual(["fence-reused"]);
    expect(saying((state) => taken(taskOf(state, "t")))).toEqual([]);
  });

  it("is found out when a result of a fence that is over is taken", () => {
    const late = (state: RunState) => ended(taskOf(state, "t"), { fence: 1 });
    const next = (state: RunState) => taken(taskOf(state, "t"));
    expect(saying(next, late)).toEqual(["result-stale"]);
  });

  it("is found out when a second question is opened about a task that waits for an answer", () => {
    expect(
      saying(
        () => opened("d", "d.q1"),
        () => opened("d", "d.q2"),
      ),
    ).toEqual(["asked-twice"]);
  });
});

describe("a budget", () => {
  it("was kept to at every call, or the line that broke it is named", () => {
    const run = aRun();
    const started = (turn: string, usd: number) =>
      on("d", {
        event_type: "call.started",
        ...{ attempt: 1, turn, role: "worker", model: "m", provider: "p" },
        ...{ request: "", prompt: "", reserved: { usd, tokens: 1 } },
      });
    run.record(
      { task_id: null, actor: "ann", event_type: "budget.set", scope: "run", limit: { usd: 1 } },
      started("1", 0.6),
      started("2", 0.4),
    );
    const live = () => findingsOf(facts(run.events, { live: true }));
    expect(live()).toEqual([]);
    run.record(started("3", 0.01));
    expect(live()).toMatchObject([
      {
        kind: "budget-broken",
        severity: "broken",
        where: `${FILE}:${run.events.length}`,
        detail: expect.stringMatching(/1\.01usd of 1usd/),
      },
    ]);
  });
});

describe("what must be let go of", () => {
  it("is a lease: of a killed run unfinished, of one that stopped in order broken", () => {
    const run = aRun();
    run.record(taken(taskOf(run.state, "d")));
    const at = facts(run.events);
    const leases = () => findingsOf(at).filter(({ kind }) => kind === "lease-open");
    expect(leases()).toMatchObject([{ where: "d", severity: "unfinished" }]);
    run.record(stopped);
    expect(leases()).toMatchObject([{ where: "d", severity: "broken" }]);
    expect(findingsOf({ ...at, live: true })).toEqual([]);
  });

  it("is the reservation of a call, until it ends, fails, or its process is followed by another", () => {
    const call = { attempt: 1, turn: "1", role: "worker", model: "m", provider: "p" } as const;
    const started = on("d", {
      event_type: "call.started",
      ...call,
      request: "",
      prompt: "",
      reserved: { usd: 0.5, tokens: 100 },
    });
    const run = aRun();
    run.record(started);
    expect(kinds(facts(run.events))).toEqual(["reservation-open"]);
    run.record(
      on("d", {
        event_type: "call.failed",
        ...call,
        failure: { failure: "model-unavailable", detail: "" },
        duration_ms: 1,
      }),
    );
    expect(kinds(facts(run.events))).toEqual([]);
    run.record(started, {
      task_id: null,
      actor: "fractal",
      event_type: "run.resumed",
      pid: 1,
      models: {},
      contained: true,
    });
    expect(kinds(facts(run.events))).toEqual([]);
  });

  it("is a workspace and a process in it", () => {
    const leftovers = { workspaces: ["/c/r/a"], processes: [{ pid: 7, command: "bwrap sh" }] };
    const at = facts(clean().events, { leftovers });
    expect(findingsOf(at)).toMatchObject([
      { kind: "workspace-left", where: "/c/r/a", remedy: "rm -r /c/r/a" },
      { kind: "process-running", where: "process 7", remedy: "kill 7" },
    ]);
    expect(findingsOf({ ...at, live: true })).toEqual([]);
  });
});

describe("the branch", () => {
  type Branch = NonNullable<RunFacts["branch"]>;
  const withBranch = (over: Partial<Branch>, run = clean(), live = false) => {
    const at = facts(run.events, { live });
    return kinds({ ...at, branch: { ...(at.branch as Branch), ...over } });
  };
  const other = "d".repeat(40);

  it("is missed, also while a run is at work", () => {
    expect(withBranch({ tip: undefined }, clean(), true)).toEqual(["branch-missing"]);
  });

  it("must hold the commit of everything done, with the attempt it is from", () => {
    expect(withBranch({ commits: new Map() }, clean(), true)).toEqual(["commit-missing"]);
    expect(withBranch({ commits: new Map([[COMMIT, ["t 2"]]]) }, clean(), true)).toEqual([
      "trailer-missing",
    ]);
  });

  it("holds each attempt once, and none that the journal does not know", () => {
    const more = (trailer: string) =>
      new Map([
        [COMMIT, ["t 1"]],
        [other, [trailer]],
      ] as const);
    expect(withBranch({ commits: more("t 1") })).toEqual(["merged-twice"]);
    expect(withBranch({ commits: more("t 2") })).toEqual(["merge-unknown"]);
    expect(withBranch({ commits: more("root.a9 1") })).toEqual(["merge-unknown"]);
    expect(withBranch({ commits: more("fr-another.a1 1") })).toEqual([]);
  });

  /** What is found where the branch also holds `other`, the first attempt at d. */
  const withLanded = (events: Parameters<typeof facts>[0]) => {
    const commits = new Map([
      [COMMIT, ["t 1"]],
      [other, ["d 1"]],
    ] as const);
    const at = facts(events);
    return findingsOf({ ...at, branch: { ...(at.branch as Branch), commits } });
  };

  it("may be ahead of the journal by the merge that a kill cut off", () => {
    const run = aRun();
    run.record(taken(taskOf(run.state, "d")));
    run.record(
      on("d", {
        event_type: "merge.started",
        attempt: 1,
        fence: 1,
        onto: COMMIT,
        commit: other,
      }),
    );
    const found = withLanded(run.events);
    expect(found).toContainEqual(
      expect.objectContaining({
        kind: "merge-unfinished",
        severity: "unfinished",
        where: other,
      }),
    );
  });

  it("may hold the merge that a kill cut off before a person changed the task", () => {
    const run = aRun();
    const begin = (attempt: number, commit: string) =>
      run.record(
        on("d", { event_type: "merge.started", attempt, fence: attempt, onto: COMMIT, commit }),
      );
    run.record(taken(taskOf(run.state, "d")));
    begin(1, other);
    run.record(on("d", { event_type: "lease.released", attempt: 1, fence: 1, why: "killed" }));
    run.record(on("d", { event_type: "task.edited", by: "a person", description: "Other words." }));
    run.record(taken(taskOf(run.state, "d")));
    begin(2, "e".repeat(40));
    const found = withLanded(run.events);
    expect(found.map(({ kind }) => kind)).not.toContain("merge-unknown");
  });

  it("keeps under refs/fractal what every attempt left, and no more", () => {
    const refs = (over: Record<string, string>) =>
      new Map(Object.entries({ base: BASE, "t.1": COMMIT, ...over }).filter(([, at]) => at !== ""));
    expect(withBranch({ refs: refs({ base: "" }) })).toEqual(["ref-missing"]);
    expect(withBranch({ refs: refs({ "t.1": "" }) })).toEqual(["ref-missing"]);
    expect(withBranch({ refs: refs({ "t.1": other }) })).toEqual(["ref-missing"]);
    expect(withBranch({ refs: refs({ "t.7": other }) })).toEqual(["ref-unknown"]);
  });
});

describe("Beads", () => {
  const withIssue = (id: string, over: Partial<TrackedTask>, run = clean()) => {
    const at = facts(run.events);
    const beads = at.beads?.map((issue) => (issue.id === id ? { ...issue, ...over } : issue));
    return findingsOf({ ...at, beads: beads ?? [] });
  };

  it("must show closed what is done, and open what is not", () => {
    expect(withIssue("t", { status: "open" })).toMatchObject([
      { kind: "beads-unfollowed", where: "t", severity: "unfinished" },
    ]);
    expect(withIssue("d", { status: "closed" })).toMatchObject([
      { kind: "beads-unfollowed", where: "d" },
    ]);
  });

  it("must show every task, and no other of this run", () => {
    const run = clean();
    const at = facts(run.events);
    const without = at.beads?.filter(({ id }) => id !== "d") ?? [];
    expect(kinds({ ...at, beads: without })).toEqual(["beads-unfollowed"]);
    const extra = {
      ...(at.beads?.[0] as TrackedTask),
      id: "root.a9",
      meta: { run: "r", key: "x" },
    };
    const beads = [...(at.beads ?? []), extra];
    expect(findingsOf({ ...at, beads })).toMatchObject([
      { kind: "beads-orphan", severity: "broken", where: "root.a9" },
    ]);
    const others = { ...extra, meta: { run: "another", key: "x" } };
    expect(kinds({ ...at, beads: [...(at.beads ?? []), others] })).toEqual([]);
  });

  it("may have an orphan where a kill cut its making off", () => {
    const run = aRun();
    const at = facts(run.events);
    const extra = {
      ...(at.beads?.[0] as TrackedTask),
      id: "root.r1",
      meta: { run: "r", key: "x" },
    };
    expect(findingsOf({ ...at, beads: [...(at.beads ?? []), extra] })).toMatchObject([
      { kind: "beads-orphan", severity: "unfinished" },
    ]);
  });

  it("must not hold something else under a task's id", () => {
    expect(withIssue("d", { meta: { run: "r", key: "other" } })).toMatchObject([
      { kind: "beads-foreign", severity: "broken", where: "d" },
    ]);
  });

  it("is behind while a status, an issue or a comment is still to be written", () => {
    const run = aRun();
    run.record(on("d", { event_type: "task.failed", reason: "enough" }));
    run.record(created("e", "root", { contract: aContract("e") }));
    run.record({
      task_id: null,
      actor: "fractal",
      event_type: "note.started",
      id: "d",
      key: "d failed 1",
      text: "why",
    });
    const beads = shownOf(replay(run.events)).filter(({ id }) => id !== "e");
    const found = findingsOf(facts(run.events, { beads }));
    expect(found.map(({ kind, where }) => `${kind} ${where}`)).toEqual([
      "beads-behind e",
      "beads-behind d",
      "beads-behind d",
    ]);
  });

  it("has words that were not read", () => {
    expect(withIssue("d", { commentCount: 1 })).toMatchObject([
      { kind: "beads-unfollowed", where: "d", detail: "it has comments that were not read" },
    ]);
  });

  it("is not judged where it could not be looked at", () => {
    const { beads: _, ...at } = facts(clean().events);
    expect(findingsOf(at)).toEqual([]);
  });
});

describe("a journal that has only begun", () => {
  it("has no findings", () => {
    const first = anEvent(runStarted, { seq: 0 }) as Parameters<typeof emptyState>[0];
    const branch = { tip: undefined, commits: new Map(), refs: new Map() };
    const none = { beads: [], branch };
    for (const events of [[first], []]) {
      const journal = { file: FILE, events, tornBytes: 0 };
      expect(findingsOf({ ...facts([first], none), journal })).toEqual([]);
    }
  });
});
