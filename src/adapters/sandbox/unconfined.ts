/** The Sandbox port without a sandbox, for --dangerously-no-sandbox: limits, but no containment. */
import { mkdir, rm, symlink } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import type { Failure } from "../../domain/failure.ts";
import type { Sandbox, SandboxCommand, SandboxResult } from "../../domain/ports.ts";
import { limitedArgv } from "./limits.ts";
import { type Mount, namesInRoot } from "./mounts.ts";
import { runProcess } from "./process.ts";
import { INSIDE_ENV } from "./profile.ts";
import { type Quarters, unavailable } from "./quarters.ts";
import { callTool } from "./tool.ts";
import { findToolchain } from "./toolchain.ts";

/**
 * Commands run on this machine, with the network and all that its user may read; still in a process
 * group of their own, under limits, with a small environment, and never as root. Dependency folders
 * inside the root are links; a process that leaves its group outlives the command.
 */
export async function openUnconfined(o: {
  quarters: Quarters;
  root: string;
  mounts: readonly Mount[];
  env: Record<string, string>;
}): Promise<Sandbox> {
  const { quarters } = o;
  const toolchain = await findToolchain(quarters.reachable);
  const home = await quarters.workspace("home");
  const inRoot: { source: string; name: string }[] = [];
  for (const mount of o.mounts) {
    const [name] = namesInRoot([mount], o.root);
    if (name !== undefined) inRoot.push({ source: await quarters.reachable(mount.source), name });
  }
  const env = {
    ...INSIDE_ENV,
    ...o.env,
    HOME: home,
    PATH: [dirname(toolchain.node), process.env["PATH"]].filter(Boolean).join(delimiter),
  };

  const run = async (
    command: SandboxCommand,
    signal: AbortSignal,
  ): Promise<SandboxResult | Failure> => {
    quarters.mustOwn(command.folder);
    const [file = "", ...args] = limitedArgv(command.argv, {
      countsProcesses: quarters.user !== undefined,
    });
    const end = await runProcess(
      {
        file,
        args,
        cwd: command.folder,
        env: { ...env, ...command.env },
        ...(quarters.user === undefined ? {} : { user: quarters.user }),
        ...(command.stdin === undefined ? {} : { stdin: command.stdin }),
        timeoutMs: command.timeoutMs,
        outputBytesMax: command.outputBytesMax,
      },
      signal,
    );
    if (signal.aborted) return { failure: "cancelled", detail: "The command was stopped." };
    if (end.startError !== undefined) return unavailable(end.startError);
    const { status: _, startError: __, ...result } = end;
    return { ...result, place: command.folder };
  };

  return {
    contained: false,
    async workspace(name) {
      const folder = await quarters.workspace(name);
      for (const { source, name: at } of inRoot) {
        await mkdir(dirname(join(folder, at)), { recursive: true });
        await symlink(source, join(folder, at));
      }
      return folder;
    },
    handOver: (folder) => quarters.handOver(folder),
    discard: (folder) => quarters.discard(folder),
    run,
    installed: {
      ...quarters.installed,
      async show(key, folder, path) {
        await quarters.installed.show(key, folder, path);
        const [one] = quarters.installed.shownIn(folder).filter((each) => each.path === path);
        if (one === undefined) return;
        await rm(join(folder, path), { recursive: true, force: true });
        await symlink(one.source, join(folder, path));
      },
    },
    tool: (call, signal) => callTool(run, [toolchain.node, toolchain.runner], call, signal),
  };
}
