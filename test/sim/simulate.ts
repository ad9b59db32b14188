/** Plays one seed: a run of the real core in virtual time, with everything going wrong that can. */
import { DEFAULT_LIMITS, type Limits } from "../../src/domain/limits.ts";
import type { Human } from "../../src/domain/ports.ts";
import { statusOf } from "../../src/rules/status.ts";
import { memoryRepository } from "../support/memory-repository.ts";
import { memoryTracker } from "../support/memory-tracker.ts";
import { NOBODY } from "../support/memory-world.ts";
import { type Chance, chanceOf } from "../support/toy-run.ts";
import { virtualTime } from "../support/virtual-time.ts";
import { type Faults, faultsOf } from "./faults.ts";
import { Broken, judgeEnd, judgeRest, witnessOf } from "./invariants.ts";
import { emptyDisk, simulatedJournal } from "./journal.ts";
import { peopleOf } from "./people.ts";
import { type Ending, type Outside, startProcess } from "./process.ts";
import { treeOf } from "./tree.ts";

/** What is left out when a failing seed is made smaller. */
export interface Milder {
  crashesMax?: number;
  noPeople?: boolean;
  noFaults?: boolean;
}

/** What came of one seed. */
export interface Played {
  seed: number;
  failure?: Error;
  crashes: number;
  processes: number;
  lines: number;
  steps: number;
  virtualMs: number;
  refused: number;
  tasks: number;
  /** The end of the journal and of what was done, for a failure. */
  report(): string;
  /** The whole journal. */
  all(): readonly string[];
}

/** A run has some hundreds of each; those that go round in circles have any number. */
const STEPS_MAX = 30_000;
const LINES_MAX = 20_000;
const ROUNDS_MAX = 60;
const HOUR_MS = 3_600_000;

