/** The mapping between issues and tasks: what bd prints, what we write, and back. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchLines, graphOf, issue, taskOf } from "../../../src/adapters/beads/issue.ts";
import type { NewTrackedTask } from "../../../src/domain/ports.ts";
import { aNewTask } from "../../support/tracker-contract.ts";

const bare = { id: "fr-1", title: "t", status: "open", priority: 2 };
const shown = (fields: object) => taskOf(issue.parse({ ...bare, ...fields }));

describe("an issue", () => {
  it("may leave out everything that is empty", () => {
    expect(shown({})).toEqual({
      id: "fr-1",
      title: "t",
      description: "",
      acceptance: "",
      status: "open",
      assignee: "",
      priority: 2,
      labels: [],
      parent: null,
      dependsOn: [],
      commentCount: 0,
      closeReason: "",
      createdBy: "",
    });
  });

  it("waits for what blocks it, and for nothing else it is linked to", () => {
    const dependencies = [
      { depends_on_id: "fr-9", type: "blocks" },
      { depends_on_id: "fr-p", type: "parent-child" },
      { depends_on_id: "fr-r", type: "related" },
      { depends_on_id: "fr-2", type: "blocks" },
    ];
    expect(shown({ dependencies })).toMatchObject({ dependsOn: ["fr-2", "fr-9"], parent: "fr-p" });
  });

  it("is a person's own where our note is missing or damaged", () => {
    for (const fractal of [undefined, null, "x", {}, { run: "r" }, { run: 1, key: "k" }]) {
      expect(shown({ metadata: { fractal } }).meta).toBeUndefined();
    }
    expect(shown({ metadata: "text" }).meta).toBeUndefined();
    expect(shown({ metadata: { fractal: { run: "r", key: "k", more: 1 } } }).meta).toEqual({
      run: "r",
      key: "k",
      more: 1,
    });
  });

  it("carries a request only when it is one we know", () => {
    const asked = { kind: "cancel", by: "ada", at: "2026-01-01" };
    expect(shown({ metadata: { fractal_request: asked } }).request).toEqual(asked);
    const odd = { ...asked, kind: "explode" };
    expect(shown({ metadata: { fractal_request: odd } }).request).toBeUndefined();
  });

  it("is held like a blocked one in a status of a person's own making", () => {
    expect(shown({ status: "awaiting_review" }).status).toBe("blocked");
  });
});

const someId = fc.stringMatching(/^fr-[a-z0-9]{1,6}(\.[a-z][0-9]){0,2}$/);
const someTask: fc.Arbitrary<NewTrackedTask> = fc
  .record({
    id: someId,
    title: fc.string({ minLength: 1, maxLength: 400 }),
    description: fc.string(),
    acceptance: fc.string(),
    status: fc.constantFrom("open", "in_progress", "blocked", "deferred", "closed"),
    priority: fc.nat(4),
    labels: fc.array(fc.string()),
    parent: fc.option(someId),
    dependsOn: fc.uniqueArray(someId, { maxLength: 4 }),
    blocks: fc.uniqueArray(someId, { maxLength: 3 }),
  })
  .map((fields) => aNewTask(fields.id, fields));

interface Node {
  key: string;
  id: string;
  metadata: unknown;
  parent_key?: string;
  parent_id?: string;
}
interface Edge {
  from_key?: string;
  from_id?: string;
  to_key?: string;
  to_id?: string;
}

describe("a graph", () => {
  it("names by key what it makes and by id what exists, and comes back as what was meant", () => {
    const tasks = fc.uniqueArray(someTask, { selector: (task) => task.id, maxLength: 8 });
    return fc.assert(
      fc.property(tasks, (tasks) => {
        const { nodes, edges } = graphOf(tasks) as { nodes: Node[]; edges: Edge[] };
        const made = new Set(tasks.map((task) => task.id));
        const end = (key: string | undefined, id: string | undefined) => {
          expect([key, id].filter((one) => one !== undefined)).toHaveLength(1);
          expect(made.has(key ?? id ?? "")).toBe(key !== undefined);
          return key ?? id ?? "";
        };
        const waits = edges.map((edge): [string, string] => [
          end(edge.from_key, edge.from_id),
          end(edge.to_key, edge.to_id),
        ]);
        for (const [at, task] of tasks.entries()) {
          const node = nodes[at] as Node & Record<string, unknown>;
          const dependencies = waits
            .filter(([from]) => from === task.id)
            .map(([, to]) => ({ depends_on_id: to, type: "blocks" }));
          const parent = node.parent_key ?? node.parent_id;
          const back = taskOf(issue.parse({ ...node, dependencies, parent }));
          const others = tasks.filter((one) => one.blocks?.includes(task.id)).map((one) => one.id);
          expect(back).toMatchObject({
            id: task.id,
            title: task.title.slice(0, 255),
            description: task.description,
            acceptance: task.acceptance,
            status: task.status,
            priority: task.priority,
            labels: [...task.labels].sort(),
            parent: task.parent,
            meta: task.meta,
            dependsOn: [...task.dependsOn, ...others].sort(),
          });
        }
      }),
    );
  });
});

const someText = fc.string({ unit: fc.constantFrom(...'a=# "\\\n\r\t\u2028é') });

describe("a line of a batch", () => {
  it("stays one line with an even number of bare quotes, whatever its text holds", () => {
    return fc.assert(
      fc.property(someText, someText, (assignee, reason) => {
        const lines = batchLines({ id: "fr-1", status: "closed", assignee, reason });
        expect(lines).toHaveLength(2);
        for (const line of lines) {
          expect(line).not.toMatch(/[\n\r\u2028\u2029]/);
          expect(line.replace(/\\["\\]/g, "").match(/"/g)).toHaveLength(2);
        }
      }),
    );
  });

  it("closes a task only after it was let go of", () => {
    expect(batchLines({ id: "fr-1", status: "closed", assignee: "" })).toEqual([
      'update fr-1 assignee=""',
      'close fr-1 "done"',
    ]);
    expect(batchLines({ id: "fr-1", status: "open", assignee: "a b" })).toEqual([
      'update fr-1 status=open assignee="a b"',
    ]);
  });
});
