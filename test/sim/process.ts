/** One process of a simulated run: the real loop on ports where it may die, wait or be lied to. */
import type { ModelReply } from "../../src/domain/conversation.ts";
import type { NewEvent } from "../../src/domain/event.ts";
import { type Failure, isFailure } from "../../src/domain/failure.ts";
import type { Limits } from "../../src/domain/limits.ts";
import type {
  Clock,
  Human,
  Journal,
  Model,
  Repository,
  Sandbox,
  Tracker,
} from "../../src/domain/ports.ts";
import type { ModelProfile } from "../../src/domain/profile.ts";
import { type Rest, runLoop } from "../../src/orchestrator/loop.ts";
import { serial } from "../../src/orchestrator/serial.ts";
import { openStore } from "../../src/orchestrator/store.ts";
import { createdEvent } from "../../src/orchestrator/tracked.ts";
import { ACTOR, type World } from "../../src/orchestrator/world.ts";
import { rootTask } from "../../src/rules/plan/root-task.ts";
import type { MemoryRepository } from "../support/memory-repository.ts";
import type { MemoryTracker } from "../support/memory-tracker.ts";
import { MEMORY_PROFILE, memorySandbox, resumed, worldOf } from "../support/memory-world.ts";
import type { VirtualTime } from "../support/virtual-time.ts";
import type { Faults } from "./faults.ts";
import { answerFor } from "./models.ts";
import { planOf, type Tree } from "./tree.ts";

/** What outlives the process, and what it is made of. */
export interface Outside {
  tree: Tree;
  limits: Limits;
  time: VirtualTime;
  faults: Faults;
  tracker: MemoryTracker;
  repository: MemoryRepository;
  human: Human;
  roles: ReadonlySet<string>;
  acceptsInvented: boolean;
  /** A person does one thing with the tracker, where there is one. */
  meddle(): Promise<void>;
  /** Opens the journal for a process. */
  openJournal(process: Living): Journal;
  /** Hears of every effect, for the trace of a failure. */
  trace(what: string): void;
}

export interface Living {
  readonly isAlive: boolean;
  die(): void;
}

/** How a process ended: it came to rest, it died, or it broke a promise. */
export type Ending = { rest: Rest; world: World } | { crashed: true } | { broken: unknown };

/** Made anew each time: one promise would keep everybody who ever waited for it. */
const never = () => new Promise<never>(() => {});