/** Plays a seed to its end. Never throws for what the run did: that is the failure. */
export async function play(seed: number, milder: Milder = {}): Promise<Played> {
  const chance = (stream: number): Chance => chanceOf(Math.imul(seed, 0x9e3779b1) ^ stream);
  const setting = chance(1);
  const tree = treeOf(chance(2));
  const time = virtualTime();
  const faults = faultsOf({
    chance: chance(3),
    crashesMax: milder.crashesMax ?? 3 + setting(25),
    isWild: milder.noFaults !== true,
  });
  const limits: Limits = { ...DEFAULT_LIMITS, jobs: 1 + setting(4) };
  const tracker = memoryTracker();
  const repository = memoryRepository();
  const disk = emptyDisk();
  const witness = witnessOf(limits);
  const people = peopleOf(tracker, chance(4));
  const done: string[] = [];
  const trace = (what: string) => {
    done.push(`${((time.nowMs - startMs) / 1000).toFixed(1)}s ${what}`);
    if (done.length > 400) done.splice(0, 200);
  };
  const startMs = time.nowMs;
  /** A person did something since the last process began: it may have looked before that. */
  let isUnseen = false;
  const hasPeople = milder.noPeople !== true && setting(3) > 0;
  const outside: Outside = {
    tree,
    limits,
    time,
    faults,
    tracker,
    repository,
    human: setting(4) === 0 ? atTerminal(time, chance(5), faults) : NOBODY,
    roles: new Set(["router", "fixer", "reviewer"].filter(() => setting(3) > 0)),
    acceptsInvented: setting(2) === 0,
    meddle: async () => {
      if (!hasPeople) return;
      isUnseen = true;
      trace(`person, while it is written: ${await people.meddle()}`);
    },
    openJournal: (process) =>
      simulatedJournal("sim", disk, process, faults, (event) => {
        trace(`line ${event.seq} ${event.event_type} ${event.task_id ?? ""}`);
        witness.see(event);
        if (event.seq > LINES_MAX) throw new Broken("it writes the same for ever");
      }),
    trace,
  };

  let processes = 0;
  let steps = 0;
  /** Runs one process to its end. */
  const live = async (): Promise<Ending> => {
    processes += 1;
    const stop = new AbortController();
    if (faults.hits(10)) time.after(1000 * faults.chance(300), () => stop.abort("SIGINT"));
    let ending: Ending | undefined;
    startProcess(outside, `p${processes}`, stop.signal, (how) => {
      ending ??= how;
    });
    while (ending === undefined) {
      await settled();
      if (ending !== undefined) break;
      if (witness.broken !== undefined) throw witness.broken;
      steps += 1;
      if (steps > STEPS_MAX) throw new Broken("it never comes to rest");
      if (!time.step()) throw new Broken("everybody sleeps for ever");
    }
    if (witness.broken !== undefined) throw witness.broken;
    return ending;
  };

  const meddler = chance(6);
  if (hasPeople) {
    const next = () => {
      time.after(1000 * (1 + meddler(400)), () => {
        if (faults.areOver) return;
        void people.meddle().then((what) => trace(`person: ${what}`));
        isUnseen = true;
        next();
      });
    };
    next();
  }
  time.after((1 + setting(30)) * 120_000, () => faults.end());

  let failure: Error | undefined;
  try {
    for (let round = 0; ; round += 1) {
      if (round > ROUNDS_MAX) throw new Broken(`it never ends: ${ROUNDS_MAX} processes`);
      isUnseen = false;
      const ending = await live();
      if ("broken" in ending) throw ending.broken;
      if ("crashed" in ending) {
        await idle(1000 * setting(60));
        continue;
      }
      const { state } = ending.world.store;
      judgeRest(state, witness.state ?? state, ending.rest.exitCode);
      if (!faults.areOver) {
        // Nobody starts it again for a while; meanwhile a person may do something.
        if (setting(3) === 0) faults.end();
        else await people.meddle().then((what) => trace(`person: ${what}`));
        await idle(1000 * setting(600));
        continue;
      }
      trace(`rested: ${ending.rest.exitCode} ${ending.rest.reason}`);
      // By Ctrl-C or an outage, which came when all was well again.
      if (ending.rest.exitCode === 130 || ending.rest.exitCode === 6) continue;
      if (isUnseen || (await people.help(state))) continue;
      await judgeEnd(state, outside);
      const root = statusOf(state, state.rootId);
      const isOver = root === "done" || root === "accepted" || root === "cancelled";
      if (!isOver) throw new Broken(`it rests (${ending.rest.reason}) and its root is ${root}`);
      break;
    }
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  const refused = disk.lines.filter((line) => line.includes('"event_type":"move.refused"')).length;
  return {
    seed,
    ...(failure === undefined ? {} : { failure }),
    crashes: faults.crashCount,
    processes,
    lines: disk.lines.length,
    steps,
    virtualMs: time.nowMs - startMs,
    refused,
    tasks: witness.state?.tasks.size ?? 0,
    all: () => disk.lines,
    report: () => [...disk.lines.slice(-40), "", ...done.slice(-60)].join("\n"),
  };

  /** Time goes by without a process. */
  async function idle(ms: number): Promise<void> {
    let isOver = false;
    time.after(Math.min(ms, HOUR_MS), () => {
      isOver = true;
    });
    while (!isOver) {
      await settled();
      steps += 1;
      time.step();
    }
  }
}

/** Once everything that was ready is done. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Somebody who answers after a while, or goes away. */
function atTerminal(time: ReturnType<typeof virtualTime>, chance: Chance, faults: Faults): Human {
  return {
    present: true,
    ask: (_, signal) =>
      new Promise((resolve) => {
        const skips = !faults.areOver && chance(4) === 0;
        const cancel = time.after(1000 * chance(900), () => resolve(skips ? undefined : "do it"));
        signal.addEventListener("abort", () => {
          cancel();
          resolve(undefined);
        });
      }),
    confirm: async () => chance(3) > 0,
  };
}
