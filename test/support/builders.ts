/** Builds tasks, runs and events for tests, with defaults so that a test names only what matters. */
import type { Check, Verdict } from "../../src/domain/check.ts";
import { JOURNAL_VERSION, type NewEvent, type RunEvent } from "../../src/domain/event.ts";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import type { Attempt, Note, Question, RunState, TaskState } from "../../src/domain/run-state.ts";
import type { Contract } from "../../src/domain/task.ts";
import { NO_USAGE } from "../../src/domain/usage.ts";
import { emptyLedger } from "../../src/rules/money/ledger.ts";
import { newTask } from "../../src/rules/new-task.ts";
import type { Snapshot } from "../../src/rules/reconcile.ts";

/** 2026-01-05 12:00:00 UTC: where every built run starts. */
export const STARTED_AT = Date.UTC(2026, 0, 5, 12, 0, 0);

/** An S-sized code task named after its title. */
export function aContract(title = "Do it", over: Partial<Contract> = {}): Contract {
  return {
    title,
    purpose: `${title}.`,
    kind: "code",
    size: "S",
    requirements: [],
    files: [],
    interfaces: [],
    checks: [],
    examples: [],
    risks: [],
    ...over,
  };
}

/** A gating check of the task's own. */
export function aCheck(name = "works", over: Partial<Check> = {}): Check {
  return {
    name,
    run: `node --test ${name}.test.mjs`,
    when: "own",
    source: "planner",
    requirements: [],
    gates: true,
    oracle: [],
    ...over,
  };
}

/** A verdict of the given results; one green gating check when none are named. */
export function aVerdict(over: Partial<Verdict> = {}): Verdict {
  return {
    passed: true,
    gatesGreen: 1,
    results: [
      { name: "works", passed: true, gates: true, exitCode: 0, durationMs: 120, detail: "" },
    ],
    reason: "",
    ...over,
  };
}

/** A worker's attempt that succeeded in 30 seconds for a tenth of a cent. */
export function anAttempt(number = 1, over: Partial<Attempt> = {}): Attempt {
  const attempt: Attempt = {
    number,
    role: "worker",
    fence: number,
    episode: 1,
    base: "b".repeat(40),
    startedAt: STARTED_AT + number * 60_000,
    endedAt: STARTED_AT + number * 60_000 + 30_000,
    outcome: "succeeded",
    workedMs: 0,
    vacuous: [],
    notYet: [],
    summary: "Did it.",
    model: "anthropic:claude-haiku-5-5",
    usage: { ...NO_USAGE, inputTokens: 4000, outputTokens: 500 },
    costUsd: 0.001,
    calls: 1,
    files: [],
    ...over,
  };
  const { startedAt, endedAt = startedAt } = attempt;
  return { ...attempt, workedMs: over.workedMs ?? endedAt - startedAt };
}

/** A queued leaf. `title` and `contract` may be given beside any field of the task. */
export function aTask(
  id: string,
  over: Partial<Omit<TaskState, "contract">> & {
    title?: string;
    contract?: Partial<Contract>;
  } = {},
): TaskState {
  const { title = id, contract, ...fields } = over;
  const whole = aContract(title, contract);
  const facts = { id, key: id, parent: null, dependsOn: [], origin: "plan", priority: 2 } as const;
  return {
    ...newTask({ ...facts, dependsOn: [], contract: whole, leaf: true }, 0, DEFAULT_LIMITS),
    described: { title: whole.title, description: whole.purpose, acceptance: "" },
    ...fields,
  };
}

/** What one pass sees when nothing is under way and nobody is there. */
export function aSnapshot(state: RunState, over: Partial<Snapshot> = {}): Snapshot {
  return {
    state,
    busy: new Map(),
    mirroring: false,
    mirroredAt: 0,
    publishing: false,
    resting: new Map(),
    prompting: undefined,
    skipped: new Set(),
    humanPresent: false,
    notifies: false,
    trackerRetryAt: undefined,
    trackerDownSince: undefined,
    fatal: undefined,
    planOnly: false,
    keeps: false,
    needs: new Map(),
    given: new Set(),
    ...over,
  };
}

