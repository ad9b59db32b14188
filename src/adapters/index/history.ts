/** The tables that only grow: events, and what single events add to the history of a run. */
import type { Database } from "better-sqlite3";
import type { Verdict } from "../../domain/check.ts";
import type { RunEvent } from "../../domain/event.ts";
import type { RowOf } from "../../domain/index-tables.ts";
import { insertOf } from "./schema.ts";

/** Adds these events, which follow on those that are there. */
export function addHistory(db: Database, events: readonly RunEvent[]): void {
  const addEvent = db.prepare(insertOf("events"));
  const addCall = db.prepare(insertOf("model_calls"));
  const endCall = db.prepare(END_CALL);
  const addCheck = db.prepare(insertOf("checks"));
  const addWork = db.prepare(insertOf("work_detection_cache"));
  const execution = db.prepare(insertOf("orchestrator_executions"));
  const killed = db.prepare(
    `UPDATE orchestrator_executions SET ended = (SELECT time FROM events WHERE seq = ?)
     WHERE ended IS NULL`,
  );
  const stopped = db.prepare(
    `UPDATE orchestrator_executions SET ended = ?, exit = ?, reason = ? WHERE ended IS NULL`,
  );
  const decided = db.prepare(
    `UPDATE orchestrator_executions SET decisions = decisions + 1
     WHERE execution = (SELECT max(execution) FROM orchestrator_executions)`,
  );
  const executions = db.prepare("SELECT count(*) FROM orchestrator_executions").pluck();

  const startExecution = (event: RunEvent, pid: number | undefined) => {
    killed.run(event.seq - 1);
    const number = Number(executions.get()) + 1;
    execution.run({
      execution: number,
      started: event.timestamp,
      ended: null,
      pid: pid ?? null,
      decisions: 0,
      exit: null,
      reason: null,
    } satisfies RowOf<"orchestrator_executions">);
  };
  const addChecks = (event: RunEvent, attempt: number | null, verdict: Verdict | undefined) => {
    for (const one of verdict?.results ?? []) {
      addCheck.run({
        seq: event.seq,
        task_id: event.task_id,
        attempt,
        name: one.name,
        passed: one.passed ? 1 : 0,
        gates: one.gates ? 1 : 0,
        exit_code: one.exitCode,
        duration_ms: one.durationMs,
        detail: one.detail,
      } satisfies RowOf<"checks">);
    }
  };

  for (const event of events) {
    addEvent.run({
      seq: event.seq,
      type: event.event_type,
      task: event.task_id,
      time: event.timestamp,
      actor: event.actor,
      json: JSON.stringify(event),
    } satisfies RowOf<"events">);
    switch (event.event_type) {
      case "run.started":
      case "run.resumed":
        startExecution(event, event.pid);
        break;
      case "run.stopped":
        stopped.run(event.timestamp, event.exit_code, event.reason);
        break;
      case "pass.decided":
        decided.run();
        break;
      case "work.detected":
        for (const { role, urgency, count, why } of event.work) {
          const at = event.timestamp;
          addWork.run({ seq: event.seq, role, urgency, count, why, at } satisfies WorkRow);
        }
        break;
      case "call.started":
        addCall.run(callRow(event));
        break;
      case "call.answered":
      case "call.failed":
        endCall.run(callEnd(event));
        break;
      case "attempt.ended":
        addChecks(event, event.attempt, event.verdict);
        break;
      case "task.rolled_up":
        addChecks(event, null, event.verdict);
        break;
    }
  }
}

/** The newest call of that name is the one that ended: a call cut off by a crash is made again. */
const END_CALL = `UPDATE model_calls SET
  ended = @ended, duration_ms = @duration_ms, outcome = @outcome, cost_usd = @cost_usd,
  input_tokens = @input_tokens, output_tokens = @output_tokens,
  cache_read_tokens = @cache_read_tokens, cache_write_tokens = @cache_write_tokens,
  answered_by = @answered_by, reply = @reply
WHERE seq = (SELECT max(seq) FROM model_calls
  WHERE task_id = @task_id AND attempt = @attempt AND turn = @turn AND role = @role)`;

type WorkRow = RowOf<"work_detection_cache">;
type CallStarted = RunEvent & { event_type: "call.started" };
type CallEnded = RunEvent & { event_type: "call.answered" | "call.failed" };

function callRow(event: CallStarted): RowOf<"model_calls"> {
  return {
    seq: event.seq,
    task_id: event.task_id,
    attempt: event.attempt,
    turn: event.turn,
    role: event.role,
    model: event.model,
    started: event.timestamp,
    ended: null,
    duration_ms: null,
    input_tokens: null,
    output_tokens: null,
    cache_read_tokens: null,
    cache_write_tokens: null,
    cost_usd: null,
    reserved_usd: event.reserved?.usd ?? null,
    outcome: null,
    answered_by: null,
    request: event.request,
    reply: null,
  };
}

function callEnd(event: CallEnded): Partial<RowOf<"model_calls">> {
  const answer = event.event_type === "call.answered" ? event : undefined;
  return {
    task_id: event.task_id,
    attempt: event.attempt,
    turn: event.turn,
    role: event.role,
    ended: event.timestamp,
    duration_ms: event.duration_ms,
    input_tokens: answer?.usage.inputTokens ?? null,
    output_tokens: answer?.usage.outputTokens ?? null,
    cache_read_tokens: answer?.usage.cacheReadTokens ?? null,
    cache_write_tokens: answer?.usage.cacheWriteTokens ?? null,
    cost_usd: answer?.cost_usd ?? null,
    outcome: event.event_type === "call.answered" ? event.stop_reason : event.failure.failure,
    answered_by: answer?.answered_by ?? null,
    reply: answer?.reply ?? null,
  };
}
