/** Maps a Beads issue to a tracked task, and new tasks to one graph for `bd create --graph` (pure). */
import { z } from "zod";
import type { Mirrored } from "../../domain/mirrored.ts";
import type {
  NewTrackedTask,
  TrackedMeta,
  TrackedRequest,
  TrackedTask,
  TrackerComment,
} from "../../domain/ports.ts";
import { taskKind } from "../../domain/task.ts";

const TITLE_CHARS_MAX = 255;

const meta = z.looseObject({
  run: z.string().min(1),
  key: z.string().min(1),
  size: z.string().optional(),
  kind: z.union([taskKind, z.literal("question")]).optional(),
  about: z.string().optional(),
});

const request = z.object({
  kind: z.enum(["cancel", "pause", "unpause"]),
  by: z.string(),
  at: z.string(),
});

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");

/** One row of `bd list`; bd leaves out what is empty. */
export const issue = z.object({
  id: z.string().min(1),
  title: text,
  description: text,
  acceptance_criteria: text,
  status: z.string(),
  assignee: text,
  priority: z.number().int(),
  labels: z.array(z.string()).nullish(),
  parent: z.string().nullish(),
  dependencies: z.array(z.object({ depends_on_id: z.string(), type: z.string() })).nullish(),
  metadata: z.unknown().optional(),
  comment_count: z.number().int().nullish(),
  close_reason: text,
  created_by: text,
});
export type Issue = z.infer<typeof issue>;

/** One row of `bd comments`. */
export const issueComment = z.object({ author: text, text, created_at: text });

/** A Beads issue as the core sees it. Edges and labels are sorted: bd lists them in any order. */
export function taskOf(row: Issue): TrackedTask {
  const edges = row.dependencies ?? [];
  const notes = metaOf(row.metadata);
  return {
    id: row.id,
    title: row.title,
    description: row.description,
    acceptance: row.acceptance_criteria,
    status: statusOf(row.status),
    assignee: row.assignee,
    priority: row.priority,
    labels: [...(row.labels ?? [])].sort(),
    parent:
      row.parent || (edges.find((edge) => edge.type === "parent-child")?.depends_on_id ?? null),
    dependsOn: edges
      .filter((edge) => edge.type === "blocks")
      .map((edge) => edge.depends_on_id)
      .sort(),
    ...notes,
    commentCount: row.comment_count ?? 0,
    closeReason: row.close_reason,
    createdBy: row.created_by,
  };
}

/** A status of a person's own making holds a task as `blocked` does: fractal leaves it alone. */
function statusOf(status: string): Mirrored["status"] {
  switch (status) {
    case "open":
    case "in_progress":
    case "blocked":
    case "deferred":
    case "closed":
      return status;
    default:
      return "blocked";
  }
}

function metaOf(metadata: unknown): { meta?: TrackedMeta; request?: TrackedRequest } {
  if (typeof metadata !== "object" || metadata === null) return {};
  const ours = "fractal" in metadata ? meta.safeParse(metadata.fractal).data : undefined;
  const asked =
    "fractal_request" in metadata ? request.safeParse(metadata.fractal_request).data : undefined;
  return {
    // Only what a person could have damaged is checked; what is valid is what we wrote.
    ...(ours === undefined ? {} : { meta: ours as TrackedMeta }),
    ...(asked === undefined ? {} : { request: asked }),
  };
}

/** A comment as the core sees it. */
export function commentOf(row: z.infer<typeof issueComment>): TrackerComment {
  return { author: row.author, text: row.text, at: row.created_at };
}

/** The input of `bd create --graph`: all of the tasks with their parents and edges, in one call. */
export function graphOf(tasks: NewTrackedTask[]): { nodes: object[]; edges: object[] } {
  const inCall = new Set(tasks.map((task) => task.id));
  const end = (side: "from" | "to", id: string) => ({
    [inCall.has(id) ? `${side}_key` : `${side}_id`]: id,
  });
  return {
    nodes: tasks.map((task) => ({
      key: task.id,
      id: task.id,
      title: task.title.slice(0, TITLE_CHARS_MAX),
      type: task.type,
      description: task.description,
      acceptance_criteria: task.acceptance,
      status: task.status,
      priority: task.priority,
      labels: task.labels,
      metadata: { fractal: task.meta },
      ...(task.parent === null
        ? {}
        : { [inCall.has(task.parent) ? "parent_key" : "parent_id"]: task.parent }),
    })),
    edges: tasks.flatMap((task) => [
      ...task.dependsOn.map((id) => ({
        ...end("from", task.id),
        ...end("to", id),
        type: "blocks",
      })),
      ...(task.blocks ?? []).map((id) => ({
        ...end("from", id),
        ...end("to", task.id),
        type: "blocks",
      })),
    ]),
  };
}

/** One line of `bd batch`: quoted, and on one line whatever the text holds. */
export function batchLines(line: Mirrored & { id: string; reason?: string }): string[] {
  const assignee = `assignee=${quoted(line.assignee)}`;
  if (line.status !== "closed") return [`update ${line.id} status=${line.status} ${assignee}`];
  // `update status=closed` is refused while a child is open; whether that is right was decided above.
  return [`update ${line.id} ${assignee}`, `close ${line.id} ${quoted(line.reason || "done")}`];
}

function quoted(value: string): string {
  const flat = value.replace(/\s+/g, " ").trim().slice(0, 500);
  return `"${flat.replace(/["\\]/g, "\\$&")}"`;
}
