/** A tracker that keeps nothing and shows nothing: for planning without a run. */
import type { Tracker } from "../domain/ports.ts";

export function noTracker(): Tracker {
  return {
    prefix: "plan",
    version: async () => "",
    read: async () => [],
    create: async (tasks) => ({ created: tasks.map((task) => task.id) }),
    mirror: async (lines) => ({ applied: lines.map((line) => line.id) }),
    comment: async () => undefined,
    comments: async () => [],
    respond: async () => undefined,
    request: async () => undefined,
  };
}
