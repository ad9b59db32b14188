/** Plans one task and writes what came of it: its children, or its completed contract. */
import { planTask as askPlanner } from "../agents/planner.ts";
import type { NewEvent } from "../domain/event.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { Acceptance, Plan, PlanProblem, PlanQuestion } from "../domain/plan.ts";
import type { TaskState } from "../domain/run-state.ts";
import type { TaskId } from "../domain/task.ts";
import { needsOf, needsToOffer } from "../rules/check/needs.ts";
import { outOfQuestions } from "../rules/escalation.ts";
import { LOCK_FILE } from "../rules/lock-file.ts";
import type { NewTaskFacts } from "../rules/new-task.ts";
import { nextQuestionId } from "../rules/people/cancel.ts";
import { reviewPlan } from "../rules/plan/plan-review.ts";
import { signaturesAround } from "../rules/plan/planning-facts.ts";
import { sizeTask, splitTask } from "../rules/plan/split.ts";
import { ancestorsOf, isOutdated, taskOf } from "../rules/status.ts";
import { commitInterfaces } from "./commit-interfaces.ts";
import { acceptInvented } from "./invented-checks.ts";
import { profileFor } from "./journaled-model.ts";
import { endedEvent, failedEnd, type Lease, type LeaseEnd, underLease } from "./lease.ts";
import { createdEvent } from "./tracked.ts";
import { ACTOR, type World } from "./world.ts";

/** Plans a task; `mustSplit` when it is a leaf that proved too big. Done twice it changes nothing. */
export function planTask(
  world: World,
  taskId: TaskId,
  mustSplit: boolean,
  signal: AbortSignal,
): Promise<void> {
  return underLease(world, taskId, "planner", signal, async (lease) => {
    const task = taskOf(world.store.state, taskId);
    const plan = await findPlan(world, lease, task, mustSplit, signal);
    if (isFailure(plan)) return failedEnd(world, lease, plan);
    return plan.decision === "leaf" && !mustSplit
      ? size(world, lease, task, plan, signal)
      : split(world, lease, task, plan, signal);
  });
}

/** The plan of an interrupted split, the plan that was given, or the planner's. */
async function findPlan(
  world: World,
  lease: Lease,
  task: TaskState,
  mustSplit: boolean,
  signal: AbortSignal,
): Promise<Plan | Failure> {
  const { store, spec, limits, repository } = world;
  const started = task.splitStarted && store.journal.getBlob(task.splitStarted.plan);
  if (started) return JSON.parse(started) as Plan;
  const ancestors = ancestorsOf(store.state, task.id);
  // Asked at any time, beside anything, the same task gets the same question: so it is told of the
  // files the run began with. Only what a person added is planned on the work as it stands.
  const isAdded = [task, ...ancestors].some(({ origin }) => origin === "person");
  const known = isAdded ? lease.base : store.state.base;
  const files = known === "" ? [] : await repository.listFiles(known);
  const interfaces = signaturesAround(store.state.tasks, task);
  const existingFiles = [...files, ...interfaces.map(({ file }) => file)];
  const review = (plan: Plan): PlanProblem[] => [
    ...reviewPlan({
      plan,
      task,
      ancestors,
      tasksTotal: store.state.tasks.size,
      spec,
      limits,
      allowSharedFiles: world.sharedFilesAllowed,
      existingFiles,
    }),
    ...(mustSplit && plan.decision === "leaf"
      ? [{ code: "must-split", message: "this task proved too big for one worker: split it" }]
      : []),
  ];
  // A leaf that proved too big was given as a leaf: that plan has been tried.
  const given = mustSplit ? undefined : world.givenPlans.get(task.key);
  const profile = profileFor(world, lease);
  const answer =
    given !== undefined || profile === undefined
      ? { plan: given, problems: given ? review(given) : [] }
      : await askPlanner(
          {
            task,
            ancestors,
            spec,
            guidance: task.guidance,
            existingFiles: files,
            interfaces,
            profile,
            prompt: world.prompts.planner,
            identity: { taskId: task.id, attempt: lease.attempt },
            limits,
            offered: offeredTo(world, task, files),
            review,
            onRound: (round, plan, problems) => propose(world, lease, round, plan, problems),
          },
          signal,
        );
  if (isFailure(answer)) return answer;
  if (answer.plan === undefined) throw new Error("no planner and no given plan");
  if (answer.problems.length > 0) return invalid(answer.problems);
  return answer.plan;
}

/** What the plan of a task may add to what it has from outside the sandbox. */
function offeredTo(world: World, task: TaskState, files: readonly string[]): string[] {
  const { store, profiles } = world;
  return needsToOffer(needsOf(store.state, task), store.state.allows ?? [], {
    installs: files.includes(LOCK_FILE),
    browses: profiles.worker.protocol === "tools",
  });
}

function propose(
  world: World,
  lease: Lease,
  round: number,
  plan: Plan,
  problems: PlanProblem[],
): void {
  world.store.record([
    {
      task_id: lease.taskId,
      actor: "planner",
      event_type: "plan.proposed",
      attempt: lease.attempt,
      turn: `round ${round}`,
      role: "planner",
      round,
      plan: world.store.journal.putBlob(JSON.stringify(plan)),
      problems,
    },
  ]);
}

function invalid(problems: PlanProblem[]): Failure {
  const lines = problems.map((problem) => `- ${problem.message}`);
  return { failure: "answer-unusable", detail: `the plan is not valid:\n${lines.join("\n")}` };
}

