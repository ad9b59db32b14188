/** Drives the built program on a repository of its own, with the real bd, git and sandbox. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa, execaSync, type ResultPromise } from "execa";
import { stringify } from "yaml";
import type { RunEvent } from "../../src/domain/event.ts";
import type { Plan } from "../../src/domain/plan.ts";
import { renderPlanFile } from "../../src/rules/plan/plan-file.ts";
import { BD } from "../support/bd.ts";
import { plantCanary } from "./canary.ts";

/** The program as a user starts it. */
export const PROGRAM = join(import.meta.dirname, "..", "..", "bin", "fractal.mjs");

/** One answer of a scripted model: for which role, task, attempt and turn, and what it says. */
export interface Line {
  role?: string;
  task?: string;
  attempt?: number;
  turn?: string;
  text?: string;
  tool_calls?: { name: string; args: unknown }[];
  stop_reason?: "end" | "tool-calls" | "length" | "refusal";
}

export interface Ran {
  exitCode: number;
  stdout: string;
  stderr: string;
  /** Both, for a failure message. */
  all: string;
}

interface RunOptions {
  input?: string;
  env?: Record<string, string>;
  /** A command that runs the program: `strace …`. */
  under?: string[];
}

/**
 * A repository in a temporary folder, gone at the end of the test; which fails when a canary that was
 * planted around it is found in what it left behind.
 */
export interface Rig extends Disposable {
  readonly dir: string;
  /** Values in the environment of every command, which must not be found anywhere at the end. */
  readonly canary: Record<string, string>;
  write(files: Record<string, string>): void;
  commit(message: string): string;
  /** The person's own settings file. */
  settings(settings: Record<string, unknown>): void;
  /** Writes a script and returns the model name that plays it. */
  script(lines: Line[]): string;
  /** Writes a plan file of one split and returns its name. */
  plan(spec: string, splits: Record<string, Plan>, sharedFiles?: boolean): string;
  fractal(args: string[], o?: RunOptions): Promise<Ran>;
  /** The same, still running. */
  start(args: string[], o?: { env?: Record<string, string> }): ResultPromise;
  git(...args: string[]): string;
  bd(...args: string[]): string;
  /** Ids of runs, and the events of the newest. */
  runs(): string[];
  events(run?: string): RunEvent[];
  /** A file on the run's branch. */
  onBranch(path: string, run?: string): string;
}

/** The environment of a stranger: no keys of models, no terminal, no settings of ours. */
function environment(dir: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: join(dir, "..", "home"),
    LANG: "C.UTF-8",
    FRACTAL_BD: BD,
    ...more,
  };
}

/** Makes a repository with these files committed; none at all leaves the branch unborn. */
export function aRig(files: Record<string, string> = { "README.md": "# Here\n" }): Rig {
  const place = mkdtempSync(join(tmpdir(), "fractal-e2e-"));
  const dir = join(place, "repo");
  mkdirSync(dir, { recursive: true });
  mkdirSync(join(place, "home"));
  const canary = plantCanary(place);
  const env = environment(dir);
  const heard: string[] = [];
  const git = (...args: string[]) =>
    execaSync("git", args, { cwd: dir, env, extendEnv: false }).stdout;
  git("init", "--quiet", "--initial-branch=main");
  git("config", "user.name", "A Person");
  git("config", "user.email", "person@example.org");
  const write = (some: Record<string, string>) => {
    for (const [path, text] of Object.entries(some)) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), text);
    }
  };
  const commit = (message: string) => {
    git("add", "--all");
    git("commit", "--quiet", "--message", message);
    return git("rev-parse", "HEAD");
  };
  if (Object.keys(files).length > 0) {
    write(files);
    commit("first");
  }
  let scripts = 0;
  const rig: Rig = {
    dir,
    canary: canary.env,
    write,
    commit,
    settings(settings) {
      const folder = join(place, "home", ".config", "fractal");
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "config.yaml"), stringify(settings));
    },
    script(lines) {
      scripts += 1;
      const path = join(place, `script-${scripts}.yaml`);
      writeFileSync(path, stringify(lines));
      return `scripted:${path}`;
    },
    plan(spec, splits, sharedFiles = false) {
      const path = join(place, "plan.json");
      const shared = sharedFiles ? { shared_files: "allow" as const } : {};
      writeFileSync(path, renderPlanFile({ spec, splits, ...shared }));
      return path;
    },
    async fractal(args, o = {}) {
      const [file = "", ...before] = [...(o.under ?? []), process.execPath, PROGRAM];
      const ran = await execa(file, [...before, ...args], {
        cwd: dir,
        env: environment(dir, { ...canary.env, ...o.env }),
        extendEnv: false,
        reject: false,
        all: true,
        ...(o.input === undefined ? { stdin: "ignore" as const } : { input: o.input }),
      });
      const { exitCode = -1, stdout, stderr, all } = ran;
      heard.push(String(all));
      return { exitCode, stdout: String(stdout), stderr: String(stderr), all: String(all) };
    },
    start(args, o = {}) {
      const running = execa(process.execPath, [PROGRAM, ...args], {
        cwd: dir,
        env: environment(dir, { ...canary.env, ...o.env }),
        extendEnv: false,
        reject: false,
        all: true,
        stdin: "ignore",
      });
      void running.then(({ all }) => heard.push(String(all)));
      return running as unknown as ResultPromise;
    },
    git,
    bd(...args) {
      const options = { cwd: dir, env: { ...env, BD_NON_INTERACTIVE: "1" }, extendEnv: false };
      return execaSync(BD, args, options).stdout;
    },
    runs() {
      const folder = join(dir, "telemetry");
      return readdirSync(folder);
    },
    events(run = rig.runs()[0] ?? "") {
      const text = readFileSync(join(dir, "telemetry", run, "events.jsonl"), "utf8");
      return text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as RunEvent);
    },
    onBranch(path, run = rig.runs()[0] ?? "") {
      return git("show", `fractal/${run}/main:${path}`);
    },
    [Symbol.dispose]() {
      try {
        canary.mustBeUnseen({ repository: dir, heard });
      } finally {
        rmSync(place, { recursive: true, force: true });
      }
    },
  };
  return rig;
}

/** Waits until something holds, looking again and again; throws with `what` when it never does. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  limitMs = 60_000,
): Promise<T> {
  const end = Date.now() + limitMs;
  while (Date.now() < end) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never came: ${what}`);
}
