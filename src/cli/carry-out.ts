/** Carries a started run out: shows it, loops until it rests, says how it ended. */
import type { NewEvent } from "../domain/event.ts";
import { type Rest, runLoop } from "../orchestrator/loop.ts";
import { ACTOR } from "../orchestrator/world.ts";
import { figuresOf } from "../rules/money/figures.ts";
import { figuresJson, renderSummary } from "../view/summary.ts";
import { treeJson } from "../view/tree-json.ts";
import type { Context } from "./context.ts";
import { EXIT, type ExitCode } from "./exit.ts";
import { type Live, showLive } from "./live.ts";
import type { StartedRun } from "./open-world.ts";
import { machine } from "./wire.ts";

/** What a prompt needs of the live view, which exists only once the run has started. */
export interface LiveSlot {
  live: Live | undefined;
}

/** Runs to rest and returns the exit code; the lock is let go on every path out. */
export async function carryOut(
  context: Context,
  started: StartedRun,
  slot: LiveSlot,
): Promise<ExitCode> {
  const { out, signal } = context;
  const { world } = started;
  const { store, spec } = world;
  try {
    const live = showLive(context, store);
    slot.live = live;
    let rest: Rest;
    try {
      rest = await runLoop(world, signal);
    } catch (error) {
      // A person's git is in the way: an end, and no death that a task is to blame for.
      if (error instanceof machine.GitLocked) {
        store.record([stopped({ reason: error.message, exitCode: EXIT.environment })]);
      }
      throw error;
    } finally {
      slot.live = undefined;
      live.end();
    }
    store.record([stopped(rest)]);
    const figures = figuresOf(store.state, store.journal.read(), world.limits.jobs);
    out.show(
      () => ({
        ...treeJson(store.state),
        ...figuresJson(store.state, figures),
        exit_code: rest.exitCode,
        reason: rest.reason,
      }),
      () =>
        renderSummary(store.state, spec, {
          ...out.look,
          now: context.now(),
          pricesDate: machine.pricesDate,
          figures,
        }),
    );
    // Who typed `npm start` has no `fractal` to type yet.
    if (context.env["npm_lifecycle_event"] === "start") {
      out.note("\nIn this folder fractal is `npx fractal`; `npm install -g .` makes it a command.");
    }
    return rest.exitCode as ExitCode;
  } finally {
    await started.close();
  }
}

function stopped({ reason, exitCode }: Rest): NewEvent {
  const event_type = "run.stopped";
  return { task_id: null, actor: ACTOR, event_type, reason, exit_code: exitCode };
}
