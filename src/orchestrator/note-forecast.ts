/** Journals what a run will probably take, once everything is planned: the end is held against it. */
import { tokensIn } from "../domain/usage.ts";
import { forecastOf } from "../rules/plan/forecast.ts";
import { ACTOR, type World } from "./world.ts";

/** Once a run: what was used until everything was planned, and the forecast of what is left. */
export function noteForecast(world: World): void {
  const { store, spec, profiles } = world;
  const { state } = store;
  if (state.forecast !== undefined || world.planOnly) return;
  const tasks = [...state.tasks.values()];
  const isPlanned = tasks.every((task) => task.shape !== "unplanned" || task.end !== undefined);
  if (!isPlanned) return;
  const { planner, worker, fixer = planner } = profiles;
  const left = forecastOf({
    spec,
    tasks: tasks.filter((task) => task.end === undefined),
    roles: { planner, worker, fixer },
  });
  const known = state.costUsd !== undefined && left.costUsd !== undefined;
  store.record([
    {
      task_id: null,
      actor: ACTOR,
      event_type: "forecast.made",
      leaves: tasks.filter((task) => task.shape === "leaf").length,
      calls: state.calls + left.calls,
      tokens: tokensIn(state.usage) + left.inputTokens + left.outputTokens,
      cost_usd: known ? (state.costUsd ?? 0) + (left.costUsd ?? 0) : null,
    },
  ]);
}
