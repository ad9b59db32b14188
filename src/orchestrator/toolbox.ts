/** The tools of one attempt: permitted, journaled, and carried out inside the sandbox. */
import { isToolName, parseToolCall, type Toolbox, toolOffers } from "../agents/tools.ts";
import type { ToolResult } from "../domain/contained.ts";
import type { ToolCall } from "../domain/conversation.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { TaskState } from "../domain/run-state.ts";
import { allowedTools, isWebTool, refuseTool } from "../rules/check/permission.ts";
import { judgeRequest } from "../rules/check/request.ts";
import { taskOf } from "../rules/status.ts";
import type { Lease } from "./lease.ts";
import { reachOf, readWeb } from "./reach.ts";
import { runChecks } from "./run-checks.ts";
import type { World } from "./world.ts";

/** Output of a tool that is shown to the model, at most. */
const SHOWN_CHARS_MAX = 20_000;

/** The toolbox of an attempt on `task` in this workspace. */
export function openToolbox(
  world: World,
  lease: Lease,
  task: TaskState,
  folder: string,
  signal: AbortSignal,
): Toolbox {
  const { store, clock, limits, sandbox } = world;
  const reach = reachOf(world, task);
  const allowed = allowedTools(lease.role, task.contract, reach.tools);
  const calls = new Map<string, number>();
  let refusals = 0;
  return {
    offers: toolOffers(allowed),
    async call(call: ToolCall, turn: string): Promise<ToolResult | Failure> {
      const nth = (calls.get(turn) ?? 0) + 1;
      calls.set(turn, nth);
      const said = isWebTool(call.name) ? saidBefore(`${turn}/${nth}`) : undefined;
      const about = { task_id: task.id, actor: lease.role } as const;
      const tool = call.name.slice(0, 100);
      const at = { attempt: lease.attempt, turn, role: lease.role, tool, nth } as const;
      const args = store.journal.putBlob(JSON.stringify(call.args ?? null));
      store.record([{ ...about, event_type: "tool.called", ...at, args }]);
      const startedAt = clock.now();
      const result = said ?? (await carryOut(call));
      const text = isFailure(result) ? result.detail : result.text;
      const isRefused = !isFailure(result) && result.refused === true;
      store.record([
        {
          ...about,
          event_type: "tool.returned",
          ...at,
          is_error: isFailure(result) || result.isError,
          ...(isRefused ? { refused: true as const } : {}),
          output: store.journal.putBlob(text),
          duration_ms: clock.now() - startedAt,
        },
      ]);
      if (!isRefused) return result;
      refusals += 1;
      if (refusals <= limits.refusedCallsMax) return result;
      const detail = `${refusals} calls outside of what this task may do were refused; the last: ${text}`;
      return { failure: "calls-refused", detail };
    },
  };

  /** What the web said before a crash, so that it is not asked again. */
  function saidBefore(key: string): ToolResult | undefined {
    const attempt = taskOf(store.state, task.id).attempts.find(
      (one) => one.number === lease.attempt,
    );
    const reply = attempt?.webReplies?.[key];
    const text = reply && store.journal.getBlob(reply.output);
    if (text === undefined) return undefined;
    return { text, isError: reply?.isError === true, ...(reply?.refused ? { refused: true } : {}) };
  }

  async function carryOut(call: ToolCall): Promise<ToolResult | Failure> {
    if (!isToolName(call.name) || !allowed.includes(call.name)) {
      return refused(refuseTool(allowed, task.contract, call.name, call.args) ?? "not allowed");
    }
    const parsed = parseToolCall(call);
    if (!("args" in parsed)) return parsed;
    const refusal = refuseTool(allowed, task.contract, parsed.name, parsed.args);
    if (refusal !== undefined) return refused(refusal);
    if (parsed.name === "run_tests") return runTests();
    if (parsed.name === "request_file") return requestFile(parsed.args.path, parsed.args.why);
    if (parsed.name === "run_command") {
      return runCommand(parsed.args.command);
    }
    if (parsed.name === "fetch_url" || parsed.name === "search_web") {
      return readWeb(world, reach, parsed, signal);
    }
    const { name: tool, args } = parsed;
    return sandbox.tool({ folder, tool, args, timeoutMs: limits.checkTimeoutMs }, signal);
  }

  function requestFile(asked: string, why: string): ToolResult {
    const { path, granted, reason } = judgeRequest(
      store.state,
      task,
      asked,
      world.spec.protectedPaths,
    );
    const { attempt } = lease;
    const about = { task_id: task.id, actor: lease.role, attempt } as const;
    const isNews = !task.contract.files.includes(path);
    if (isNews) {
      store.record([{ ...about, event_type: "file.requested", path, why, granted, reason }]);
    }
    return { text: reason, isError: !granted };
  }

  async function runTests(): Promise<ToolResult | Failure> {
    const { checks } = task.contract;
    if (checks.length === 0) return { text: "this task has no checks of its own", isError: false };
    const results = await runChecks(
      { checks, folder, stopAtFirst: false },
      { sandbox, journal: store.journal, limits },
      signal,
    );
    if (isFailure(results)) return results;
    const lines = results.map((one) => `${one.passed ? "pass" : "FAIL"} ${one.name} ${one.detail}`);
    return { text: shown(lines.join("\n")), isError: results.some((one) => !one.passed) };
  }

  async function runCommand(command: string): Promise<ToolResult | Failure> {
    const { checkTimeoutMs: timeoutMs, outputBytesMax } = limits;
    const argv = ["sh", "-c", command];
    const ran = await sandbox.run({ folder, argv, timeoutMs, outputBytesMax }, signal);
    if (isFailure(ran)) return ran;
    const how = ran.timedOut ? "timed out" : `exit ${endOf(ran.exitCode)}`;
    const text = [`(${how})`, ran.stdout.trim(), ran.stderr.trim()].filter(Boolean).join("\n");
    return { text: shown(text), isError: ran.exitCode !== 0 };
  }
}

/** 127 is how a shell says that there is no such command. */
function endOf(exitCode: number | null): string {
  if (exitCode !== 127) return `${exitCode ?? "killed"}`;
  return "127: no such command here; if the task cannot be done without it, report_missing";
}

function refused(text: string): ToolResult {
  return { text, isError: true, refused: true };
}

function shown(text: string): string {
  return text.length <= SHOWN_CHARS_MAX ? text : `${text.slice(0, SHOWN_CHARS_MAX)}\n… (cut)`;
}
