/** Why a task does or does not run now, and what would change that, in one paragraph. */
import { renderInstant } from "../domain/instant.ts";
import type { RunState, TaskEnd, TaskState } from "../domain/run-state.ts";
import { renderDenial } from "../rules/money/budget-text.ts";
import { slotsOf } from "../rules/reconcile.ts";
import type { Move } from "../rules/standing.ts";
import type { Hold } from "../rules/status.ts";
import type { Link, Why } from "../rules/why.ts";
import { durationText } from "./money.ts";
import { count, oneLine } from "./text.ts";

export interface WhyOptions {
  /** Milliseconds since 1970. */
  now: number;
  /** A controller is at work. */
  live: boolean;
}

/** The links named one by one; of a longer way the first ones and the last. */
const LINKS_SHOWN = 6;

/** One paragraph: how it stands, why, and what would change that. */
export function renderWhy(why: Why, state: RunState, options: WhyOptions): string {
  const [first] = why.links;
  const last = why.links.at(-1) ?? first;
  const title = `${first.task.id} (${oneLine(first.task.contract.title)})`;
  const clauses = why.links.map((link, at) => {
    const who = at === 0 ? title : link.task.id;
    return `${who} ${clauseOf(link, why, state, options)}`;
  });
  const middle =
    clauses.length > LINKS_SHOWN
      ? [
          ...clauses.slice(0, LINKS_SHOWN - 1),
          `${count(clauses.length - LINKS_SHOWN, "task")} more wait for one another`,
          ...clauses.slice(-1),
        ]
      : clauses;
  return `${middle.join("; ")}. ${changeOf(last, why, state, options)}`;
}

/** The same as data. */
export function whyJson(why: Why, state: RunState, options: WhyOptions): Record<string, unknown> {
  const [first] = why.links;
  return {
    id: first.task.id,
    status: first.status,
    cause: first.standing.kind,
    may_start: why.mayStart,
    text: renderWhy(why, state, options),
    critical_path: why.pathLength,
    priority: first.task.priority,
    ahead: why.ahead.map(({ task }) => task.id),
    links: why.links.map(({ task, status, standing }) => ({ id: task.id, status, ...standing })),
    live: options.live,
  };
}

/** How a task stands, to follow its name. */
function clauseOf({ task, standing }: Link, why: Why, state: RunState, o: WhyOptions): string {
  switch (standing.kind) {
    case "ended":
      return endText(task);
    case "asked": {
      const title = oneLine(state.questions.get(standing.question)?.title ?? "");
      return `waits for a person: ${standing.question} asks "${title}"`;
    }
    case "under-way":
      return underWayText(task, o);
    case "held":
      return holdText(state, task, standing.hold);
    case "reviewed":
      return `waits for a person's word on ${standing.by}, below which much failed`;
    case "resting": {
      const why =
        standing.endpoint === undefined ? "" : `, for ${standing.endpoint} is out of reach`;
      const times = task.outages > 0 ? ` after ${count(task.outages, "outage")} in a row` : "";
      return `is tried again at ${clockText(standing.untilMs)}, in ${durationText(standing.untilMs - o.now)}${times}${why}`;
    }
    case "probed":
      return `waits until it is known whether ${standing.endpoint} is back, which ${standing.by} finds out`;
    case "waiting": {
      const [one] = standing.on;
      const own = task.dependsOn.includes(one ?? "")
        ? ""
        : ", as all that is in the same part does";
      return `waits for ${listText(standing.on)}${own}`;
    }
    case "parent":
      return `is split, and ${standing.children.length} of its ${count(task.children.length, "part")} ${standing.children.length === 1 ? "is" : "are"} still to be settled: ${listText(standing.children)}`;
    case "reserved":
      return `waits for ${standing.file}, which is kept for ${standing.owner} since its merges conflicted twice`;
    case "taking-turns":
      return `waits for ${standing.file}, which ${standing.owner} may write and is being worked on with`;
    case "denied":
      return `waits for money: ${renderDenial(standing.by)}${standing.waits ? "; what is under way may leave enough" : ""}`;
    case "due":
      return dueText(task, standing.move, why, state, o);
  }
}

function endText(task: TaskState): string {
  const reason = task.endReason === undefined ? "" : `: ${oneLine(task.endReason)}`;
  const end: TaskEnd | undefined = task.end;
  switch (end) {
    case "done": {
      const commit = task.commit === undefined ? "" : `, merged as ${task.commit.slice(0, 12)}`;
      return `is done${commit}${task.unchecked ? ", without a check that gates" : ""}`;
    }
    case "failed":
      return `failed${reason}`;
    case "cancelled":
      return `was dropped${reason}`;
    case "accepted":
      return `is closed by a person, unchecked${reason}`;
    case undefined:
      return "has not ended";
  }
}

function underWayText(task: TaskState, { now, live }: WhyOptions): string {
  const { lease } = task;
  if (lease === undefined) return "is being checked as a whole";
  const since = task.attempts.find((one) => one.number === lease.attempt)?.startedAt ?? now;
  const when = `since ${clockText(since)} (${durationText(now - since)})`;
  return live
    ? `is under way: the ${lease.role} is at attempt ${lease.attempt} ${when}`
    : `was under way when the last process ended: the ${lease.role} at attempt ${lease.attempt} ${when}`;
}

