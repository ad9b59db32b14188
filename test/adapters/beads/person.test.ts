/**
 * "What a person does with bd" (design part 4), each line on a task of its own, with the real bd: one
 * look follows it, with one drift for each thing done; what the person set stands after fractal has
 * written; and another look finds nothing.
 */
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { memoryJournal } from "../../../src/adapters/journal/memory.ts";
import type { NewEvent, RunEvent } from "../../../src/domain/event.ts";
import { DEFAULT_LIMITS } from "../../../src/domain/limits.ts";
import type { TrackedTask } from "../../../src/domain/ports.ts";
import type { RunState } from "../../../src/domain/run-state.ts";
import type { TaskStatus } from "../../../src/domain/task.ts";
import { type Follower, openFollower } from "../../../src/orchestrator/follower.ts";
import { openStore, type Store } from "../../../src/orchestrator/store.ts";
import { publish } from "../../../src/orchestrator/tracked.ts";
import { isLost, statusOf, taskOf } from "../../../src/rules/status.ts";
import {
  aClock,
  created,
  done,
  ended,
  on,
  opened,
  released,
  runStarted,
  split,
  taken,
} from "../../support/leaf-store.ts";
import type { Person } from "../../support/memory-tracker.ts";
import { given, type OpenTracker } from "../../support/tracker-contract.ts";
import { openRealTracker } from "./real-beads.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

interface Row {
  line: string;
  /** Where the task stands before. */
  from: (store: Store, id: string) => void;
  act: (person: Person, id: string) => Promise<unknown>;
  /** The drifts it is, and where the task stands after. */
  drifts: string[];
  status: TaskStatus;
  /** What Beads shows once fractal has written; undefined where the issue is gone. */
  shown: TrackedTask["status"] | undefined;
  also?: (state: RunState, id: string) => void;
}

const queued = () => {};
const running = (store: Store, id: string) => store.record([taken(taskOf(store.state, id))]);
const isDone = (store: Store, id: string) => {
  running(store, id);
  store.record([done(id), released(taskOf(store.state, id))]);
};
const failed = (store: Store, id: string) =>
  store.record([on(id, { event_type: "task.failed", reason: "enough" })]);
const asks = (store: Store, id: string) => store.record([opened(id)]);
const paused = (store: Store, id: string) =>
  store.record([on(id, { event_type: "task.paused", by: "ann" })]);
/** Split, with one child that is worked on. */
const parent = (store: Store, id: string) => {
  const task = () => taskOf(store.state, id);
  store.record([taken(task(), "planner")]);
  store.record([created(`${id}.a1`, id), split(id, [`${id}.a1`]), ended(task()), released(task())]);
  running(store, `${id}.a1`);
};
/** Split, its child done, and done itself. */
const doneParent = (store: Store, id: string) => {
  parent(store, id);
  const child = taskOf(store.state, `${id}.a1`);
  store.record([done(child.id), released(child), done(id)]);
};
const questionOf = (state: RunState, id: string) =>
  [...state.questions.values()]
    .filter(({ about }) => about === id)
    .map(({ kind, state }) => `${kind} ${state}`);

