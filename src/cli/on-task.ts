/** A person's hand on one task: the run is opened for it, and let go of afterwards. */
import type { TaskId } from "../domain/task.ts";
import type { Context } from "./context.ts";
import { type ExitCode, isRefusal } from "./exit.ts";
import { resolveTask } from "./resolve-id.ts";
import type { RunForActing } from "./wiring.ts";

/** Finds the task as it was typed, and refuses where there is none. */
export async function onTask(
  context: Context,
  typed: string,
  run: string | undefined,
  act: (acting: RunForActing, id: TaskId) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { out, dir, person: by, secrets } = context;
  const wire = await context.wire();
  const acting = await wire.openRunForActing({ dir, run, by, secrets });
  if (isRefusal(acting)) return out.refuse(acting);
  try {
    const id = resolveTask(acting.state, typed);
    return isRefusal(id) ? out.refuse(id) : await act(acting, id);
  } finally {
    await acting.close();
  }
}