/** Starts a process; `end` is called once, when it has ended. */
export function startProcess(
  outside: Outside,
  name: string,
  stop: AbortSignal,
  end: (ending: Ending) => void,
): Living {
  const { time, faults, tracker, repository, tree, limits } = outside;
  const { chance } = faults;
  let isAlive = true;
  /** Frozen until then, as by SIGSTOP: what comes back meanwhile is noticed later. */
  let frozenUntilMs = 0;
  const underWay = new Set<{ what: string; apply(): Promise<unknown>; cancel(): void }>();

  const process: Living = {
    get isAlive() {
      return isAlive;
    },
    die() {
      if (!isAlive) return;
      outside.trace(`${name} dies`);
      leave({ crashed: true });
    },
  };

  const leave = (ending: Ending) => {
    isAlive = false;
    // What a command of its was about to do is done all the same, at once or a little later, or not.
    for (const one of underWay) {
      const fate = chance(3);
      // The next process waits for a tracker's command to end before it looks (`orphans.ts`).
      const isAwaited = one.what.startsWith("tracker ");
      if (fate === 1 && !isAwaited) continue;
      one.cancel();
      if (fate !== 2) void one.apply();
    }
    end(ending);
  };

  /** Hands something to the process once it is awake. */
  const deliver = (give: () => void): void => {
    if (!isAlive) return;
    if (time.nowMs < frozenUntilMs) {
      time.after(frozenUntilMs - time.nowMs, () => deliver(give));
      return;
    }
    give();
  };

  /** One effect: it takes a while, may come to nothing, and its result may come late. */
  const effect = <T>(what: string, latencyMs: number, apply: () => Promise<T>): Promise<T> => {
    if (!isAlive) return never();
    if (faults.crashes()) {
      outside.trace(`${name} dies before ${what}`);
      process.die();
      return never();
    }
    if (faults.hits(1) && chance(10) === 0) frozenUntilMs = time.nowMs + 1000 * chance(600);
    const late = faults.hits(1) ? 1000 * chance(300) : 0;
    return new Promise((resolve, reject) => {
      const cancel = time.after(latencyMs, () => {
        underWay.delete(one);
        void one.apply().then(
          (result) => {
            if (!isAlive) return;
            if (faults.crashes()) {
              outside.trace(`${name} dies after ${what}`);
              process.die();
              return;
            }
            const give = () => deliver(() => resolve(result));
            if (late > 0) time.after(late, give);
            else give();
          },
          (error: unknown) => deliver(() => reject(error)),
        );
      });
      const one = {
        what,
        cancel,
        apply: () => {
          outside.trace(`${name} ${what}`);
          return apply();
        },
      };
      underWay.add(one);
    });
  };

  const world = (): World => {
    const journal = outside.openJournal(process);
    const clock = clockOf(time.clock);
    const { rootId, first } = beginning(tree, journal);
    const store = openStore(journal, clock, limits, first);
    const profile = (): ModelProfile => ({
      ...MEMORY_PROFILE,
      model: modelOf(() => store.state),
      price: { inputUsd: 1, outputUsd: 5, cacheReadUsd: 0.1, cacheWriteUsd: 1.25 },
    });
    const isNew = store.state.seq === 0;
    if (!store.state.tasks.has(rootId)) store.record([createdEvent(rootTask(tree.spec, rootId))]);
    if (!isNew) store.record([resumed()]);
    const given = [...tree.nodes.values()].filter((node) => node.children.length > 0);
    return {
      ...worldOf(store, {
        spec: tree.spec,
        limits,
        clock,
        profileOf: profile,
        roles: outside.roles,
      }),
      tracker: trackerOf(),
      repository: repositoryOf(),
      sandbox: sandboxOf(),
      human: humanOf(),
      processName: `here/1/${name}`,
      acceptsInvented: outside.acceptsInvented,
      givenPlans: new Map(tree.isGiven ? given.map((node) => [node.key, planOf(node)]) : []),
      sharedFilesAllowed: tree.sharesFiles,
    };
  };

  function clockOf(virtual: Clock): Clock {
    return {
      now: virtual.now,
      sleep(delayMs, signal) {
        if (!isAlive) return never();
        if (faults.crashes()) {
          process.die();
          return never();
        }
        return virtual
          .sleep(delayMs, signal)
          .then(() => new Promise<void>((resolve) => deliver(resolve)));
      },
    };
  }

  function modelOf(state: () => World["store"]["state"]): Model {
    return {
      name: "simulated:small",
      async ask(request, signal) {
        const slow = faults.hits(2) ? 1000 * chance(1500) : 0;
        const asked = effect<ModelReply | Failure>(
          `model ${request.role} ${request.taskKey}.${request.attempt}.${request.turn}`,
          200 + chance(chance(4) === 0 ? 10_000 : 1500) + slow,
          () => answerFor(request, { tree, repository, state: state(), faults }),
        );
        // A call that is given up comes back at once, or only when it is answered.
        if (faults.hits(20)) return asked;
        return await Promise.race([asked, cancelled(signal)]);
      },
    };
  }

  function cancelled(signal: AbortSignal): Promise<Failure> {
    const failure: Failure = { failure: "cancelled", detail: "the call was stopped" };
    if (signal.aborted) return Promise.resolve(failure);
    return new Promise((resolve) => {
      signal.addEventListener("abort", () => resolve(failure), { once: true });
    });
  }

  function trackerOf(): Tracker {
    // One command at a time.
    const inTurn = serial();
    const away: Failure = { failure: "tracker-unavailable", detail: "database is locked" };
    const read = <T>(what: string, work: () => Promise<T | Failure>) =>
      inTurn(() =>
        effect<T | Failure>(what, 50 + chance(400), async () =>
          faults.hits(3) ? away : await work(),
        ),
      );
    /** A write may not happen, or happen and be called a failure. */
    const write = <T>(what: string, work: () => Promise<T | Failure>) =>
      inTurn(() =>
        effect<T | Failure>(what, 100 + chance(1500), async () => {
          if (faults.hits(3)) return away;
          const written = await work();
          return faults.hits(3) ? away : written;
        }),
      );
    return {
      prefix: tracker.prefix,
      version: () => effect("tracker version", 1, () => tracker.version()),
      read: () => read("tracker read", () => tracker.read()),
      comments: (id) => read(`tracker comments ${id}`, () => tracker.comments(id)),
      create: (tasks) =>
        write(`tracker create ${tasks.map(({ id }) => id).join(" ")}`, () => tracker.create(tasks)),
      mirror: (lines, more) =>
        write(
          `tracker mirror ${lines.map(({ id, status }) => `${id}=${status}`).join(" ")}`,
          async () => {
            // Somebody writes after it was looked, and just before.
            if (faults.hits(5)) await outside.meddle();
            // A bd that outlives its process is told no more.
            const moreFor = () => (isAlive ? (more?.() ?? []) : []);
            if (!faults.hits(3)) return tracker.mirror(lines, moreFor);
            const some = await tracker.mirror(lines.slice(0, chance(lines.length)));
            return isFailure(some) ? some : away;
          },
        ),
      overwritten: (lines) => read("tracker overwritten", () => tracker.overwritten(lines)),
      comment: (id, text) => write(`tracker comment ${id}`, () => tracker.comment(id, text)),
      respond: (id, text) => write(`tracker respond ${id}`, () => tracker.respond(id, text)),
      request: (id, request, status) =>
        write(`tracker request ${id}`, () => tracker.request(id, request, status)),
    };
  }

  function repositoryOf(): Repository {
    const slow =
      <A extends unknown[], R>(what: string, work: (...args: A) => Promise<R>) =>
      (...args: A) =>
        effect(what, 1 + chance(30), () => work(...args));
    return {
      head: slow("git head", repository.head),
      checkout: slow("git checkout", repository.checkout),
      collect: slow("git collect", repository.collect),
      write: slow("git write", repository.write),
      changes: slow("git changes", repository.changes),
      diff: slow("git diff", repository.diff),
      diffOf: slow("git diff", repository.diffOf),
      readFile: slow("git read", repository.readFile),
      readLegible: slow("git read", repository.readLegible),
      listFiles: slow("git list", repository.listFiles),
      treeOf: slow("git tree", repository.treeOf),
      commit: slow("git commit", repository.commit),
      merge: slow("git merge", repository.merge),
      advance: slow("git advance", repository.advance),
      keep: slow("git keep", repository.keep),
      findMerged: slow("git find", repository.findMerged),
      landed: slow("git landed", repository.landed),
    };
  }

  function sandboxOf(): Sandbox {
    const inner = memorySandbox(repository);
    const gone: Failure = { failure: "sandbox-unavailable", detail: "bwrap did not start" };
    return {
      contained: true,
      installed: inner.installed,
      workspace: (folder) =>
        effect(`workspace ${folder}`, 1 + chance(10), () => inner.workspace(folder)),
      handOver: (folder) => effect("hand over", 1, () => inner.handOver(folder)),
      discard: (folder) => effect(`discard ${folder}`, 1 + chance(10), () => inner.discard(folder)),
      run: (command, signal) =>
        effect(`run ${command.argv.at(-1)}`, 10 + chance(chance(8) === 0 ? 3000 : 200), async () =>
          faults.hits(1) ? gone : await inner.run(command, signal),
        ),
      tool: (call, signal) =>
        effect(`tool ${call.tool}`, 10 + chance(50), async () =>
          faults.hits(1) ? gone : await inner.tool(call, signal),
        ),
    };
  }

  function humanOf(): Human {
    const { human } = outside;
    return {
      present: human.present,
      ask: (prompt, signal) => {
        const waits = human.ask(prompt, signal);
        return new Promise((resolve) => {
          void waits.then((answer) => deliver(() => resolve(answer)));
        });
      },
      confirm: (text, signal) => human.confirm(text, signal),
    };
  }

  const live = async () => {
    const opened = world();
    const rest = await runLoop(opened, stop);
    const about = { task_id: null, actor: ACTOR } as const;
    const { reason, exitCode: exit_code } = rest;
    opened.store.record([{ ...about, event_type: "run.stopped", reason, exit_code }]);
    return { rest, world: opened };
  };
  // Begun when its turn comes: a process that dies at once must have been handed out before.
  time.after(0, () => {
    live().then(
      (ending) => {
        if (isAlive) leave(ending);
      },
      (error: unknown) => {
        if (isAlive) leave({ broken: error });
      },
    );
  });
  return process;
}

const RUN_ID = "sim";

function beginning(tree: Tree, journal: Journal): { rootId: string; first: NewEvent[] } {
  const rootId = `fr-${RUN_ID}`;
  if (journal.read().length > 0) return { rootId, first: [] };
  return {
    rootId,
    first: [
      {
        task_id: null,
        actor: ACTOR,
        event_type: "run.started",
        spec_path: "spec.md",
        spec_hash: "5".repeat(64),
        spec: journal.putBlob(tree.specText),
        title: tree.spec.title,
        base: "",
        branch: `fractal/${RUN_ID}/main`,
        root_id: rootId,
        models: {},
        contained: true,
        ...(tree.sharesFiles ? { shared_files: true as const } : {}),
      },
    ],
  };
}
