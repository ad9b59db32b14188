/** The work of a leaf in its folder: its command is run, or the worker is asked. */
import { workTask } from "../agents/worker.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { TaskState } from "../domain/run-state.ts";
import { profileFor } from "./journaled-model.ts";
import type { Lease } from "./lease.ts";
import { gatherPack } from "./pack.ts";
import { openToolbox } from "./toolbox.ts";
import type { World } from "./world.ts";

/** What is said of the work, or why it was not done. */
export type Worked = { summary: string } | Failure;

/** Does it once; what came of it lies in the folder. */
export async function workLeaf(
  world: World,
  lease: Lease,
  task: TaskState,
  folder: string,
  signal: AbortSignal,
): Promise<Worked> {
  const { limits } = world;
  const { kind, command = "false" } = task.contract;
  if (kind === "command") return runCommand(world, command, folder, signal);
  const profile = profileFor(world, lease);
  if (profile === undefined) throw new Error("no worker is configured");
  const style = task.attempts.some((one) => one.failure) ? profile.style : "fresh";
  const done = await workTask(
    {
      pack: await gatherPack(world, lease.taskId, lease.base, style),
      profile,
      prompt: world.prompts.worker,
      identity: { taskId: lease.taskId, attempt: lease.attempt },
      style,
      toolbox: openToolbox(world, lease, task, folder, signal),
      limits,
    },
    signal,
  );
  return isFailure(done) ? done : { summary: done.report.summary };
}

async function runCommand(
  { limits, sandbox }: World,
  command: string,
  folder: string,
  signal: AbortSignal,
): Promise<Worked> {
  const { checkTimeoutMs: timeoutMs, outputBytesMax } = limits;
  const argv = ["sh", "-c", command];
  const ran = await sandbox.run({ folder, argv, timeoutMs, outputBytesMax }, signal);
  if (isFailure(ran)) return ran;
  if (ran.exitCode === 0) return { summary: `ran ${command}` };
  const how = ran.timedOut ? "timed out" : `ended with exit ${ran.exitCode}`;
  const detail = `${command} ${how}\n${(ran.stderr || ran.stdout).slice(-2000)}`;
  return { failure: "check-failed", detail, checks: ["command"] };
}
