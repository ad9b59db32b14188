/** Which task or question an id means: in full, without what all ids of the run begin with, or by its key. */
import type { RunState } from "../domain/run-state.ts";
import { closestName } from "../rules/text/suggest.ts";
import { EXIT, type Refusal, refuse } from "./exit.ts";

/** The full id: `a1.b2` means `fr-k3f9x2.a1.b2`, `k3f9x2` the root; a key that one task alone has, that task. */
export function resolveId(state: RunState, typed: string): string | Refusal {
  const { rootId, runId } = state;
  const prefix = rootId.endsWith(runId) ? rootId.slice(0, -runId.length) : "";
  const meant = [typed, `${rootId}.${typed}`, `${prefix}${typed}`];
  const isKnown = (id: string) => state.tasks.has(id) || state.questions.has(id);
  const ofKey = [...state.tasks.values()].filter(({ key }) => key === typed);
  const byKey = ofKey.length === 1 ? ofKey[0]?.id : undefined;
  return meant.find(isKnown) ?? byKey ?? unknownId(state, typed);
}

/** The same for a task alone: a question is not paused. */
export function resolveTask(state: RunState, typed: string): string | Refusal {
  const id = resolveId(state, typed);
  const about = typeof id === "string" ? state.questions.get(id) : undefined;
  if (about === undefined) return id;
  return refuse(EXIT.usage, `${about.id} is a question, not a task`, {
    next: [`fractal show ${about.id}`],
  });
}

/** Names the run that was searched, so that the wrong run is found out too. */
function unknownId(state: RunState, typed: string): Refusal {
  const known = [...state.tasks.keys(), ...state.questions.keys()];
  const short = known.map((id) => id.replace(`${state.rootId}.`, ""));
  const meant = closestName(typed, known) ?? known[short.indexOf(closestName(typed, short) ?? "")];
  return refuse(EXIT.usage, `run ${state.runId} has no task or question ${typed}`, {
    next: [
      ...(meant === undefined ? [] : [`did you mean ${meant}?`]),
      "fractal tree   # lists all ids",
    ],
  });
}