/** An open question about a task, which waits for it. */
export function aQuestion(id: string, about: string, over: Partial<Question> = {}): Question {
  return {
    id,
    about,
    kind: "stuck",
    title: "How shall it go on?",
    why: "The attempts are used up.",
    options: [],
    tried: "",
    blocks: [about],
    state: "open",
    openedAt: STARTED_AT + 60_000,
    ...over,
  };
}

/**
 * A run of these tasks. Children are filled in from `parent`; the first task without one is the
 * root; tokens, money and calls add up the attempts unless given.
 */
export function aState(
  over: Partial<Omit<RunState, "tasks" | "questions">> & {
    tasks?: TaskState[];
    questions?: Question[];
  } = {},
): RunState {
  const { tasks: given = [], questions = [], ...fields } = over;
  const tasks = new Map(given.map((task, index) => [task.id, { ...task, createdSeq: index + 1 }]));
  for (const task of tasks.values()) {
    const parent = task.parent === null ? undefined : tasks.get(task.parent);
    if (parent !== undefined && !parent.children.includes(task.id)) {
      tasks.set(parent.id, { ...parent, children: [...parent.children, task.id], shape: "split" });
    }
  }
  for (const question of questions) {
    const about = question.about === null ? undefined : tasks.get(question.about);
    if (about === undefined) continue;
    const open = question.state === "open" ? { question: question.id } : {};
    tasks.set(about.id, { ...about, ...open, questions: [...about.questions, question.id] });
  }
  const attempts = [...tasks.values()].flatMap((task) => task.attempts);
  return {
    runId: "k3f9x2",
    seq: 100,
    lastAtMs: STARTED_AT,
    startedAt: STARTED_AT,
    processSinceMs: STARTED_AT,
    spec: { path: "spec.md", hash: "5".repeat(64), blob: "5".repeat(64), title: "A duration tool" },
    base: "b".repeat(40),
    branch: "fractal/k3f9x2/main",
    rootId: given.find((task) => task.parent === null)?.id ?? "fr-k3f9x2",
    models: { planner: "anthropic:claude-sonnet-5-5", worker: "anthropic:claude-haiku-5-5" },
    endpointNames: {},
    endpoints: new Map(),
    contained: true,
    limits: DEFAULT_LIMITS,
    structureSeq: 0,
    tasks,
    questions: new Map(questions.map((question) => [question.id, question])),
    notes: reasonsSaid([...tasks.values()]),
    replies: new Map(),
    lastDecision: "",
    work: new Map(),
    usage: {
      ...NO_USAGE,
      inputTokens: attempts.reduce((sum, attempt) => sum + attempt.usage.inputTokens, 0),
      outputTokens: attempts.reduce((sum, attempt) => sum + attempt.usage.outputTokens, 0),
    },
    costUsd: attempts.some((attempt) => attempt.costUsd === undefined)
      ? undefined
      : attempts.reduce((sum, attempt) => sum + (attempt.costUsd ?? 0), 0),
    calls: attempts.reduce((sum, attempt) => sum + attempt.calls, 0),
    mismatches: 0,
    ledger: emptyLedger(),
    answeredBy: new Map(),
    ...fields,
  };
}

/** Of what failed, the reason is on its issue. */
function reasonsSaid(tasks: TaskState[]): RunState["notes"] {
  const failed = tasks.filter((task) => task.end === "failed");
  const notes = failed.map(({ id, episode }): Note => {
    return { id, key: `${id} failed ${episode}`, text: "Failed", done: true };
  });
  return new Map(notes.map((note) => [note.key, note]));
}

/** A journal line: a fact, stamped. `seconds` counts from the start of the run. */
export function anEvent(
  fact: Omit<NewEvent, "task_id" | "actor"> & { event_type: NewEvent["event_type"] } & Record<
      string,
      unknown
    >,
  over: { seq?: number; seconds?: number; taskId?: string | null; actor?: string } = {},
): RunEvent {
  const seq = over.seq ?? 0;
  return {
    v: JOURNAL_VERSION,
    seq,
    run_id: "k3f9x2",
    task_id: over.taskId ?? null,
    timestamp: new Date(STARTED_AT + (over.seconds ?? seq) * 1000).toISOString(),
    actor: over.actor ?? "fractal",
    prev: "",
    ...fact,
  } as RunEvent;
}
