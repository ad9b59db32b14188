/** `fractal graph`: the table of moves, or the tasks of a run, for a viewer of diagrams. */
import { renderDot, renderMermaid } from "../../view/diagram.ts";
import { movesDiagram, movesJson } from "../../view/graph-moves.ts";
import { tasksDiagram, tasksJson } from "../../view/graph-tasks.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, isRefusal, refuse } from "../exit.ts";

export interface GraphFlags {
  of?: "moves" | "tasks";
  format: "mermaid" | "dot" | "json";
}

/** Prints one diagram. Who names a run means its tasks. */
export async function graphCommand(
  context: Context,
  run: string | undefined,
  flags: GraphFlags,
): Promise<ExitCode> {
  const { out, dir } = context;
  const isOfTasks = (flags.of ?? (run === undefined ? "moves" : "tasks")) === "tasks";
  if (!isOfTasks && run !== undefined) {
    return out.refuse(
      refuse(EXIT.usage, "the table of moves is the same for every run", {
        next: ["fractal graph --of moves", `fractal graph ${run} --of tasks`],
      }),
    );
  }
  const draw = flags.format === "dot" ? renderDot : renderMermaid;
  if (!isOfTasks) {
    out.show(movesJson, () => draw(movesDiagram()));
    return EXIT.done;
  }
  const wire = await context.wire();
  const found = await wire.openRunForReading({ dir, run });
  if (isRefusal(found)) return out.refuse(found);
  const { state } = found;
  out.show(
    () => tasksJson(state),
    () => draw(tasksDiagram(state)),
  );
  return EXIT.done;
}
