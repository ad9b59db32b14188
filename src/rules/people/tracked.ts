/** Tasks and questions as the tracker is to be told of them. */
import type { NewTrackedTask } from "../../domain/ports.ts";
import type { Described, Question, RunState } from "../../domain/run-state.ts";
import type { Contract, TaskId } from "../../domain/task.ts";
import { ancestorsOf } from "../status.ts";

/**
 * The tasks and open questions that the tracker has not been told of, parents first. Below what a
 * person deleted there is no place for them.
 */
export function unpublished(state: RunState): string[] {
  const tasks = [...state.tasks.values()].filter(
    ({ id, mirror }) =>
      mirror === undefined && ancestorsOf(state, id).every((above) => above.deleted !== true),
  );
  const questions = [...state.questions.values()].filter(
    (question) => question.mirror === undefined && question.state === "open",
  );
  return [...tasks, ...questions].map((one) => one.id);
}

/** The facts of a task that go into its issue at creation. */
export interface TaskFacts {
  id: TaskId;
  key: string;
  parent: TaskId | null;
  dependsOn: TaskId[];
  priority: number;
  contract: Contract;
  described: Described;
}

/** The issue of a new task. The root and parents are epics, as `bd` shows a tree. */
export function issueOfTask(runId: string, task: TaskFacts): NewTrackedTask {
  const { contract, described } = task;
  return {
    id: task.id,
    ...described,
    status: "open",
    priority: task.priority,
    labels: task.parent === null ? ["fractal"] : [],
    parent: task.parent,
    dependsOn: task.dependsOn,
    type: task.parent === null ? "epic" : "task",
    meta: { run: runId, key: task.key, size: contract.size, kind: contract.kind },
  };
}

/**
 * The issue of a question, with its edges: what it blocks waits for it. One about a split task or
 * the run has no edge (an edge would block the whole subtree) and names what it is about.
 */
export function issueOfQuestion(
  runId: string,
  question: Question,
  isSplit: (id: TaskId) => boolean,
): NewTrackedTask {
  const blocks = question.blocks.filter((id) => !isSplit(id));
  return {
    id: question.id,
    title: question.title.split("\n")[0]?.slice(0, 255) || "A question",
    description: describeQuestion(question),
    acceptance: "",
    status: "open",
    priority: 1,
    labels: ["human"],
    parent: null,
    dependsOn: [],
    blocks,
    type: "task",
    meta: {
      run: runId,
      key: question.id,
      kind: "question",
      ...(question.about === null ? {} : { about: question.about }),
    },
  };
}

function describeQuestion(question: Question): string {
  const parts = [question.title, `Why: ${question.why}`];
  if (question.options.length > 0) {
    parts.push(`Options:\n${question.options.map((option) => `- ${option}`).join("\n")}`);
  }
  if (question.tried !== "") parts.push(`Tried:\n${question.tried}`);
  const below = question.kind === "review" ? "all below " : "";
  const waits = question.blocks.join(", ") || `${below}${question.about ?? "the run"}`;
  parts.push(`Waiting for this: ${waits}. Everything else goes on.`);
  parts.push(`Answer: fractal answer ${question.id} "…"  or  bd human respond ${question.id}`);
  return parts.join("\n\n");
}
