/** The one table of statuses and moves: the guard, the legend, the diagram and the tests read it. */
import type { Fact } from "../domain/event.ts";
import type { Colour, TaskStatus } from "../domain/task.ts";

/** What a status means, for the legend. */
interface StatusRow {
  says: string;
  /** A split task has the worst of its children's. */
  colour: Colour | "of its children";
}

/** Every status a task can show, in the order of a task's life. */
export const STATUSES: { readonly [S in TaskStatus]: StatusRow } = frozen({
  queued: { says: "not started, or to be tried again", colour: "dim" },
  waiting: { says: "a dependency of it, or of a task above it, is not done", colour: "dim" },
  running: { says: "an attempt holds its lease", colour: "yellow" },
  escalated: { says: "the worker's turn is over, the next rung's has come", colour: "yellow" },
  needs_human: { says: "it depends on an open question", colour: "red" },
  split: { says: "it has children", colour: "of its children" },
  paused: { says: "a person holds it back", colour: "dim" },
  failed: { says: "given up for this episode", colour: "red" },
  done: { says: "merged, its checks green on the merged tree", colour: "green" },
  accepted: { says: "closed by a person, unchecked", colour: "green" },
  cancelled: { says: "dropped by a person", colour: "dim" },
});

/** Where a row leads: to a status, nowhere, or to the open status that the facts amount to. */
export type Leads = TaskStatus | "same" | "derived";

/** What must hold besides the status: the fence in the event is a new one, or its lease's. */
export type FenceRule = "a new fence" | "the fence of its lease";

interface MoveRow {
  event: Fact["event_type"];
  says: string;
  /** For each status the move is legal from, where it leads. */
  to: { readonly [From in TaskStatus]?: Leads };
}

/** What may happen to a task and changes, or could change, its status. */
export type Move =
  | "leased"
  | "released"
  | "rejected"
  | "split"
  | "sized"
  | "done"
  | "failed"
  | "routed"
  | "guided"
  | "asked"
  | "doubted"
  | "accepted"
  | "cancelled"
  | "paused"
  | "unpaused"
  | "reopened";

/**
 * From which statuses each move is legal, and where it leads. A pair that is not here is refused:
 * it changes nothing and is recorded.
 */
export const TABLE: { readonly [M in Move]: MoveRow } = frozen({
  leased: {
    event: "lease.taken",
    says: "a role gets the right to one attempt",
    // A waiting task may be planned: planning does not wait for dependencies, leaves do (reconcile).
    to: { queued: "running", waiting: "running", escalated: "running", split: "running" },
  },
  released: {
    event: "lease.released",
    says: "the attempt lets go, however it went",
    // While somebody works, a person may do anything; the end of that work is still heard.
    to: {
      running: "derived",
      needs_human: "same",
      paused: "same",
      failed: "same",
      done: "same",
      accepted: "same",
      cancelled: "same",
    },
  },
  rejected: {
    event: "attempt.ended",
    says: "an attempt ended without success",
    to: {
      running: "same",
      needs_human: "same",
      paused: "same",
      failed: "same",
      accepted: "same",
      cancelled: "same",
    },
  },
  split: {
    event: "task.split",
    says: "its children are written; it shows once the lease is let go",
    to: { running: "same" },
  },
  sized: {
    event: "task.sized",
    says: "code takes it as a leaf; it shows once the lease is let go",
    to: { running: "same" },
  },
  done: {
    event: "task.done",
    says: "merged and green, or rolled up green",
    // What was merged is done, also when it was put aside, or asked about, in that very moment.
    to: { running: "done", split: "done", paused: "done", needs_human: "done" },
  },
  failed: {
    event: "task.failed",
    says: "nothing is left to be tried",
    to: {
      queued: "failed",
      waiting: "failed",
      running: "failed",
      escalated: "failed",
      needs_human: "failed",
      split: "failed",
    },
  },
  routed: {
    event: "escalation.routed",
    says: "the next rung is chosen: fixer, split or person",
    to: { queued: "escalated", waiting: "escalated", running: "same", escalated: "same" },
  },
  guided: {
    event: "guidance.given",
    says: "a fixer or a person says something for the next attempt",
    // Said after its end, it is heard when the task is reopened.
    to: {
      queued: "same",
      waiting: "same",
      running: "same",
      escalated: "derived",
      needs_human: "same",
      split: "same",
      paused: "same",
      failed: "same",
      done: "same",
      accepted: "same",
      cancelled: "same",
    },
  },
  asked: {
    event: "question.opened",
    says: "a question to a person",
    // Not from needs_human: at most one open question a task.
    to: {
      queued: "needs_human",
      waiting: "needs_human",
      running: "needs_human",
      escalated: "needs_human",
      split: "needs_human",
      paused: "same",
    },
  },
  doubted: {
    event: "question.opened",
    says: "its text was edited: whether what is done still holds is asked without undoing it",
    to: { done: "same" },
  },
  accepted: {
    event: "task.accepted",
    says: "a person closes it",
    // Not from done: what is merged and checked is more than accepted.
    to: {
      queued: "accepted",
      waiting: "accepted",
      running: "accepted",
      escalated: "accepted",
      needs_human: "accepted",
      split: "accepted",
      paused: "accepted",
      failed: "accepted",
      cancelled: "accepted",
    },
  },
  cancelled: {
    event: "task.cancelled",
    says: "a person drops it",
    to: {
      queued: "cancelled",
      waiting: "cancelled",
      running: "cancelled",
      escalated: "cancelled",
      needs_human: "cancelled",
      split: "cancelled",
      paused: "cancelled",
      failed: "cancelled",
    },
  },
  paused: {
    event: "task.paused",
    says: "a person puts it aside",
    to: {
      queued: "paused",
      waiting: "paused",
      running: "paused",
      escalated: "paused",
      needs_human: "paused",
      split: "paused",
      failed: "paused",
    },
  },
  unpaused: {
    event: "task.unpaused",
    says: "a person takes it up again",
    to: { paused: "derived", cancelled: "derived" },
  },
  reopened: {
    event: "task.reopened",
    says: "a person is not content with how it ended",
    to: { failed: "derived", done: "derived", accepted: "derived", cancelled: "derived" },
  },
});