function holdText(state: RunState, task: TaskState, { by, how }: Hold): string {
  const holder = state.tasks.get(by);
  const isSelf = by === task.id;
  const who = holder?.pausedBy === undefined ? "" : ` by ${oneLine(holder.pausedBy)}`;
  const what = {
    paused: `paused${who}`,
    taken: `taken by ${oneLine(holder?.takenBy ?? "somebody")}`,
    deleted: "deleted in Beads",
    cancelled: "dropped",
    accepted: "closed by a person",
    failed: "given up",
    unwritten: "not yet split to the end",
  }[how];
  return isSelf ? `is ${what}` : `is held, for ${by} above it is ${what}`;
}

/** What is due, and what goes first. */
function dueText(
  task: TaskState,
  move: Move,
  why: Why,
  state: RunState,
  { live }: WhyOptions,
): string {
  const what = MOVE_TEXT[move.kind];
  if (task.id !== why.links[0].task.id) return `is to be ${what}`;
  if (!live) return `may start now: it is to be ${what}, and no run is at work`;
  if (!why.mayStart) return `is to be ${what} once it is known that the model's endpoint is back`;
  if (slotsOf(move) === undefined) return `is about to be ${what}`;
  const [first] = why.ahead;
  const slots = slotText(state.jobs);
  const rank = `critical path ${why.pathLength}, priority ${task.priority}`;
  const ahead =
    first === undefined
      ? "it is the next in turn"
      : `${count(why.ahead.length, "task")} ${why.ahead.length === 1 ? "goes" : "go"} before it, ${first.task.id} first`;
  return `may start now: it is to be ${what} when ${slots} is free, and ${ahead} (${rank})`;
}

function slotText(jobs: number | undefined): string {
  if (jobs === undefined) return "a slot";
  return jobs === 1 ? "the one slot" : `one of the ${jobs} slots`;
}

const MOVE_TEXT: { readonly [K in Move["kind"]]: string } = {
  plan: "planned",
  attempt: "worked on",
  fix: "helped by the fixer",
  route: "sent on to whoever can help",
  "roll-up": "checked as a whole",
  ask: "asked about",
  "give-up": "given up",
};

/** What would change it: a command where one does. */
function changeOf({ task, standing }: Link, why: Why, state: RunState, o: WhyOptions): string {
  const { id } = task;
  const isSelf = id === why.links[0].task.id;
  const goOn = o.live ? "" : " Then: fractal resume.";
  switch (standing.kind) {
    case "ended":
      return endChange(task, isSelf) + (task.end === "done" ? "" : goOn);
    case "asked":
      return `An answer changes that: fractal answer ${standing.question} "…".${goOn}`;
    case "held":
      return holdChange(state, standing.hold) + goOn;
    case "under-way":
      if (!o.live) return "fractal resume goes on with it.";
      return isSelf
        ? `It ends by itself; fractal pause ${id} or fractal cancel ${id} ends it now.`
        : "That ends by itself.";
    case "denied":
      return standing.waits && o.live
        ? "Nothing need be done."
        : `More is allowed by an answer to the question about the budget (fractal answer), or by --budget with fractal resume.`;
    case "resting":
      return o.live ? "Nothing need be done." : "fractal resume goes on with it.";
    case "reviewed":
      return o.live ? "It is asked about in a moment." : "fractal resume asks about it.";
    case "probed":
    case "waiting":
    case "parent":
    case "reserved":
    case "taking-turns":
    case "due":
      if (!o.live) return "fractal resume starts what can start.";
      return isSelf && standing.kind === "due" && slotsOf(standing.move) !== undefined
        ? `A higher priority brings its turn forward among equals: bd update ${id} --priority 0.`
        : "Nothing need be done.";
  }
}

function endChange(task: TaskState, isSelf: boolean): string {
  const { id } = task;
  const end: TaskEnd | undefined = task.end;
  switch (end) {
    case "failed":
      return `A new try: bd update ${id} --status open, with a comment on what to change.`;
    case "cancelled":
      return `It comes back with bd undefer ${id}.`;
    case "done":
    case "accepted":
    case undefined:
      return isSelf ? `It is opened again with a comment and bd reopen ${id}.` : "";
  }
}

function holdChange(state: RunState, { by, how }: Hold): string {
  switch (how) {
    case "paused":
      return `It goes on with fractal unpause ${by}.`;
    case "taken":
      return `It goes on when it is let go: bd update ${by} --assignee "" --status open.`;
    case "cancelled":
      return `It comes back with bd undefer ${by}.`;
    case "accepted":
      return `It goes on when that is opened again: bd reopen ${by}.`;
    case "failed":
      return `It goes on after a new try of ${by}: bd update ${by} --status open.`;
    case "deleted":
      return `It goes on when the issue ${by} is there again; fractal makes none under its id.`;
    case "unwritten":
      return `Planning ${by} again writes it: nothing need be done${state.stopped ? "" : " but wait"}.`;
  }
}

function listText(ids: readonly string[]): string {
  const more = ids.length - 3;
  return `${ids.slice(0, 3).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** `12:00:07 UTC`. */
function clockText(atMs: number): string {
  return `${renderInstant(atMs).slice(11, 19)} UTC`;
}
