/** Runs one process with limits on time and output, and ends everything it started. */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { constants } from "node:os";
import { Output } from "./output.ts";

export interface ProcessCommand {
  file: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
  /** Whom it runs as; the user of this process when left out. */
  user?: { uid: number; gid: number };
  stdin?: string;
  /** A file that is open for reading as file descriptor 4. */
  opened?: string;
  timeoutMs: number;
  outputBytesMax: number;
  /** Looks after it from its start until what it returns is called; may stop it, with a reason in words. */
  watch?: (pid: number, stop: (why: string) => void) => () => void;
}

export interface ProcessEnd {
  /** 128 + signal for one that a signal ended; null when it was stopped from here. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
  /** What it wrote to file descriptor 3. */
  status: string;
  timedOut: boolean;
  truncated: boolean;
  durationMs: number;
  /** The limit for which it was stopped, in words. */
  limit?: string;
  /** Set when it never started. */
  startError?: string;
}

/** After the process is gone, how long a pipe that something else still holds is listened to. */
const GRACE_MS = 200;
const STATUS_BYTES_MAX = 10_000;

/**
 * Resolves when the process has ended and its output is read, or shortly after it ended when a
 * grandchild holds the pipe. Its process group is killed at the end in any case.
 */
export async function runProcess(
  command: ProcessCommand,
  signal: AbortSignal,
): Promise<ProcessEnd> {
  const started = performance.now();
  const { promise, resolve } = Promise.withResolvers<{ code: number | null; error?: string }>();
  // Opened anew for each: a file descriptor that is shared is read once only.
  const opened = command.opened === undefined ? undefined : openSync(command.opened, "r");
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: command.env,
    ...command.user,
    // Its own process group, so that Ctrl-C in the terminal is ours to pass on.
    detached: true,
    stdio: [
      command.stdin === undefined ? "ignore" : "pipe",
      ...(["pipe", "pipe", "pipe"] as const),
      ...(opened === undefined ? [] : [opened]),
    ],
  });
  if (opened !== undefined) closeSync(opened);
  const outputs = [command.outputBytesMax, command.outputBytesMax, STATUS_BYTES_MAX].map(
    (bytesMax, at) => {
      const output = new Output(bytesMax);
      const stream = child.stdio[at + 1];
      stream?.on("data", (chunk: Buffer) => output.add(chunk));
      stream?.on("error", () => {});
      return output;
    },
  );
  // A process that does not read its input is no error.
  child.stdin?.on("error", () => {});
  child.stdin?.end(command.stdin);

  const kill = () => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // The group is gone already.
    }
  };
  let limit: string | undefined;
  const watch =
    child.pid === undefined
      ? undefined
      : command.watch?.(child.pid, (why) => {
          if (child.exitCode !== null || child.signalCode !== null) return;
          limit = why;
          kill();
        });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, command.timeoutMs);
  signal.addEventListener("abort", kill);
  if (signal.aborted) kill();
  let grace: NodeJS.Timeout | undefined;
  child.on("error", (error) => resolve({ code: null, error: error.message }));
  child.on("exit", (code, by) => {
    const ended = { code: code ?? 128 + (by === null ? 0 : constants.signals[by]) };
    kill();
    grace = setTimeout(() => resolve(ended), GRACE_MS);
    child.on("close", () => resolve(ended));
  });

  const { code, error } = await promise;
  watch?.();
  clearTimeout(timer);
  clearTimeout(grace);
  signal.removeEventListener("abort", kill);
  for (const stream of child.stdio) stream?.destroy();
  const [stdout, stderr, status] = outputs.map((output) => output.read());
  return {
    exitCode: timedOut || limit !== undefined || signal.aborted ? null : code,
    stdout: stdout?.text ?? "",
    stderr: stderr?.text ?? "",
    status: status?.text ?? "",
    timedOut,
    truncated: (stdout?.truncated ?? false) || (stderr?.truncated ?? false),
    durationMs: Math.round(performance.now() - started),
    ...(limit === undefined ? {} : { limit }),
    ...(error === undefined ? {} : { startError: error }),
  };
}
