/** One file tool: a request to the tool runner inside, and its answer. */
import { z } from "zod";
import type { SandboxToolCall, ToolResult } from "../../domain/contained.ts";
import { type Failure, isFailure } from "../../domain/failure.ts";
import type { Sandbox } from "../../domain/ports.ts";

const ANSWER_BYTES_MAX = 4_000_000;
const answer = z.object({ text: z.string(), isError: z.boolean() });

/** Runs the tool runner with the call on its stdin; what goes wrong inside is a result. */
export async function callTool(
  run: Sandbox["run"],
  runner: string[],
  call: SandboxToolCall,
  signal: AbortSignal,
): Promise<ToolResult | Failure> {
  const result = await run(
    {
      folder: call.folder,
      argv: runner,
      stdin: JSON.stringify({ tool: call.tool, args: call.args }),
      timeoutMs: call.timeoutMs,
      outputBytesMax: ANSWER_BYTES_MAX,
    },
    signal,
  );
  if (isFailure(result)) return result;
  if (result.timedOut)
    return { text: `${call.tool} took too long and was stopped.`, isError: true };
  try {
    return answer.parse(JSON.parse(result.stdout));
  } catch {
    // The runner always answers; without an answer something ended it, such as memory.
    return { text: `${call.tool} ended without an answer.`, isError: true };
  }
}
