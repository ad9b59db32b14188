/** The words of the spec behind a task's requirement ids. */
import type { RunState, TaskState } from "../domain/run-state.ts";
import { parseSpec } from "../rules/spec/spec.ts";

export interface RequirementText {
  id: string;
  /** Undefined when the stored spec no longer has it. */
  text: string | undefined;
  /** First line in the spec, from 1. */
  line: number | undefined;
}

/** The requirements a task owns, looked up in the spec the run was started with. */
export function requirementsOf(
  state: RunState,
  task: TaskState,
  blob: (hash: string) => string | undefined,
): RequirementText[] {
  const text = blob(state.spec.blob);
  const spec = text === undefined ? undefined : parseSpec(state.spec.path, text, state.spec.hash);
  const known = spec === undefined || "problems" in spec ? [] : spec.requirements;
  return task.contract.requirements.map((id) => {
    const found = known.find((requirement) => requirement.id === id);
    return { id, text: found?.text, line: found?.line };
  });
}
