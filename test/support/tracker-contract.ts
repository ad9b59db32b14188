/** What every tracker must do, run on the one in memory and on a real `bd`. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isFailure } from "../../src/domain/failure.ts";
import type { NewTrackedTask, TrackedTask, Tracker, TrackerLine } from "../../src/domain/ports.ts";
import type { Person } from "./memory-tracker.ts";

export interface OpenTracker {
  tracker: Tracker;
  person: Person;
  /** A person closes this issue just before the next lines are written. */
  closeMeanwhile(id: string): void;
  close(): Promise<void>;
}

const RUN = "run-1";

/** A new task with only what matters named; its key is the last part of its id. */
export function aNewTask(id: string, fields: Partial<NewTrackedTask> = {}): NewTrackedTask {
  return {
    id,
    title: `Task ${id}`,
    description: "",
    acceptance: "",
    status: "open",
    priority: 2,
    labels: [],
    parent: null,
    dependsOn: [],
    type: "task",
    meta: { run: RUN, key: id.split(".").at(-1) ?? id },
    ...fields,
  };
}

/** Throws what a test does not expect, so that its own assertions stay plain. */
export function given<T>(value: T): Exclude<T, { failure: string }> {
  if (isFailure(value)) throw new Error(value.detail);
  return value as Exclude<T, { failure: string }>;
}

/**
 * One tracker for the whole suite: each test works below a root of its own, and a real one takes
 * seconds to set up.
 */
