/**
 * The Sandbox port on macOS, over @anthropic-ai/sandbox-runtime. Written for it, not yet run there. A
 * process that leaves its group (`setsid`) outlives its command, and may write where that could.
 */
import { randomUUID } from "node:crypto";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { z } from "zod";
import type { SandboxCommand, SandboxResult } from "../../domain/contained.ts";
import type { Failure } from "../../domain/failure.ts";
import { pathProblem } from "../../domain/path.ts";
import type { Sandbox } from "../../domain/ports.ts";
import { missingSandboxRuntime } from "./diagnosis.ts";
import { type Ceilings, limitedArgv } from "./limits.ts";
import { installedAsLinks, type Mount, namesInRoot, showAsLinks } from "./mounts.ts";
import { runProcess } from "./process.ts";
import { INSIDE_ENV } from "./profile.ts";
import type { Quarters } from "./quarters.ts";
import { resultOf } from "./result.ts";
import { callTool } from "./tool.ts";
import { findToolchain } from "./toolchain.ts";
import { watchProcess } from "./watch.ts";

/** What we set of the runtime's configuration; everything else it has is left out. */
export interface RuntimeConfig {
  network: { allowedDomains: string[]; deniedDomains: string[]; allowLocalBinding: boolean };
  filesystem: {
    denyRead: string[];
    /** Within what `denyRead` names. */
    allowRead: string[];
    allowWrite: string[];
    /** Within what `allowWrite` names. */
    denyWrite: string[];
  };
}

/** What one command may see and change; absolute paths. */
export interface Reach {
  folder: string;
  /** Its HOME and TMPDIR. */
  home: string;
  /** Read-only: dependency folders, Node, npm, the file tools. */
  shown: readonly string[];
  /** Paths below `folder` that it may not change. */
  readOnly: readonly string[];
}

/** Where people's and other programs' files are. Seatbelt allows by default what is not named. */
const PRIVATE = ["/Users", "/Volumes", "/private/tmp", "/private/var/folders", "/opt/homebrew/var"];

/** The configuration that lets a command reach this much: no network, one folder to write. */
export function runtimeConfig(reach: Reach, userHome: string): RuntimeConfig {
  const own = [reach.folder, reach.home];
  return {
    // The server of a test on localhost would be this machine's localhost.
    network: { allowedDomains: [], deniedDomains: [], allowLocalBinding: false },
    filesystem: {
      denyRead: [...new Set([...PRIVATE, userHome])],
      allowRead: [...own, ...reach.shown],
      allowWrite: own,
      denyWrite: reach.readOnly
        .filter((path) => pathProblem(path) === undefined)
        .map((path) => join(reach.folder, path)),
    },
  };
}

/** What we call of the package: a person installs it beside fractal, it is not ours to bring. */
const PACKAGE_NAME = "@anthropic-ai/sandbox-runtime";
type Wrap = (command: string, shell: string, config: RuntimeConfig) => Promise<string>;
const runtime = z.object({
  SandboxManager: z.object({
    initialize: z.custom<(config: RuntimeConfig) => Promise<void>>(isFunction),
    wrapWithSandbox: z.custom<Wrap>(isFunction),
    reset: z.custom<() => Promise<void>>(isFunction),
  }),
});

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

/** Loads the package and starts its proxies, which let nothing through. */
export async function openSeatbelt(o: {
  quarters: Quarters;
  root: string;
  mounts: readonly Mount[];
  toolFolders: readonly string[];
  env: Record<string, string>;
  ceilings: Ceilings;
}): Promise<(Sandbox & { fingerprint: string; end(): Promise<void> }) | Failure> {
  const { quarters, ceilings } = o;
  const loaded: unknown = await import(PACKAGE_NAME).catch(() => undefined);
  const found = runtime.safeParse(loaded);
  if (!found.success) return missingSandboxRuntime(PACKAGE_NAME);
  const { SandboxManager: manager } = found.data;
  const toolchain = await findToolchain(quarters.reachable);
  const tools = o.toolFolders.map((folder) => join(folder, "bin"));
  const reach = (folder: string, home: string, readOnly: readonly string[]): Reach => ({
    folder,
    home,
    shown: [
      ...quarters.installed.shownIn(folder).map((one) => one.source),
      ...o.mounts.map((mount) => mount.source),
      ...o.toolFolders,
      ...[toolchain.node, toolchain.npm, toolchain.runner].filter((path) => path !== undefined),
    ],
    readOnly,
  });
  const first = await quarters.workspace("first");
  await manager.initialize(runtimeConfig(reach(first, first, []), homedir()));

  const run = async (
    command: SandboxCommand,
    signal: AbortSignal,
  ): Promise<SandboxResult | Failure> => {
    quarters.mustOwn(command.folder);
    const { folder, timeoutMs } = command;
    const argv = limitedArgv(command.argv, { countsProcesses: true, timeoutMs, ceilings });
    // What one command leaves there is loaded by no other.
    const home = await quarters.workspace(`home ${randomUUID()}`);
    const wrapped = await manager.wrapWithSandbox(
      argv.map(quoted).join(" "),
      "/bin/sh",
      runtimeConfig(reach(folder, home, command.readOnly ?? []), homedir()),
    );
    const end = await runProcess(
      {
        file: "/bin/sh",
        args: ["-c", wrapped],
        cwd: folder,
        env: {
          ...INSIDE_ENV,
          ...o.env,
          HOME: home,
          TMPDIR: home,
          PATH: [dirname(toolchain.node), INSIDE_ENV["PATH"], ...tools].join(delimiter),
          ...command.env,
        },
        ...(quarters.user === undefined ? {} : { user: quarters.user }),
        ...(command.stdin === undefined ? {} : { stdin: command.stdin }),
        timeoutMs,
        outputBytesMax: command.outputBytesMax,
        watch: (pid, stop) => watchProcess({ pid, folder, ceilings }, stop),
      },
      signal,
    ).finally(() => quarters.discard(home));
    if (signal.aborted) return { failure: "cancelled", detail: "The command was stopped." };
    return resultOf(end, folder, ceilings);
  };

  return {
    contained: true,
    fingerprint: JSON.stringify([PACKAGE_NAME, toolchain, PRIVATE, o.env]),
    workspace: async (name) => {
      const folder = await quarters.workspace(name);
      await showAsLinks(folder, o.mounts, (mount) => namesInRoot([mount], o.root)[0]);
      return folder;
    },
    handOver: (folder) => quarters.handOver(folder),
    discard: (folder) => quarters.discard(folder),
    run,
    installed: installedAsLinks(quarters.installed),
    tool: (call, signal) => callTool(run, [toolchain.node, toolchain.runner], call, signal),
    end: () => manager.reset(),
  };
}

/** One word of a shell command. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
