/** The line a process begins with in the journal: how the run starts, or that it goes on. */
import type { Amounts } from "../domain/budget.ts";
import type { FactOf, NewEvent } from "../domain/event.ts";
import { ACTOR, type World } from "../orchestrator/world.ts";
import type { Context } from "./context.ts";
import { modelFlagsField } from "./model-flags.ts";
import type { Order } from "./order.ts";
import { allowsOf } from "./reach.ts";

/** What both lines say of the process that writes them. */
type ProcessFacts = Omit<FactOf<"run.resumed">, "event_type" | "limits">;

/** Of this process: its models, its slots, and what it may reach. */
export function processFacts(
  { configFlags }: Context,
  { config, models }: Order,
  profiles: World["profiles"],
  contained: boolean,
): ProcessFacts {
  const endpoints = Object.entries(models).map(([role, { name, baseUrl }]) => [
    role,
    baseUrl === undefined ? name : `${name} at ${baseUrl}`,
  ]);
  return {
    pid: process.pid,
    models: Object.fromEntries(
      Object.entries(profiles).map(([role, profile]) => [role, profile.model.name]),
    ),
    endpoints: Object.fromEntries(endpoints),
    contained,
    jobs: config.limits.jobs,
    allows: allowsOf(config),
    ...modelFlagsField(configFlags),
  };
}

/** The first line of a journal. */
export function startedEvent(
  { spec, input, plan, budget }: Order,
  facts: ProcessFacts,
  run: { base: string; branch: string; rootId: string; putBlob(text: string): string },
): NewEvent {
  const givenPlan = plan === undefined ? {} : { given_plan: run.putBlob(JSON.stringify(plan)) };
  return {
    task_id: null,
    actor: ACTOR,
    event_type: "run.started",
    spec_path: input.path,
    spec_hash: input.hash,
    spec: run.putBlob(input.text),
    title: spec.title,
    base: run.base,
    branch: run.branch,
    root_id: run.rootId,
    ...facts,
    ...givenPlan,
    ...(plan?.shared_files === "allow" ? { shared_files: true as const } : {}),
    ...(Object.keys(budget).length === 0 ? {} : { budget }),
  };
}

/** The first line of each further process of a run. */
export function resumedEvent({ config }: Order, facts: ProcessFacts): NewEvent {
  return {
    task_id: null,
    actor: ACTOR,
    event_type: "run.resumed",
    limits: { ...config.limits },
    ...facts,
  };
}

/** All limits that the run will have from its first line on, and those its given plan brings. */
export function limitsOfOrder({ budget, plan }: Order): Map<string, Amounts> {
  const parts = Object.values(plan?.splits ?? {}).flatMap((split) => split.parts);
  return new Map([
    ...Object.entries(budget),
    ...parts.flatMap((part) =>
      part.budget === undefined ? [] : [[`subtree ${part.key}`, part.budget] as const],
    ),
  ]);
}
