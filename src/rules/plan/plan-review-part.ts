/** What can be wrong with one part of a plan by itself. */
import { renderAmount } from "../../domain/amounts.ts";
import { UNITS } from "../../domain/budget.ts";
import { pathProblem } from "../../domain/path.ts";
import type { Part, PlanProblem } from "../../domain/plan.ts";
import { SIZES } from "../../domain/task.ts";
import { isUnder } from "../check/path-pattern.ts";
import { FRACTALS_OWN, protectedBy } from "../check/protected.ts";
import { isRunnable, oraclePath } from "./oracle.ts";
import { childKey, foldText, type PlanFacts, sizeBound } from "./plan-facts.ts";

/** Every problem with a part: its size, words, files, command, and how it would be checked. */
export function reviewPart(part: Part, facts: PlanFacts): PlanProblem[] {
  return [
    ...reviewSize(part, facts),
    ...reviewBudget(part, facts),
    ...reviewWords(part, facts),
    ...reviewFiles(part, facts),
    ...reviewKind(part),
    ...reviewChecks(part, facts),
  ];
}

/** Whether code would take a part of this size for a leaf. */
function isLeafSized(part: Part, { plan, limits }: PlanFacts): boolean {
  const size = plan.decision === "leaf" ? plan.size : part.size;
  return SIZES.indexOf(size) <= SIZES.indexOf(limits.leafSizeMax);
}

function reviewSize(part: Part, facts: PlanFacts): PlanProblem[] {
  if (facts.plan.decision === "leaf") return [];
  const bound = sizeBound(facts);
  if (SIZES.indexOf(part.size) < SIZES.indexOf(bound)) return [];
  const message = `part \`${part.key}\` (${part.size}) is as large as its parent (${bound}): make it smaller`;
  return [{ code: "part-too-large", message }];
}

/** A part shares what its parent may use: a budget above that would promise what is not there. */
function reviewBudget(part: Part, { task, ancestors }: PlanFacts): PlanProblem[] {
  return UNITS.flatMap((unit): PlanProblem[] => {
    const amount = part.budget?.[unit];
    const above = [task, ...ancestors].find(
      ({ contract }) => contract.budget?.[unit] !== undefined,
    );
    const limit = above?.contract.budget?.[unit];
    if (amount === undefined || limit === undefined || amount <= limit) return [];
    const message = `part \`${part.key}\` may use ${renderAmount(amount, unit)}, but "${above?.contract.title}" only ${renderAmount(limit, unit)}`;
    return [{ code: "budget-above", message }];
  });
}

function reviewWords(part: Part, { plan, task, ancestors }: PlanFacts): PlanProblem[] {
  if (plan.decision === "leaf") return [];
  const purpose = foldText(part.purpose);
  const same = [task, ...ancestors].find(({ contract }) => foldText(contract.purpose) === purpose);
  if (!same) return [];
  const message = `part \`${part.key}\` repeats the purpose of "${same.contract.title}": say what this part alone does`;
  return [{ code: "text-repeats", message }];
}

function reviewFiles(part: Part, facts: PlanFacts): PlanProblem[] {
  const { plan, task, spec } = facts;
  const tests = new Set(
    [task.key, ...plan.parts.map(({ key }) => childKey(task.key, key))].flatMap((key) => [
      oraclePath(key),
      oraclePath(key, ".advice"),
    ]),
  );
  return part.files.flatMap((file): PlanProblem[] => {
    const what = `the file \`${file}\` of part \`${part.key}\``;
    const problem = pathProblem(file.replace(/\/$/, ""));
    if (problem !== undefined) return [{ code: "bad-path", message: `${what} ${problem}` }];
    if (tests.has(file)) {
      const message = `${what} belongs to the checks, which are rendered from the acceptance`;
      return [{ code: "oracle-file", message }];
    }
    if (isUnder(file, FRACTALS_OWN)) {
      const message = `${what} steers fractal itself: no part may write it, new or not; choose another name, or leave it out`;
      return [{ code: "protected-file", message }];
    }
    const pattern = facts.existingFiles.includes(file) && protectedBy(file, spec.protectedPaths);
    // With an open question to a person about the part, somebody will say yes or no to it.
    const isAsked = plan.questions.some(
      ({ blocks, default: answer }) => blocks.includes(part.key) && answer === undefined,
    );
    if (pattern && !isAsked) {
      const message = `${what} is there already and protected (\`${pattern}\`): leave it alone, or ask a person with a question that blocks the part`;
      return [{ code: "protected-file", message }];
    }
    if (file.endsWith("/") && isLeafSized(part, facts)) {
      const message = `${what} is a folder: a part of size ${part.size} names its files`;
      return [{ code: "folder-leaf", message }];
    }
    return [];
  });
}

function reviewKind(part: Part): PlanProblem[] {
  const what = `part \`${part.key}\``;
  switch (part.kind) {
    case "code":
      if (part.files.length > 0) return [];
      return [{ code: "no-files", message: `${what} names no file that it may write` }];
    case "text":
      return [
        ...(part.files.length > 0
          ? [
              {
                code: "text-with-files",
                message: `${what} is a text: its result is one document, it writes no files`,
              },
            ]
          : []),
        ...(part.command === undefined
          ? []
          : [{ code: "text-with-command", message: `${what} is a text: it has no command` }]),
      ];
    case "command":
      if (part.command?.trim()) return [];
      return [{ code: "command-missing", message: `${what} is a command and names none` }];
  }
}

function reviewChecks(part: Part, facts: PlanFacts): PlanProblem[] {
  const { plan, task } = facts;
  if (part.kind !== "code" || part.unchecked?.trim() || !isLeafSized(part, facts)) return [];
  const isChecked = plan.acceptance.some((one) => one.part === part.key && isRunnable(one.example));
  if (isChecked || (plan.decision === "leaf" && task.contract.checks.length > 0)) return [];
  const message = `part \`${part.key}\` has no example that can be run: give one, or say in \`unchecked\` why there is none`;
  return [{ code: "no-check", message }];
}