async function size(
  world: World,
  lease: Lease,
  task: TaskState,
  plan: Plan,
  signal: AbortSignal,
): Promise<LeaseEnd> {
  const { spec, limits } = world;
  const sized = (accepted: (a: Acceptance) => boolean) =>
    sizeTask({ task, plan, spec, limits, acceptedChecks: accepted });
  const accepted = await acceptInvented(world, lease, task, sized(() => false).invented, signal);
  if (isFailure(accepted)) return failedEnd(world, lease, accepted);
  const result = sized(accepted);
  const commit = await commitInterfaces(world, lease, task, result.files, [], signal);
  if (isFailure(commit)) return failedEnd(world, lease, commit);
  return {
    events: [
      {
        task_id: task.id,
        actor: ACTOR,
        event_type: "task.sized",
        contract: result.contract,
        ...(commit.commit === undefined ? {} : { commit: commit.commit }),
        assumptions: [...result.assumptions, ...commit.notes],
      },
      endedEvent(world, lease, "succeeded", { summary: "a leaf" }),
      ...questionEvents(world, task, result.questions, () => [task.id]),
    ],
  };
}

async function split(
  world: World,
  lease: Lease,
  task: TaskState,
  plan: Plan,
  signal: AbortSignal,
): Promise<LeaseEnd> {
  const { store, spec, limits } = world;
  // An interrupted split goes on under the ids it began with.
  const episode = task.splitStarted?.episode ?? task.episode;
  const letter = String.fromCharCode(96 + Math.min(26, episode));
  const splitBy = (accepted: (a: Acceptance) => boolean) =>
    splitTask({
      parent: task,
      plan,
      spec,
      limits,
      episodeLetter: letter,
      acceptedChecks: accepted,
      sharedFiles: world.sharedFilesAllowed,
    });
  const accepted = await acceptInvented(world, lease, task, splitBy(() => false).invented, signal);
  if (isFailure(accepted)) return failedEnd(world, lease, accepted);
  const result = splitBy(accepted);
  if (isOutdated(task)) return failedEnd(world, lease, { failure: "cancelled", detail: "edited" });
  store.record([
    {
      task_id: task.id,
      actor: ACTOR,
      event_type: "split.started",
      attempt: lease.attempt,
      plan: store.journal.putBlob(JSON.stringify(plan)),
    },
  ]);
  const children: NewTaskFacts[] = result.children.map((child) => ({
    ...child,
    parent: task.id,
    origin: "plan",
    priority: task.priority,
  }));
  const commit = await commitInterfaces(world, lease, task, result.files, result.stubFiles, signal);
  if (isFailure(commit)) return failedEnd(world, lease, commit);
  const idOf = new Map(result.children.map((child) => [child.key.split(".").at(-1), child.id]));
  return {
    events: [
      // Known here first: no leaf waits until the tracker has heard of it.
      ...children.map(createdEvent),
      {
        task_id: task.id,
        actor: ACTOR,
        event_type: "task.split",
        children: children.map((child) => child.id),
        ...(commit.commit === undefined ? {} : { commit: commit.commit }),
        checks: result.rollupChecks,
        assumptions: [...result.assumptions, ...result.edgesAdded, ...commit.notes],
      },
      endedEvent(world, lease, "succeeded", { summary: `split into ${children.length}` }),
      ...questionEvents(world, task, result.questions, (question) =>
        question.blocks.flatMap((key) => idOf.get(key) ?? []),
      ),
    ],
  };
}

/**
 * A planner's questions without a default, each blocking just the tasks it names. Those that would
 * hold one task are asked as one: a task waits for one answer at a time.
 */
function questionEvents(
  world: World,
  task: TaskState,
  questions: readonly PlanQuestion[],
  blocksOf: (question: PlanQuestion) => TaskId[],
): NewEvent[] {
  const groups: { asked: PlanQuestion[]; blocks: TaskId[] }[] = [];
  for (const question of questions) {
    const blocks = blocksOf(question);
    if (blocks.length === 0) continue;
    const joined = groups.filter((group) => group.blocks.some((id) => blocks.includes(id)));
    const rest = groups.filter((group) => !joined.includes(group));
    const asked = [...joined.flatMap((group) => group.asked), question];
    const all = new Set([...joined.flatMap((group) => group.blocks), ...blocks]);
    groups.splice(0, groups.length, ...rest, { asked, blocks: [...all] });
  }
  const ids: string[] = [];
  return groups.map(({ asked, blocks }): NewEvent => {
    // Only the task itself can have been asked about before: its parts are new.
    const end = blocks.includes(task.id)
      ? outOfQuestions(task, world.limits, asked.map(({ question }) => question).join("; "))
      : undefined;
    if (end !== undefined) {
      return { task_id: task.id, actor: ACTOR, event_type: "task.failed", reason: end };
    }
    const id = nextQuestionId(world.store.state, task, ids);
    ids.push(id);
    return {
      task_id: blocks[0] ?? task.id,
      actor: "planner",
      event_type: "question.opened",
      question: id,
      kind: "plan",
      title: asked.map(({ question }) => question).join("\n"),
      why: asked.map(({ why }) => why).join("\n"),
      options: asked.flatMap(({ options }) => options),
      tried: "",
      blocks,
    };
  });
}
