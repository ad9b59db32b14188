/** Small runs that are cut off in every way, and what must be true of them afterwards. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ResultPromise } from "execa";
import type { RunEvent } from "../../src/domain/event.ts";
import { aRig, type Ran, type Rig } from "../e2e/rig.ts";
import { type Story, TWO_LEAVES } from "./stories.ts";

/** How a process is started. */
export interface How {
  env?: Record<string, string>;
  /** A command that runs it: `strace …`. */
  under?: string[];
}

/** A story in a repository of its own. */
export interface SmallRun extends Disposable {
  readonly rig: Rig;
  readonly story: Story;
  /** `fractal run PLAN` as its user would type it again and again. */
  run(how?: How): Promise<Ran>;
  fractal(args: string[], how?: How): Promise<Ran>;
  /** `fractal run` that goes on while the test does something to it. */
  start(how?: How): ResultPromise;
  /**
   * Runs, answers what is asked, and runs again after each death, as a patient person would, until
   * it ends by itself. `howOf` says how the first process is started, the second, and so on; `heard`
   * is told how each ended.
   */
  finish(howOf?: (process: number) => How, heard?: (ran: Ran) => void): Promise<Ran>;
  /** Ids of runs that have begun. */
  begun(): string[];
}

const PROCESSES_MAX = 12;

/** A repository with Beads made ready: making a database takes longer than a small run. */
let ground: Promise<string> | undefined;

/** How a small run differs from the usual one. */
export interface Setting {
  /** On a repository fresh from git, where bd has not been. */
  isBare?: boolean;
  /** The pause after an attempt that failed; none when left out. */
  backoffMs?: number;
  /** Called with the repository's folder before anything is in it: a disk may be mounted there. */
  onEmpty?(folder: string): void;
}

/** A story in a repository of its own; on ground where bd has been before, unless it is bare. */
export async function aSmallRun(story: Story, setting: Setting = {}): Promise<SmallRun> {
  if (setting.isBare) return openSmallRun(story, setting);
  ground ??= layGround();
  return openSmallRun(story, setting, await ground);
}

