/** A full disk, a disk that fails, a clock that is set, a process that sleeps, two controllers at once. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ResultPromise } from "execa";
import { expect, it } from "vitest";
import { undisturbed } from "../destruction/deaths.ts";
import { expectNoChange, expectWhole } from "../destruction/judge.ts";
import { mayMount, mountDisk, type SmallDisk } from "../destruction/small-disk.ts";
import {
  aSmallRun,
  failingCall,
  failingFsync,
  type How,
  type Setting,
  type SmallRun,
  wholeEvents,
  withClock,
} from "../destruction/small-run.ts";
import { TWO_LEAVES } from "../destruction/stories.ts";
import { chanceOf, sampleOf, tryAll } from "../destruction/trials.ts";
import { IS_DEEP, SEED } from "../support/seed.ts";
import { type Ran, until } from "./rig.ts";

const file = "test/e2e/trouble.test.ts";
const TIMEOUT_MS = 6 * 60 * 60_000;
const STACK = /^\s+at .+:\d+:\d+\)?$/m;

/** The environment's trouble: said in words, with the exit code that is meant for it. */
function expectClearTrouble(ran: Ran, words: RegExp): void {
  expect(ran.exitCode, ran.all).toBe(6);
  expect(ran.stderr).toMatch(words);
  expect(ran.all).not.toMatch(STACK);
  expect(ran.all).not.toContain("this is a bug");
}

/** The trouble is over: the run goes on to its end, and that is all there is to do. */
async function expectGoesOn(small: SmallRun, kills: number): Promise<void> {
  const ended = await small.finish();
  expect(ended.exitCode, ended.all).toBe(0);
  await expectWhole(small, (await undisturbed(TWO_LEAVES)).outcome, kills);
  await expectNoChange(small);
}

const canMount = mayMount();

async function onDisk(
  kilobytes: number,
  placeOf: (folder: string) => string,
  body: (small: SmallRun, disk: SmallDisk) => Promise<void>,
): Promise<void> {
  let disk: SmallDisk | undefined;
  const setting: Setting = {
    onEmpty(folder) {
      const place = placeOf(folder);
      mkdirSync(place, { recursive: true });
      disk = mountDisk(place, kilobytes);
    },
  };
  using small = await aSmallRun(TWO_LEAVES, setting);
  try {
    if (disk === undefined) throw new Error("no disk was mounted");
    await body(small, disk);
  } finally {
    disk?.unmount();
  }
}

const ROOM_KB = 200_000;

it.skipIf(!canMount)(
  "a full disk under the journal stops a run in words, and it goes on when there is room",
  async () => {
    const chance = chanceOf(SEED);
    const sizes = Array.from({ length: 40 }, (_, at) => 8 + 3 * at);
    await tryAll({
      file,
      suite: "journal's disk full",
      what: "a tmpfs of 8 to 125 KB under telemetry, then room made",
      cases: sampleOf(sizes, IS_DEEP ? sizes.length : 2, chance),
      nameOf: (size) => `${size} KB`,
      attempt: (size) =>
        counting((count) =>
          onDisk(
            size,
            (folder) => join(folder, "telemetry"),
            async (small, disk) => {
              const stopped = await small.run();
              count(stopped.exitCode === 0 ? "it fitted" : "full");
              if (stopped.exitCode !== 0) expectClearTrouble(stopped, /ENOSPC|No space/i);
              disk.resize(ROOM_KB);
              await expectGoesOn(small, 1);
            },
          ),
        ),
    });
  },
  TIMEOUT_MS,
);

it.skipIf(!canMount)(
  "a full disk under the whole repository does so too, whoever meets it first: journal, git or bd",
  async () => {
    const chance = chanceOf(SEED + 1);
    const rooms = Array.from({ length: 60 }, (_, at) => 20 * at);
    await tryAll({
      file,
      suite: "repository's disk full",
      what: "a tmpfs under the whole repository with 0 to 1,180 KB of room, then more room made",
      cases: sampleOf(rooms, IS_DEEP ? rooms.length : 2, chance),
      nameOf: (room) => `${room} KB`,
      attempt: (room) =>
        counting((count) =>
          onDisk(
            ROOM_KB,
            (folder) => folder,
            async (small, disk) => {
              disk.resize(disk.usedKb() + room);
              const stopped = await small.run();
              count(stopped.exitCode === 0 ? "it fitted" : "full");
              if (stopped.exitCode !== 0) expectClearTrouble(stopped, /ENOSPC|No space/i);
              disk.resize(ROOM_KB);
              await expectGoesOn(small, 1);
            },
          ),
        ),
    });
  },
  TIMEOUT_MS,
);

