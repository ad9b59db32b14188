/** What must be true of a run at every line of its journal, and when it is over. */
import { isDeepStrictEqual } from "node:util";
import type { RunEvent } from "../../src/domain/event.ts";
import { isFailure } from "../../src/domain/failure.ts";
import type { Limits } from "../../src/domain/limits.ts";
import { showsSame } from "../../src/domain/mirrored.ts";
import type { Question, RunState, TaskState } from "../../src/domain/run-state.ts";
import { refusalOf } from "../../src/rules/guard.ts";
import { desiredMirror } from "../../src/rules/people/mirror.ts";
import { unpublished } from "../../src/rules/people/tracked.ts";
import { applyEvent, emptyState } from "../../src/rules/replay.ts";
import type { MemoryRepository } from "../support/memory-repository.ts";
import type { MemoryTracker } from "../support/memory-tracker.ts";
import type { Node, Tree } from "./tree.ts";

/** A promise was broken: the run that showed it has failed. */
export class Broken extends Error {}

function must(isTrue: boolean, what: string): asserts isTrue {
  if (!isTrue) throw new Broken(what);
}

/** What a person's own edit makes necessary to ask is bounded by their edits. */
function isProvoked(kind: Question["kind"] | undefined): boolean {
  return (
    kind === undefined || !["stuck", "asks", "plan", "checks", "rollup", "flaky"].includes(kind)
  );
}

/** Reads every line as it is written, like a stranger who has nothing but the journal. */
export interface Witness {
  see(event: RunEvent): void;
  /** The state that the lines amount to. */
  readonly state: RunState | undefined;
  /** The first promise that was broken. */
  readonly broken: Broken | undefined;
}

export function witnessOf(limits: Limits): Witness {
  let state: RunState | undefined;
  let broken: Broken | undefined;
  const fences = new Map<string, number>();
  const held = new Map<string, number>();
  const answered = new Set<string>();
  const merged = new Set<string>();
  const ended = new Set<string>();
  const created = new Set<string>();
  const asked = new Set<string>();

  const once = (seen: Set<string>, name: string, what: string) => {
    must(!seen.has(name), `${what} twice: ${name}`);
    seen.add(name);
  };

  const judge = (event: RunEvent) => {
    const id = event.task_id ?? "";
    switch (event.event_type) {
      case "task.created":
        once(created, id, "a task was created");
        break;
      case "lease.taken": {
        must(!held.has(id), `${id} was leased while it was held`);
        must(event.fence > (fences.get(id) ?? 0), `${id} got an old fence ${event.fence}`);
        fences.set(id, event.fence);
        held.set(id, event.fence);
        break;
      }
      case "lease.released":
        must(held.get(id) === event.fence, `${id} was released under another fence`);
        held.delete(id);
        break;
      case "attempt.ended":
        must(held.get(id) === event.fence, `an attempt at ${id} ended that did not hold it`);
        once(ended, `${id}.${event.attempt}`, "an attempt ended");
        break;
      case "merge.started":
        must(held.get(id) === event.fence, `${id} was merged by who did not hold it`);
        break;
      case "merge.done":
        once(merged, `${id}.${event.attempt}`, "an attempt was merged");
        break;
      case "call.started":
        must(
          !answered.has(`${id}.${event.attempt}.${event.turn}`),
          `a call was paid again: ${id}.${event.attempt}.${event.turn}`,
        );
        break;
      case "call.answered":
        answered.add(`${id}.${event.attempt}.${event.turn}`);
        break;
      case "question.opened":
        once(asked, event.question, "a question was asked");
        break;
      default:
    }
  };

  const judgeState = (now: RunState, event: RunEvent) => {
    if (event.event_type !== "question.opened") return;
    for (const task of now.tasks.values()) {
      const open = task.questions.filter((one) => now.questions.get(one)?.state === "open");
      must(open.length <= 1, `${task.id} has ${open.length} open questions`);
      const ours = task.questions.filter((one) => !isProvoked(now.questions.get(one)?.kind));
      must(
        ours.length <= limits.questionsPerTaskMax,
        `${task.id} was asked about ${ours.length} times`,
      );
    }
  };

  return {
    see(event) {
      if (broken !== undefined) return;
      try {
        if (state === undefined) {
          must(event.event_type === "run.started", "the first line is not run.started");
          state = emptyState(event);
        } else {
          const refusal = refusalOf(state, event);
          must(refusal === undefined, `line ${event.seq} is no legal move: ${refusal}`);
        }
        must(event.seq === state.seq + 1, `line ${event.seq} follows line ${state.seq}`);
        judge(event);
        applyEvent(state, event);
        judgeState(state, event);
      } catch (error) {
        broken = error instanceof Broken ? error : new Broken(String(error), { cause: error });
      }
    },
    get state() {
      return state;
    },
    get broken() {
      return broken;
    },
  };
}