/** Every move, in the table's order. */
export const MOVES: readonly Move[] = Object.freeze(Object.keys(TABLE) as Move[]);

/**
 * Status changes that no move of the task itself makes: they follow from what is recorded about a
 * question, its edges, or another task. Nothing guards them, and there are no others.
 */
export const FOLLOWS = frozen({
  answered: {
    event: "question.answered",
    says: "its question is answered; of what is done: do it again",
    to: { needs_human: "derived", failed: "derived", done: "derived" },
  },
  dismissed: {
    event: "question.closed",
    says: "its question is closed without an answer: failed, unless it is moot",
    to: { needs_human: "derived" },
  },
  linked: {
    event: "task.edited",
    says: "a person changes what it waits for",
    to: { queued: "waiting", waiting: "queued" },
  },
  unblocked: {
    event: "task.done",
    says: "the last dependency is done or accepted",
    to: { waiting: "queued" },
  },
  blocked: {
    event: "task.reopened",
    says: "a dependency, done before, is open again",
    to: { queued: "waiting" },
  },
  "has a child": {
    event: "task.created",
    says: "a person gives it a child, or one to a task below it",
    to: {
      queued: "split",
      waiting: "split",
      escalated: "split",
      failed: "derived",
      done: "derived",
    },
  },
  "child reopened": {
    event: "task.reopened",
    says: "a task below it is open again",
    to: { failed: "derived", done: "derived" },
  },
  revised: {
    event: "question.answered",
    says: "a person answers about all that is below a task above it: what was given up is tried again",
    to: { escalated: "derived", failed: "derived" },
  },
} satisfies Record<string, MoveRow>);

/** Events that carry a fence, and which one counts. Not all of them are moves. */
const FENCED: { readonly [E in Fact["event_type"]]?: FenceRule } = frozen({
  "lease.taken": "a new fence",
  "lease.renewed": "the fence of its lease",
  "lease.released": "the fence of its lease",
  "attempt.ended": "the fence of its lease",
  "merge.started": "the fence of its lease",
});

/** Which fence an event of this type must carry; undefined when it carries none. */
export function fenceRuleOf(event: Fact["event_type"]): FenceRule | undefined {
  return FENCED[event];
}

/** Whether a move is legal for a task in this status. */
export function mayMove(status: TaskStatus, move: Move): boolean {
  return TABLE[move].to[status] !== undefined;
}

const MOVE_OF = new Map(MOVES.map((move) => [TABLE[move].event, move]));

/** The move an event is, or undefined when it moves no status. */
export function moveOf(event: Fact & { task_id: string | null }): Move | undefined {
  // Success shows in what is recorded with it: done, split or sized.
  if (event.event_type === "attempt.ended" && event.outcome === "succeeded") return undefined;
  if (event.event_type === "question.opened") {
    if (event.task_id === null) return undefined;
    return event.kind === "edited" ? "doubted" : "asked";
  }
  return MOVE_OF.get(event.event_type);
}

/** The value, and all within it, frozen. */
function frozen<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === "object") frozen(inner);
  return Object.freeze(value);
}
