/** Every problem with a plan at once, in words the planner can act on. */
import type { Plan, PlanProblem } from "../../domain/plan.ts";
import type { TaskState } from "../../domain/run-state.ts";
import { SIZES } from "../../domain/task.ts";
import { foldText, type PlanFacts } from "./plan-facts.ts";
import { covers, needsOf, partsInCycles } from "./plan-order.ts";
import { reviewAcceptance } from "./plan-review-acceptance.ts";
import { reviewPart } from "./plan-review-part.ts";
import { ALL, SELF } from "./planning-schema.ts";
import { signatureProblem } from "./stub.ts";

/** All that is wrong with the plan; nothing means that it can be carried out. */
export function reviewPlan(facts: PlanFacts): PlanProblem[] {
  const problems = [
    ...reviewShape(facts),
    ...facts.plan.parts.flatMap((part) => reviewPart(part, facts)),
    ...reviewKeys(facts.plan),
    ...reviewOwnership(facts),
    ...reviewInterfaces(facts),
    ...reviewDependencies(facts.plan),
    ...reviewAcceptance(facts),
    ...reviewQuestions(facts.plan),
  ];
  const said = new Set<string>();
  return problems.filter(({ message }) => !said.has(message) && said.add(message));
}

function reviewShape({ plan, ancestors, tasksTotal, limits }: PlanFacts): PlanProblem[] {
  const problems: PlanProblem[] = [];
  const { parts } = plan;
  if (plan.decision === "leaf") {
    if (SIZES.indexOf(plan.size) > SIZES.indexOf(limits.leafSizeMax)) {
      const message = `a task of size ${plan.size} is too large for one worker (at most ${limits.leafSizeMax}): split it`;
      problems.push({ code: "leaf-too-large", message });
    }
    if (parts.length !== 1 || parts[0]?.key !== SELF) {
      const message = `a leaf has exactly one part, with the key \`${SELF}\`, that says how it is done`;
      problems.push({ code: "leaf-parts", message });
    }
    return problems;
  }
  if (parts.length === 0) problems.push({ code: "no-parts", message: "a split needs parts" });
  if (parts.length === 1) {
    const message =
      "a split into one part makes nothing smaller: name at least two, or decide leaf";
    problems.push({ code: "one-part", message });
  }
  if (parts.length > limits.childrenMax) {
    const message = `${parts.length} parts are too many (at most ${limits.childrenMax}): join some of them into larger ones`;
    problems.push({ code: "too-many-parts", message });
  }
  if (ancestors.length + 1 > limits.depthMax) {
    const message = `the tree would be deeper than ${limits.depthMax}: do this task as a leaf`;
    problems.push({ code: "too-deep", message });
  }
  if (tasksTotal + parts.length > limits.tasksMax) {
    const message = `the tree would have ${tasksTotal + parts.length} tasks (at most ${limits.tasksMax}): use fewer parts`;
    problems.push({ code: "too-many-tasks", message });
  }
  return problems;
}

function reviewKeys({ decision, parts }: Plan): PlanProblem[] {
  const problems: PlanProblem[] = [];
  const seen = new Set<string>();
  const purposes = new Map<string, string>();
  for (const { key, purpose } of parts) {
    if (seen.has(key)) {
      problems.push({ code: "key-twice", message: `two parts have the key \`${key}\`` });
    }
    seen.add(key);
    if (key === ALL || key === "root" || (key === SELF && decision === "split")) {
      const message = `\`${key}\` cannot be a part's key: it has a meaning of its own`;
      problems.push({ code: "key-reserved", message });
    }
    const folded = foldText(purpose);
    const other = purposes.get(folded);
    if (other !== undefined && other !== key) {
      const message = `parts \`${other}\` and \`${key}\` have the same purpose`;
      problems.push({ code: "text-repeats", message });
    }
    purposes.set(folded, key);
  }
  return problems;
}

