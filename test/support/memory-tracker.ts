/** A tracker in memory, with the edits a person could make behind fractal's back. */
import type { Failure } from "../../src/domain/failure.ts";
import { type Mirrored, overwrittenBy } from "../../src/domain/mirrored.ts";
import type {
  NewTrackedTask,
  TrackedTask,
  Tracker,
  TrackerComment,
  TrackerLine,
} from "../../src/domain/ports.ts";

/** What a person does with `bd` while fractal runs. */
export interface Person {
  close(id: string, reason?: string): Promise<void>;
  reopen(id: string): Promise<void>;
  /** What was put aside or blocked is open again. */
  setOpen(id: string): Promise<void>;
  comment(id: string, text: string): Promise<void>;
  defer(id: string): Promise<void>;
  delete(id: string): Promise<void>;
  edit(
    id: string,
    change: { title?: string; description?: string; acceptance?: string },
  ): Promise<void>;
  setPriority(id: string, priority: number): Promise<void>;
  /** Makes the issue somebody's own. */
  take(id: string, name: string): Promise<void>;
  block(id: string): Promise<void>;
  /** `id` shall wait for `on`. */
  addEdge(id: string, on: string): Promise<void>;
  removeEdge(id: string, on: string): Promise<void>;
  /** Returns the new issue's id, the parent's next free number. */
  addChild(parent: string, title: string): Promise<string>;
  /** An issue without a parent. */
  add(title: string, labels: string[]): Promise<string>;
  /** `bd human respond`. */
  respond(id: string, text: string): Promise<void>;
  /** `bd human dismiss`. */
  dismiss(id: string): Promise<void>;
}

export interface MemoryTracker extends Tracker {
  readonly person: Person;
  /** Whether there is such an issue. */
  has(id: string): boolean;
  /** The task as it stands; throws when there is none. */
  task(id: string): TrackedTask;
  /** While set, every call answers this failure. */
  outage: Failure | undefined;
  /** Called once, just before the next lines are written: what a person does after fractal looked. */
  meanwhile: (() => unknown) | undefined;
}

type Issue = Omit<TrackedTask, "commentCount"> & {
  comments: TrackerComment[];
  /** What it showed with each write, newest first. */
  states: Mirrored[];
};

const WRONG_ID: Failure = { failure: "tracker-unavailable", detail: "no such issue" };

