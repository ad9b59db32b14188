/** The tasks of a run as lines of a tree, each with the strokes that lead to it. */
import type { RunState, TaskState } from "../domain/run-state.ts";

export interface Branch {
  task: TaskState;
  /** The strokes before it: `│  ├─ `. */
  lead: string;
  /** Its children are not shown. */
  folded: boolean;
}

/** Depth first, children in their order; a parent for which `isFolded` holds stands for its own. */
export function branchesOf(
  state: RunState,
  isFolded: (id: string) => boolean = () => false,
): Branch[] {
  const branches: Branch[] = [];
  const walk = (id: string, lead: string, below: string) => {
    const task = state.tasks.get(id);
    if (task === undefined) return;
    const folded = task.children.length > 0 && isFolded(id);
    branches.push({ task, lead, folded });
    if (folded) return;
    task.children.forEach((child, index) => {
      const isLast = index === task.children.length - 1;
      walk(child, `${below}${isLast ? "└─ " : "├─ "}`, `${below}${isLast ? "   " : "│  "}`);
    });
  };
  walk(state.rootId, "", "");
  return branches;
}
