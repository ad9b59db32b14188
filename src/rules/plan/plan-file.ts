/** `plan.json`: a specification with a plan for each of its tasks, to be run exactly so. */
import { z } from "zod";
import { plan } from "../../domain/plan.ts";
import type { InputProblem } from "../../domain/spec.ts";
import { plainIssue } from "../text/plain-issue.ts";
import { closestName } from "../text/suggest.ts";

export const PLAN_FILE_VERSION = 1;

const planFile = z.strictObject({
  schema_version: z.literal(PLAN_FILE_VERSION),
  /** The whole text of the specification: the file stands by itself. */
  spec: z.string().min(1),
  /** A plan for each task that is not a leaf already, by the task's key: `root`, `reading`, … */
  splits: z.record(z.string(), plan),
  /** Unordered parts may write one file; without it code orders them. */
  shared_files: z.literal("allow").optional(),
});
export type PlanFile = z.infer<typeof planFile>;

/**
 * Reads a plan file. Returns every problem found, each with the path of the value it is about
 * (`splits.root.parts.2.key`), or with line and column where it is no JSON.
 */
export function parsePlanFile(
  text: string,
  file = "plan.json",
): PlanFile | { problems: InputProblem[] } {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    return { problems: [notJson(file, text, error)] };
  }
  const parsed = planFile.safeParse(value, { error: plainIssue });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap((issue): InputProblem[] => {
    const at = issue.path.map(String).join(".");
    if (issue.code !== "unrecognized_keys") {
      return [{ file, message: at === "" ? issue.message : `\`${at}\`: ${issue.message}` }];
    }
    return issue.keys.map((key) => {
      const meant = closestName(key, Object.keys(planFile.shape));
      const hint = meant === undefined ? "" : `: did you mean \`${meant}\`?`;
      return { file, message: `unknown key \`${[at, key].filter(Boolean).join(".")}\`${hint}` };
    });
  });
  return { problems };
}

/** A plan file as text, readable and the same for the same plan. */
export function renderPlanFile(content: Omit<PlanFile, "schema_version">): string {
  return `${JSON.stringify({ schema_version: PLAN_FILE_VERSION, ...content }, null, 2)}\n`;
}

function notJson(file: string, text: string, error: unknown): InputProblem {
  const message = error instanceof Error ? error.message : String(error);
  const offset = Number(/position (\d+)/.exec(message)?.[1] ?? Number.NaN);
  const said = `is not JSON: ${message.replace(/ in JSON at position.*$/, "")}`;
  if (Number.isNaN(offset)) return { file, message: said };
  const before = text.slice(0, offset).split("\n");
  return { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1, message: said };
}