/** A tracker that keeps everything in memory and follows the contract of the real one. */
export function memoryTracker(options: { prefix?: string; actor?: string } = {}): MemoryTracker {
  const prefix = options.prefix ?? "fr";
  const actor = options.actor ?? "fractal";
  const issues = new Map<string, Issue>();
  let writes = 0;
  const watchers = new Set<() => void>();
  const wrote = () => {
    writes += 1;
    for (const wake of watchers) wake();
  };
  const shown = ({ comments, states: _, ...task }: Issue): TrackedTask =>
    structuredClone({ ...task, commentCount: comments.length });
  const find = (id: string): Issue => {
    const issue = issues.get(id);
    if (issue === undefined) throw new Error(`no issue ${id}`);
    return issue;
  };
  const change = (id: string, fields: Partial<Issue>) => {
    const changed = { ...find(id), ...fields };
    const { status, assignee } = changed;
    issues.set(id, { ...changed, states: [{ status, assignee }, ...changed.states] });
    wrote();
  };
  const say = (id: string, author: string, text: string) => {
    const comment = { author, text, at: new Date(writes * 1000).toISOString() };
    change(id, { comments: [...find(id).comments, comment] });
  };
  const add = (issue: Partial<Issue> & { id: string; title: string }, author: string): string => {
    issues.set(issue.id, { ...EMPTY, createdBy: author, ...issue });
    change(issue.id, {});
    return issue.id;
  };
  const close = (id: string, reason: string) =>
    change(id, { status: "closed", closeReason: reason });
  const respond = (id: string, author: string, text: string) => {
    say(id, author, `Response: ${text}`);
    close(id, "Responded");
  };
  const number = (parent: string): string => {
    const taken = (at: number) => issues.has(`${parent}.${at}`);
    let next = 1;
    while (taken(next)) next += 1;
    return `${parent}.${next}`;
  };
  /** What the real tracker refuses is a failure, also while it is out of reach. */
  const guarded = <T>(work: () => T | Failure): Promise<T | Failure> =>
    Promise.resolve(tracker.outage ?? work());

  const overwritten = (lines: TrackerLine[]) => {
    const found = new Map<string, Mirrored>();
    for (const line of lines) {
      const states = issues.get(line.id)?.states ?? [];
      const theirs = line.was && overwrittenBy(line, line.was, states);
      if (theirs !== undefined) found.set(line.id, theirs);
    }
    return found;
  };
  const all = () => [...issues.values()].map(shown).sort((a, b) => (a.id < b.id ? -1 : 1));

  const tracker: MemoryTracker = {
    prefix,
    outage: undefined,
    meanwhile: undefined,
    has: (id) => issues.has(id),
    task: (id) => shown(find(id)),
    version: () => Promise.resolve(String(writes)),
    watch(wake, signal) {
      watchers.add(wake);
      signal.addEventListener("abort", () => watchers.delete(wake), { once: true });
    },
    read: () => guarded(all),
    create: (tasks) => guarded(() => create(tasks)),
    mirror: (first, more = () => []) =>
      guarded(() => {
        const { meanwhile } = tracker;
        tracker.meanwhile = undefined;
        // What it does is done at once.
        void meanwhile?.();
        const lines = [...first, ...more()];
        const present = lines.filter((line) => issues.has(line.id));
        for (const { id, status, assignee, reason } of present) {
          change(id, {
            status,
            assignee,
            closeReason: status === "closed" ? (reason ?? "done") : "",
          });
        }
        const applied = present.map((line) => line.id);
        return {
          applied,
          overwritten: overwritten(present),
          shown: all(),
          version: String(writes),
        };
      }),
    overwritten: (lines) => guarded(() => overwritten(lines)),
    comment: (id, text) => guarded(() => (issues.has(id) ? void say(id, actor, text) : WRONG_ID)),
    comments: (id) => guarded(() => issues.get(id)?.comments ?? WRONG_ID),
    respond: (id, text) =>
      guarded(() => {
        const status = issues.get(id)?.status ?? "closed";
        return status === "closed" ? WRONG_ID : void respond(id, actor, text);
      }),
    request: (id, request, status) =>
      guarded(() => (issues.has(id) ? void change(id, { request, status }) : WRONG_ID)),
    person: {
      close: async (id, reason = "Closed") => close(id, reason),
      reopen: async (id) => change(id, { status: "open", closeReason: "" }),
      setOpen: async (id) => change(id, { status: "open" }),
      comment: async (id, text) => say(id, "person", text),
      defer: async (id) => change(id, { status: "deferred" }),
      block: async (id) => change(id, { status: "blocked" }),
      delete: async (id) => {
        issues.delete(id);
        for (const issue of issues.values()) {
          const dependsOn = issue.dependsOn.filter((on) => on !== id);
          const parent = issue.parent === id ? null : issue.parent;
          issues.set(issue.id, { ...issue, dependsOn, parent });
        }
        wrote();
      },
      edit: async (id, fields) => change(id, fields),
      setPriority: async (id, priority) => change(id, { priority }),
      take: async (id, name) => change(id, { assignee: name, status: "in_progress" }),
      addEdge: async (id, on) => change(id, { dependsOn: [...find(id).dependsOn, on].sort() }),
      removeEdge: async (id, on) =>
        change(id, { dependsOn: find(id).dependsOn.filter((one) => one !== on) }),
      addChild: async (parent, title) =>
        add({ id: number(parent), title, parent, labels: find(parent).labels }, "person"),
      add: async (title, labels) =>
        add({ id: `${prefix}-p${issues.size}`, title, labels: [...labels].sort() }, "person"),
      respond: async (id, text) => respond(id, "person", text),
      dismiss: async (id) => close(id, "Dismissed"),
    },
  };

  function create(tasks: NewTrackedTask[]): { created: string[] } | Failure {
    const refused = (detail: string): Failure => ({ failure: "tracker-unavailable", detail });
    const foreign = tasks.find(({ id, meta }) => {
      const found = issues.get(id);
      return found && (found.meta?.run !== meta.run || found.meta.key !== meta.key);
    });
    if (foreign) return refused(`the issue ${foreign.id} belongs to something else`);
    const known = new Set([...issues.keys(), ...tasks.map((task) => task.id)]);
    const missing = tasks.filter((task) => !issues.has(task.id));
    const ends = missing.flatMap((task) => [
      ...task.dependsOn,
      ...(task.blocks ?? []),
      ...(task.parent === null ? [] : [task.parent]),
    ]);
    const unknown = ends.find((id) => !known.has(id));
    if (unknown) return refused(`there is no issue ${unknown}`);
    for (const { acceptance, blocks: _, type: __, ...task } of missing) {
      const sorted = { dependsOn: [...task.dependsOn].sort(), labels: [...task.labels].sort() };
      add(
        structuredClone({ ...task, ...sorted, acceptance, title: task.title.slice(0, 255) }),
        actor,
      );
    }
    for (const { id, blocks = [] } of missing) {
      for (const waiting of blocks) {
        change(waiting, { dependsOn: [...find(waiting).dependsOn, id].sort() });
      }
    }
    return { created: missing.map((task) => task.id) };
  }

  return tracker;
}

const EMPTY: Omit<Issue, "id" | "title"> = {
  description: "",
  acceptance: "",
  status: "open",
  assignee: "",
  priority: 2,
  labels: [],
  parent: null,
  dependsOn: [],
  comments: [],
  states: [],
  closeReason: "",
  createdBy: "",
};
