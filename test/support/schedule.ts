/** One schedule of integration by its seed: leaves that write the same files, crashes, and a person's hand. */
import { memoryJournal } from "../../src/adapters/journal/memory.ts";
import type { ModelRequest } from "../../src/domain/conversation.ts";
import type { Clock, Journal, Repository } from "../../src/domain/ports.ts";
import type { RunState } from "../../src/domain/run-state.ts";
import { runLoop } from "../../src/orchestrator/loop.ts";
import { replay } from "../../src/rules/replay.ts";
import { taskOf } from "../../src/rules/status.ts";
import type { Ground } from "./ground.ts";
import type { MemoryRepository } from "./memory-repository.ts";
import { memoryTracker } from "./memory-tracker.ts";
import { aMemoryWorld, resumed } from "./memory-world.ts";
import { aMortal, never } from "./mortal.ts";
import { type Chance, chanceOf } from "./toy-run.ts";
import { block, part, planOf, specOf } from "./words.ts";

/** What happened in a schedule. */
export interface Happened {
  done: number;
  merges: number;
  conflicts: number;
  crashes: number;
  /** Commits of a person on the run's branch, and how often they set it back. */
  byHand: number;
  rewinds: number;
  /** Edits in the tracker. */
  edits: number;
  races: number;
  /** Runs that came to their end. */
  whole: number;
}

/** The promise is broken. */
class Broken extends Error {}

const FILES = ["f0.txt", "f1.txt", "f2.txt"] as const;
export const BASE = Object.fromEntries(FILES.map((file) => [file, "start\n"]));
const LIVES_MAX = 14;

