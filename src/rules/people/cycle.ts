/** Tasks that wait for one another: only a person's edges in Beads can make them do so. */
import type { RunState } from "../../domain/run-state.ts";
import type { TaskId } from "../../domain/task.ts";
import { momentsAfter } from "../schedule.ts";

export interface Cycle {
  /** Every task that cannot go on because of a cycle, this one or another. */
  held: ReadonlySet<TaskId>;
  /** One cycle: each waits for the next, the last for the first. */
  path: readonly TaskId[];
  /** The edges in it that a person may take away; the others are of parents and children. */
  edges: readonly { task: TaskId; on: TaskId }[];
}

const known = new WeakMap<RunState, { structureSeq: number; cycle: Cycle | undefined }>();

/** A cycle among unfinished tasks, worked out anew only when what waits for what has changed. */
export function knownCycle(state: RunState): Cycle | undefined {
  const last = known.get(state);
  if (last?.structureSeq === state.structureSeq) return last.cycle;
  const cycle = cycleOf(state);
  known.set(state, { structureSeq: state.structureSeq, cycle });
  return cycle;
}

/**
 * A task has two moments (schedule.ts). What has nothing left before it, or nothing left after it,
 * is taken away until only cycles remain, and what stands between them.
 */
export function cycleOf(state: RunState): Cycle | undefined {
  const open = [...state.tasks.values()].filter((task) => task.end === undefined);
  const after = momentsAfter(open, new Map(open.map((task, at) => [task.id, at])));
  const left = peel(reversed(after), peel(after, new Set(after.keys())));
  const start = left.values().next().value;
  if (start === undefined) return undefined;
  const idOf = (moment: number) => open[moment >> 1]?.id ?? "";
  const moments = walk(after, left, start).reverse();
  const path: TaskId[] = [];
  const edges: { task: TaskId; on: TaskId }[] = [];
  for (const [at, moment] of moments.entries()) {
    const next = moments[(at + 1) % moments.length] ?? moment;
    if (idOf(moment) !== idOf(next)) path.push(idOf(moment));
    // A beginning that comes after an end: a dependency.
    if (moment % 2 === 0 && next % 2 === 1) edges.push({ task: idOf(moment), on: idOf(next) });
  }
  return { held: new Set([...left].map(idOf)), path, edges };
}

function reversed(next: readonly (readonly number[])[]): number[][] {
  const before: number[][] = next.map(() => []);
  for (const [from, all] of next.entries()) for (const to of all) before[to]?.push(from);
  return before;
}

/** Those of `among` that remain when what nothing among them leads to is taken away, again and again. */
function peel(next: readonly (readonly number[])[], among: ReadonlySet<number>): Set<number> {
  const left = new Set(among);
  const ways = new Array<number>(next.length).fill(0);
  for (const from of left) for (const to of next[from] ?? []) ways[to] = (ways[to] ?? 0) + 1;
  const free = [...left].filter((moment) => ways[moment] === 0);
  for (let from = free.pop(); from !== undefined; from = free.pop()) {
    left.delete(from);
    for (const to of next[from] ?? []) {
      const rest = (ways[to] ?? 0) - 1;
      ways[to] = rest;
      if (rest === 0 && left.has(to)) free.push(to);
    }
  }
  return left;
}

/** From moment to moment among those left, until one comes again: the cycle from there. */
function walk(
  next: readonly (readonly number[])[],
  left: ReadonlySet<number>,
  start: number,
): number[] {
  const seen = new Map<number, number>();
  const way: number[] = [];
  for (let at: number | undefined = start; at !== undefined; ) {
    const first = seen.get(at);
    if (first !== undefined) return way.slice(first);
    seen.set(at, way.length);
    way.push(at);
    at = next[at]?.find((one) => left.has(one));
  }
  return way;
}