const ROWS: readonly Row[] = [
  {
    line: "closed: accepted",
    from: queued,
    act: (p, id) => p.close(id),
    drifts: ["closed"],
    status: "accepted",
    shown: "closed",
  },
  {
    line: "closed while it waits for an answer: its question is moot",
    from: asks,
    act: async (p, id) => {
      await p.removeEdge(id, `${id}.q1`);
      await p.close(id);
    },
    drifts: ["closed"],
    status: "accepted",
    shown: "closed",
    also: (state, id) => expect(questionOf(state, id)).toEqual(["stuck moot"]),
  },
  {
    line: "a split task deferred: all below it is held",
    from: parent,
    act: (p, id) => p.defer(id),
    drifts: ["deferred"],
    status: "paused",
    shown: "deferred",
    also: (state, id) => expect(isLost(state, taskOf(state, `${id}.a1`))).toBe(true),
  },
  {
    line: "reopened with a comment: guidance",
    from: isDone,
    act: async (p, id) => {
      await p.comment(id, "the header is missing");
      await p.reopen(id);
    },
    drifts: ["commented", "reopened"],
    status: "queued",
    shown: "open",
    also: (state, id) => expect(questionOf(state, id)).toEqual([]),
  },
  {
    line: "reopened without a comment: what is wrong?",
    from: isDone,
    act: (p, id) => p.reopen(id),
    drifts: ["reopened"],
    status: "needs_human",
    shown: "open",
    also: (state, id) => expect(questionOf(state, id)).toEqual(["reopened open"]),
  },
  {
    line: "a split task reopened: stays split",
    from: doneParent,
    act: (p, id) => p.reopen(id),
    drifts: ["reopened"],
    status: "split",
    shown: "in_progress",
  },
  {
    line: "what failed, set to open: its whole ladder again",
    from: failed,
    act: (p, id) => p.setOpen(id),
    drifts: ["reopened"],
    status: "queued",
    shown: "open",
  },
  {
    line: "deferred: paused",
    from: running,
    act: (p, id) => p.defer(id),
    drifts: ["deferred"],
    status: "paused",
    shown: "deferred",
  },
  {
    line: "blocked: paused",
    from: queued,
    act: (p, id) => p.block(id),
    drifts: ["blocked"],
    status: "paused",
    shown: "deferred",
  },
  {
    line: "undeferred: goes on",
    from: paused,
    act: (p, id) => p.setOpen(id),
    drifts: ["undeferred"],
    status: "queued",
    shown: "open",
  },
  {
    line: "deleted: satisfies nothing",
    from: running,
    act: (p, id) => p.delete(id),
    drifts: ["deleted"],
    status: "cancelled",
    shown: undefined,
  },
  {
    line: "comment: guidance for the next attempt",
    from: running,
    act: (p, id) => p.comment(id, "mind the gap"),
    drifts: ["commented"],
    status: "running",
    shown: "in_progress",
    also: (state, id) => expect(taskOf(state, id).guidance).toHaveLength(1),
  },
  {
    line: "edited, queued: used",
    from: queued,
    act: (p, id) => p.edit(id, { description: "Otherwise." }),
    drifts: ["edited"],
    status: "queued",
    shown: "open",
    also: (state, id) => expect(taskOf(state, id).contract.purpose).toBe("Otherwise."),
  },
  {
    line: "edited, running: fenced",
    from: running,
    act: (p, id) => p.edit(id, { title: "Otherwise" }),
    drifts: ["edited"],
    status: "running",
    shown: "in_progress",
    also: (state, id) => expect(isLost(state, taskOf(state, id))).toBe(true),
  },
  {
    line: "edited, waiting for an answer: that is it",
    from: asks,
    act: (p, id) => p.edit(id, { acceptance: "- so" }),
    drifts: ["edited"],
    status: "queued",
    shown: "open",
    also: (state, id) => expect(questionOf(state, id)).toEqual(["stuck answered"]),
  },
  {
    line: "edited, done: a question",
    from: isDone,
    act: (p, id) => p.edit(id, { description: "More." }),
    drifts: ["edited"],
    status: "done",
    shown: "closed",
    also: (state, id) => expect(questionOf(state, id)).toEqual(["edited open"]),
  },
  {
    line: "taken by another: left alone",
    from: queued,
    act: (p, id) => p.take(id, "bob"),
    drifts: ["taken"],
    status: "queued",
    shown: "in_progress",
    also: (state, id) => expect(taskOf(state, id).takenBy).toBe("bob"),
  },
  {
    line: "a child of a split task: planned",
    from: parent,
    act: (p, id) => p.addChild(id, "One more"),
    drifts: [],
    status: "split",
    shown: "in_progress",
    also: (state, id) =>
      expect(taskOf(state, `${id}.1`)).toMatchObject({ shape: "unplanned", parent: id }),
  },
  {
    line: "a child of a leaf: it becomes split",
    from: running,
    act: (p, id) => p.addChild(id, "A part"),
    drifts: [],
    status: "running",
    shown: "in_progress",
    also: (state, id) => {
      expect(taskOf(state, id).shape).toBe("split");
      expect(isLost(state, taskOf(state, id))).toBe(true);
    },
  },
  {
    line: "a priority: followed",
    from: queued,
    act: (p, id) => p.setPriority(id, 0),
    drifts: ["edited"],
    status: "queued",
    shown: "open",
    also: (state, id) => expect(taskOf(state, id).priority).toBe(0),
  },
  {
    line: "an edge added: waits",
    from: queued,
    act: (p, id) => p.addEdge(id, "fr-x.a1"),
    drifts: ["edges"],
    status: "waiting",
    shown: "open",
  },
  {
    line: "answered by `bd human respond`",
    from: asks,
    act: (p, id) => p.respond(`${id}.q1`, "left"),
    drifts: [],
    status: "queued",
    shown: "open",
    also: (state, id) => expect(questionOf(state, id)).toEqual(["stuck answered"]),
  },
  {
    line: "dismissed: failed",
    from: asks,
    act: (p, id) => p.dismiss(`${id}.q1`),
    drifts: [],
    status: "failed",
    shown: "blocked",
  },
];

