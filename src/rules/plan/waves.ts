/** In which wave each task would run if there were waves: a way to show a plan, never to carry it out. */
import type { RunState } from "../../domain/run-state.ts";
import type { TaskId } from "../../domain/task.ts";

/**
 * From 1. A leaf comes after all that it and its ancestors wait for; a parent stands where the last
 * of its children does. What a person's edges tie into a circle counts as if it were cut there.
 */
export function wavesOf(state: RunState): Map<TaskId, number> {
  const tasks = [...state.tasks.values()];
  const index = new Map(tasks.map((task, at) => [task.id, at]));
  // Moment 2i is the beginning of the i-th task, 2i + 1 its end.
  const next: number[][] = tasks.flatMap(() => [[], []]);
  const before = new Int32Array(next.length);
  const edge = (from: number, to: number) => {
    next[from]?.push(to);
    before[to] = (before[to] ?? 0) + 1;
  };
  for (const [at, task] of tasks.entries()) {
    edge(2 * at, 2 * at + 1);
    for (const id of task.dependsOn) {
      const dependency = index.get(id);
      if (dependency !== undefined) edge(2 * dependency + 1, 2 * at);
    }
    const parent = task.parent === null ? undefined : index.get(task.parent);
    if (parent === undefined) continue;
    edge(2 * parent, 2 * at);
    edge(2 * at + 1, 2 * parent + 1);
  }
  const wave = new Int32Array(next.length);
  const seen = new Uint8Array(next.length);
  const ready = [...next.keys()].filter((moment) => before[moment] === 0);
  for (let oldest = 0; ; ) {
    let moment = ready.pop();
    // None is free: what is left is tied into a circle, or behind one. The oldest task begins.
    for (; moment === undefined && oldest < next.length; oldest += 2) {
      if (seen[oldest] === 0) moment = oldest;
    }
    if (moment === undefined) break;
    seen[moment] = 1;
    // Work is done between a task's two moments; of a parent it is its children's.
    const isWork = moment % 2 === 0 && tasks[moment / 2]?.children.length === 0;
    for (const after of next[moment] ?? []) {
      if (seen[after] === 1) continue;
      wave[after] = Math.max(wave[after] ?? 0, (wave[moment] ?? 0) + (isWork ? 1 : 0));
      before[after] = (before[after] ?? 0) - 1;
      if (before[after] === 0) ready.push(after);
    }
  }
  return new Map(tasks.map((task, at) => [task.id, wave[2 * at + 1] ?? 0]));
}
