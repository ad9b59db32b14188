/** A run whose journal or blobs were damaged: every command says so in words, and none begins another run instead. */
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { aSmallRun, dyingAt, KILLED, type SmallRun } from "../destruction/small-run.ts";
import { TWO_LEAVES } from "../destruction/stories.ts";
import { chanceOf, sampleOf, tryAll } from "../destruction/trials.ts";
import { IS_DEEP, SEED } from "../support/seed.ts";

const STACK = /^\s+at .+:\d+:\d+\)?$/m;

let small: SmallRun;
let run: string;
let journal: string;
let kept: string;

/** A run that was cut off before its second leaf. */
beforeAll(async () => {
  small = await aSmallRun(TWO_LEAVES);
  const died = await small.run(dyingAt("after journal merge.done #1"));
  expect(died.exitCode, died.all).toBe(KILLED);
  run = small.begun()[0] ?? "";
  journal = join(small.rig.dir, "telemetry", run, "events.jsonl");
  kept = join(small.rig.dir, "..", "kept");
  cpSync(join(small.rig.dir, "telemetry"), kept, { recursive: true });
});
afterAll(() => small[Symbol.dispose]());

function restore(): void {
  rmSync(join(small.rig.dir, "telemetry"), { recursive: true });
  cpSync(kept, join(small.rig.dir, "telemetry"), { recursive: true });
}

function damageLine(at: number, how: (line: string) => string): void {
  restore();
  const lines = readFileSync(journal, "utf8").split("\n");
  lines[at - 1] = how(lines[at - 1] ?? "");
  writeFileSync(journal, lines.join("\n"));
}

const COMMANDS = ["run", "resume", "tree", "show", "fsck", "replay", "status", "cost", "why"];

/** The arguments of a command about the run, as a user gives them. */
function argsOf(command: string): string[] {
  if (command === "show" || command === "why") return [command, `fr-${run}.a1`];
  return command === "tree" || command === "status" || command === "cost"
    ? [command]
    : [command, run];
}

async function say(command: string) {
  return command === "run" ? small.run() : small.fractal(argsOf(command));
}

/** What is done to which line, and the lines that may be blamed for it. */
const DAMAGES = [
  { name: "a line that is not JSON", at: 6, how: (line: string) => line.slice(0, 40), blamed: [6] },
  {
    name: "a line with another number",
    at: 9,
    how: (line: string) => line.replace(/"seq":\d+/, '"seq":99'),
    blamed: [9],
  },
  {
    name: "a changed word",
    at: 12,
    how: (line: string) => line.replace("fractal", "somebody"),
    blamed: [12, 13],
  },
  { name: "its first line lost", at: 1, how: () => "garbage", blamed: [1] },
];

it("damage is told by every command with its line, and changes nothing", async () => {
  const cases = DAMAGES.flatMap((damage) => COMMANDS.map((command) => ({ ...damage, command })));
  await tryAll({
    file: "test/e2e/damage.test.ts",
    suite: "damage told",
    what: "a damaged journal and each command about it: refused in words, with its line; no other run is begun",
    cases: sampleOf(cases, IS_DEEP ? cases.length : 12, chanceOf(SEED)),
    nameOf: ({ name, command }) => `${name} / ${command}`,
    parallel: 1,
    attempt: async ({ at, how, blamed, command }) => {
      damageLine(at, how);
      const before = readFileSync(journal);
      const ran = await say(command);
      expect([1, 6], ran.all).toContain(ran.exitCode);
      expect(ran.all).toMatch(new RegExp(`events\\.jsonl:(${blamed.join("|")})\\b`));
      expect(ran.all).not.toMatch(STACK);
      expect(readFileSync(journal).equals(before), "the journal was changed").toBe(true);
      expect(small.begun(), "another run was begun").toEqual([run]);
      return command;
    },
  });
});

it("the lost text that it was started with is told by resume and by fsck", async () => {
  restore();
  const [first = ""] = readFileSync(journal, "utf8").split("\n");
  const { given_plan: hash } = JSON.parse(first) as { given_plan: string };
  truncateSync(join(small.rig.dir, "telemetry", run, "blobs", hash.slice(0, 2), hash), 3);
  const ran = await small.fractal(["resume", run]);
  expect(ran.exitCode, ran.all).toBe(6);
  expect(ran.all).toContain(hash);
  expect(ran.all).not.toMatch(STACK);
  const checked = await small.fractal(["fsck", run]);
  expect(checked.exitCode, checked.all).toBe(1);
  expect(checked.all).toContain(hash);
});
