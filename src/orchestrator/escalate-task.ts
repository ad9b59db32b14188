/** Finds help for a stuck task: routes it, asks the fixer, or opens a question to a person. */
import { fixTask as askFixer } from "../agents/fixer.ts";
import { routeTask as askRouter } from "../agents/router.ts";
import type { NewEvent } from "../domain/event.ts";
import { isFailure } from "../domain/failure.ts";
import type { Question, TaskState } from "../domain/run-state.ts";
import type { TaskId } from "../domain/task.ts";
import { askedTogether } from "../rules/check/needs.ts";
import { needsQuestion } from "../rules/check/needs-question.ts";
import { isSplittable, outOfQuestions } from "../rules/escalation.ts";
import { askCycle, askDrift, askDropped, nextQuestionId } from "../rules/people/cancel.ts";
import { knownCycle } from "../rules/people/cycle.ts";
import { triedBelow } from "../rules/review.ts";
import type { AskedKind } from "../rules/standing.ts";
import { ancestorsOf, taskOf } from "../rules/status.ts";
import { tryPatch } from "./attempt-task.ts";
import { profileFor } from "./journaled-model.ts";
import { endedEvent, failedEnd, type Lease, underLease } from "./lease.ts";
import { gatherPack, triedOf } from "./pack.ts";
import { ACTOR, type World } from "./world.ts";

/** Sends a task where the rules say, at once. */
export function routeByRules(world: World, taskId: TaskId, to: "fixer" | "split", reason: string) {
  world.store.record([routed(taskId, to, "rules", reason)]);
}

function routed(
  taskId: TaskId,
  to: "fixer" | "split" | "person",
  by: "rules" | "router" | "fixer",
  reason: string,
): NewEvent {
  const actor = by === "rules" ? ACTOR : by;
  return { task_id: taskId, actor, event_type: "escalation.routed", to, by, reason };
}

/** Lets the router model choose where the rules cannot; without one it is the fixer's. */
export async function routeByModel(
  world: World,
  taskId: TaskId,
  signal: AbortSignal,
): Promise<void> {
  if (world.profiles.router === undefined) {
    routeByRules(world, taskId, "fixer", "no router is configured");
    return;
  }
  await underLease(world, taskId, "router", signal, async (lease) => {
    const order = await orderFor(world, lease, world.prompts.router);
    const route = await askRouter(order, signal);
    if (isFailure(route)) return failedEnd(world, lease, route);
    return {
      events: [
        endedEvent(world, lease, "succeeded", { summary: `${route.to}: ${route.reason}` }),
        routed(taskId, route.to, "router", route.reason),
      ],
    };
  });
}

/** Asks the fixer about a stuck leaf and carries out what it says; without one a person is asked. */
export async function fixTask(world: World, taskId: TaskId, signal: AbortSignal): Promise<void> {
  if (world.profiles.fixer === undefined) {
    world.store.record([routed(taskId, "person", "rules", "no fixer is configured")]);
    return;
  }
  await underLease(world, taskId, "fixer", signal, async (lease) => {
    const answer = await askFixer(await orderFor(world, lease, world.prompts.fixer), signal);
    if (isFailure(answer)) return failedEnd(world, lease, answer);
    switch (answer.kind) {
      case "guidance":
        return {
          events: [
            endedEvent(world, lease, "succeeded", { summary: firstLine(answer.text) }),
            guidance(world, taskId, answer.text),
          ],
        };
      case "split":
        return {
          events: [
            endedEvent(world, lease, "succeeded", { summary: "split it" }),
            { ...guidance(world, taskId, answer.text), attempts: 0 } as NewEvent,
            routed(taskId, "split", "fixer", firstLine(answer.text)),
          ],
        };
      case "patch":
        return tryPatch(world, lease, answer.files, signal);
      case "person":
        return {
          events: [
            endedEvent(world, lease, "succeeded", { summary: answer.question }),
            ...questionAbout(world, taskId, "stuck", answer),
          ],
        };
    }
  });
}

function guidance(world: World, taskId: TaskId, text: string): NewEvent {
  return {
    task_id: taskId,
    actor: "fixer",
    event_type: "guidance.given",
    from: "fixer",
    text,
    attempts: world.limits.attemptsAfterGuidance,
  };
}