/** Plays a seed on a ground. Throws where the promise is broken. */
export async function playSchedule(seed: number, ground: Ground): Promise<Happened> {
  const chance = chanceOf(Math.imul(seed, 0x9e3779b1) ^ 77);
  const { repository, clock } = ground;
  const keys = Array.from({ length: 2 + chance(5) }, (_, at) => `w${"abcdefgh"[at]}`);
  const fileOf = new Map(keys.map((key) => [key, FILES[chance(FILES.length)] ?? "f0.txt"]));
  const needs = keys.map((key, at) => ({
    part: key,
    needs: keys.slice(0, at).filter(() => chance(6) === 0),
  }));
  const plan = planOf(keys, {
    parts: keys.map((key) => part(key, { files: [fileOf.get(key) ?? ""] })),
    dependencies: needs.filter((one) => one.needs.length > 0),
    acceptance: keys.map((key, at) => ({
      part: key,
      requirement: `R${at + 1}`,
      example: { kind: "command", run: `has ${fileOf.get(key)} ${key}`, exit: 0 },
    })),
  });
  const journal = memoryJournal("r1");
  const tracker = memoryTracker();
  const happened: Happened = {
    done: 0,
    merges: 0,
    conflicts: 0,
    crashes: 0,
    byHand: 0,
    rewinds: 0,
    edits: 0,
    races: 0,
    whole: 0,
  };
  let crashesLeft = chance(4);
  let handsLeft = chance(2) === 0 ? 0 : 1 + chance(4);
  const base = {
    spec: specOf(keys),
    splits: { root: plan },
    sharedFiles: chance(4) > 0,
    roles:
      chance(2) === 0
        ? (["planner", "worker", "fixer"] as const)
        : (["planner", "worker"] as const),
    sandbox: ground.sandbox,
    tracker,
  };
  const world = (over: {
    journal: Journal;
    repository: Repository;
    clock: Clock;
    script: Script;
  }) =>
    aMemoryWorld({
      ...base,
      ...over,
      roles: [...base.roles],
      limits: { jobs: 1 + chance(4) },
      repository: over.repository as MemoryRepository,
    });
  world({ journal, repository, clock, script: () => "" });

  /** A person commits on the run's branch: adds a line, or takes one away. */
  const commitByHand = async () => {
    const head = await repository.head();
    const file = FILES[chance(FILES.length)] ?? "f0.txt";
    const lines = ((await repository.readFile(head, file)) ?? "").split("\n").filter(Boolean);
    const after = chance(3) === 0 ? lines.slice(0, -1) : [...lines, `hand${chance(1000)}`];
    const tree = await repository.write(head, [{ path: file, text: `${after.join("\n")}\n` }]);
    const commit = await repository.commit(tree, [head], "by hand\n");
    if (await repository.advance(head, commit)) happened.byHand += 1;
  };

  const live = async () => {
    const dies = crashesLeft > 0 && chance(3) > 0;
    const killAt = dies ? 1 + chance(150) : Number.POSITIVE_INFINITY;
    // Somebody stops it, to do something meanwhile.
    const stopAt = handsLeft > 0 && chance(2) === 0 ? 1 + chance(150) : Number.POSITIVE_INFINITY;
    const stop = new AbortController();
    const mortal = aMortal(killAt, (step) => {
      if (step >= stopAt) stop.abort("SIGINT");
    });
    /** Now and then a person is quicker than the merge. */
    const raced: Repository = {
      ...repository,
      async advance(from, to) {
        if (handsLeft > 0 && chance(4) === 0) {
          handsLeft -= 1;
          happened.races += 1;
          await commitByHand();
        }
        return repository.advance(from, to);
      },
    };
    /** Who is dead sleeps for ever. */
    const mortalClock: Clock = {
      now: clock.now,
      sleep: (delayMs, signal) =>
        mortal.isDead
          ? never()
          : clock.sleep(delayMs, signal).then(() => (mortal.isDead ? never() : undefined)),
    };
    try {
      const now = world({
        journal: mortal.journal(journal),
        clock: mortalClock,
        repository: mortal.port(raced, [
          ...(["head", "checkout", "collect", "commit", "keep"] as const),
          ...(["merge", "advance", "findMerged", "landed"] as const),
        ]),
        script: (request) =>
          mortal.act(async () => {
            await clock.sleep(chance(8000), new AbortController().signal);
            return answer(request, chance, fileOf);
          }),
      });
      now.store.record([resumed()]);
      const run = runLoop(now, stop.signal);
      run.catch(() => undefined);
      const rest = await Promise.race([run, mortal.killed]);
      mortal.end();
      return rest;
    } catch (error) {
      if (mortal.isDead) return undefined;
      throw error;
    }
  };

  for (let lives = 0; lives < LIVES_MAX; lives++) {
    const rest = await live();
    if (rest === undefined) {
      crashesLeft -= 1;
      happened.crashes += 1;
      continue;
    }
    const state = replay(journal.read());
    const isUntouched = happened.byHand === 0 && happened.rewinds === 0;
    await judge(state, journal, ground, { fileOf, exitCode: rest.exitCode, isUntouched });
    if (rest.exitCode === 0) {
      happened.whole = 1;
      break;
    }
    const open = [...state.questions.values()].filter((one) => one.state === "open");
    for (const { id } of open) if (tracker.has(id)) await tracker.person.respond(id, "go on");
    if (handsLeft > 0) {
      handsLeft -= 1;
      await meddle(state);
    } else if (open.length === 0 && rest.exitCode !== 130) break;
  }
  const state = replay(journal.read());
  for (const event of journal.read()) {
    if (event.event_type === "merge.done") happened.merges += 1;
    if (event.event_type === "task.done" && event.attempt !== undefined) happened.done += 1;
    const failure = event.event_type === "attempt.ended" ? event.failure : undefined;
    if (failure?.failure === "merge-conflict") happened.conflicts += 1;
  }
  boundedConflicts(state);
  return happened;

  /** A person does one thing between two lives. */
  async function meddle(state: RunState): Promise<void> {
    const leaf = `fr-r1.a${1 + chance(keys.length)}`;
    const task = state.tasks.get(leaf);
    switch (chance(4)) {
      case 0:
        return commitByHand();
      case 1:
        // What a person does to the branch of a run that is over is theirs.
        if (taskOf(state, state.rootId).end !== undefined) return;
        ground.rewind();
        happened.rewinds += 1;
        return;
      default:
        // Nobody edits what is not in the tracker yet.
        if (task === undefined || !tracker.has(leaf)) return;
        happened.edits += 1;
        if (task.end !== undefined) {
          await tracker.person.comment(leaf, "not like this");
          await tracker.person.reopen(leaf);
        } else if (chance(3) === 0) await tracker.person.close(leaf);
        else await tracker.person.edit(leaf, { description: `Write it (${chance(1000)}).` });
    }
  }
}

type Script = (request: ModelRequest) => string | Promise<string>;

/** A worker that adds its word to the file as it is shown, and sometimes does not. */
function answer(
  request: ModelRequest,
  chance: Chance,
  fileOf: ReadonlyMap<string, string>,
): string {
  if (request.role === "fixer") {
    const help = { cause: "c", kind: "guidance", text: "mind it", question: "", options: [] };
    return JSON.stringify(help);
  }
  const key = request.taskKey.split(".").at(-1) ?? "";
  const file = fileOf.get(key) ?? "";
  const shown = request.messages.at(-1)?.text ?? "";
  const now = new RegExp(`\`\`\`txt ${file}\\n([\\s\\S]*?)\\n\`\`\``).exec(shown)?.[1] ?? "start";
  const dice = chance(20);
  if (dice === 0) return block(file, `${now}\nnothing`);
  // It forgets what others wrote there.
  if (dice === 1) return block(file, key);
  return block(file, `${now}\n${key}`);
}

