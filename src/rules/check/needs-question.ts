/** The question about what tasks need and no setting allows: what, who says so, and the lines that would allow it. */
import type { RunState, TaskState } from "../../domain/run-state.ts";
import { linesToAllow, needsUnasked } from "./needs.ts";

/** More tasks than this are counted instead of named. */
const NAMED_MAX = 3;

/** What a person is asked about these tasks; `isModels` where a planner alone says that they need it. */
export function needsQuestion(
  state: RunState,
  tasks: readonly TaskState[],
  isModels: (need: string) => boolean,
): { question: string; why: string; options: string[]; needs: string[] } {
  const needs = [...new Set(tasks.flatMap((task) => needsUnasked(state, task)))].sort();
  const titles = tasks.map(({ contract }) => `"${contract.title}"`);
  const named =
    titles.length > NAMED_MAX
      ? `${titles[0]} and ${titles.length - 1} others`
      : titles.join(" and ");
  const verb = titles.length === 1 ? "needs" : "need";
  const why = [
    ...(needs.some(isModels) ? ["A planner says so; its word allows nothing."] : []),
    "It is allowed in your own settings alone (`fractal config show` names the file), beside what they say already, by:",
    ...linesToAllow(needs),
    "Write that there and `fractal resume`. An answer without that means to do without, and may say how.",
  ];
  return {
    question: `${named} ${verb} what your settings do not allow: ${needs.join(", ")}. What now?`,
    why: why.join("\n"),
    options: ["do without"],
    needs,
  };
}
