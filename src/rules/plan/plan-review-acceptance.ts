/** What can be wrong with a plan's acceptance. */
import type { Acceptance, PlanProblem } from "../../domain/plan.ts";
import { describeExample } from "./example.ts";
import type { PlanFacts } from "./plan-facts.ts";
import { allNeedsOf, covers, orderedNeeds } from "./plan-order.ts";
import { ALL } from "./planning-schema.ts";
import { isCallable } from "./source-file.ts";

/** Every problem with every example. */
export function reviewAcceptance(facts: PlanFacts): PlanProblem[] {
  return facts.plan.acceptance.flatMap((one) => {
    const said = `"${describeExample(one.example).slice(0, 160)}"`;
    return [
      ...reviewBelonging(one, said, facts),
      ...(one.example.kind === "call" ? reviewCall(one, said, facts) : []),
    ];
  });
}

function reviewBelonging(one: Acceptance, said: string, facts: PlanFacts): PlanProblem[] {
  const { plan, task, spec } = facts;
  const problems: PlanProblem[] = [];
  const isPart = plan.parts.some(({ key }) => key === one.part);
  if (!isPart && !(one.part === ALL && plan.decision === "split")) {
    const message = `the example ${said} belongs to \`${one.part}\`, which is no part`;
    problems.push({ code: "acceptance-unknown-part", message });
  }
  const isKnown = spec.requirements.some(({ id }) => id === one.requirement);
  if (!isKnown && task.contract.requirements.length > 0) {
    const message = `the example ${said} names no requirement: \`${one.requirement}\` is not in the specification`;
    problems.push({ code: "acceptance-no-requirement", message });
  }
  return problems;
}

function reviewCall({ part, example }: Acceptance, said: string, facts: PlanFacts): PlanProblem[] {
  if (example.kind !== "call") return [];
  const { plan, task, ancestors, existingFiles } = facts;
  const { file, name, value, error } = example;
  const problems: PlanProblem[] = [];
  if ((value === undefined) === (error === undefined)) {
    const message = `the example ${said} must give a value or an error, and not both`;
    problems.push({ code: "call-no-result", message });
  }
  if (!isCallable(file)) {
    const message = `the example ${said} calls into ${file}: only JavaScript and TypeScript can be called, use a command`;
    return [...problems, { code: "call-not-runnable", message }];
  }
  const declared = [plan, ...[task, ...ancestors].map(({ contract }) => contract)].flatMap(
    ({ interfaces }): { file: string; name: string }[] => interfaces,
  );
  const isDeclared = declared.some((one) => one.file === file && one.name === name);
  if (!isDeclared && !existingFiles.includes(file)) {
    const message = `the example ${said} calls \`${name}\` of ${file}, which no interface declares`;
    problems.push({ code: "call-undeclared", message });
  }
  const owners = plan.parts.filter(({ files }) => files.some((one) => covers(one, file)));
  const ready = allNeedsOf(orderedNeeds(plan).needs, part).add(part);
  if (part !== ALL && owners.length > 0 && !owners.some(({ key }) => ready.has(key))) {
    const message = `the example ${said} of part \`${part}\` needs ${file} of part \`${owners[0]?.key}\`, which \`${part}\` does not depend on`;
    problems.push({ code: "call-too-early", message });
  }
  return problems;
}
