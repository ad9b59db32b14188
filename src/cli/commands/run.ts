/** `fractal run SPEC`: from a written specification to merged, checked work. */
import { carryOut, type LiveSlot } from "../carry-out.ts";
import type { Context } from "../context.ts";
import { type ExitCode, isRefusal } from "../exit.ts";
import type { RunFlags } from "../flags.ts";
import { openTerminal } from "../open-terminal.ts";
import { startRun } from "../start-run.ts";

/** Starts the run, or goes on with the open one of the same specification. */
export async function runCommand(
  context: Context,
  spec: string,
  flags: RunFlags,
): Promise<ExitCode> {
  const slot: LiveSlot = { live: undefined };
  const started = await startRun(context, spec, flags, openTerminal(context, slot));
  return isRefusal(started) ? context.out.refuse(started) : carryOut(context, started, slot);
}
