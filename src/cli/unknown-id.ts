/** The refusal for an id that a run does not have, with the one that was probably meant. */
import type { RunState } from "../domain/run-state.ts";
import { closestName } from "../rules/suggest.ts";
import { EXIT, type Refusal, refuse } from "./exit.ts";

/** Names the run that was searched, so that the wrong run is found out too. */
export function unknownId(state: RunState, id: string): Refusal {
  const known = [...state.tasks.keys(), ...state.questions.keys()];
  const meant =
    known.find((one) => one.endsWith(`.${id}`) || one.endsWith(`-${id}`)) ?? closestName(id, known);
  return refuse(EXIT.usage, `run ${state.runId} has no task or question ${id}`, {
    next: [
      ...(meant === undefined ? [] : [`did you mean ${meant}?`]),
      "fractal tree   # lists all ids",
    ],
  });
}