async function layGround(): Promise<string> {
  using first = openSmallRun(TWO_LEAVES, {});
  const died = await first.run(dyingAt("before journal run.started #1"));
  if (died.exitCode !== KILLED) throw new Error(`the ground was not laid:\n${died.all}`);
  const folder = mkdtempSync(join(tmpdir(), "fractal-ground-"));
  cpSync(first.rig.dir, folder, { recursive: true });
  rmSync(join(folder, "telemetry"), { recursive: true });
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function openSmallRun(story: Story, setting: Setting, from?: string): SmallRun {
  const { backoffMs = 0, onEmpty } = setting;
  const limits = [`attempts_max: ${story.attemptsMax}`, `backoff_base_ms: ${backoffMs}`];
  const settings = `jobs: 1\nlimits:\n${limits.map((line) => `  ${line}\n`).join("")}`;
  const rig = aRig({ "README.md": "# Here\n", "fractal.yaml": settings });
  if (from !== undefined) {
    rmSync(rig.dir, { recursive: true });
    mkdirSync(rig.dir);
    onEmpty?.(rig.dir);
    cpSync(from, rig.dir, { recursive: true });
    rig.write({ "fractal.yaml": settings });
    rig.git("commit", "--quiet", "--all", "--amend", "--no-edit");
  }
  const args = ["run", orderOf(rig, story), "--model", rig.script(story.answers)];
  const temporary = mkdtempSync(join(rig.dir, "..", "tmp-"));
  const fractal = (given: string[], { env, ...how }: How = {}) =>
    rig.fractal(given, { ...how, env: { TMPDIR: temporary, ...env } });
  const small: SmallRun = {
    rig,
    story,
    run: (how) => fractal(args, how),
    start: ({ env } = {}) => rig.start(args, { env: { TMPDIR: temporary, ...env } }),
    fractal,
    async finish(howOf = () => ({}), heard = () => undefined) {
      let processes = 0;
      const next = async (given?: string[]) => {
        processes += 1;
        const [begun] = small.begun();
        // Who saw it end asks for that run by name: given again, the plan would be a new one.
        const hasEnded = begun !== undefined && hasSaidDone(rig, begun);
        const ran = await fractal(given ?? (hasEnded ? ["resume", begun] : args), howOf(processes));
        heard(ran);
        return ran;
      };
      while (processes < PROCESSES_MAX) {
        const ran = await next();
        if (ran.exitCode === KILLED) continue;
        if (ran.exitCode !== 3 || story.says === undefined) return ran;
        const answered = await next(["answer", questionOf(small), story.says]);
        if (answered.exitCode !== 0 && answered.exitCode !== KILLED) return answered;
      }
      throw new Error(`it goes on and on, in ${rig.dir}`);
    },
    begun() {
      if (!existsSync(join(rig.dir, "telemetry"))) return [];
      return rig.runs().filter((run) => journalText(rig, run).includes("\n"));
    },
    [Symbol.dispose]() {
      rig[Symbol.dispose]();
    },
  };
  return small;
}

/** The file that is run: a plan, or the specification alone. */
function orderOf(rig: Rig, story: Story): string {
  if (story.plan !== undefined) return rig.plan(story.spec, { root: story.plan });
  const file = join(rig.dir, "..", "spec.md");
  writeFileSync(file, story.spec);
  return file;
}

function hasSaidDone(rig: Rig, run: string): boolean {
  const last = wholeEvents(rig, run).at(-1);
  return last?.event_type === "run.stopped" && last.exit_code === 0;
}

function questionOf(small: SmallRun): string {
  const asked = wholeEvents(small.rig, small.begun()[0] ?? "").findLast((event) => {
    return event.event_type === "question.opened";
  });
  return asked?.event_type === "question.opened" ? asked.question : "none";
}

/** The exit code `Rig.fractal` gives for a process that was killed. */
export const KILLED = -1;

const preload = (file: string) => `--import=${pathToFileURL(join(import.meta.dirname, file)).href}`;

/** Dies at a step. */
export function dyingAt(step: string): How {
  return { env: { NODE_OPTIONS: preload("die-at-step.ts"), FRACTAL_DIE_AT: step } };
}

/** Writes its steps to a file. */
export function tellingSteps(file: string): How {
  return { env: { NODE_OPTIONS: preload("die-at-step.ts"), FRACTAL_STEPS: file } };
}

/** Its clock is off, or is set while it runs; see jump-clock.ts. */
export function withClock(env: Record<string, string>): How {
  return { env: { NODE_OPTIONS: preload("jump-clock.ts"), ...env } };
}

/** Its n-th fsync fails. */
export function failingFsync(n: number): How {
  return { env: { NODE_OPTIONS: preload("die-at-step.ts"), FRACTAL_FAIL_FSYNC: `${n}` } };
}

/** Its n-th call of this kind fails, in the kernel's own words. */
export function failingCall(call: string, error: string, n: number): How {
  return {
    under: [...STRACE, "-e", `trace=${call}`, "-e", `inject=${call}:error=${error}:when=${n}`],
  };
}

/** Dies when one of its threads, but no program it starts, comes to the n-th call of this kind. */
export function dyingAtCall(call: string, n: number): How {
  return {
    under: [...STRACE, "-e", `trace=${call}`, "-e", `inject=${call}:signal=SIGKILL:when=${n}`],
  };
}

/** All threads of the program, none of the programs it starts. */
const STRACE = ["strace", "-f", "-b", "execve", "--seccomp-bpf", "-qq", "-o", "/dev/null"];

/**
 * What is only looked at changes nothing: dying before or after it is dying at its neighbours. The
 * start of an `update-ref` moves nothing yet; see `git move`.
 */
const READS =
  /(git (|rev-parse|cat-file|ls-tree|rev-list|diff-tree|update-ref|status|config)|bd (list|config|version|comments)) #/;

/** Every step of a story that writes something or starts something that may, in order. */
export function stepsIn(file: string): string[] {
  const steps = readFileSync(file, "utf8").trimEnd().split("\n");
  return steps.filter((step) => !READS.test(step));
}

/** The events of a run whose last line may be half written. */
export function wholeEvents(rig: Rig, run: string): RunEvent[] {
  const lines = journalText(rig, run).split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as RunEvent);
}

/** The text of a run's journal; empty when there is none. */
export function journalText(rig: Rig, run: string): string {
  const file = join(rig.dir, "telemetry", run, "events.jsonl");
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

/** Names in a folder and below; none when it is not there. */
export function namesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true }).map((name) => basename(String(name)));
}
