/** Where a whole run of the core can stand: its repository, its folders, and a person's hand in both. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openRepository } from "../../src/adapters/git/repository.ts";
import type { Clock, Repository, Sandbox } from "../../src/domain/ports.ts";
import { memoryRepository } from "./memory-repository.ts";
import { memorySandbox } from "./memory-world.ts";
import { jumpingClock } from "./virtual-time.ts";

export interface Ground {
  repository: Repository;
  sandbox: Sandbox;
  clock: Clock;
  /** Messages on the branch beyond its base, newest first. */
  log(): string[];
  /** The commit kept under a name. */
  kept(name: string): string | undefined;
  /** A person sets the branch back by one commit. */
  rewind(): void;
  close(): void;
}

/** All in memory: merges whole files, so that it conflicts where git would join lines. */
export function memoryGround(base: Record<string, string>): Ground {
  const repository = memoryRepository(base);
  return {
    repository,
    sandbox: memorySandbox(repository),
    clock: jumpingClock(),
    log: () => repository.log().slice(0, -1),
    kept: (name) => repository.kept.get(name),
    rewind: () => repository.rewind(),
    close: () => undefined,
  };
}

/** A real repository and real folders, without a sandbox: what runs there is a few words of ours. */
export async function gitGround(base: Record<string, string>): Promise<Ground> {
  const place = mkdtempSync(join(tmpdir(), "fractal-ground-"));
  const checkout = join(place, "checkout");
  mkdirSync(checkout);
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=Una", "-c", "user.email=una@example.org", ...args], {
      cwd: checkout,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trimEnd();
  git("init", "-q");
  for (const [path, text] of Object.entries(base)) {
    mkdirSync(dirname(join(checkout, path)), { recursive: true });
    writeFileSync(join(checkout, path), text);
  }
  git("add", ".");
  git("commit", "-qm", "base", "--allow-empty");
  const repository = await openRepository({ checkout, runId: "r1", root: "." });
  const start = await repository.startBranch({ base: git("rev-parse", "HEAD") });
  const branch = "fractal/r1/main";
  return {
    repository,
    sandbox: folderSandbox(join(place, "work")),
    clock: hurriedClock(),
    log: () =>
      git("log", "--format=%B%x00", `${start}..${branch}`)
        .split("\0")
        .map((message) => message.trim())
        .filter((message) => message !== ""),
    kept(name) {
      try {
        return git("rev-parse", "--verify", "--quiet", `refs/fractal/r1/${name}`);
      } catch {
        return undefined;
      }
    },
    rewind() {
      if (git("rev-parse", branch) === start) return;
      git("update-ref", `refs/heads/${branch}`, git("rev-parse", `${branch}^`));
    },
    close: () => rmSync(place, { recursive: true, force: true }),
  };
}

/** The words of `memorySandbox`, in folders on disk. */
function folderSandbox(place: string): Sandbox {
  return {
    contained: true,
    async workspace(name) {
      const folder = join(place, name);
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      return folder;
    },
    handOver: async () => undefined,
    async discard(folder) {
      rmSync(folder, { recursive: true, force: true });
    },
    async run({ folder, argv }) {
      const [word = "", path = "", ...text] = (argv.at(-1) ?? "").split(" ");
      const passes =
        word === "true" || (word === "has" && textOf(folder, path).includes(text.join(" ")));
      const stderr = passes ? "" : `${path} lacks ${text.join(" ")}`;
      const exitCode = passes ? 0 : 1;
      return { exitCode, stdout: "", stderr, timedOut: false, truncated: false, durationMs: 0 };
    },
    installed: { has: async () => false, keep: async () => undefined, show: async () => undefined },
    async tool({ folder, tool, args }) {
      const { path, text } = args as { path: string; text: string };
      if (tool !== "write_file") return { text: "no such tool", isError: true };
      writeFileSync(join(folder, path), text);
      return { text: "written", isError: false };
    },
  };
}

function textOf(folder: string, path: string): string {
  try {
    return readFileSync(join(folder, path), "utf8");
  } catch {
    return "";
  }
}

const HURRY = 50;
/** What a timer takes; more of it is none. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** A real clock that goes fifty times as fast: what waits for git need not wait for seconds. */
function hurriedClock(): Clock {
  const startedAt = Date.now();
  return {
    now: () => startedAt + Math.round((Date.now() - startedAt) * HURRY),
    sleep(delayMs, signal) {
      if (signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", wake);
          resolve();
        };
        const timer = setTimeout(wake, Math.min(delayMs / HURRY, TIMER_MS_MAX));
        signal.addEventListener("abort", wake, { once: true });
      });
    },
  };
}
