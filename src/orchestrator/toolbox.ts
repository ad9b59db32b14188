/** The tools of one attempt: permitted, journaled, and carried out inside the sandbox. */
import { parseToolCall, type Toolbox, toolOffers } from "../agents/tools.ts";
import type { ToolCall } from "../domain/conversation.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { ToolResult } from "../domain/ports.ts";
import type { TaskState } from "../domain/run-state.ts";
import { allowedTools, refuseTool } from "../rules/check/permission.ts";
import type { Lease } from "./lease.ts";
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
  const offers = toolOffers(allowedTools(task.contract));
  return {
    offers,
    async call(call: ToolCall, turn: string): Promise<ToolResult | Failure> {
      const about = { task_id: task.id, actor: lease.role } as const;
      const at = { attempt: lease.attempt, turn, role: lease.role, tool: call.name } as const;
      const args = store.journal.putBlob(JSON.stringify(call.args ?? null));
      store.record([{ ...about, event_type: "tool.called", ...at, args }]);
      const startedAt = clock.now();
      const result = await carryOut(call);
      const text = isFailure(result) ? result.detail : result.text;
      store.record([
        {
          ...about,
          event_type: "tool.returned",
          ...at,
          is_error: isFailure(result) || result.isError,
          output: store.journal.putBlob(text),
          duration_ms: clock.now() - startedAt,
        },
      ]);
      return result;
    },
  };

  async function carryOut(call: ToolCall): Promise<ToolResult | Failure> {
    const parsed = parseToolCall(call);
    if (!("args" in parsed)) return parsed;
    const refusal = refuseTool(task.contract, parsed.name, parsed.args);
    if (refusal !== undefined) return { text: refusal, isError: true };
    if (parsed.name === "run_tests") return runTests();
    if (parsed.name === "run_command") {
      return runCommand(parsed.args.command);
    }
    const { name: tool, args } = parsed;
    return sandbox.tool({ folder, tool, args, timeoutMs: limits.checkTimeoutMs }, signal);
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
    const how = ran.timedOut ? "timed out" : `exit ${ran.exitCode ?? "killed"}`;
    const text = [`(${how})`, ran.stdout.trim(), ran.stderr.trim()].filter(Boolean).join("\n");
    return { text: shown(text), isError: ran.exitCode !== 0 };
  }
}

function shown(text: string): string {
  return text.length <= SHOWN_CHARS_MAX ? text : `${text.slice(0, SHOWN_CHARS_MAX)}\n… (cut)`;
}
