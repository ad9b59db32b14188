/** `fractal cancel`: drops a task and everything below it. */
import { isFailure } from "../../domain/failure.ts";
import { isSettled } from "../../domain/task.ts";
import { descendantsOf, statusOf } from "../../rules/status.ts";
import { count } from "../../view/text.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, refusalOf, refuse } from "../exit.ts";
import { onTask } from "../on-task.ts";

/** Asks first where somebody is there, unless --yes was given. */
export async function cancelCommand(
  context: Context,
  typed: string,
  reason: string,
  flags: { run?: string },
): Promise<ExitCode> {
  const { out } = context;
  return onTask(context, typed, flags.run, async (acting, id) => {
    const { state } = acting;
    const status = statusOf(state, id);
    if (isSettled(status)) {
      return out.refuse(refuse(EXIT.usage, `${id} is ${status} already`));
    }
    const below = descendantsOf(state, id).filter((task) => !isSettled(statusOf(state, task.id)));
    const wire = await context.wire();
    const human = wire.openHuman({ mayAsk: context.mayAsk, colour: out.noteLook.colour });
    if (!context.yes && human.present && !out.json) {
      const also = below.length === 0 ? "" : ` and ${count(below.length, "task")} below it`;
      const agreed = await human.confirm(`Cancel ${id}${also}?`, context.signal);
      if (agreed !== true) {
        out.note("Nothing was changed.");
        return context.signal.aborted ? EXIT.interrupted : EXIT.done;
      }
    }
    const done = await acting.act("cancel", id, reason);
    if (isFailure(done)) return out.refuse(refusalOf(done));
    out.show(
      () => ({ cancelled: id, below: below.map((task) => task.id), via: done.via }),
      () =>
        done.via === "controller"
          ? `Asked the run that is going on to cancel ${id}.`
          : `Cancelled ${id}${below.length === 0 ? "" : ` and ${count(below.length, "task")} below it`}.`,
    );
    return EXIT.done;
  });
}