async function orderFor(world: World, lease: Lease, prompt: string) {
  const profile = profileFor(world, lease);
  if (profile === undefined) throw new Error(`no ${lease.role} is configured`);
  const task = taskOf(world.store.state, lease.taskId);
  const depth = ancestorsOf(world.store.state, task.id).length;
  return {
    pack: await gatherPack(world, task.id, lease.base, "repair"),
    profile,
    prompt,
    identity: { taskId: task.id, attempt: lease.attempt },
    splittable: isSplittable(task, depth, world.limits),
  };
}

/**
 * Opens the question a stuck task needs; what reconcile found is the reason: in words, or the
 * dependency that was dropped.
 */
export function askPerson(world: World, taskId: TaskId, kind: AskedKind, reason: string): void {
  const task = taskOf(world.store.state, taskId);
  if (kind === "dropped") {
    world.store.record([askDropped(world.store.state, task, reason)]);
    return;
  }
  if (kind === "cycle") {
    const cycle = knownCycle(world.store.state);
    if (cycle !== undefined) world.store.record([askCycle(world.store.state, task, cycle)]);
    return;
  }
  if (kind === "drift") {
    world.store.record([askDrift(world.store.state, task, reason)]);
    return;
  }
  if (kind === "needs") {
    world.store.record(askForNeeds(world, task));
    return;
  }
  const title = task.contract.title;
  const pending = task.pending;
  const options = pending?.failure === "worker-asks" ? pending.options : [];
  const text = {
    stuck: { question: `"${title}" is stuck. What should be done?`, why: reason },
    asks: asked(title, reason, pending?.failure === "capability-missing"),
    plan: {
      question: `No valid plan was found for "${title}". How should it be split?`,
      why: reason,
    },
    rollup: { question: `"${title}" does not pass as a whole. What should be done?`, why: reason },
    flaky: {
      question: `A check of "${title}" says red and green of the same files. What should be done?`,
      why: `${reason}\n\nUntil this is answered nothing is decided by it. Any answer has the work checked anew, and is guidance; to take the work as it is: bd close ${taskId}`,
    },
    review: {
      question: `Much failed below "${title}". How should it go on?`,
      why: `${reason}. Nothing below it is begun until this is answered. The answer is guidance for all that is unfinished there, which is then tried again; to give it up: fractal cancel ${taskId}`,
    },
  }[kind];
  const tried = kind === "review" ? triedBelow(world.store.state, task) : triedOf(task).join("\n");
  world.store.record(questionAbout(world, taskId, kind, { ...text, options }, tried));
}

/** One question for all parts of a plan that need what the settings do not allow. */
function askForNeeds(world: World, task: TaskState): NewEvent[] {
  const { state } = world.store;
  // It was asked about a moment ago, together with another.
  if (task.question !== undefined) return [];
  const together = askedTogether(state, task);
  const planned = taskOf(state, task.parent ?? task.id);
  const isModels = (need: string) =>
    !world.givenPlans.has(planned.key) && !world.spec.needs.includes(need);
  const { needs, ...text } = needsQuestion(state, together, isModels);
  const blocks = together.map(({ id }) => id);
  return questionAbout(world, task.id, "needs", text).map((event) =>
    event.event_type === "question.opened" ? { ...event, needs, blocks } : event,
  );
}

/** A worker's question, or what it says it lacks; its words are its own. */
function asked(title: string, reason: string, isLack: boolean) {
  if (!isLack)
    return { question: firstLine(reason), why: `The worker on "${title}" asks: ${reason}` };
  return {
    question: `"${title}" cannot be done with what there is: ${firstLine(reason)}`,
    why: `Something is missing, and nobody works around it: ${reason}\n\nProvide it and answer; the answer is guidance for the next attempt.`,
  };
}

function questionAbout(
  world: World,
  taskId: TaskId,
  kind: Question["kind"],
  text: { question: string; why: string; options: string[] },
  tried = triedOf(taskOf(world.store.state, taskId)).join("\n"),
): NewEvent[] {
  const task = taskOf(world.store.state, taskId);
  const base = { task_id: taskId, actor: ACTOR } as const;
  const end = outOfQuestions(task, world.limits, text.question);
  if (end !== undefined) return [{ ...base, event_type: "task.failed", reason: end }];
  return [
    {
      ...base,
      event_type: "question.opened",
      question: nextQuestionId(world.store.state, task),
      kind,
      title: text.question,
      why: text.why,
      options: text.options,
      tried,
      // An edge to a split task would block everything below it.
      blocks: task.shape === "split" ? [] : [taskId],
    },
  ];
}

function firstLine(text: string): string {
  return (
    text
      .split("\n")
      .find((line) => line.trim() !== "")
      ?.slice(0, 300) ?? ""
  );
}
