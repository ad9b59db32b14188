/** A person holds a subtree back and lets it go: by the command, by bd, while fractal runs or not. */
import { describe, expect, it } from "vitest";
import type { TrackedRequest } from "../../../src/domain/ports.ts";
import type { Store } from "../../../src/orchestrator/store.ts";
import { pauseEvent, pauseProblem, statusAsked } from "../../../src/rules/people/pause.ts";
import { holdOf, statusOf, taskOf } from "../../../src/rules/status.ts";
import { type Followed, followed } from "../../support/followed-store.ts";
import { aStore, on, taken } from "../../support/leaf-store.ts";

const task = (store: Store, id: string) => taskOf(store.state, id);

/** What `fractal pause` and `unpause` do while a controller is at work. */
async function ask(at: Followed, id: string, kind: TrackedRequest["kind"], when: string) {
  const { state } = at.store;
  const status = statusAsked(state, taskOf(state, id), kind);
  await at.tracker.request(id, { kind, by: "ann", at: when }, status);
}

describe("a task that is paused", () => {
  it("by a request beside its status is paused by whoever asked, and freed by the next", async () => {
    const at = await followed(aStore());
    await ask(at, "t", "pause", "1");
    await at.follow();
    expect(statusOf(at.store.state, "t")).toBe("paused");
    expect(task(at.store, "t").pausedBy).toBe("ann");

    await ask(at, "t", "unpause", "2");
    await at.follow();
    expect(statusOf(at.store.state, "t")).not.toBe("paused");
    await at.write();
    expect(at.tracker.task("t").status).toBe("open");
    expect(await at.follow()).toEqual([]);
  });

  it("after it failed is failed again when it is freed, and not tried anew", async () => {
    const at = await followed(aStore());
    at.store.record([on("t", { event_type: "task.failed", reason: "enough" })]);
    await at.write();
    await ask(at, "t", "pause", "1");
    await at.follow();
    expect(statusOf(at.store.state, "t")).toBe("paused");
    await ask(at, "t", "unpause", "2");
    await at.follow();
    await at.write();
    expect(statusOf(at.store.state, "t")).toBe("failed");
    expect(task(at.store, "t").episode).toBe(1);
    expect(at.tracker.task("t").status).toBe("blocked");
  });

  it("is held back once by one request: freed with bd it stays free", async () => {
    const at = await followed(aStore());
    await ask(at, "t", "pause", "1");
    await at.follow();
    await at.write();
    await at.tracker.person.reopen("t");
    await at.follow();
    await at.write();
    expect(await at.follow()).toEqual([]);
    expect(statusOf(at.store.state, "t")).not.toBe("paused");
  });

  it("again after it was freed is not freed by the old request", async () => {
    const at = await followed(aStore());
    await ask(at, "t", "pause", "1");
    await at.follow();
    await ask(at, "t", "unpause", "2");
    await at.follow();
    await at.tracker.person.defer("t");
    await at.follow();
    await at.tracker.person.block("t");
    await at.follow();
    expect(statusOf(at.store.state, "t")).toBe("paused");
  });

  it("and freed before anybody looked was never paused", async () => {
    const at = await followed(aStore());
    await ask(at, "t", "pause", "1");
    await ask(at, "t", "unpause", "2");
    await at.follow();
    const moves = at.store.journal.read().map((event) => event.event_type);
    expect(moves).not.toContain("task.paused");
  });

  it("holds all that is below it, whose own status does not change", () => {
    const store = aStore();
    store.record([taken(task(store, "t"))]);
    store.record([pauseEvent(task(store, "root"), "pause", "ann")]);
    expect(holdOf(store.state, "t")).toEqual({ by: "root", how: "paused" });
    expect(statusOf(store.state, "t")).toBe("running");
  });
});

describe("what cannot be paused or freed is said with what to do", () => {
  const store = aStore();
  store.record([on("d", { event_type: "task.accepted", by: "ann" })]);
  store.record([pauseEvent(task(store, "root"), "pause", "ann")]);
  it.each([
    ["pause", "d", "d is accepted already"],
    ["pause", "root", "root is paused already"],
    ["unpause", "d", "d is not paused: it is accepted"],
    ["unpause", "t", "fractal unpause root"],
    ["unpause", "root", undefined],
    ["pause", "t", undefined],
  ] as const)("%s %s", (kind, id, said) => {
    const problem = pauseProblem(store.state, task(store, id), kind);
    const text = problem && [problem.what, ...problem.next].join("\n");
    if (said === undefined) expect(text).toBeUndefined();
    else expect(text).toContain(said);
  });
});
