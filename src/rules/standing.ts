/** Where a task may stand: the moves that may be due for it, and what may keep it. */
import type { Charge } from "../domain/budget.ts";
import type { Role } from "../domain/conversation.ts";
import type { RunState } from "../domain/run-state.ts";
import type { TaskId } from "../domain/task.ts";
import type { Denial } from "./money/admission.ts";
import type { Hold } from "./status.ts";

/** What a person is asked about by what is; what follows from their own edits is asked in drift. */
export type AskedKind =
  | "stuck"
  | "asks"
  | "plan"
  | "rollup"
  | "flaky"
  | "needs"
  | "review"
  | "dropped"
  | "cycle"
  | "drift";

/** What may be done next about one task. */
export type Move =
  | { kind: "plan"; task: TaskId; mustSplit: boolean }
  | { kind: "attempt"; task: TaskId }
  | { kind: "fix"; task: TaskId }
  | { kind: "route"; task: TaskId; to: "fixer" | "split" | "router"; reason: string }
  | { kind: "roll-up"; task: TaskId }
  | { kind: "ask"; task: TaskId; question: AskedKind; reason: string }
  | { kind: "give-up"; task: TaskId; reason: string };

/** Why a task does or does not move, in the order in which it is judged. */
export type Standing =
  | { kind: "ended" }
  | { kind: "asked"; question: string }
  /** An attempt holds the lease, or a roll-up is going on. */
  | { kind: "under-way" }
  | { kind: "held"; hold: Hold }
  /** A person is asked about all that is below this one, or is about to be: nothing there begins. */
  | { kind: "reviewed"; by: TaskId }
  /** After trouble outside: not before this instant; out of reach since. */
  | { kind: "resting"; untilMs: number; sinceMs: number | undefined; endpoint?: string }
  /** The endpoint it needs was out of reach: another task is finding out whether it is back. */
  | { kind: "probed"; endpoint: string; by: TaskId }
  | { kind: "waiting"; on: TaskId[] }
  /** Split, and these of its children are not settled. */
  | { kind: "parent"; children: TaskId[] }
  /** A file of its contract is kept for another task, whose merges conflicted. */
  | { kind: "reserved"; file: string; owner: TaskId }
  /** Another leaf that may write a file of its contract is at work: they take turns. */
  | { kind: "taking-turns"; file: string; owner: TaskId }
  /** Its next call may take more than a budget has left; `waits`: unless those under way take less. */
  | { kind: "denied"; by: Denial; waits: boolean; move: Move }
  | { kind: "due"; move: Move };

/** What a standing is judged by: the run, and what is under way in the controller's process. */
export interface Scene {
  state: RunState;
  busy: ReadonlyMap<TaskId, "leaf" | "plan" | "roll-up">;
  resting: ReadonlyMap<TaskId, { untilMs: number; sinceMs: number }>;
  /** The most that a usual call of a role may take; without it only spent budgets are in the way. */
  needs?: ReadonlyMap<Role, Charge>;
  /** Keys of the tasks whose plan was given: no planner is asked about them. */
  given?: ReadonlySet<string>;
  /** `fractal plan`: nothing is carried out. */
  planOnly?: boolean;
}
