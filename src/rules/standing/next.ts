/** The move that is due next in a task's life, or what it must wait for. */
import type { Limits } from "../../domain/limits.ts";
import type { RunState, TaskState } from "../../domain/run-state.ts";
import { isSettled, type TaskId } from "../../domain/task.ts";
import { needsUnasked } from "../check/needs.ts";
import { nextRung, outOfQuestions } from "../escalation.ts";
import { isFought } from "../people/mirror.ts";
import { droppedOf } from "../people/wanted.ts";
import { quarantineOf } from "../quarantine.ts";
import { CONFLICTS_RESERVING } from "../retry.ts";
import { holderOf } from "../schedule.ts";
import type { AskedKind, Move, Scene, Standing } from "../standing.ts";
import { ancestorsOf, areChildrenSettled, blockersOf, statusOf } from "../status.ts";

/** The files that are kept for a task, and those that leaves at work may write. */
interface Files {
  reserved: ReadonlyMap<string, TaskId>;
  inHand: ReadonlyMap<string, TaskId>;
}

const due = (move: Move): Standing => ({ kind: "due", move });

/** The move due for a task that nothing holds, or what it must wait for. */
export function nextFor(scene: Scene, task: TaskState, limits: Limits, files: Files): Standing {
  const { state } = scene;
  const quarantine = quarantineOf(state, task, limits);
  if (quarantine !== undefined) {
    return due({ kind: "give-up", task: task.id, reason: quarantine });
  }
  // Not a fight: nothing more is written there until a person has said what is right.
  if (isFought(task))
    return ask(task, limits, "drift", Object.keys(task.overwritten ?? {}).join(" or "));
  // Whoever waited for something else when it was dropped has not been asked about it yet.
  const [lost] = droppedOf(state, task);
  if (lost !== undefined) return ask(task, limits, "dropped", lost);
  // A plan on paper uses nothing: what it would need is shown with it.
  const missing = scene.planOnly === true ? [] : needsUnasked(state, task);
  if (missing.length > 0) return ask(task, limits, "needs", missing.join(", "));
  if (task.shape === "split" && task.splitStarted === undefined && task.route !== "split") {
    if (task.route === "person") return ask(task, limits, "rollup", "its roll-up needs a person");
    if (!areChildrenSettled(state, task)) {
      const children = task.children.filter((child) => !isSettled(statusOf(state, child)));
      return { kind: "parent", children };
    }
    const on = blockersOf(state, task.id);
    if (on.length > 0) return { kind: "waiting", on };
    if (task.rollup === undefined || task.rollup.passed) {
      return due({ kind: "roll-up", task: task.id });
    }
    if (task.rollup.results.some((result) => result.flaky)) {
      return ask(task, limits, "flaky", task.rollup.reason);
    }
    // Rolled up red and still here: the repairs are used up.
    return ask(task, limits, "rollup", task.rollup.reason);
  }
  if (task.shape === "unplanned" || task.splitStarted !== undefined) {
    if (task.route === "person") return ask(task, limits, "plan", lastFailureOf(task));
    return due({ kind: "plan", task: task.id, mustSplit: false });
  }
  const depth = ancestorsOf(state, task.id).length;
  const rung = nextRung(task, depth, limits);
  switch (rung.to) {
    case "person":
      return ask(task, limits, askedBy(task), rung.reason);
    case "split":
      return due(
        task.route === "split"
          ? { kind: "plan", task: task.id, mustSplit: true }
          : { kind: "route", task: task.id, to: "split", reason: rung.reason },
      );
    case "fixer":
      if (task.route !== "fixer") {
        return due({ kind: "route", task: task.id, to: "fixer", reason: rung.reason });
      }
      return keptByFiles(state, task, files) ?? due({ kind: "fix", task: task.id });
    case "router":
      return due({ kind: "route", task: task.id, to: "router", reason: rung.reason });
    case "worker": {
      const on = blockersOf(state, task.id);
      if (on.length > 0) return { kind: "waiting", on };
      return keptByFiles(state, task, files) ?? due({ kind: "attempt", task: task.id });
    }
  }
}

/** A question, or giving up where too many were asked. */
export function ask(
  task: TaskState,
  limits: Limits,
  question: AskedKind,
  reason: string,
): Standing {
  const end = outOfQuestions(task, limits, reason);
  return end === undefined
    ? due({ kind: "ask", task: task.id, question, reason })
    : due({ kind: "give-up", task: task.id, reason: end });
}

/** Who must be done with a file before this leaf may be worked on. */
function keptByFiles(state: RunState, task: TaskState, files: Files): Standing | undefined {
  const reserved = holderOf(task, files.reserved);
  if (reserved !== undefined) return { kind: "reserved", ...reserved };
  // Side by side where the plan says so, until that went wrong twice.
  if (state.sharedFiles && task.conflicts < CONFLICTS_RESERVING) return undefined;
  const inHand = holderOf(task, files.inHand);
  return inHand === undefined ? undefined : { kind: "taking-turns", ...inHand };
}

/** What the question of a stuck leaf is about. */
function askedBy({ pending }: TaskState): AskedKind {
  if (pending?.failure === "flaky-check") return "flaky";
  // Nobody asked: it met with the others' work too often.
  return pending === undefined || pending.failure === "merge-conflict" ? "stuck" : "asks";
}

function lastFailureOf(task: TaskState): string {
  return task.attempts.at(-1)?.failure?.detail ?? "planning did not succeed";
}
