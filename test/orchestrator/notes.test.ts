/** Comments fractal owes to issues: written once, whatever happens between the word and the deed. */
import { describe, expect, it } from "vitest";
import type { Failure } from "../../src/domain/failure.ts";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import type { Tracker } from "../../src/domain/ports.ts";
import { writeNotes } from "../../src/orchestrator/notes.ts";
import { noteOn, notesOwed, responseNote } from "../../src/rules/people/notes.ts";
import { reconcile } from "../../src/rules/reconcile.ts";
import { replay } from "../../src/rules/replay.ts";
import { aSnapshot } from "../support/builders.ts";
import { type Followed, followed, OURS } from "../support/followed-store.ts";
import { aStore, on, opened } from "../support/leaf-store.ts";

const down: Failure = { failure: "tracker-unavailable", detail: "bd is away" };
const said = async (at: Followed, id: string) =>
  ((await at.tracker.comments(id)) as { text: string }[]).map((one) => one.text);
const how = (at: Followed) =>
  at.store.journal.read().flatMap((event) => (event.event_type === "note.done" ? [event.how] : []));

/** A tracker whose `comment` does this instead. */
const withComment = (at: Followed, comment: Tracker["comment"]) => ({
  store: at.store,
  tracker: { ...at.tracker, comment },
});

describe("a comment of fractal's", () => {
  it("is written once, and counts as read", async () => {
    const at = await followed(aStore());
    at.store.record([noteOn("t", "t failed 1", "the check is red")]);
    expect(await writeNotes(at)).toBeUndefined();
    expect(await writeNotes(at)).toBeUndefined();
    expect(await said(at, "t")).toEqual(["the check is red"]);
    expect(await at.see()).toEqual([]);
  });

  it("that was written by a process killed before it could say so is found, not written again", async () => {
    const at = await followed(aStore());
    at.store.record([noteOn("t", "t failed 1", "the check is red")]);
    await at.tracker.comment("t", "the check is red\n");
    await writeNotes(at);
    expect(await said(at, "t")).toHaveLength(1);
    expect(how(at)).toEqual(["found"]);
  });

  it("says the same words again on another occasion", async () => {
    const at = await followed(aStore());
    at.store.record([noteOn("t", "t failed 1", "red")]);
    await writeNotes(at);
    at.store.record([noteOn("t", "t failed 1", "red"), noteOn("t", "t failed 2", "red")]);
    await writeNotes(at);
    expect(await said(at, "t")).toEqual(["red", "red"]);
    expect(how(at)).toEqual(["written", "written"]);
  });

  it("stays owed while the tracker is away, and reconcile asks for it", async () => {
    const at = await followed(aStore());
    at.store.record([noteOn("t", "k", "red")]);
    at.tracker.outage = down;
    expect(await writeNotes(at)).toEqual(down);
    const due = reconcile(aSnapshot(at.store.state), DEFAULT_LIMITS, 0);
    expect(due).toContainEqual({ kind: "mirror", lines: [] });
    at.tracker.outage = undefined;
    await writeNotes(at);
    expect(await said(at, "t")).toEqual(["red"]);
    expect(notesOwed(replay(at.store.journal.read()))).toEqual([]);
  });

  it("is believed by what can be read, not by what the write answered", async () => {
    const at = await followed(aStore());
    at.store.record([noteOn("t", "k", "red")]);
    const lies = withComment(at, async () => undefined);
    expect(await writeNotes(lies)).toMatchObject({ failure: "tracker-unavailable" });
    const fails = withComment(at, async (id, text) => {
      await at.tracker.comment(id, text);
      return down;
    });
    expect(await writeNotes(fails)).toBeUndefined();
    expect(await said(at, "t")).toEqual(["red"]);
  });

  it("does not make a person's words beside it unheard", async () => {
    const at = await followed(aStore());
    at.store.record([noteOn("t", "k", "red")]);
    await at.tracker.person.comment("t", "mind the gap");
    await writeNotes(at);
    await at.follow();
    expect(at.store.state.tasks.get("t")?.guidance).toEqual([
      { from: "person", text: "mind the gap" },
    ]);
  });

  it("is owed no longer to an issue that was deleted", async () => {
    const at = await followed(aStore());
    at.store.record([opened("t")]);
    await at.write();
    const question = at.store.state.questions.get("t.q1");
    if (question === undefined) throw new Error("no question");
    at.store.record([
      on("t", { event_type: "question.answered", question: "t.q1", by: "ann", text: "b" }),
      responseNote(question, "b"),
    ]);
    await at.tracker.person.delete("t.q1");
    expect(await writeNotes(at)).toBeUndefined();
    expect(how(at)).toEqual(["gone"]);
  });

  it("waits for its issue to be there, and is owed nothing that never comes there", () => {
    const store = aStore();
    store.record([noteOn("t", "k", "red"), noteOn("nowhere", "l", "red")]);
    expect(notesOwed(store.state)).toEqual([]);
    const known = { lines: [{ id: "t", status: "open" as const, assignee: "" }] };
    store.record([{ task_id: null, actor: OURS, event_type: "mirror.done", ...known }]);
    expect(notesOwed(store.state).map((one) => one.key)).toEqual(["k"]);
  });
});