it.skipIf(!canMount)(
  "a disk that is write-protected stops a run in words, and it goes on afterwards",
  async () => {
    await onDisk(
      ROOM_KB,
      (folder) => join(folder, "telemetry"),
      async (small, disk) => {
        disk.protect(true);
        expectClearTrouble(await small.run(), /EROFS|read-only/i);
        disk.protect(false);
        await expectGoesOn(small, 0);
      },
    );
  },
  TIMEOUT_MS,
);

it(
  "an fsync that fails ends the process, and the run goes on with the next",
  async () => {
    const chance = chanceOf(SEED + 2);
    const byKernel = Array.from({ length: 20 }, () => 1 + Math.floor(chance() * 105));
    const all: { n: number; how: How; by: string }[] = [
      ...Array.from({ length: 105 }, (_, at) => ({
        n: at + 1,
        how: failingFsync(at + 1),
        by: "the caller",
      })),
      ...byKernel.map((n) => ({ n, how: failingCall("fsync", "EIO", n), by: "the kernel" })),
    ];
    await tryAll({
      file,
      suite: "failing fsync",
      what: "EIO on the k-th fsync of a run, by the kernel (strace) or the caller",
      cases: sampleOf(all, IS_DEEP ? all.length : 2, chance),
      nameOf: ({ n, by }) => `fsync ${n} by ${by}`,
      attempt: async ({ how, by }) => {
        using small = await aSmallRun(TWO_LEAVES);
        const stopped = await small.run(how);
        if (stopped.exitCode !== 0) expectClearTrouble(stopped, /EIO|i\/o error/i);
        await expectGoesOn(small, 1);
        return stopped.exitCode === 0 ? "not reached" : by;
      },
    });
  },
  TIMEOUT_MS,
);

const DAY_MS = 86_400_000;

it(
  "a clock set by three days, in the middle of a run or between two, moves no deadline and no pause",
  async () => {
    const chance = chanceOf(SEED + 3);
    const jumps = [3 * DAY_MS, -3 * DAY_MS];
    const within = jumps.flatMap((jumpMs) =>
      Array.from({ length: 20 }, (_, at) => ({ jumpMs, from: 2 + at * 2 })),
    );
    const between = jumps.map((jumpMs) => ({ jumpMs, from: 0 }));
    const due = IS_DEEP
      ? [...between, ...within]
      : [...sampleOf(between, 1, chance), ...sampleOf(within.slice(20), 1, chance)];
    await tryAll({
      file,
      suite: "clock jumps",
      what: "the clock set by three days ahead or back, with a pause before the next attempt",
      cases: due,
      nameOf: ({ jumpMs, from }) => `${jumpMs} ms from line ${from}`,
      attempt: async ({ jumpMs, from }) => {
        using small = await aSmallRun(TWO_LEAVES, { backoffMs: 1000 });
        const clock = withClock({ FRACTAL_CLOCK_MS: `${jumpMs}`, FRACTAL_CLOCK_FROM: `${from}` });
        if (from === 0) await signalAt(small, "lease.taken", 2, "SIGKILL");
        const ended = await small.run(clock);
        expect(ended.exitCode, ended.all).toBe(0);
        expectTimeRunsOn(small);
        await expectWhole(small, (await undisturbed(TWO_LEAVES)).outcome, from === 0 ? 1 : 0);
        return jumpMs > 0 ? "ahead" : "back";
      },
    });
  },
  TIMEOUT_MS,
);

/** No line of the journal is older than the one before, and none is from another day. */
function expectTimeRunsOn(small: SmallRun): void {
  const events = wholeEvents(small.rig, small.begun()[0] ?? "");
  const times = events.map((event) => Date.parse(event.timestamp));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
}

/** Starts a run and sends it a signal once the journal has the n-th line of a kind. */
async function signalAt(
  small: SmallRun,
  type: string,
  n: number,
  signal: NodeJS.Signals,
  how?: How,
): Promise<{ running: ResultPromise }> {
  const running = small.start(how);
  await until(`${type} ${n}`, () => {
    const events = wholeEvents(small.rig, small.begun()[0] ?? "");
    return events.filter((event) => event.event_type === type).length >= n;
  });
  running.kill(signal);
  if (signal === "SIGKILL") await running;
  // Wrapped: a promise returned bare would be waited for.
  return { running };
}