function reviewOwnership({ plan, task, spec }: PlanFacts): PlanProblem[] {
  const problems: PlanProblem[] = [];
  const keys = new Set(plan.parts.map(({ key }) => key));
  const owned = new Map(Object.entries(plan.ownership));
  for (const id of task.contract.requirements) {
    if (owned.has(id)) continue;
    problems.push({ code: "uncovered", message: `requirement ${id} is owned by no part` });
  }
  const known = new Set(spec.requirements.map(({ id }) => id));
  for (const [id, owner] of owned) {
    if (!task.contract.requirements.includes(id)) {
      problems.push(
        known.has(id)
          ? { code: "owned-twice", message: `requirement ${id} is owned by another task already` }
          : { code: "unknown-requirement", message: `there is no requirement ${id}` },
      );
    }
    if (!keys.has(owner) && !(owner === ALL && plan.decision === "split")) {
      const message = `requirement ${id} is given to \`${owner}\`, which is no part`;
      problems.push({ code: "unknown-owner", message });
    }
  }
  return [...problems, ...idleParts(plan, task)];
}

/** Parts that nothing asks for: invented scope. */
function idleParts(plan: Plan, task: TaskState): PlanProblem[] {
  if (plan.decision === "leaf" || task.contract.requirements.length === 0) return [];
  const useful = new Set([
    ...Object.values(plan.ownership),
    ...plan.dependencies.flatMap(({ part, needs }) => needs.filter((key) => key !== part)),
    ...plan.acceptance.map(({ part }) => part),
  ]);
  return plan.parts
    .filter(({ key }) => !useful.has(key))
    .map(({ key }) => ({
      code: "idle-part",
      message: `part \`${key}\` owns no requirement and no other part needs it: leave it out`,
    }));
}

function reviewInterfaces({ plan, task }: PlanFacts): PlanProblem[] {
  const problems: PlanProblem[] = [];
  const byKey = new Map(plan.parts.map((part) => [part.key, part]));
  const seen = new Set<string>();
  for (const signature of plan.interfaces) {
    const { part: key, file, name, declaration } = signature;
    const what = `the interface \`${name}\` of ${file}`;
    const part = byKey.get(key);
    if (!part) {
      const message = `${what} belongs to \`${key}\`, which is no part`;
      problems.push({ code: "interface-unknown-part", message });
    } else if (!part.files.some((declared) => covers(declared, file))) {
      const message = `${what} is in a file that its part \`${key}\` does not declare`;
      problems.push({ code: "interface-file", message });
    }
    if (seen.has(`${file} ${name}`)) {
      problems.push({ code: "interface-twice", message: `${what} is given twice` });
    }
    seen.add(`${file} ${name}`);
    const wrong = signatureProblem(signature);
    if (wrong !== undefined) {
      const message = `${what} ${wrong}: \`${declaration.slice(0, 120)}\``;
      problems.push({ code: "interface-export", message });
    }
    const fixed = task.contract.interfaces.find((one) => one.file === file && one.name === name);
    if (fixed && foldText(fixed.declaration) !== foldText(declaration)) {
      const message = `${what} is fixed already, and others build on it: \`${fixed.declaration}\``;
      problems.push({ code: "interface-twice", message });
    }
  }
  for (const { file, name } of plan.decision === "split" ? task.contract.interfaces : []) {
    if (plan.parts.some(({ files }) => files.some((declared) => covers(declared, file)))) continue;
    const message = `this task must export \`${name}\` from ${file}, and no part declares that file`;
    problems.push({ code: "no-files", message });
  }
  return problems;
}

function reviewDependencies(plan: Plan): PlanProblem[] {
  const keys = new Set(plan.parts.map(({ key }) => key));
  const problems: PlanProblem[] = [];
  for (const { part, needs } of plan.dependencies) {
    for (const key of [part, ...needs]) {
      if (keys.has(key)) continue;
      const message = `the dependencies name \`${key}\`, which is no part`;
      problems.push({ code: "unknown-dependency", message });
    }
    if (needs.includes(part)) {
      problems.push({ code: "self-dependency", message: `part \`${part}\` needs itself` });
    }
  }
  const circle = partsInCycles(needsOf(plan));
  if (circle.length > 0) {
    const message = `these parts wait for each other in a circle: ${circle.join(", ")}`;
    problems.push({ code: "cycle", message });
  }
  return problems;
}

function reviewQuestions(plan: Plan): PlanProblem[] {
  const keys = new Set(plan.parts.map(({ key }) => key));
  return plan.questions.flatMap(({ question, blocks }) =>
    blocks
      .filter((key) => !keys.has(key))
      .map((key) => ({
        code: "question-unknown-part",
        message: `the question "${question.slice(0, 80)}" blocks \`${key}\`, which is no part`,
      })),
  );
}