let at: OpenTracker;
let store: Store;
let follower: Follower;
/** What one look made of it all, and what stood in Beads after fractal had written. */
let events: RunEvent[];
let shown: Map<string, TrackedTask>;
let labelled: string;
const idOf = (row: Row) => `fr-x.a${ROWS.indexOf(row) + 2}`;

beforeAll(async () => {
  at = await openRealTracker();
  const { tracker, person } = at;
  const first = { ...runStarted, root_id: "fr-x" } as NewEvent;
  store = openStore(memoryJournal("x"), aClock(), DEFAULT_LIMITS, [first, created("fr-x", null)]);
  const root = () => taskOf(store.state, "fr-x");
  store.record([taken(root(), "planner")]);
  const ids = ["fr-x.a1", ...ROWS.map(idOf)];
  store.record([
    ...ids.map((id) => created(id, "fr-x")),
    split("fr-x", ids),
    ended(root()),
    released(root()),
  ]);
  for (const row of ROWS) row.from(store, idOf(row));
  follower = openFollower({ store, tracker });
  const { tasks, questions } = store.state;
  await publish({ store, tracker }, [...tasks.keys(), ...questions.keys()]);
  expect(await follower.mirror()).toBeUndefined();

  for (const row of ROWS) await row.act(person, idOf(row));
  labelled = await person.add("Do this too", ["fractal"]);
  const before = store.state.seq;
  expect(await follower.follow()).toBeUndefined();
  events = store.journal.read().slice(before + 1);
  const owed = () =>
    [...store.state.questions.values()]
      .filter((one) => one.mirror === undefined && one.state === "open")
      .map(({ id }) => id);
  await publish({ store, tracker }, owed());
  expect(await follower.mirror()).toBeUndefined();
  shown = new Map((given(await tracker.read()) as TrackedTask[]).map((one) => [one.id, one]));
});
afterAll(() => at.close());

it.each(ROWS.map((row) => [row.line, row] as const))("%s", (_, row) => {
  const id = idOf(row);
  const drifts = events.flatMap((event) =>
    event.event_type === "drift.seen" && event.task_id === id ? [event.kind] : [],
  );
  expect(drifts).toEqual(row.drifts);
  expect(statusOf(store.state, id)).toBe(row.status);
  expect(shown.get(id)?.status).toBe(row.shown);
  row.also?.(store.state, id);
});

it("an issue without a parent, labelled `fractal`, is a child of the root", () => {
  expect(taskOf(store.state, labelled)).toMatchObject({ parent: "fr-x", shape: "unplanned" });
});

it("is all that was seen: nothing was refused, and another look finds nothing", async () => {
  expect(events.filter((event) => event.event_type === "move.refused")).toEqual([]);
  const { seq } = store.state;
  expect(await follower.follow(true)).toBeUndefined();
  expect(store.journal.read().slice(seq + 1)).toEqual([]);
});
