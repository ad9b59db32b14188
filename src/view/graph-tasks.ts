/** The tasks of a run as a diagram and as data: the tree, what waits for what, and the waves. */
import type { RunState } from "../domain/run-state.ts";
import { wavesOf } from "../rules/plan/waves.ts";
import { colourOf, descendantsOf, statusOf } from "../rules/status.ts";
import type { Diagram } from "./diagram.ts";
import { paintOf, signOf } from "./paint.ts";

/** Tasks that have children stand above, the others in the box of their wave. */
export function tasksDiagram(state: RunState): Diagram {
  const waves = wavesOf(state);
  const tasks = tasksOf(state);
  return {
    title: `run ${state.runId}: ${state.spec.title}`,
    direction: "TB",
    nodes: tasks
      .map((task) => {
        const colour = colourOf(state, task.id);
        const sign = signOf(statusOf(state, task.id), colour, paintOf(false));
        return {
          id: task.id,
          lines: [`${sign} ${task.id}`, task.contract.title],
          colour,
          wave: waves.get(task.id) ?? 0,
          isParent: task.children.length > 0,
        };
      })
      .sort((a, b) => a.wave - b.wave)
      .map(({ wave, isParent, ...node }) => (isParent ? node : { ...node, box: `wave ${wave}` })),
    edges: tasks.flatMap((task) => [
      ...task.children.map((child) => ({ from: task.id, to: child, kind: "tree" as const })),
      ...task.dependsOn.map((id) => ({ from: id, to: task.id, kind: "arrow" as const })),
    ]),
  };
}

/** The same as nodes with state and wave. */
export function tasksJson(state: RunState): Record<string, unknown> {
  const waves = wavesOf(state);
  return {
    run_id: state.runId,
    waves: Math.max(0, ...waves.values()),
    nodes: tasksOf(state).map((task) => ({
      id: task.id,
      title: task.contract.title,
      status: statusOf(state, task.id),
      colour: colourOf(state, task.id),
      wave: waves.get(task.id) ?? 0,
      parent: task.parent,
      depends_on: task.dependsOn,
    })),
  };
}

function tasksOf(state: RunState) {
  const root = state.tasks.get(state.rootId);
  return root === undefined ? [] : [root, ...descendantsOf(state, root.id)];
}
