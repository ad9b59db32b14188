/** `fractal pause` and `fractal unpause`: hold a task and everything below it back, or let it go on. */
import { isFailure } from "../../domain/failure.ts";
import { isSettled } from "../../domain/task.ts";
import { pauseProblem } from "../../rules/people/pause.ts";
import { descendantsOf, statusOf, taskOf } from "../../rules/status.ts";
import { count } from "../../view/text.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, refusalOf, refuse } from "../exit.ts";
import { onTask } from "../on-task.ts";

const DONE = { pause: "Paused", unpause: "Let go on:" } as const;

/** Nothing is lost by either, so nothing is asked first. */
export async function pauseCommand(
  context: Context,
  kind: "pause" | "unpause",
  typed: string,
  flags: { run?: string },
): Promise<ExitCode> {
  const { out } = context;
  return onTask(context, typed, flags.run, async (acting, id) => {
    const { state } = acting;
    const problem = pauseProblem(state, taskOf(state, id), kind);
    if (problem !== undefined) {
      return out.refuse(refuse(EXIT.usage, problem.what, { next: problem.next }));
    }
    const below = descendantsOf(state, id).filter((task) => !isSettled(statusOf(state, task.id)));
    const done = await acting.act(kind, id, "");
    if (isFailure(done)) return out.refuse(refusalOf(done));
    const also = below.length === 0 ? "" : ` and ${count(below.length, "task")} below it`;
    const next = kind === "pause" ? `fractal unpause ${id}` : "fractal resume";
    out.show(
      () => ({ [`${kind}d`]: id, below: below.map((task) => task.id), via: done.via }),
      () =>
        done.via === "controller"
          ? `Asked the run that is going on to ${kind} ${id}${also}.`
          : `${DONE[kind]} ${id}${also}.\n  → ${next}   # goes on with it`,
    );
    return EXIT.done;
  });
}
