/** The Sandbox port without a sandbox, for --dangerously-no-sandbox: limits, but no containment. */
import { randomUUID } from "node:crypto";
import { delimiter, dirname, join } from "node:path";
import type { SandboxCommand, SandboxResult } from "../../domain/contained.ts";
import type { Failure } from "../../domain/failure.ts";
import type { Sandbox } from "../../domain/ports.ts";
import { type Ceilings, limitedArgv } from "./limits.ts";
import { installedAsLinks, type Mount, namesInRoot, showAsLinks } from "./mounts.ts";
import { runProcess } from "./process.ts";
import { INSIDE_ENV } from "./profile.ts";
import { type Quarters, unavailable } from "./quarters.ts";
import { resultOf } from "./result.ts";
import { callTool } from "./tool.ts";
import { findToolchain } from "./toolchain.ts";
import { watchProcess } from "./watch.ts";

/**
 * Commands run on this machine, with the network and all that its user may read; still in a process
 * group of their own, under limits, with a small environment, and never as root. Dependency folders
 * inside the root are links; a process that leaves its group outlives the command. Each command has a
 * HOME of its own.
 */
export async function openUnconfined(o: {
  quarters: Quarters;
  root: string;
  mounts: readonly Mount[];
  toolFolders: readonly string[];
  env: Record<string, string>;
  ceilings: Ceilings;
}): Promise<Sandbox> {
  const { quarters, ceilings } = o;
  const toolchain = await findToolchain(quarters.reachable);
  const mounts: Mount[] = [];
  for (const mount of o.mounts) {
    mounts.push({ ...mount, source: await quarters.reachable(mount.source) });
  }
  const tools = o.toolFolders.map((folder) => join(folder, "bin"));
  const env = {
    ...INSIDE_ENV,
    ...o.env,
    PATH: [dirname(toolchain.node), ...tools, process.env["PATH"]].filter(Boolean).join(delimiter),
  };

  const run = async (
    command: SandboxCommand,
    signal: AbortSignal,
  ): Promise<SandboxResult | Failure> => {
    quarters.mustOwn(command.folder);
    const [file = "", ...args] = limitedArgv(command.argv, {
      countsProcesses: quarters.user !== undefined,
      timeoutMs: command.timeoutMs,
      ceilings,
    });
    // What one command leaves there is loaded by no other.
    const home = await quarters.workspace(`home ${randomUUID()}`);
    const end = await runProcess(
      {
        file,
        args,
        cwd: command.folder,
        env: { ...env, HOME: home, ...command.env },
        ...(quarters.user === undefined ? {} : { user: quarters.user }),
        ...(command.stdin === undefined ? {} : { stdin: command.stdin }),
        timeoutMs: command.timeoutMs,
        outputBytesMax: command.outputBytesMax,
        watch: (pid, stop) => watchProcess({ pid, folder: command.folder, ceilings }, stop),
      },
      signal,
    ).finally(() => quarters.discard(home));
    if (signal.aborted) return { failure: "cancelled", detail: "The command was stopped." };
    if (end.startError !== undefined) return unavailable(end.startError);
    return resultOf(end, command.folder, ceilings);
  };

  return {
    contained: false,
    async workspace(name) {
      const folder = await quarters.workspace(name);
      await showAsLinks(folder, mounts, (mount) => namesInRoot([mount], o.root)[0]);
      return folder;
    },
    handOver: (folder) => quarters.handOver(folder),
    discard: (folder) => quarters.discard(folder),
    run,
    installed: installedAsLinks(quarters.installed),
    tool: (call, signal) => callTool(run, [toolchain.node, toolchain.runner], call, signal),
  };
}
