/** One event as one plain line, for output that is piped or kept. */
import type { RunEvent } from "../domain/event.ts";
import type { RunState } from "../domain/run-state.ts";
import { amountsText, costText, durationText, number } from "./money.ts";
import { count, cut, oneLine } from "./text.ts";

/** Longest line; what is longer is in `fractal show`. */
const COLUMNS_MAX = 200;

/**
 * A line such as `12:00:07 fr-x.a1 done, merged · Parse durations`, or undefined when the event is
 * of no interest to somebody watching. Times are UTC, as in the journal.
 */
export function renderProgress(event: RunEvent, state: RunState): string | undefined {
  const said = describeEvent(event, state);
  if (said === undefined) return undefined;
  const title = state.tasks.get(event.task_id ?? "")?.contract.title;
  const line = [event.timestamp.slice(11, 19), event.task_id ?? "run", said].join(" ");
  return cut(oneLine(title === undefined ? line : `${line} · ${title}`), COLUMNS_MAX);
}

function describeEvent(event: RunEvent, state: RunState): string | undefined {
  switch (event.event_type) {
    case "run.started":
      return `started: ${event.spec_path} on ${event.base.slice(0, 12) || "the empty tree"}${event.branch === "" ? "" : `, branch ${event.branch}`}${uncontained(event)}`;
    case "run.resumed":
      return `goes on where it stopped${uncontained(event)}`;
    case "packages.requested":
      return `packages of the lock file are downloaded where they are not here: ${Object.entries(
        event.hosts,
      )
        .map(([host, packages]) => `${packages} of ${host}`)
        .join(", ")}`;
    case "packages.installed":
      return `${event.packages} packages of the lock file installed (${event.downloaded} downloaded, ${durationText(event.duration_ms)})`;
    case "run.stopped":
      return `${event.reason === "stopped" ? "stopped" : `stopped: ${event.reason}`} (exit ${event.exit_code})`;
    case "run.merged":
      return mergedText(event);
    case "pass.decided":
      // `run.stopped` follows a stop, with its exit code.
      return event.decision === "pause" ? `pauses: ${event.reason}` : undefined;
    case "plan.proposed":
      return event.problems.length === 0
        ? `plan accepted in round ${event.round}`
        : `plan sent back in round ${event.round}, ${count(event.problems.length, "problem")}: ${event.problems[0]?.message}`;
    case "task.split":
      return `split into ${count(event.children.length, "task")}`;
    case "task.sized":
      return "is a leaf";
    case "task.done":
      return doneText(event);
    case "task.failed":
      return `failed: ${event.reason}`;
    case "task.accepted":
      return `accepted by ${event.by}`;
    case "task.cancelled":
      return `cancelled by ${event.by}: ${event.reason}`;
    case "task.paused":
      return `paused by ${event.by}`;
    case "task.unpaused":
      return `no longer paused, by ${event.by}`;
    case "task.reopened":
      return `reopened by ${event.by}`;
    case "task.edited":
      return `edited by ${event.by}`;
    case "task.taken":
      return event.holder === null ? "given back" : `taken by ${event.holder}`;
    case "task.rolled_up":
      return event.verdict.passed ? "roll-up green" : `roll-up red: ${event.verdict.reason}`;
    case "lease.taken":
      return `${event.role} starts attempt ${event.attempt}`;
    case "attempt.ended":
      return attemptLine(event);
    case "result.fenced":
      return `attempt ${event.attempt} came too late and does not count`;
    case "call.failed":
      return `${event.model} did not answer: ${event.failure.detail}`;
    case "call.answered":
      return event.mismatch === true
        ? `recorded answer ${event.turn} of ${event.role} was given to another question`
        : undefined;
    case "forecast.made":
      return `planned: ${count(event.leaves, "leaf").replace(/leafs$/, "leaves")}, about ${count(event.calls, "call")}, ${number(event.tokens)} tokens, ${costText(event.cost_usd ?? undefined)}`;
    case "budget.set":
      return `may use ${amountsText(event.limit)}${event.scope === "run" ? "" : ` (${event.scope})`}`;
    case "budget.denied":
      return `waits: its next call may take more than the budget of ${event.scope_task ?? event.scope} has left`;
    case "budget.stopped":
      return `the budget of ${event.task_id ?? event.scope} is not raised`;
    case "escalation.routed":
      return `escalated to ${event.to} by ${event.by}: ${event.reason}`;
    case "guidance.given":
      return `guidance from ${event.from}`;
    case "question.opened":
      return `asks ${event.question}: ${event.title} (fractal answer ${event.question})`;
    case "question.answered":
      return `${event.question} answered by ${event.by}`;
    case "question.closed":
      return `${event.question} closed by ${event.by}, ${event.how}`;
    case "drift.seen":
      return `Beads shows ${event.kind}: ${event.detail}`;
    case "move.refused":
      return `${event.refused} not possible: ${event.reason}`;
    case "checks.judged":
      return `${count(event.checks.length, "invented check")}, ${event.checks.filter((one) => one.gates).length} may gate: said by ${event.by}`;
    case "file.requested":
      return event.granted ? `was given ${event.path}` : `was refused ${event.path}`;
    case "task.created":
      return state.rootId === event.task_id ? "created" : undefined;
    case "question.notified":
    case "work.detected":
    case "split.started":
    case "lease.renewed":
    case "lease.released":
    case "call.started":
    case "tool.called":
    case "tool.returned":
    case "merge.started":
    case "merge.done":
    case "mirror.started":
    case "mirror.done":
    case "note.started":
    case "note.done":
      return undefined;
  }
}

function mergedText(event: RunEvent & { event_type: "run.merged" }): string {
  const { actor, into, after, result } = event;
  if (result === "found") return `found to be merged into ${into} (${after.slice(0, 12)})`;
  const isDone = result === "fast-forward" || result === "merge";
  return isDone
    ? `merged into ${into} by ${actor} (${after.slice(0, 12)})`
    : `not merged into ${into} for ${actor}: ${result}`;
}

function uncontained(event: { contained: boolean }): string {
  return event.contained ? "" : ", WITHOUT A SANDBOX";
}

function attemptLine(event: RunEvent & { event_type: "attempt.ended" }): string {
  const why =
    event.failure === undefined ? "" : `, ${event.failure.failure}: ${event.failure.detail}`;
  const cost = costText(event.cost_usd ?? undefined);
  const time = durationText(event.duration_ms);
  return `${event.role} attempt ${event.attempt} ${event.outcome} (${time}, ${cost})${why}`;
}

/** A split task merges nothing itself. */
function doneText(event: RunEvent & { event_type: "task.done" }): string {
  const merged = event.attempt === undefined ? "" : ", merged";
  return `done${merged}${event.unchecked ? ", unchecked" : ""}`;
}