/** What must be true whenever a run has come to rest. */
export function judgeRest(state: RunState, witnessed: RunState, exitCode: number): void {
  must(isDeepStrictEqual(state, witnessed), "the state in memory is not that of the journal");
  // Stopped by a signal, it waits for what is under way only so long.
  if (exitCode === 130 || exitCode === 143) return;
  for (const task of state.tasks.values()) {
    must(task.lease === undefined, `${task.id} is still held`);
  }
}

/** What must be true when a run is over, everybody having helped. */
export async function judgeEnd(
  state: RunState,
  outside: { tracker: MemoryTracker; repository: MemoryRepository; tree: Tree },
): Promise<void> {
  for (const task of state.tasks.values()) {
    must(task.end !== undefined || isAbandoned(state, task), `${task.id} never ended`);
  }
  judgeWork(state, outside.repository);
  judgeTree(state, outside.tree);
  await judgeTracker(state, outside.tracker);
}

/** Below what a person accepted, dropped or deleted nothing is finished any more. */
function isAbandoned(state: RunState, task: TaskState): boolean {
  for (let at: TaskState | undefined = task; at; at = state.tasks.get(at.parent ?? "")) {
    if (at.deleted || at.end === "cancelled" || at.end === "accepted") return true;
  }
  return false;
}

/** What the specification asks for became tasks, unless a person accepted or dropped what asks for it. */
function judgeTree(state: RunState, tree: Tree): void {
  const byKey = new Map([...state.tasks.values()].map((task) => [task.key, task]));
  const look = (node: Node) => {
    const task = byKey.get(node.key);
    must(task !== undefined, `${node.key} was never made a task`);
    if (task.end === "done") for (const child of node.children) look(child);
  };
  look(tree.root);
}

/** Every done leaf's work is on the branch, once an attempt and an episode, and still right. */
function judgeWork(state: RunState, repository: MemoryRepository): void {
  const trailers = repository
    .log()
    .flatMap((message) => /^Fractal-Task: (.*)$/m.exec(message)?.[1] ?? []);
  must(new Set(trailers).size === trailers.length, `merged twice: ${trailers.join(", ")}`);
  const files = repository.files();
  for (const task of state.tasks.values()) {
    if (task.shape !== "leaf") continue;
    const merges = trailers.filter((one) => one.startsWith(`${task.id} `)).length;
    // Landed, killed before it could say so, and then a person asked for something else.
    const outdated = task.attempts.filter(
      (one) => one.outdated && trailers.includes(`${task.id} ${one.number}`),
    ).length;
    must(
      merges - outdated <= task.episode,
      `${task.id} was merged ${merges} times in ${task.episode} episodes`,
    );
    if (task.end !== "done") continue;
    must(merges > 0, `${task.id} is done and not on the branch`);
    for (const check of task.contract.checks) {
      if (!check.gates) continue;
      const [word, path = "", ...text] = check.run.split(" ");
      if (word !== "has") continue;
      const isThere = files.get(path)?.includes(text.join(" ")) === true;
      must(isThere, `${task.id} is done, and its check is red: ${check.run}`);
    }
  }
}

/** The tracker shows what the journal says, each issue once. */
async function judgeTracker(state: RunState, tracker: MemoryTracker): Promise<void> {
  const shown = await tracker.read();
  must(!isFailure(shown), "the tracker does not answer");
  const issues = new Map(shown.map((issue) => [issue.id, issue]));
  for (const task of state.tasks.values()) {
    const issue = issues.get(task.id);
    // Below what was deleted before it could be written there is no place for it.
    const isUnwritten = issue === undefined && task.mirror === undefined;
    if (task.deleted || (isUnwritten && !unpublished(state).includes(task.id))) continue;
    must(issue !== undefined, `${task.id} is not in the tracker`);
    if (task.takenBy !== undefined) continue;
    const desired = desiredMirror(state, task.id);
    const said = `${issue.status} ${issue.assignee}, not ${desired.status} ${desired.assignee}`;
    must(showsSame(issue, desired), `the tracker shows ${task.id} as ${said}`);
  }
  for (const question of state.questions.values()) {
    const issue = issues.get(question.id);
    if (issue === undefined) continue;
    const isOpen = issue.status !== "closed";
    must(isOpen === (question.state === "open"), `${question.id} shows as ${issue.status}`);
  }
  const keys = shown.flatMap((issue) => (issue.meta ? [issue.meta.key] : []));
  must(new Set(keys).size === keys.length, `an issue is there twice: ${keys.join(" ")}`);
  for (const issue of shown) {
    const known = state.tasks.has(issue.id) || state.questions.has(issue.id);
    must(known || issue.meta === undefined, `the issue ${issue.id} is unknown to the journal`);
    const said = await tracker.comments(issue.id);
    must(!isFailure(said), `no comments of ${issue.id}`);
    const ours = said.filter((one) => one.author === "fractal").map((one) => one.text);
    const owed = [...state.notes.values()].filter((note) => note.id === issue.id);
    must(ours.length <= owed.length, `${issue.id} has a comment twice: ${ours.join(" | ")}`);
  }
}
