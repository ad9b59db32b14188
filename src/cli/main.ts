/** Runs the program and maps what went wrong to an exit code. */
import { EXIT } from "./exit.ts";
import { runProgram } from "./program.ts";

/**
 * One command line, from `bin/fractal.mjs`; resolves to the exit code. The first Ctrl-C or TERM asks
 * for a clean stop, the second ends the process now: a sandbox dies with it.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted)
      process.exit(signal === "SIGTERM" ? EXIT.terminated : EXIT.interrupted);
    stop.abort(signal);
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    return await runProgram(argv, {
      streams: { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr },
      env: process.env,
      cwd: process.cwd(),
      signal: stop.signal,
      wire: async () => (await import("./wired.ts")).wired,
      now: () => Date.now(),
    });
  } catch (error) {
    console.error(`fractal: ${messageOf(error)}`);
    return isDiskTrouble(error) || isGitLocked(error) ? EXIT.environment : EXIT.failed;
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

/** The disk's own words are enough; anything else is a bug of ours and shows where. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (isDiskTrouble(error)) {
    return `${error.message}\n  → make room or make it writable, then: fractal resume\n  (exit ${EXIT.environment})`;
  }
  if (isGitLocked(error)) {
    const paths = error.paths.map((path) => `'${path}'`).join(" ");
    return `${error.message}\n  → rm ${paths}   # only when no git is at work in this repository\n  → then the same command again; nothing is lost\n  (exit ${EXIT.environment})`;
  }
  return `this is a bug in fractal, please report it: ${error.stack ?? error.message}`;
}

/** By its name: its module is loaded only where git is used. */
function isGitLocked(error: unknown): error is Error & { paths: readonly string[] } {
  return error instanceof Error && error.constructor.name === "GitLocked";
}

const DISK_CODES = new Set(["ENOSPC", "EIO", "EROFS", "EDQUOT", "EACCES", "EPERM"]);

function isDiskTrouble(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.constructor.name === "DiskTrouble") return true;
  return DISK_CODES.has((error as NodeJS.ErrnoException).code ?? "");
}
