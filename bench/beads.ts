/** What Beads costs a run: many leaves, a model that answers at once, and bd alone for the same writes. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { execa, execaSync } from "execa";
import { scriptedModel } from "../src/adapters/models/scripted.ts";
import { realBd, runOnRealParts, type Split } from "./real-parts.ts";
import { treeOf, wordOf } from "./scheduler.ts";

/** How a run with Beads compares with bd alone; milliseconds, but for the counts. */
export interface BeadsCost {
  leaves: number;
  run: Split;
  /** All that bd writes in this run, done again by bd alone, in the same calls. */
  bdAlone: number;
  writes: number;
  /** How long a person's `bd list` took while the run went on: how many, and the longest. */
  lists: number;
  listMax: number;
}

/**
 * Runs this many leaves with a model that takes `modelMs`; where `isWatched`, a person lists the
 * issues meanwhile, every three seconds.
 */
export async function costOfBeads(o: {
  leaves: number;
  modelMs: number;
  jobs: number;
  isUntracked?: boolean;
  isWatched?: boolean;
}): Promise<BeadsCost> {
  const place = mkdtempSync(join(tmpdir(), "fractal-bench-bd-"));
  try {
    const bd = await realBd();
    const { wrapper, calls } = writing(bd, place);
    const lists: number[] = [];
    const run = await runOnRealParts({
      ...treeOf(o.leaves, (file, text) => `grep -qs ${text} ${file}`),
      root: ".",
      model: scriptedModel(async (request) => {
        if (o.modelMs > 0) await new Promise((resolve) => setTimeout(resolve, o.modelMs));
        return wordOf(request);
      }),
      limits: { jobs: o.jobs, tasksMax: 1_000, resyncMs: 300_000 },
      bd: wrapper,
      isUntracked: o.isUntracked ?? false,
      async beside(folder, ended) {
        while (o.isWatched && !ended.aborted) {
          lists.push(await listByPerson(bd, folder, join(place, `list-${lists.length}`)));
          await new Promise((resolve) => setTimeout(resolve, 3_000));
        }
      },
    });
    const { took, count } = replayed(bd, calls, place);
    return {
      leaves: o.leaves,
      run,
      bdAlone: took,
      writes: count,
      lists: lists.length,
      listMax: Math.max(0, ...lists),
    };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/**
 * How long a `bd list` takes that no process of this run started: its parent is gone, as fractal would
 * take a child's for its own and not stand back.
 */
async function listByPerson(bd: string, folder: string, mark: string): Promise<number> {
  const startedAt = performance.now();
  const script = '("$0" list >/dev/null 2>&1; touch "$1") &';
  await execa("sh", ["-c", script, bd, mark], {
    cwd: folder,
    stdio: "ignore",
    env: { BD_DISABLE_METRICS: "1" },
  });
  while (!existsSync(mark)) await new Promise((resolve) => setTimeout(resolve, 10));
  return performance.now() - startedAt;
}

/** A bd that keeps what it was asked to write: its arguments, its input and the file it names. */
function writing(bd: string, place: string): { wrapper: string; calls: string } {
  const calls = join(place, "calls");
  mkdirSync(calls);
  const wrapper = join(place, "bd");
  writeFileSync(
    wrapper,
    `#!/bin/sh
case "$1" in
  create|batch|update|close|comments|init|config)
    n=$(date +%s%N)
    printf '%s\\n' "$@" > ${calls}/$n.args
    [ "$1" = create ] && cp "$3" ${calls}/$n.file
    if [ "$1" = batch ]; then cat > ${calls}/$n.in; exec ${bd} "$@" < ${calls}/$n.in; fi;;
esac
exec ${bd} "$@"
`,
  );
  chmodSync(wrapper, 0o755);
  return { wrapper, calls };
}

/** The same writes by bd alone on a fresh database. */
function replayed(bd: string, calls: string, place: string): { took: number; count: number } {
  const dir = join(place, "alone");
  mkdirSync(dir);
  execaSync("git", ["init", "--quiet"], { cwd: dir });
  const env = {
    BD_NON_INTERACTIVE: "1",
    BD_DISABLE_METRICS: "1",
    BD_NO_HOOKS: "1",
    BEADS_ACTOR: "fractal",
    GIT_AUTHOR_EMAIL: "fractal@localhost",
    BD_EXPORT_AUTO: "false",
    BD_IMPORT_AUTO: "false",
    BD_BACKUP_ENABLED: "false",
  };
  let took = 0;
  let count = 0;
  for (const name of readdirSync(calls)
    .filter((one) => one.endsWith(".args"))
    .sort()) {
    const at = join(calls, name.slice(0, -5));
    const args = readFileSync(`${at}.args`, "utf8").trimEnd().split("\n");
    const isSetUp = args[0] === "init" || args[0] === "config";
    const given = args.map((arg, i) => (args[0] === "create" && i === 2 ? `${at}.file` : arg));
    const input = args[0] === "batch" ? { input: readFileSync(`${at}.in`) } : {};
    const startedAt = performance.now();
    execaSync(bd, given, { cwd: dir, env, ...input });
    if (isSetUp) continue;
    took += performance.now() - startedAt;
    count += 1;
  }
  return { took, count };
}
