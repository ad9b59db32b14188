/** An edit of a task's text in Beads, by where the task stands (design part 4). */
import { describe, expect, it } from "vitest";
import { desiredMirror } from "../../src/rules/people/mirror.ts";
import { isLost, statusOf, taskOf } from "../../src/rules/status.ts";
import { type Followed, followed } from "../support/followed-store.ts";
import { aStoreWith, eventOf, on, opened } from "../support/leaf-store.ts";

const t = (at: Followed) => taskOf(at.store.state, "t");
const status = (at: Followed) => statusOf(at.store.state, "t");
const edit = async (at: Followed, description = "Otherwise.") => {
  await at.tracker.person.edit("t", { description });
  const events = await at.follow();
  expect(await at.see()).toEqual([]);
  const journal = at.store.journal.read();
  expect(journal.filter((event) => event.event_type === "move.refused")).toEqual([]);
  return events;
};
const questions = (at: Followed) =>
  [...at.store.state.questions.values()].map(({ kind, state }) => `${kind} ${state}`);
const answer = (at: Followed, text: string, question = "t.q1") =>
  at.store.record([on("t", { event_type: "question.answered", question, by: "ann", text })]);

describe("an edited text", () => {
  it("of a queued task is used", async () => {
    const at = await followed(aStoreWith("queued"));
    expect((await edit(at)).map((event) => event.event_type)).toEqual([
      "drift.seen",
      "task.edited",
    ]);
    expect(t(at).contract.purpose).toBe("Otherwise.");
    expect(questions(at)).toEqual([]);
  });

  it.each(["worker", "planner", "fixer"] as const)(
    "of a running task fences its %s",
    async (role) => {
      const at = await followed(aStoreWith("queued"));
      at.store.record([{ ...eventOf("leased", t(at)), role } as never]);
      await at.write();
      expect(isLost(at.store.state, t(at))).toBe(false);
      await edit(at);
      expect(isLost(at.store.state, t(at))).toBe(true);
    },
  );

  it("of a task whose split is being written does not undo the split", async () => {
    const at = await followed(aStoreWith("queued"));
    at.store.record([{ ...eventOf("leased", t(at)), role: "planner" } as never]);
    at.store.record([on("t", { event_type: "split.started", attempt: 1, plan: "f" })]);
    await at.write();
    await edit(at);
    expect(isLost(at.store.state, t(at))).toBe(false);
  });

  it("of a task that waits for an answer is the answer, and is said on the question", async () => {
    const at = await followed(aStoreWith("needs_human"));
    await edit(at);
    expect(questions(at)).toEqual(["stuck answered"]);
    expect(status(at)).toBe("queued");
    expect(t(at).guidance.at(-1)?.text).toContain("its description was edited");
    expect([...at.store.state.notes.values()]).toMatchObject([{ id: "t.q1" }]);
    await at.write();
    expect(at.tracker.task("t.q1").status).toBe("closed");
  });

  it("does not answer what others wait for as well", async () => {
    const at = await followed(aStoreWith("queued"));
    at.store.record([opened("t", "t.q1", { kind: "plan", blocks: ["t", "d"] })]);
    await at.write();
    await edit(at);
    expect(questions(at)).toEqual(["plan open"]);
  });

  it("of what is done makes one question, and changes nothing before it is answered", async () => {
    const at = await followed(aStoreWith("done"));
    await edit(at);
    await edit(at, "And otherwise again.");
    expect(questions(at)).toEqual(["edited open"]);
    expect(status(at)).toBe("done");
    await at.write();
    expect(at.tracker.task("t").status).toBe("closed");
    expect(at.tracker.task("t").dependsOn).toEqual([]);
    expect(await at.see()).toEqual([]);
  });

  it("of what is done: `do it again` opens it again, with its whole ladder and the new text", async () => {
    const at = await followed(aStoreWith("done"));
    await edit(at);
    answer(at, "do it again with the new text");
    expect(status(at)).toBe("queued");
    expect(t(at)).toMatchObject({
      episode: 2,
      attemptsLeft: 3,
      contract: { purpose: "Otherwise." },
    });
    expect(desiredMirror(at.store.state, "t").status).toBe("open");
    await at.write();
    expect(at.tracker.task("t").status).toBe("open");
    expect(await at.see()).toEqual([]);
  });

  it("of what is done: `keep` leaves it, a dismissal too", async () => {
    const kept = await followed(aStoreWith("done"));
    await edit(kept);
    answer(kept, "Keep it as it is");
    expect(status(kept)).toBe("done");
    const dismissed = await followed(aStoreWith("done"));
    await edit(dismissed);
    await dismissed.write();
    await dismissed.tracker.person.dismiss("t.q1");
    await dismissed.follow();
    expect(status(dismissed)).toBe("done");
    expect(questions(dismissed)).toEqual(["edited dismissed"]);
  });

  it("of what is done, which is then reopened: that says it, and nothing more is asked", async () => {
    const at = await followed(aStoreWith("done"));
    await edit(at);
    await at.write();
    await at.tracker.person.reopen("t");
    await at.follow();
    expect(questions(at)).toEqual(["edited moot"]);
    expect(status(at)).toBe("queued");
    await at.write();
    expect(await at.see()).toEqual([]);
  });

  it("of what a person accepted, failed or dropped is taken up in silence", async () => {
    for (const from of ["accepted", "failed", "cancelled"] as const) {
      const at = await followed(aStoreWith(from));
      await edit(at);
      expect([from, status(at), questions(at)]).toEqual([from, from, []]);
      expect(t(at).contract.purpose).toBe("Otherwise.");
    }
  });
});
