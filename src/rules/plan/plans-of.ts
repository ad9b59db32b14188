/** The accepted plans of a run, by task key, as its journal has them. */
import type { RunEvent } from "../../domain/event.ts";
import { type Plan, plan } from "../../domain/plan.ts";
import type { RunState } from "../../domain/run-state.ts";

/** The last plan without a problem of each task that was planned. `blob` reads a stored text. */
export function plansOf(
  events: readonly RunEvent[],
  state: RunState,
  blob: (hash: string) => string | undefined,
): Record<string, Plan> {
  const found: Record<string, Plan> = {};
  for (const event of events) {
    if (event.event_type !== "plan.proposed" || event.problems.length > 0) continue;
    const key = state.tasks.get(event.task_id ?? "")?.key;
    const text = blob(event.plan);
    if (key !== undefined && text !== undefined) found[key] = plan.parse(JSON.parse(text));
  }
  return found;
}