export function trackerContract(name: string, open: () => Promise<OpenTracker>): void {
  describe(`the ${name} tracker`, () => {
    let at: OpenTracker;
    let roots = 0;
    beforeAll(async () => {
      at = await open();
    });
    afterAll(() => at.close());

    const root = () => {
      roots += 1;
      return `${at.tracker.prefix}-t${roots}`;
    };
    const read = async (id: string): Promise<TrackedTask | undefined> =>
      given(await at.tracker.read()).find((task) => task.id === id);
    /** A root with two children, the second waiting for the first. */
    const aTree = async () => {
      const x = root();
      const [a, b] = [`${x}.a1`, `${x}.a2`] as const;
      given(
        await at.tracker.create([
          aNewTask(x, { type: "epic", status: "in_progress", labels: ["fractal"] }),
          aNewTask(a, { parent: x }),
          aNewTask(b, { parent: x, dependsOn: [a] }),
        ]),
      );
      return { x, a, b };
    };

    it("shows a task as it was created, ids, parents, edges and notes included", async () => {
      const x = root();
      const created = await at.tracker.create([
        aNewTask(x, {
          type: "epic",
          status: "in_progress",
          labels: ["fractal", "b"],
          description: 'Two lines\nand a "quote" – ünïcode',
          acceptance: "it works\nand again",
          priority: 0,
          meta: { run: RUN, key: "root", size: "M", kind: "code", note: { deep: [1, null] } },
        }),
        aNewTask(`${x}.a1`, { parent: x, priority: 4 }),
        aNewTask(`${x}.a2`, { parent: x, dependsOn: [`${x}.a1`], status: "deferred" }),
      ]);

      expect(created).toEqual({ created: [x, `${x}.a1`, `${x}.a2`] });
      expect(await read(x)).toEqual({
        id: x,
        title: `Task ${x}`,
        description: 'Two lines\nand a "quote" – ünïcode',
        acceptance: "it works\nand again",
        status: "in_progress",
        assignee: "",
        priority: 0,
        labels: ["b", "fractal"],
        parent: null,
        dependsOn: [],
        meta: { run: RUN, key: "root", size: "M", kind: "code", note: { deep: [1, null] } },
        commentCount: 0,
        closeReason: "",
        createdBy: "fractal",
      });
      expect(await read(`${x}.a1`)).toMatchObject({ parent: x, priority: 4, status: "open" });
      expect(await read(`${x}.a2`)).toMatchObject({
        parent: x,
        dependsOn: [`${x}.a1`],
        status: "deferred",
      });
    });

    it("changes nothing when the same tasks are created twice", async () => {
      const { x, a, b } = await aTree();
      const before = given(await at.tracker.read());

      const again = await at.tracker.create([aNewTask(a, { parent: x, title: "other" })]);

      expect(again).toEqual({ created: [] });
      expect(given(await at.tracker.read())).toEqual(before);
      expect(before.filter((task) => task.id.startsWith(x)).map((task) => task.id)).toEqual([
        x,
        a,
        b,
      ]);
    });

    it("creates what is missing of a creation that was cut short, with its edges", async () => {
      const { x, a, b } = await aTree();

      const created = await at.tracker.create([
        aNewTask(a, { parent: x }),
        aNewTask(b, { parent: x, dependsOn: [a] }),
        aNewTask(`${x}.a3`, { parent: x, dependsOn: [a, b] }),
      ]);

      expect(created).toEqual({ created: [`${x}.a3`] });
      expect(await read(`${x}.a3`)).toMatchObject({ parent: x, dependsOn: [a, b] });
    });

    it("refuses an id that belongs to something else, and then writes nothing", async () => {
      const { x, a } = await aTree();

      const refused = await at.tracker.create([
        aNewTask(`${x}.a3`, { parent: x }),
        aNewTask(a, { parent: x, meta: { run: "another run", key: "a1" } }),
      ]);

      expect(refused).toMatchObject({ failure: "tracker-unavailable" });
      expect(await read(`${x}.a3`)).toBeUndefined();
    });

    it("writes nothing when an edge leads nowhere", async () => {
      const x = root();
      const refused = await at.tracker.create([
        aNewTask(x),
        aNewTask(`${x}.a1`, { parent: x, dependsOn: [`${x}.a9`] }),
      ]);

      expect(refused).toMatchObject({ failure: "tracker-unavailable" });
      expect(await read(x)).toBeUndefined();
    });

    it("creates a question together with the edge that makes its task wait", async () => {
      const { a } = await aTree();
      const question = `${a}.q1`;
      const meta = { run: RUN, key: "a1?", kind: "question", about: a } as const;

      const created = await at.tracker.create([
        aNewTask(question, { labels: ["human"], blocks: [], meta }),
      ]);
      expect(created).toEqual({ created: [question] });
      expect((await read(a))?.dependsOn).toEqual([]);

      const second = `${a}.q2`;
      given(await at.tracker.create([aNewTask(second, { labels: ["human"], blocks: [a], meta })]));

      expect((await read(a))?.dependsOn).toEqual([second]);
      expect(await read(second)).toMatchObject({ status: "open", labels: ["human"], meta });
    });

    it("sets status and assignee of many tasks, and says which show it", async () => {
      const { x, a, b } = await aTree();
      const holder = `fractal/worker/host/1/n0nce/${a}.1`;

      const applied = await at.tracker.mirror([
        { id: a, status: "in_progress", assignee: holder },
        { id: b, status: "blocked", assignee: "" },
      ]);

      expect(applied).toMatchObject({ applied: [a, b] });
      expect(await read(a)).toMatchObject({ status: "in_progress", assignee: holder });
      expect(await read(b)).toMatchObject({ status: "blocked", assignee: "" });

      const closed = await at.tracker.mirror([
        { id: a, status: "closed", assignee: "", reason: 'merged "a\\b"\nas 1234' },
        { id: b, status: "open", assignee: "" },
        { id: x, status: "closed", assignee: "" },
      ]);

      expect(closed).toMatchObject({ applied: [a, b, x] });
      expect((await read(a))?.closeReason).toMatch(/^merged "a\\b"\sas 1234$/);
      expect(await read(x)).toMatchObject({ status: "closed" });
      expect(await read(b)).toMatchObject({ status: "open" });
    });

    it("applies the rest of a batch when one of its tasks was deleted", async () => {
      const { x, a, b } = await aTree();
      await at.person.delete(a);

      const applied = await at.tracker.mirror([
        { id: x, status: "blocked", assignee: "" },
        { id: a, status: "closed", assignee: "" },
        { id: b, status: "in_progress", assignee: "me" },
      ]);

      expect(applied).toMatchObject({ applied: [x, b] });
      expect(await read(b)).toMatchObject({ status: "in_progress", assignee: "me", dependsOn: [] });
    });

    it("tells what somebody closed after it was read and before it was written", async () => {
      const { x, a, b } = await aTree();
      const was = { status: "open", assignee: "" } as const;
      const lines: TrackerLine[] = [
        { id: x, status: "blocked", assignee: "", was: { status: "in_progress", assignee: "" } },
        { id: a, status: "in_progress", assignee: "fractal/me", was },
        { id: b, status: "deferred", assignee: "", was },
      ];
      await at.tracker.version();
      at.closeMeanwhile(a);

      const written = given(await at.tracker.mirror(lines));

      const theirs = new Map([[a, { status: "closed", assignee: "" }]]);
      expect(written.applied).toEqual([x, a, b]);
      expect(written.overwritten).toEqual(theirs);
      expect(written.shown.find(({ id }) => id === a)).toMatchObject({ status: "in_progress" });
      // And whoever never heard of it can still ask.
      expect(await at.tracker.overwritten(lines)).toEqual(theirs);
    });

    it("loses nothing where a person wrote before it was read, after it was written, or the same", async () => {
      const { x, a, b } = await aTree();
      await at.person.defer(a);
      await at.tracker.version();
      at.closeMeanwhile(b);
      const written = given(
        await at.tracker.mirror([
          { id: a, status: "open", assignee: "", was: { status: "deferred", assignee: "" } },
          { id: b, status: "closed", assignee: "", was: { status: "open", assignee: "" } },
          { id: x, status: "blocked", assignee: "" },
        ]),
      );
      expect(written).toMatchObject({ applied: [a, b, x], overwritten: new Map() });
      await at.person.close(a);

      const later = await at.tracker.overwritten([
        { id: a, status: "open", assignee: "", was: { status: "deferred", assignee: "" } },
        { id: `${x}.gone`, status: "open", assignee: "", was: { status: "closed", assignee: "" } },
      ]);

      expect(later).toEqual(new Map());
      expect(await read(a)).toMatchObject({ status: "closed" });
    });

    it("reopens a closed task", async () => {
      const { a } = await aTree();
      given(await at.tracker.mirror([{ id: a, status: "closed", assignee: "" }]));

      given(await at.tracker.mirror([{ id: a, status: "open", assignee: "" }]));

      expect(await read(a)).toMatchObject({ status: "open", assignee: "", closeReason: "" });
    });

    it("keeps comments, in order, with who wrote them", async () => {
      const { a } = await aTree();
      await at.person.comment(a, "try the other way");
      expect(await at.tracker.comment(a, 'two lines\nof "text"')).toBeUndefined();

      expect((await read(a))?.commentCount).toBe(2);
      const comments = given(await at.tracker.comments(a));
      expect(comments.map((one) => [one.author, one.text.trim()])).toEqual([
        ["person", "try the other way"],
        ["fractal", 'two lines\nof "text"'],
      ]);
      expect(given(await at.tracker.comments(`${a.split(".")[0]}.a2`))).toEqual([]);
    });

    it("answers a question with a comment and closes it, once", async () => {
      const { a } = await aTree();
      const question = `${a}.q1`;
      given(await at.tracker.create([aNewTask(question, { labels: ["human"], blocks: [a] })]));

      expect(await at.tracker.respond(question, "Use the first,\nplease")).toBeUndefined();

      expect(await read(question)).toMatchObject({ status: "closed", closeReason: "Responded" });
      const comments = given(await at.tracker.comments(question));
      expect(comments.map((one) => one.text)).toEqual(["Response: Use the first,\nplease"]);
      expect(await at.tracker.respond(question, "no, the other")).toMatchObject({
        failure: "tracker-unavailable",
      });
      expect(given(await at.tracker.comments(question))).toHaveLength(1);
    });

    it("leaves a request for the controller beside the notes of the task", async () => {
      const { a } = await aTree();
      const asked = { kind: "pause", by: "ada", at: "2026-01-01T00:00:00.000Z" } as const;

      expect(await at.tracker.request(a, asked, "deferred")).toBeUndefined();
      expect(await read(a)).toMatchObject({
        status: "deferred",
        request: asked,
        meta: { run: RUN },
      });

      const undone = { ...asked, kind: "unpause", at: "2026-01-02T00:00:00.000Z" } as const;
      expect(await at.tracker.request(a, undone, "open")).toBeUndefined();
      expect(await read(a)).toMatchObject({ status: "open", request: undone });
    });

    it("answers a failure for a task that is not there", async () => {
      const gone = `${root()}.a1`;
      const failure = { failure: "tracker-unavailable" };
      const asked = { kind: "cancel", by: "ada", at: "2026-01-01T00:00:00.000Z" } as const;

      expect(await at.tracker.comment(gone, "hello")).toMatchObject(failure);
      expect(await at.tracker.comments(gone)).toMatchObject(failure);
      expect(await at.tracker.respond(gone, "yes")).toMatchObject(failure);
      expect(await at.tracker.request(gone, asked, "deferred")).toMatchObject(failure);
      expect(await at.tracker.mirror([{ id: gone, status: "closed", assignee: "" }])).toMatchObject(
        {
          applied: [],
        },
      );
    });

    it("writes what comes due meanwhile as well, and shows all of it", async () => {
      const { a, b } = await aTree();
      const later: TrackerLine[] = [{ id: b, status: "deferred", assignee: "" }];
      const written = given(
        await at.tracker.mirror([{ id: a, status: "blocked", assignee: "" }], () =>
          later.splice(0),
        ),
      );
      expect(written.applied).toEqual([a, b]);
      const shown = new Map(written.shown.map(({ id, status }) => [id, status]));
      expect([shown.get(a), shown.get(b)]).toEqual(["blocked", "deferred"]);
    });

    it("has a new version after every write of another, and the same one after a read", async () => {
      const { a, b } = await aTree();
      const seen = [await at.tracker.version()];
      const changed = async () => {
        const version = await at.tracker.version();
        const isNew = !seen.includes(version);
        seen.push(version);
        return isNew;
      };
      given(await at.tracker.read());
      given(await at.tracker.comments(a));
      expect(await at.tracker.version()).toBe(seen[0]);

      given(await at.tracker.mirror([{ id: a, status: "blocked", assignee: "" }]));
      await at.tracker.version();
      await at.person.comment(a, "hm");
      expect(await changed()).toBe(true);
      await at.person.edit(b, { title: "better" });
      expect(await changed()).toBe(true);
      await at.person.delete(b);
      expect(await changed()).toBe(true);
    });

    it("shows what a person did", async () => {
      const { x, a, b } = await aTree();
      const { person } = at;

      await person.close(a, "did it by hand");
      expect(await read(a)).toMatchObject({ status: "closed", closeReason: "did it by hand" });
      await person.reopen(a);
      expect(await read(a)).toMatchObject({ status: "open", closeReason: "" });
      await person.defer(a);
      expect(await read(a)).toMatchObject({ status: "deferred" });
      await person.block(a);
      expect(await read(a)).toMatchObject({ status: "blocked" });
      await person.take(b, "grace");
      expect(await read(b)).toMatchObject({ status: "in_progress", assignee: "grace" });
      await person.edit(b, { title: "T", description: "D", acceptance: "A" });
      expect(await read(b)).toMatchObject({ title: "T", description: "D", acceptance: "A" });
      await person.setPriority(b, 0);
      expect(await read(b)).toMatchObject({ priority: 0, meta: { run: RUN, key: "a2" } });
      await person.removeEdge(b, a);
      expect(await read(b)).toMatchObject({ dependsOn: [] });
      await person.addEdge(b, a);
      expect(await read(b)).toMatchObject({ dependsOn: [a] });

      const child = await person.addChild(x, "and this");
      expect(child).toBe(`${x}.1`);
      const made = await read(child);
      expect(made).toMatchObject({
        parent: x,
        title: "and this",
        labels: ["fractal"],
        status: "open",
      });
      expect(made?.meta).toBeUndefined();
      expect(await person.addChild(a, "below a leaf")).toBe(`${a}.1`);
      const loose = await person.add("something else", ["fractal"]);
      expect(await read(loose)).toMatchObject({ parent: null, labels: ["fractal"] });

      await person.delete(a);
      expect(await read(a)).toBeUndefined();
      expect(await read(b)).toMatchObject({ dependsOn: [], parent: x });
    });

    it("shows how a person answered or dismissed a question", async () => {
      const { a, b } = await aTree();
      const [asked, dropped] = [`${a}.q1`, `${b}.q1`] as const;
      given(
        await at.tracker.create([
          aNewTask(asked, { labels: ["human"], blocks: [a] }),
          aNewTask(dropped, { labels: ["human"], blocks: [b] }),
        ]),
      );

      await at.person.respond(asked, "the blue one");
      await at.person.dismiss(dropped);

      expect(await read(asked)).toMatchObject({ status: "closed", closeReason: "Responded" });
      expect(given(await at.tracker.comments(asked))).toMatchObject([
        { author: "person", text: "Response: the blue one" },
      ]);
      expect(await read(dropped)).toMatchObject({ status: "closed", closeReason: "Dismissed" });
      expect(given(await at.tracker.comments(dropped))).toEqual([]);
    });

    it("wakes whoever watches soon after a person wrote, and no more once that is over", async () => {
      const { x } = await aTree();
      const over = new AbortController();
      let wakes = 0;
      const woken = new Promise<void>((resolve) => {
        at.tracker.watch?.(() => {
          wakes += 1;
          resolve();
        }, over.signal);
      });
      given(await at.tracker.read());
      expect(wakes).toBe(0);
      await at.person.addChild(x, "One more");
      await woken;
      over.abort();
      const before = wakes;
      await at.person.addChild(x, "Another");
      expect(wakes).toBe(before);
    });
  });
}
