/** The core on ports in memory: no bd, no git, no process, no disk. */
import { readFileSync } from "node:fs";
import { memoryJournal } from "../../src/adapters/journal/memory.ts";
import { type Script, scriptedModel } from "../../src/adapters/models/scripted.ts";
import { ROLES, type Role } from "../../src/domain/conversation.ts";
import type { NewEvent } from "../../src/domain/event.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/domain/limits.ts";
import type { Plan } from "../../src/domain/plan.ts";
import type { Clock, Human, Journal, Sandbox, Tracker } from "../../src/domain/ports.ts";
import type { ModelProfile } from "../../src/domain/profile.ts";
import type { Spec } from "../../src/domain/spec.ts";
import { serial } from "../../src/orchestrator/serial.ts";
import { openStore, type Store } from "../../src/orchestrator/store.ts";
import { createdEvent } from "../../src/orchestrator/tracked.ts";
import { ACTOR, type World } from "../../src/orchestrator/world.ts";
import { rootTask } from "../../src/rules/plan/root-task.ts";
import { parseSpec } from "../../src/rules/spec/spec.ts";
import { type MemoryRepository, memoryRepository } from "./memory-repository.ts";
import { memoryTracker } from "./memory-tracker.ts";
import { jumpingClock } from "./virtual-time.ts";

/**
 * A sandbox whose commands are a few words: `has PATH TEXT` passes when the file contains the text,
 * `true` passes, all else fails. `write_file` is its only tool.
 */
export function memorySandbox(repository: MemoryRepository): Sandbox {
  const { folders } = repository;
  return {
    contained: true,
    async workspace(name) {
      folders.set(name, new Map());
      return name;
    },
    handOver: async () => undefined,
    async discard(folder) {
      folders.delete(folder);
    },
    async run({ folder, argv }) {
      const [word = "", path = "", ...text] = (argv.at(-1) ?? "").split(" ");
      const passes =
        word === "true" ||
        (word === "has" && folders.get(folder)?.get(path)?.includes(text.join(" ")) === true);
      const stderr = passes ? "" : `${path} lacks ${text.join(" ")}`;
      return {
        exitCode: passes ? 0 : 1,
        stdout: "",
        stderr,
        timedOut: false,
        truncated: false,
        durationMs: 0,
      };
    },
    installed: { has: async () => false, keep: async () => undefined, show: async () => undefined },
    async tool({ folder, tool, args }) {
      const { path, text } = args as { path: string; text: string };
      if (tool !== "write_file") return { text: "no such tool", isError: true };
      folders.get(folder)?.set(path, text);
      return { text: "written", isError: false };
    },
  };
}

export const NOBODY: Human = {
  present: false,
  ask: async () => undefined,
  confirm: async () => undefined,
};

const PROMPTS = Object.fromEntries(
  ROLES.map((role) => [role, readFileSync(`prompts/${role}.md`, "utf8")]),
) as World["prompts"];

const NEVER_MS = 1e12;

/** All roles share one scripted model. */
const MODELS = Object.fromEntries(ROLES.map((role) => [role, "scripted:test"]));

/** What a process writes first when it goes on with a run. */
export const resumed = (): NewEvent => ({
  task_id: null,
  actor: ACTOR,
  event_type: "run.resumed",
  pid: 1,
  models: MODELS,
  contained: true,
});

export interface MemoryWorldOptions {
  spec: string;
  splits: Record<string, Plan>;
  script: Script;
  limits?: Partial<Limits>;
  roles?: Role[];
  tracker?: Tracker;
  repository?: MemoryRepository;
  journal?: Journal;
  clock?: Clock;
  human?: Human;
  keeps?: boolean;
  /** Leaves may write one file side by side. */
  sharedFiles?: boolean;
  /** Where the work is done, when not in the folders of the repository in memory. */
  sandbox?: Sandbox;
}

export interface MemoryWorld extends World {
  readonly repository: MemoryRepository;
}

/** A run of these plans, ready for the loop. */
export function aMemoryWorld(o: MemoryWorldOptions): MemoryWorld {
  const spec = parseSpec("spec.md", o.spec, "hash") as Spec;
  if ("problems" in spec) throw new Error(JSON.stringify(spec));
  const journal = o.journal ?? memoryJournal("r1");
  const clock = o.clock ?? jumpingClock();
  // Time jumps on while a script waits for a real timer: no call is to be late because of that.
  const limits: Limits = { ...DEFAULT_LIMITS, jobs: 4, callTimeoutMs: NEVER_MS, ...o.limits };
  const repository = o.repository ?? memoryRepository();
  const store = openStore(journal, clock, limits, [
    {
      task_id: null,
      actor: ACTOR,
      event_type: "run.started",
      spec_path: "spec.md",
      spec_hash: "hash",
      spec: journal.putBlob(o.spec),
      title: spec.title,
      base: "",
      branch: "fractal/r1/main",
      root_id: "fr-r1",
      models: MODELS,
      contained: true,
      ...(o.sharedFiles ? { shared_files: true as const } : {}),
    },
    createdEvent(rootTask(spec, "fr-r1")),
  ]);
  const model = scriptedModel(o.script);
  const roles = new Set(o.roles ?? ["planner", "worker"]);
  const profileOf = () => ({ ...MEMORY_PROFILE, model });
  return {
    ...worldOf(store, { spec, limits, clock, profileOf, roles }),
    tracker: o.tracker ?? memoryTracker(),
    repository,
    sandbox: o.sandbox ?? memorySandbox(repository),
    sharedFilesAllowed: o.sharedFiles === true,
    human: o.human ?? NOBODY,
    keeps: o.keeps ?? false,
    givenPlans: new Map(Object.entries(o.splits)),
  };
}

/** How a small model in memory is used; its price is not known. */
export const MEMORY_PROFILE: Omit<ModelProfile, "model"> = {
  protocol: "files",
  style: "repair",
  planning: "one",
  contextTokens: 100_000,
  outputTokensMax: 4_000,
  price: undefined,
};

/** All of a world but its ports and plans, as one process begins with it. */
export function worldOf(
  store: Store,
  o: {
    spec: Spec;
    limits: Limits;
    clock: Clock;
    profileOf(): ModelProfile;
    /** Those besides planner and worker that are configured. */
    roles: ReadonlySet<string>;
  },
): Omit<World, "tracker" | "repository" | "sandbox" | "human"> {
  const optional = (["router", "fixer", "reviewer"] as const).filter((role) => o.roles.has(role));
  return {
    store,
    clock: o.clock,
    spec: o.spec,
    limits: o.limits,
    profiles: {
      planner: o.profileOf(),
      worker: o.profileOf(),
      ...Object.fromEntries(optional.map((role) => [role, o.profileOf()])),
    },
    prompts: PROMPTS,
    processName: "host/1/abc",
    acceptsInvented: true,
    planOnly: false,
    keeps: false,
    givenPlans: new Map(),
    sharedFilesAllowed: false,
    integration: serial(),
    checked: new Map(),
  };
}
