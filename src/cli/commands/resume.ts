/** `fractal resume [run]`: goes on where a run was stopped or waited. */
import { carryOut, type LiveSlot } from "../carry-out.ts";
import type { Context } from "../context.ts";
import { type ExitCode, isRefusal } from "../exit.ts";
import type { RunFlags } from "../flags.ts";
import { openTerminal } from "../open-terminal.ts";
import { resumeRun } from "../start-run.ts";

/** Continues the run named, the open one, or the newest. */
export async function resumeCommand(
  context: Context,
  run: string | undefined,
  flags: RunFlags,
): Promise<ExitCode> {
  const slot: LiveSlot = { live: undefined };
  const started = await resumeRun(context, run, flags, openTerminal(context, slot));
  return isRefusal(started) ? context.out.refuse(started) : carryOut(context, started, slot);
}