interface Judged {
  fileOf: ReadonlyMap<string, string>;
  exitCode: number;
  /** Nobody but fractal wrote on the branch. */
  isUntouched: boolean;
}

/** Done by fractal: on the branch, and green there. On the branch: done, or a person settled it since. */
async function judge(
  state: RunState,
  journal: Journal,
  { repository, log, kept }: Ground,
  { fileOf, exitCode, isUntouched }: Judged,
): Promise<void> {
  const landed = await repository.landed();
  const has = async (commit: string, key: string) =>
    ((await repository.readFile(commit, fileOf.get(key) ?? "")) ?? "").includes(key);
  const lost: string[] = [];
  for (const task of state.tasks.values()) {
    if (task.shape !== "leaf" || task.end !== "done") continue;
    if (task.commit === undefined) throw new Broken(`${task.id} is done without a commit`);
    if (!landed.has(task.commit)) lost.push(task.id);
  }
  const isDone = taskOf(state, state.rootId).end === "done";
  if (lost.length > 0 && (isDone || exitCode === 0)) {
    throw new Broken(`the run is done, and the branch lacks ${lost.join(", ")}`);
  }
  const trailers = log().flatMap((text) => /^Fractal-Task: (.*)$/m.exec(text)?.[1] ?? []);
  if (new Set(trailers).size !== trailers.length) throw new Broken(`twice: ${trailers.join(", ")}`);
  for (const trailer of trailers) {
    const [id = "", number] = trailer.split(" ");
    const attempt = taskOf(state, id).attempts.find((one) => one.number === Number(number));
    const isSettled = taskOf(state, id).end === "accepted" || taskOf(state, id).end === "cancelled";
    // Stopped by a signal, it waits for what is under way only so long: the next life finds it.
    const isCutOff = exitCode === 130 && taskOf(state, id).merge?.attempt === Number(number);
    if (attempt?.outcome !== "succeeded" && !isSettled && !isCutOff) {
      throw new Broken(`${trailer} is on the branch, and ended as ${attempt?.outcome}`);
    }
  }
  const commits = new Map<string, string>();
  for (const event of journal.read()) {
    if (event.event_type === "task.done" && event.attempt !== undefined && event.commit) {
      const { key } = taskOf(state, event.task_id ?? "");
      const isGreen = !fileOf.has(key) || (await has(event.commit, key));
      if (!isGreen) throw new Broken(`${event.task_id} is done, and red on ${event.commit}`);
      commits.set(`${event.task_id} ${event.attempt}`, event.commit);
    }
    if (event.event_type !== "attempt.ended" || event.outcome === "succeeded") continue;
    const name = `${event.task_id}.${event.attempt}`;
    if (event.files.length === 0) continue;
    if (event.kept === undefined || kept(name) !== event.kept) {
      throw new Broken(`what ${name} wrote is not kept`);
    }
    if (journal.getBlob(event.patch ?? "") === undefined) throw new Broken(`${name} has no patch`);
  }
  if (isUntouched) await judgeLater(state, trailers, commits, has);
}

/** What was merged before is as green on each later commit of the branch as on its own. */
async function judgeLater(
  state: RunState,
  trailers: string[],
  commits: ReadonlyMap<string, string>,
  has: (commit: string, key: string) => Promise<boolean>,
): Promise<void> {
  const before: string[] = [];
  for (const trailer of trailers.toReversed()) {
    const task = taskOf(state, trailer.split(" ")[0] ?? "");
    // Opened again it holds nobody up, until it is done once more.
    if (task.end === "done" && task.episode === 1) before.push(task.key);
    const commit = commits.get(trailer);
    for (const key of commit === undefined ? [] : before) {
      if (await has(commit ?? "", key)) continue;
      throw new Broken(`${key} was merged before ${trailer}, and is red on it`);
    }
  }
}

/** At most four in an episode: again, with its files kept, the fixer, a person. */
function boundedConflicts(state: RunState): void {
  for (const task of state.tasks.values()) {
    for (let episode = 1; episode <= task.episode; episode++) {
      const conflicts = task.attempts.filter(
        (one) => one.episode === episode && one.failure?.failure === "merge-conflict",
      );
      if (conflicts.length > 4) throw new Broken(`${task.id}: ${conflicts.length} conflicts`);
    }
  }
}
