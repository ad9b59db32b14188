/** Simulated models: right when all is well, and wrong in every way they can be otherwise. */
import type { ModelReply, ModelRequest } from "../../src/domain/conversation.ts";
import type { Failure } from "../../src/domain/failure.ts";
import type { Plan } from "../../src/domain/plan.ts";
import type { RunState, TaskState } from "../../src/domain/run-state.ts";
import type { MemoryRepository } from "../support/memory-repository.ts";
import type { Faults } from "./faults.ts";
import { answerOf, planOf, planOfOther, type Tree } from "./tree.ts";

export interface ModelFacts {
  tree: Tree;
  repository: MemoryRepository;
  /** The run as the process that asks knows it. */
  state: RunState;
  faults: Faults;
}

/** What the model of a role answers. */
export async function answerFor(
  request: ModelRequest,
  facts: ModelFacts,
): Promise<ModelReply | Failure> {
  const { faults } = facts;
  const { chance } = faults;
  const task = facts.state.tasks.get(request.taskId);
  if (task === undefined) throw new Error(`a model was asked about no task: ${request.taskId}`);
  if (faults.hits(8)) return outage(faults);
  const usage = {
    inputTokens: 100 + chance(2000),
    outputTokens: Math.min(request.outputTokensMax, 10 + chance(1500)),
    cacheReadTokens: chance(3) === 0 ? chance(500) : 0,
    cacheWriteTokens: 0,
  };
  const reply = (text: string, over: Partial<ModelReply> = {}): ModelReply => ({
    text,
    toolCalls: [],
    stopReason: "end",
    usage,
    answeredBy: "simulated",
    ...over,
  });
  if (faults.hits(2)) return reply("I would rather not.", { stopReason: "refusal" });
  if (faults.hits(2)) return reply("```txt a.txt\nhalf", { stopReason: "length" });
  if (faults.hits(3)) return reply("Let me think about it.");
  switch (request.role) {
    case "planner":
      return reply(await planner(task, facts));
    case "worker":
      return worker(task, request, facts, reply);
    case "fixer":
      return reply(await fixer(task, request, facts));
    case "router":
      return reply(JSON.stringify({ reason: "so", to: faults.hits(30) ? "person" : "fixer" }));
    case "reviewer":
      return reply(reviewer(request, facts));
  }
}

function outage(faults: Faults): Failure {
  const { chance } = faults;
  switch (chance(3)) {
    case 0:
      return { failure: "model-unavailable", detail: "429", retryAfterMs: 1000 * chance(120) };
    case 1:
      return { failure: "model-unavailable", detail: "503" };
    default:
      return { failure: "model-unavailable", detail: "the connection was reset" };
  }
}

function rightPlan(task: TaskState, { tree }: ModelFacts): Plan {
  const node = tree.nodes.get(task.key);
  if (node !== undefined && node.children.length > 0) return planOf(node);
  const { requirements, size, files } = task.contract;
  return planOfOther({ ...task, requirements, size, files }, task.route === "split");
}

async function planner(task: TaskState, facts: ModelFacts): Promise<string> {
  const plan = rightPlan(task, facts);
  if (facts.faults.hits(5)) return answerOf({ ...plan, parts: plan.parts.slice(1) });
  if (facts.faults.hits(3)) return answerOf({ ...plan, parts: [] });
  return answerOf(plan);
}

async function worker(
  task: TaskState,
  { attempt }: ModelRequest,
  facts: ModelFacts,
  reply: (text: string) => ModelReply,
): Promise<ModelReply | Failure> {
  const { faults } = facts;
  if (faults.hits(4)) return reply("```question\nWhich one?\n- this\n- that\n```\n");
  if (faults.hits(2)) return reply("```capability\nI need the network.\n```\n");
  if (faults.hits(2)) return { failure: "context-overflow", detail: "too long" };
  if (faults.hits(5)) return reply(block("stray.txt", "not asked for"));
  if (faults.hits(10))
    return reply(task.contract.files.map((file) => block(file, "wrong")).join(""));
  return reply(await rightWork(task, attempt, facts));
}

/** Every declared file with what is there already, and the words the checks ask for. */
async function rightWork(
  task: TaskState,
  attempt: number,
  { repository, state, tree }: ModelFacts,
): Promise<string> {
  const base = task.attempts.find((one) => one.number === attempt)?.base ?? state.base;
  const checks = [...task.contract.checks, ...tree.spec.checks];
  const blocks: string[] = [];
  for (const file of task.contract.files) {
    const lines = new Set((await repository.readFile(base, file))?.trim().split("\n") ?? []);
    for (const { run } of checks) {
      const [word, path, ...text] = run.split(" ");
      if (word === "has" && path === file) lines.add(text.join(" "));
    }
    if (task.contract.checks.length === 0) lines.add(task.key);
    // Asked again by a person, it changes something.
    if (task.episode > 1) lines.add(`${task.key} for the ${task.episode}th time`);
    blocks.push(block(file, [...lines].join("\n")));
  }
  return blocks.join("");
}

const block = (path: string, text: string) => `\`\`\`txt ${path}\n${text}\n\`\`\`\n`;

async function fixer(task: TaskState, request: ModelRequest, facts: ModelFacts): Promise<string> {
  const { faults } = facts;
  if (request.turn.startsWith("patch")) {
    if (faults.hits(30)) return task.contract.files.map((file) => block(file, "worse")).join("");
    return rightWork(task, request.attempt, facts);
  }
  const say = (kind: string, text: string, question = "") =>
    JSON.stringify({ cause: "unknown", kind, text, question, options: [] });
  const maySplit = request.messages.some((one) => "text" in one && one.text.includes("split"));
  if (faults.hits(20)) return say("person", "", "What is wanted?");
  if (maySplit && faults.hits(15)) return say("split", "in two");
  if (faults.hits(40)) return say("patch", "like this");
  return say("guidance", "try once more");
}

function reviewer(request: ModelRequest, { faults }: ModelFacts): string {
  const accept = !faults.hits(15);
  if (request.turn.startsWith("work")) return JSON.stringify({ reason: "looked at it", accept });
  const text = request.messages.map((one) => ("text" in one ? one.text : "")).join("\n");
  const ids = [...new Set([...text.matchAll(/^## (c\d+)$/gm)].map(([, id]) => id))];
  return JSON.stringify({ verdicts: ids.map((id) => ({ id, reason: "fits", accept })) });
}