it(
  "a process that slept longer than its leases last goes on where it was, and was not replaced meanwhile",
  async () => {
    const places = ["lease.taken", "call.answered", "merge.done", "attempt.ended"];
    const all = places.flatMap((type) => [1, 2].map((n) => ({ type, n })));
    await tryAll({
      file,
      suite: "asleep",
      what: "SIGSTOP, three minutes by all its clocks, SIGCONT; another controller is refused meanwhile",
      cases: sampleOf(all, IS_DEEP ? all.length : 1, chanceOf(SEED + 4)),
      nameOf: ({ type, n }) => `${type} ${n}`,
      attempt: async ({ type, n }) => {
        using small = await aSmallRun(TWO_LEAVES);
        const clock = withClock({ FRACTAL_SLEPT_MS: "180000" });
        const { running: sleeper } = await signalAt(small, type, n, "SIGSTOP", clock);
        await until("its sleep", () => /^State:\s+T/m.test(statusOf(sleeper.pid)));
        const other = await small.run();
        expect(other.exitCode, other.all).toBe(2);
        expect(other.stderr).toContain("another fractal run is at work");
        sleeper.kill("SIGCONT");
        const { exitCode, all: said } = await sleeper;
        expect(exitCode, String(said)).toBe(0);
        await expectWhole(small, (await undisturbed(TWO_LEAVES)).outcome, 0);
        return undefined;
      },
    });
  },
  TIMEOUT_MS,
);

const statusOf = (pid: number | undefined) => readFileSync(`/proc/${pid}/status`, "utf8");

it(
  "of two controllers started at once one works, and the other says so",
  async () => {
    const chance = chanceOf(SEED + 5);
    const cases = Array.from({ length: IS_DEEP ? 100 : 3 }, (_, at) => ({
      at,
      isBare: at % 3 === 2,
      delayMs: Math.floor(chance() * 40),
    }));
    await tryAll({
      file,
      suite: "two controllers",
      what: "started within 40 ms of each other on one repository",
      cases,
      nameOf: ({ at, isBare, delayMs }) => `${at}, ${delayMs} ms${isBare ? ", bare" : ""}`,
      attempt: async ({ isBare, delayMs }) => {
        using small = await aSmallRun(TWO_LEAVES, { isBare });
        const first = small.run();
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        const ran = await Promise.all([first, small.run()]);
        const codes = ran.map(({ exitCode }) => exitCode).sort();
        expect(codes, ran.map(({ all }) => all).join("\n---\n")).toEqual([0, 2]);
        const refused = ran.find(({ exitCode }) => exitCode === 2);
        expect(refused?.stderr).toContain("another fractal run is at work");
        await expectWhole(small, (await undisturbed(TWO_LEAVES)).outcome, 0);
        return ran[0].exitCode === 0 ? "the first" : "the second";
      },
    });
  },
  TIMEOUT_MS,
);

it(
  "where a controller is killed while another starts, that one or the next has the lock at once",
  async () => {
    const chance = chanceOf(SEED + 6);
    const cases = Array.from({ length: IS_DEEP ? 20 : 1 }, () => Math.floor(chance() * 1500));
    await tryAll({
      file,
      suite: "killed while another starts",
      what: "kill -9 of the one at work, up to 1.5 s after another was started",
      cases,
      nameOf: (delayMs) => `${delayMs} ms`,
      attempt: async (delayMs) => {
        using small = await aSmallRun(TWO_LEAVES);
        const working = small.start();
        await until("its first lease", () =>
          wholeEvents(small.rig, small.begun()[0] ?? "").some(
            (event) => event.event_type === "lease.taken",
          ),
        );
        const other = small.run();
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        working.kill("SIGKILL");
        await working;
        const second = await other;
        expect([0, 2], second.all).toContain(second.exitCode);
        await expectGoesOn(small, 1);
        return second.exitCode === 0 ? "took over" : "refused";
      },
    });
  },
  TIMEOUT_MS,
);

/** What `body` counts itself as. */
async function counting(body: (count: (as: string) => void) => Promise<void>): Promise<string> {
  let counted = "";
  await body((as) => {
    counted = as;
  });
  return counted;
}
