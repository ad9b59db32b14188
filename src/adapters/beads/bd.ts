/** Runs `bd … --json`, one command at a time, and turns its exit and output into a value or a failure. */
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import type { z } from "zod";
import { only } from "../../domain/environment.ts";
import type { Failure } from "../../domain/failure.ts";
import { openCourtesy } from "./courtesy.ts";
import type { Known } from "./known.ts";

/** What a command does to the database decides how long it may take. */
export type BdEffect = "read" | "write" | "upgrade";

const TIMEOUT_MS: { readonly [Effect in BdEffect]: number } = {
  read: 30_000,
  write: 120_000,
  // The first command of a newer bd rewrites every row of an older database.
  upgrade: 600_000,
};
/** How long a process may take to end after it was asked to, before it is killed. */
const GRACE_MS = 2_000;
const SLOW_MS = 5_000;

export interface BdOptions {
  /** The bd program. */
  bd: string;
  /** The absolute path of `.beads`. */
  beadsDir: string;
  /** Whom bd names as the author of changes. */
  actor: string;
  /** Where bd runs; the folder that holds `.beads` when left out. */
  cwd?: string;
  /** Called once for a command that takes longer than five seconds: another one may hold the database. */
  onSlow?: ((command: string) => void) | undefined;
  /** Other time limits than the usual ones. */
  timeoutMs?: Partial<Record<BdEffect, number>>;
}

export interface BdCall<T> {
  args: string[];
  effect: BdEffect;
  /** What the data of the answer must look like. */
  schema: z.ZodType<T>;
  /** Long text never goes into the arguments. */
  stdin?: string;
  /** How many commits of the database a write is that was done; left out where it may be none. */
  commits?: number;
  /** Added to the time limit of the effect, for calls that grow with their input. */
  extraMs?: number;
  env?: Record<string, string>;
}

/** `refused`: bd itself said no, so nothing is running or half done. */
export type BdFailure = Failure & { refused?: true };

/** Runs commands in the order in which they were asked for, one at a time. */
export interface Bd {
  run<T>(call: BdCall<T>): Promise<T | BdFailure>;
}

/** A queue of bd commands on one database, which serves one process at a time; `known` hears of each write. */
export function openBd(options: BdOptions, known?: Known): Bd {
  let last: Promise<unknown> = Promise.resolve();
  const standBack = openCourtesy(options.beadsDir);
  return {
    run(call) {
      const result = last.then(standBack).then(() => {
        const run = () => runBd(options, call);
        return call.effect === "read" || !known ? run() : known.write(call.commits, run);
      });
      last = result;
      return result;
    },
  };
}

async function runBd<T>(options: BdOptions, call: BdCall<T>): Promise<T | BdFailure> {
  const command = `bd ${call.args.slice(0, 2).join(" ")}`;
  const ended = await runProcess(options, call, command);
  if ("problem" in ended) return unavailable(`${command}: ${ended.problem}`);
  const answer = parseAnswer(ended.stdout);
  if (ended.exitCode !== 0) {
    const message = errorOf(answer) ?? errorLine(ended.stderr) ?? `exit ${ended.exitCode}`;
    return { ...unavailable(`${command}: ${message}`), refused: true };
  }
  const parsed = call.schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const { path = [], message = "" } = parsed.error.issues[0] ?? {};
  return unavailable(`${command}: the answer is not understood at ${path.join(".")}: ${message}`);
}

type Ended = { exitCode: number; stdout: string; stderr: string } | { problem: string };

async function runProcess<T>(options: BdOptions, call: BdCall<T>, command: string): Promise<Ended> {
  // Its own process group: Ctrl-C in the terminal does not cut a write short, and a time limit
  // ends all of it.
  const running = execa(options.bd, [...call.args, "--json"], {
    cwd: options.cwd ?? dirname(options.beadsDir),
    env: { ...bdEnvironment(options), ...call.env },
    extendEnv: false,
    detached: true,
    reject: false,
    input: call.stdin ?? "",
    stripFinalNewline: false,
  });
  const ended = running.then((result): Ended => {
    if (result.exitCode === undefined) return { problem: result.shortMessage ?? "did not start" };
    return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
  });
  const limitMs = options.timeoutMs?.[call.effect] ?? TIMEOUT_MS[call.effect];
  const timeoutMs = limitMs + (call.extraMs ?? 0);
  const slow = setTimeout(() => options.onSlow?.(command), SLOW_MS);
  try {
    const inTime = await within(ended, timeoutMs);
    if (inTime !== undefined) return inTime;
    endGroup(running.pid, "SIGTERM");
    if ((await within(ended, GRACE_MS)) === undefined) endGroup(running.pid, "SIGKILL");
    return { problem: `no answer within ${timeoutMs / 1000} s` };
  } finally {
    clearTimeout(slow);
  }
}

/** The value, or undefined when it takes longer. */
async function within<T>(value: Promise<T>, delayMs: number): Promise<T | undefined> {
  const over = new AbortController();
  try {
    return await Promise.race([value, sleep(delayMs, undefined, { signal: over.signal })]);
  } finally {
    over.abort();
  }
}

function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended already.
  }
}

/** Everything bd may see: nothing inherited can point it at another database or make it talk. */
export function bdEnvironment(
  options: Pick<BdOptions, "beadsDir" | "actor">,
): Record<string, string> {
  return {
    ...only(process.env, ["PATH", "HOME", "USER", "TMPDIR", "XDG_CONFIG_HOME", "LANG"]),
    BEADS_DIR: options.beadsDir,
    BEADS_ACTOR: options.actor,
    // Without an address bd asks git for one, with a process for each command.
    GIT_AUTHOR_EMAIL: "fractal@localhost",
    BD_NON_INTERACTIVE: "1",
    BD_NO_HOOKS: "1",
    BD_DISABLE_METRICS: "1",
    BD_EXPORT_AUTO: "false",
    BD_IMPORT_AUTO: "false",
    BD_BACKUP_ENABLED: "false",
    BD_DOLT_AUTO_PUSH: "false",
    BD_JSON_ENVELOPE: "1",
    NO_COLOR: "1",
  };
}

/** The data inside the envelope; undefined for anything that is not JSON, such as a line for people. */
function parseAnswer(text: string): unknown {
  const start = text.indexOf("{");
  if (start < 0) return undefined;
  try {
    const value: unknown = JSON.parse(text.slice(start));
    return typeof value === "object" && value !== null && "data" in value ? value.data : value;
  } catch {
    return undefined;
  }
}

function errorOf(answer: unknown): string | undefined {
  if (typeof answer !== "object" || answer === null || !("error" in answer)) return undefined;
  return String(answer.error);
}

/** The line for people, which bd writes to standard error alone; of a crash the one before the stack. */
const ERROR_LINES = [/^Error: (.+)$/m, /^\s*fatal error: (.+)$/m, /^\s*panic: (?!goroutine)(.+)$/m];

function errorLine(stderr: string): string | undefined {
  const said = ERROR_LINES.map((line) => line.exec(stderr)?.[1]).find(Boolean);
  return said ?? (stderr.trim().split("\n").at(-1) || undefined);
}

/** The database is not where it was. */
export function lost(beadsDir: string): Failure {
  const detail = `${beadsDir} is gone: it held the tasks of this run, and what people did to them`;
  return { failure: "tracker-lost", detail };
}

/** The tracker did not do what was asked. */
export function unavailable(detail: string): Failure {
  return { failure: "tracker-unavailable", detail };
}
