/** Which tasks go first: critical path, then priority, then age. */
import type { RunState, TaskState } from "../domain/run-state.ts";
import type { TaskId } from "../domain/task.ts";

/**
 * For each task that has not ended, the length of the longest chain of unfinished work that starts
 * with it: itself, and what waits for it (or for a parent of it). Iterative, each edge seen once; a
 * cycle, which only a person's edit can make, counts as if it were cut.
 */
export function criticalPathOf(state: RunState): Map<TaskId, number> {
  const dependents = new Map<TaskId, TaskId[]>();
  for (const task of state.tasks.values()) {
    if (task.end !== undefined) continue;
    for (const dependency of task.dependsOn) push(dependents, dependency, task.id);
    // A parent ends after its children: what waits for the parent waits for them.
    if (task.parent !== null) push(dependents, task.id, task.parent);
  }
  const length = new Map<TaskId, number>();
  for (const start of state.tasks.values()) {
    if (start.end !== undefined || length.has(start.id)) continue;
    const open: { id: TaskId; entered: boolean }[] = [{ id: start.id, entered: false }];
    const onPath = new Set<TaskId>();
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const next = dependents.get(at.id) ?? [];
      if (at.entered) {
        onPath.delete(at.id);
        let longest = 0;
        for (const id of next) longest = Math.max(longest, length.get(id) ?? 0);
        length.set(at.id, longest + 1);
        continue;
      }
      if (length.has(at.id) || onPath.has(at.id)) continue;
      onPath.add(at.id);
      open.push({ id: at.id, entered: true });
      for (const id of next) {
        if (!length.has(id) && !onPath.has(id)) open.push({ id, entered: false });
      }
    }
  }
  return length;
}

function push(map: Map<TaskId, TaskId[]>, key: TaskId, value: TaskId): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

/** The tasks in the order they should start; stable, whatever order they come in. */
export function inOrder(tasks: TaskState[], path: Map<TaskId, number>): TaskState[] {
  return [...tasks].sort(
    (a, b) =>
      (path.get(b.id) ?? 0) - (path.get(a.id) ?? 0) ||
      a.priority - b.priority ||
      a.createdSeq - b.createdSeq,
  );
}

/**
 * The files kept for a task whose merges conflicted twice: nobody else who declares one of them
 * starts until it ends.
 */
export function reservedFiles(state: RunState): Map<string, TaskId> {
  const reserved = new Map<string, TaskId>();
  for (const task of state.tasks.values()) {
    if (task.end !== undefined || task.conflicts < 2) continue;
    for (const file of task.contract.files) {
      if (!reserved.has(file)) reserved.set(file, task.id);
    }
  }
  return reserved;
}
