/** A store and a tracker of one mind, and what a person does behind fractal's back. */
import type { NewEvent } from "../../src/domain/event.ts";
import { isFailure } from "../../src/domain/failure.ts";
import type { TrackedTask, TrackerComment } from "../../src/domain/ports.ts";
import type { Store } from "../../src/orchestrator/store.ts";
import { publish } from "../../src/orchestrator/tracked.ts";
import { commentsWanted, detectDrift } from "../../src/rules/people/drift.ts";
import { mirrorLines } from "../../src/rules/people/mirror.ts";
import { type MemoryTracker, memoryTracker } from "./memory-tracker.ts";

/** The actor fractal writes as. */
export const OURS = "fractal";

export interface Followed {
  store: Store;
  tracker: MemoryTracker;
  /** What a person did, as events; nothing is recorded. */
  see(): Promise<NewEvent[]>;
  /** Records what a person did and returns it. */
  follow(): Promise<NewEvent[]>;
  /** Writes to the tracker what it should show: new issues, then statuses. */
  write(): Promise<void>;
}

/** Brings the store's tasks into a tracker. */
export async function followed(store: Store): Promise<Followed> {
  const tracker = memoryTracker({ actor: OURS });
  const { state } = store;
  const see = async (): Promise<NewEvent[]> => {
    const shown = given<TrackedTask[]>(await tracker.read());
    const comments = new Map<string, TrackerComment[]>();
    for (const id of commentsWanted(state, shown)) {
      comments.set(id, given<TrackerComment[]>(await tracker.comments(id)));
    }
    return detectDrift(state, shown, comments, OURS);
  };
  const self: Followed = {
    store,
    tracker,
    see,
    async follow() {
      const events = await see();
      store.record(events);
      return events;
    },
    async write() {
      const ids = [
        ...[...state.tasks.values()].filter((task) => task.mirror === undefined),
        ...[...state.questions.values()].filter(
          (one) => one.mirror === undefined && one.state === "open",
        ),
      ].map((one) => one.id);
      given(await publish({ store, tracker }, ids));
      const lines = mirrorLines(state);
      const plain = lines.map(({ id, status, assignee }) => ({ id, status, assignee }));
      if (lines.length === 0) return;
      const about = { task_id: null, actor: OURS } as const;
      store.record([{ ...about, event_type: "mirror.started", lines: plain }]);
      const { applied } = given<{ applied: string[] }>(await tracker.mirror(lines));
      const done = plain.filter((line) => applied.includes(line.id));
      store.record([{ ...about, event_type: "mirror.done", lines: done }]);
    },
  };
  await self.write();
  return self;
}

function given<T>(value: unknown): T {
  if (isFailure(value)) throw new Error(value.detail);
  return value as T;
}
