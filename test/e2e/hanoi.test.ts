/**
 * The towers of Hanoi: steps that depend each on the one before, through the real Beads and git, by a
 * scripted worker, killed again and again. Every step is made exactly once, and in order.
 */

import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execaSync } from "execa";
import { expect, it } from "vitest";
import { BD } from "../support/bd.ts";
import { report } from "../support/report.ts";
import { IS_DEEP, SEED } from "../support/seed.ts";
import { chanceOf } from "../support/toy-run.ts";
import { type Towers, towersOf } from "./hanoi.ts";
import { aRig, type Rig } from "./rig.ts";

const KILLS = 20;
/** `FRACTAL_SEED` plays the same kills again, as far as a machine does the same twice. */

/** How often the timer looks at the journal while it waits to kill. */
const LOOK_MS = 5;

/** A bd that notes when each of its commands began and ended. */
function timedBd(rig: Rig): { bd: string; seconds(): number; commands(): Record<string, number> } {
  const bd = join(rig.dir, "..", "bd");
  const log = join(rig.dir, "..", "bd.log");
  writeFileSync(
    bd,
    `#!/bin/sh\n[ "$1" = events ] && exec ${BD} "$@"\nbegan=$(date +%s%N)\n${BD} "$@"\ncode=$?\necho "$1 $began $(date +%s%N)" >> ${log}\nexit $code\n`,
  );
  chmodSync(bd, 0o755);
  const rows = () => (existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : []);
  const took = (row: string) => {
    const [, began, ended] = row.split(" ");
    return Number(BigInt(ended ?? 0) - BigInt(began ?? 0)) / 1e9;
  };
  return {
    bd,
    seconds: () => rows().reduce((sum, row) => sum + took(row), 0),
    commands() {
      const counts: Record<string, number> = {};
      for (const row of rows()) {
        const name = row.split(" ")[0] ?? "";
        counts[name] = (counts[name] ?? 0) + 1;
      }
      return counts;
    },
  };
}

function linesOf(rig: Rig): number {
  const run = existsSync(join(rig.dir, "telemetry")) ? rig.runs()[0] : undefined;
  const file = join(rig.dir, "telemetry", run ?? "", "events.jsonl");
  if (run === undefined || !existsSync(file)) return 0;
  return readFileSync(file, "latin1").split("\n").length - 1;
}

/** True when the run said that it is over. */
function hasStopped(rig: Rig): boolean {
  return rig.events().at(-1)?.event_type === "run.stopped";
}

/** How often each issue was closed, and opened again, by Beads' own record. */
function closesOf(rig: Rig): Map<string, number> {
  const closes = new Map<string, number>();
  const rows = rig.bd("events", "tail", "--since", "0", "--json").trim().split("\n");
  for (const row of rows) {
    const { op, issue_id } = JSON.parse(row);
    if (op === "close") closes.set(issue_id, (closes.get(issue_id) ?? 0) + 1);
  }
  return closes;
}

async function play(towers: Towers, disks: number): Promise<void> {
  using rig = aRig(towers.files);
  rig.settings({ jobs: 2, limits: { tasks_max: towers.steps.length * 2 } });
  const { bd, seconds, commands } = timedBd(rig);
  rig.bd(
    "init",
    "--non-interactive",
    "-q",
    "-p",
    "fr",
    "--skip-agents",
    "--skip-hooks",
    "--stealth",
  );
  rig.bd("config", "set", "events-journal", "true");
  const plan = rig.plan(towers.spec, towers.splits);
  const args = ["run", plan, "--model", rig.script(towers.answers)];
  const options = { env: { FRACTAL_BD: bd } };
  const chance = chanceOf(SEED);
  // Fewer lines than a whole run writes, spread over the kills: some more are written until each comes.
  const linesEach = Math.floor((towers.steps.length * 8) / KILLS);

  const beganAt = performance.now();
  let killed = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const from = linesOf(rig);
    const wanted = from + 1 + chance(linesEach * 2);
    const delayMs = chance(200);
    const running = rig.start(args, options);
    let isOver = false;
    void running.then(() => {
      isOver = true;
    });
    while (!isOver && linesOf(rig) < wanted) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    if (!isOver) await new Promise((resolve) => setTimeout(resolve, delayMs));
    if (!isOver && running.kill("SIGKILL")) killed += 1;
    await running;
    if (hasStopped(rig)) break;
  }
  // A run that is over would not be gone on with: the next is another.
  const last = hasStopped(rig) ? "" : (await rig.fractal(args, options)).all;
  const took = (performance.now() - beganAt) / 1000;

  const again = `FRACTAL_SEED=${SEED}${IS_DEEP ? " FRACTAL_DEEP=1" : ""}`;
  expect(rig.events().at(-1), `${last}\n${again}`).toMatchObject({
    event_type: "run.stopped",
    exit_code: 0,
  });
  const [run = "", ...others] = rig.runs();
  expect(others, again).toEqual([]);
  const log = rig.git(
    ...["log", "--reverse", "--first-parent", "--format=%(trailers:key=Fractal-Task,valueonly)"],
    `fractal/${run}/main`,
  );
  const created = new Map<string, string>();
  for (const event of rig.events(run)) {
    if (event.event_type === "task.created") created.set(event.task_id ?? "", event.key);
  }
  const merged = log.split("\n").flatMap((line) => created.get(line.split(" ")[0] ?? "") ?? []);
  expect(
    merged.map((key) => key.split(".").at(-1)),
    again,
  ).toEqual(towers.steps);
  const moves = towers.steps.map((_, index) =>
    rig.onBranch(`moves/${String(index + 1).padStart(4, "0")}.txt`, run),
  );
  expect(moves, again).toEqual(towers.moves);
  const closes = closesOf(rig);
  expect(Object.fromEntries(closes), again).toEqual(
    Object.fromEntries([...created.keys()].map((id) => [id, 1])),
  );
  const checked = await rig.fractal(["fsck", "--json"]);
  expect(JSON.parse(checked.stdout).data.findings, again).toEqual([]);

  const calls = rig.events(run).filter((event) => event.event_type === "call.answered").length;
  const details = {
    seconds: Math.round(took),
    "of it bd": `${Math.round((100 * seconds()) / took)} %`,
    "kill -9": killed,
    "model calls": calls,
    bd: commands(),
    lines: linesOf(rig),
  };
  process.stderr.write(`hanoi, ${disks} disks, ${again}: ${JSON.stringify(details)}\n`);
  report({
    suite: "hanoi",
    what: `${towers.steps.length} dependent steps, killed ${killed} times at random, each made exactly once and in order`,
    count: towers.steps.length,
    passed: towers.steps.length,
    seed: SEED,
    details,
  });
  expect(killed, again).toBeGreaterThan(KILLS / 2);
}

it("63 steps are made exactly once and in order, though fractal is killed 20 times", async () => {
  await play(towersOf(6, 16), 6);
}, 1_200_000);

it.runIf(IS_DEEP)(
  "1,023 steps are made exactly once and in order, though fractal is killed 20 times",
  async () => {
    await play(towersOf(10, 16), 10);
  },
  14_400_000,
);

it("the judge of the moves is no friend: a missing and an unlawful move are seen", () => {
  using rig = aRig({ ...towersOf(2, 3).files, "moves/0001.txt": "A B", "moves/0002.txt": "A B" });
  const judge = (step: number) =>
    execaSync("node", ["hanoi.mjs", String(step)], { cwd: rig.dir, reject: false });
  expect(judge(1).stdout).toBe("right");
  expect(judge(2).stderr).toContain("not lawful");
  expect(judge(3).exitCode).not.toBe(0);
});
