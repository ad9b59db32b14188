/** Killed anywhere, a run goes on, ends as if nothing had been, and does nothing when resumed again. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { bdThatDies, CALLS as CALLS_OF_BD } from "../destruction/bd-that-dies.ts";
import { survive, tell, undisturbed } from "../destruction/deaths.ts";
import { expectNoChange, expectWhole } from "../destruction/judge.ts";
import { slowGit } from "../destruction/slow-git.ts";
import { aSmallRun, dyingAt, dyingAtCall } from "../destruction/small-run.ts";
import { PLANNED_TREE, STUCK_LEAF, type Story, TWO_LEAVES } from "../destruction/stories.ts";
import { chanceOf, sampleOf, tryAll } from "../destruction/trials.ts";
import { IS_DEEP, SEED } from "../support/seed.ts";

const file = "test/e2e/kill.test.ts";
const TIMEOUT_MS = 6 * 60 * 60_000;

/** A process of a story, and the step at which it dies. */
interface StepDeath {
  story: Story;
  isBare: boolean;
  process: number;
  step: string;
}

function deathsOf(story: Story, steps: string[][], isBare = false): StepDeath[] {
  return steps.flatMap((each, at) =>
    each.map((step) => ({ story, isBare, process: at + 1, step })),
  );
}

const nameOf = ({ story, isBare, process, step }: StepDeath) =>
  `${story.name}${isBare ? ", bare" : ""} / process ${process} / ${step}`;

async function dieOnce({ story, isBare, process, step }: StepDeath): Promise<string> {
  const died = await survive({ story, isBare, hows: new Map([[process, dyingAt(step)]]) });
  return died === 1 ? (step.split(" ")[0] ?? "") : "not reached";
}

/** What a run does to make a repository ready, before its journal's first line. */
const MAKING_READY = /bd init|git init|bwrap #[123]$|blob #[12]$|journal run.started/;

it(
  "at every step: before, in and after each journal line, and each program that is started",
  async () => {
    const deaths: StepDeath[] = [];
    for (const story of [TWO_LEAVES, STUCK_LEAF]) {
      deaths.push(...deathsOf(story, (await undisturbed(story)).steps));
    }
    if (IS_DEEP) {
      const bare = deathsOf(TWO_LEAVES, (await tell(TWO_LEAVES, true)).steps, true);
      deaths.push(...bare.filter(({ step }) => MAKING_READY.test(step)));
    }
    await tryAll({
      file,
      suite: "kill -9",
      what: "before, in and after every journal line and everything a run starts or writes, then resumed, then resumed again",
      cases: IS_DEEP ? deaths : sampleOf(deaths, 6, chanceOf(SEED)),
      nameOf,
      attempt: dieOnce,
    });
  },
  TIMEOUT_MS,
);

it(
  "at a step, and again in the middle of its recovery",
  async () => {
    const chance = chanceOf(SEED + 1);
    const deaths = deathsOf(TWO_LEAVES, (await undisturbed(TWO_LEAVES)).steps);
    const cases = sampleOf(deaths, IS_DEEP ? 60 : 2, chance).map((death) => ({
      ...death,
      again: `@${1 + Math.floor(chance() * 250)}`,
    }));
    await tryAll({
      file,
      suite: "kill -9 twice",
      what: "at a step, and again at a step of the recovery",
      cases,
      nameOf: (one) => `${nameOf(one)} / then ${one.again}`,
      attempt: async ({ story, process, step, again }) => {
        const hows = new Map([
          [process, dyingAt(step)],
          [process + 1, dyingAt(again)],
        ]);
        return `${await survive({ story, hows })} deaths`;
      },
    });
  },
  TIMEOUT_MS,
);

it(
  "the planner's too, while it asks, writes the tree of two levels, and commits its interfaces",
  async () => {
    const { steps } = await undisturbed(PLANNED_TREE);
    const first = steps[0] ?? [];
    const from = first.findIndex((step) => step.includes("call.started"));
    const until = first.findLastIndex((step) => step.includes("task.split"));
    const planning = deathsOf(PLANNED_TREE, [first.slice(from, until + 1)]);
    await tryAll({
      file,
      suite: "planner killed",
      what: "at every step between its first question and the last split: no orphan, no half tree, same ids",
      cases: sampleOf(planning, IS_DEEP ? planning.length : 2, chanceOf(SEED + 2)),
      nameOf,
      attempt: dieOnce,
    });
  },
  TIMEOUT_MS,
);

