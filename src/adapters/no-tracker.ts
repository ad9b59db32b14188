/** A tracker that only remembers what it was told: for planning without a run. */
import type { TrackedTask, Tracker } from "../domain/ports.ts";

/** Shows exactly what was created and mirrored, so that nothing looks like a person's doing. */
export function noTracker(): Tracker {
  const shown = new Map<string, TrackedTask>();
  let version = 0;
  return {
    prefix: "plan",
    version: async () => String(version),
    read: async () => [...shown.values()],
    create: async (tasks) => {
      version += 1;
      for (const { blocks: _, type: __, ...task } of tasks) {
        const rest = { assignee: "", commentCount: 0, closeReason: "", createdBy: "" };
        shown.set(task.id, { ...task, ...rest });
      }
      return { created: tasks.map((task) => task.id) };
    },
    mirror: async (lines) => {
      version += 1;
      for (const { id, status, assignee } of lines) {
        const task = shown.get(id);
        if (task !== undefined) shown.set(id, { ...task, status, assignee });
      }
      const applied = lines.map((line) => line.id);
      const all = [...shown.values()];
      return { applied, overwritten: new Map(), shown: all, version: String(version) };
    },
    overwritten: async () => new Map(),
    comment: async () => undefined,
    comments: async () => [],
    respond: async () => undefined,
    request: async () => undefined,
  };
}
