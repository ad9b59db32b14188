/** Hints that somebody wrote to the database: its own files, and its journal of events where it keeps one. */
import { spawn } from "node:child_process";
import { type FSWatcher, globSync, readFileSync, watch } from "node:fs";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { type BdOptions, bdEnvironment } from "./bd.ts";
import { MANIFESTS } from "./known.ts";

/**
 * Calls `wake` when somebody wrote, until `signal` is aborted. Nothing here fails: what cannot be
 * watched gives no hints. Watching files costs nothing while nobody writes. The journal of events
 * (`bd config set events-journal true`) is followed only where a person has it kept: a bd of its own
 * looks every second, and takes two hundredths of a core for it.
 */
export function watchBeads(
  options: Pick<BdOptions, "bd" | "beadsDir" | "actor">,
  wake: () => void,
  signal: AbortSignal,
): void {
  watchFiles(options.beadsDir, wake, signal);
  if (keepsEvents(options.beadsDir)) followEvents(options, 0, wake, signal);
}

function watchFiles(beadsDir: string, wake: () => void, signal: AbortSignal): void {
  for (const name of globSync(MANIFESTS, { cwd: beadsDir })) {
    const manifest = join(beadsDir, name);
    let seen = textOf(manifest);
    try {
      // The folder: the file is replaced, not written; by a reader with what it held before.
      const options = { persistent: false, signal };
      const watcher: FSWatcher = watch(dirname(manifest), options, (_, file) => {
        if (file !== basename(manifest)) return;
        const text = textOf(manifest);
        if (text !== seen) wake();
        seen = text;
      });
      watcher.on("error", () => watcher.close());
    } catch {
      // No watch is left on this machine, or the file system has none.
    }
  }
}

/** Empty where it cannot be read. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function keepsEvents(beadsDir: string): boolean {
  return /^events-journal:\s*["']?true/m.test(textOf(join(beadsDir, "config.yaml")));
}

/**
 * The shell between ends bd with this process, however that ends: its standard input is then closed.
 * bd itself would live on, for it notices a closed output only when it has something to say.
 */
const UNTIL_STDIN_ENDS = '"$@" & exec >/dev/null; read -r _; kill $!';

/** `bd events tail`, from the event after `since`; fractal's own writes are no news. */
export function followEvents(
  options: Pick<BdOptions, "bd" | "beadsDir" | "actor">,
  since: number,
  wake: () => void,
  signal: AbortSignal,
): void {
  if (signal.aborted) return;
  const command = [options.bd, "events", "tail", "--follow", "--json", "--since", String(since)];
  const child = spawn("sh", ["-c", UNTIL_STDIN_ENDS, "sh", ...command], {
    cwd: dirname(options.beadsDir),
    env: bdEnvironment(options),
    stdio: ["pipe", "pipe", "ignore"],
    // Ctrl-C in the terminal reaches fractal alone.
    detached: true,
  });
  const end = () => child.stdin.destroy();
  signal.addEventListener("abort", end, { once: true });
  child.on("error", () => undefined);
  child.stdin.on("error", () => undefined);
  child.unref();
  let head: number | undefined;
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => {
    // What is older than the journal keeps is refused with the number to go on from.
    head ??= since === 0 ? headOf(line) : undefined;
    if (isByOthers(line, options.actor)) wake();
  });
  lines.on("close", () => {
    signal.removeEventListener("abort", end);
    end();
    if (head !== undefined) followEvents(options, head, wake, signal);
  });
}

function headOf(line: string): number | undefined {
  const found = /^\s*"head":\s*(\d+)/.exec(line)?.[1];
  return found === undefined ? undefined : Number(found);
}

function isByOthers(line: string, ours: string): boolean {
  try {
    const event: unknown = JSON.parse(line);
    if (typeof event !== "object" || event === null || !("seq" in event)) return false;
    return !("actor" in event) || event.actor !== ours;
  } catch {
    return false;
  }
}
