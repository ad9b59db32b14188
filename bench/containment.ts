/** What the sandbox costs: the start of a command beside the bare one, and a workspace made and removed. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { openRepository } from "../src/adapters/git/repository.ts";
import { runProcess } from "../src/adapters/sandbox/process.ts";
import { removeTree } from "../src/adapters/sandbox/remove.ts";
import { createSandbox, type OpenSandbox } from "../src/adapters/sandbox/sandbox.ts";
import { isFailure } from "../src/domain/failure.ts";

const never = new AbortController().signal;
const STARTS = 41;
const WORKSPACES = 11;

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function inPlace<T>(act: (place: string) => Promise<T>): Promise<T> {
  const place = mkdtempSync(join(tmpdir(), "fractal-bench-"));
  chmodSync(place, 0o755);
  try {
    return await act(place);
  } finally {
    await removeTree(place);
  }
}

async function open(place: string, checkout: string, root: string): Promise<OpenSandbox> {
  const sandbox = await createSandbox({
    ...{ mode: "contained", checkout, root, runId: "bench", cache: join(place, "cache") },
  });
  if (isFailure(sandbox)) throw new Error(sandbox.detail);
  return sandbox;
}

/** The median time of `true`, bare and in the sandbox, in turn; ms. */
export function costOfStart(): Promise<{ bare: number; contained: number }> {
  return inPlace(async (place) => {
    const sandbox = await open(place, place, ".");
    const folder = await sandbox.workspace("w");
    const bare: number[] = [];
    const contained: number[] = [];
    const limits = { timeoutMs: 10_000, outputBytesMax: 1000 };
    for (let at = 0; at < STARTS; at++) {
      const first = performance.now();
      await runProcess({ file: "/bin/true", args: [], cwd: "/", env: {}, ...limits }, never);
      const second = performance.now();
      await sandbox.run({ folder, argv: ["true"], ...limits }, never);
      bare.push(second - first);
      contained.push(performance.now() - second);
    }
    await sandbox.close();
    return { bare: median(bare), contained: median(contained) };
  });
}

export interface WorkspaceCost {
  files: number;
  /** Until a command can be run in it. */
  make: number;
  /** Until the next can be made; the rest happens behind the work. */
  remove: number;
  /** From then until nothing of it is left. */
  behind: number;
  /** The same files out of an archive by `tar`, in turn with it: what this disk takes at least. */
  tar: number;
}

/** A workspace with the files of a folder of a repository of 5,000, as one attempt has it; medians, ms. */
export function costOfWorkspace(root: "." | "part"): Promise<WorkspaceCost> {
  return inPlace(async (place) => {
    const checkout = join(place, "checkout");
    makeRepository(checkout);
    const repository = await openRepository({ checkout, runId: "bench", root });
    const head = await repository.startBranch({
      base: execFileSync("git", ["-C", checkout, "rev-parse", "HEAD"], { encoding: "utf8" }).trim(),
    });
    const sandbox = await open(place, checkout, root);
    const archive = join(place, "files.tar");
    execFileSync("tar", ["-cf", archive, "-C", join(checkout, root), "--exclude=.git", "."]);
    const times: { make: number; remove: number; behind: number; tar: number }[] = [];
    let files = 0;
    for (let at = 0; at < WORKSPACES; at++) {
      const beside = await sandbox.workspace(`tar-${at}`);
      const began = performance.now();
      execFileSync("tar", ["-xmf", archive, "--no-same-owner", "-C", beside]);
      const tar = performance.now() - began;
      await sandbox.discard(beside);
      await emptied(dirname(beside));
      const start = performance.now();
      const folder = await sandbox.workspace(`w-${at}`);
      await repository.checkout(head, folder);
      await sandbox.handOver(folder);
      const made = performance.now();
      files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
        entry.isFile(),
      ).length;
      const counted = performance.now();
      await sandbox.discard(folder);
      const removed = performance.now();
      await emptied(dirname(folder));
      const behind = performance.now() - removed;
      times.push({ make: made - start, remove: removed - counted, behind, tar });
    }
    await sandbox.close();
    return {
      files,
      make: median(times.map((time) => time.make)),
      remove: median(times.map((time) => time.remove)),
      behind: median(times.map((time) => time.behind)),
      tar: median(times.map((time) => time.tar)),
    };
  });
}

async function emptied(folder: string): Promise<void> {
  while (readdirSync(folder).length > 0) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** 5,000 files of 1 to 8 KB in 250 folders, 300 of them below `part`. */
function makeRepository(folder: string): void {
  for (let at = 0; at < 5_000; at++) {
    const top = at < 300 ? "part" : "rest";
    const path = join(folder, top, `d${Math.floor(at / 20)}`, `file${at}.ts`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `// ${at}\n`.repeat(128 * (1 + (at % 8))));
  }
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", folder, ...args], { stdio: "ignore" });
  git("init", "-q");
  git("add", ".");
  git("-c", "user.name=b", "-c", "user.email=b@localhost", "commit", "-qm", "base");
}
