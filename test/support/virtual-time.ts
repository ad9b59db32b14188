/** Virtual time: an instant that moves on only when everything that is ready has been done. */
import type { Clock } from "../../src/domain/ports.ts";
import { STARTED_AT } from "./builders.ts";

interface Due {
  atMs: number;
  /** Of two due at one instant the one asked for first goes first. */
  order: number;
  work: (() => void) | undefined;
}

/** What is to happen at which instant; nothing happens until `step` is called. */
export interface VirtualTime {
  readonly nowMs: number;
  /** Does something later; the returned function takes it back. */
  after(delayMs: number, work: () => void): () => void;
  /** Moves on to what is due next and does it; false when nothing is due any more. */
  step(): boolean;
  readonly clock: Clock;
}

/** Time that begins at `startMs` and is moved by hand. */
export function virtualTime(startMs = STARTED_AT): VirtualTime {
  /** A binary heap, the earliest first. */
  const heap: Due[] = [];
  let nowMs = startMs;
  let order = 0;

  const after = (delayMs: number, work: () => void): (() => void) => {
    const due: Due = { atMs: nowMs + Math.max(0, delayMs), order: order++, work };
    push(heap, due);
    return () => {
      due.work = undefined;
    };
  };

  const clock: Clock = {
    now: () => nowMs,
    sleep(delayMs, signal) {
      if (signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const cancel = after(delayMs, () => {
          signal.removeEventListener("abort", wake);
          resolve();
        });
        const wake = () => {
          cancel();
          resolve();
        };
        signal.addEventListener("abort", wake, { once: true });
      });
    },
  };

  return {
    get nowMs() {
      return nowMs;
    },
    after,
    step() {
      for (let due = pop(heap); due !== undefined; due = pop(heap)) {
        if (due.work === undefined) continue;
        nowMs = Math.max(nowMs, due.atMs);
        due.work();
        return true;
      }
      return false;
    },
    clock,
  };
}

/** A clock that jumps: time moves on by itself whenever everybody who could work is asleep. */
export function jumpingClock(startMs = STARTED_AT): Clock {
  const time = virtualTime(startMs);
  let isMoving = false;
  const move = () => {
    isMoving = time.step();
    // Everything that is ready goes first, as it would while a real clock waits.
    if (isMoving) setImmediate(move);
  };
  return {
    now: time.clock.now,
    sleep(delayMs, signal) {
      const slept = time.clock.sleep(delayMs, signal);
      if (!isMoving) {
        isMoving = true;
        setImmediate(move);
      }
      return slept;
    },
  };
}

const isBefore = (a: Due, b: Due) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

function push(heap: Due[], due: Due): void {
  let at = heap.length;
  heap.push(due);
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above] as Due;
    if (!isBefore(due, parent)) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = due;
}

function pop(heap: Due[]): Due | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let at = 0;
  while (true) {
    let below = 2 * at + 1;
    if (below >= heap.length) break;
    if (below + 1 < heap.length && isBefore(heap[below + 1] as Due, heap[below] as Due)) below += 1;
    const child = heap[below] as Due;
    if (!isBefore(child, last)) break;
    heap[at] = child;
    at = below;
  }
  heap[at] = last;
  return first;
}