it(
  "while its git moves a ref, and that git does so later",
  async () => {
    const { steps } = await undisturbed(TWO_LEAVES);
    const moves = (steps[0] ?? []).filter((step) => step.startsWith("during git move"));
    const cases = moves.flatMap((step) =>
      [0.5, 1, 1.5, 2, 3, 5].map((seconds) => ({ step, seconds })),
    );
    await tryAll({
      file,
      suite: "git outlives it",
      what: "kill -9 while git moves a ref; that git goes on 0.5 to 5 s later, beside the recovery",
      cases: sampleOf(cases, IS_DEEP ? cases.length : 1, chanceOf(SEED + 5)),
      nameOf: ({ step, seconds }) => `${step}, ${seconds} s later`,
      attempt: async ({ step, seconds }) => {
        const folder = mkdtempSync(join(tmpdir(), "fractal-git-"));
        try {
          slowGit(folder, Number(step.split("#")[1]), seconds);
          const { env } = dyingAt(step);
          const how = { env: { ...env, PATH: `${folder}:${process.env["PATH"]}` } };
          await survive({ story: TWO_LEAVES, hows: new Map([[1, how]]) });
          return undefined;
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      },
    });
  },
  TIMEOUT_MS,
);

/** System calls a run makes with its own hands, and about how often. */
const CALLS = {
  fsync: 105,
  rename: 18,
  write: 290,
  mkdir: 40,
  openat: 1300,
  clone: 50,
  socketpair: 130,
  wait4: 200,
  close: 1500,
} as const;

it(
  "at any of its own system calls, and again in its recovery",
  async () => {
    const chance = chanceOf(SEED + 3);
    const names = Object.keys(CALLS) as (keyof typeof CALLS)[];
    const aCall = () => {
      const call = names[Math.floor(chance() * names.length)] ?? "fsync";
      return { call, n: 1 + Math.floor(chance() * CALLS[call]) };
    };
    const cases = Array.from({ length: IS_DEEP ? 200 : 3 }, () => [aCall(), aCall()]);
    await tryAll({
      file,
      suite: "kill -9 at system calls",
      what: "fractal's own process by strace, and a second time in its recovery",
      cases,
      nameOf: (calls) => calls.map(({ call, n }) => `${call} ${n}`).join(", then "),
      attempt: async (calls) => {
        const hows = calls.map(({ call, n }, at) => [at + 1, dyingAtCall(call, n)] as const);
        return `${await survive({ story: TWO_LEAVES, hows: new Map(hows) })} deaths`;
      },
    });
  },
  TIMEOUT_MS,
);

it(
  "or its bd, in the middle of a write: the run goes on by itself",
  async () => {
    const chance = chanceOf(SEED + 4);
    const names = Object.keys(CALLS_OF_BD) as (keyof typeof CALLS_OF_BD)[];
    const cases = Array.from({ length: IS_DEEP ? 60 : 2 }, () => {
      const call = names[Math.floor(chance() * names.length)] ?? "fsync";
      return {
        write: 1 + Math.floor(chance() * 4),
        call,
        n: 1 + Math.floor(chance() * CALLS_OF_BD[call]),
      };
    });
    let deaths = 0;
    const { outcome } = await undisturbed(TWO_LEAVES);
    await tryAll({
      file,
      suite: "bd killed",
      what: "in the middle of a write, at a system call of its own",
      cases,
      nameOf: ({ write, call, n }) => `write ${write}, ${call} ${n}`,
      attempt: async ({ write, ...at }) => {
        const folder = mkdtempSync(join(tmpdir(), "fractal-bd-"));
        try {
          using small = await aSmallRun(TWO_LEAVES);
          const ended = await small.run({ env: { FRACTAL_BD: bdThatDies(folder, write, at) } });
          expect(ended.exitCode, ended.all).toBe(0);
          await expectWhole(small, outcome, 0);
          await expectNoChange(small);
          const hasDied = existsSync(join(folder, "died"));
          if (hasDied) deaths += 1;
          return hasDied ? "died" : "not reached";
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      },
    });
    // A bd that was never killed would prove nothing.
    expect(deaths).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);
