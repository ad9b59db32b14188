/** What a person drops may be brought back; what something keeps writing over is not fought for. */
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import { askPerson } from "../../src/orchestrator/escalate-task.ts";
import type { World } from "../../src/orchestrator/world.ts";
import { mirrorLines } from "../../src/rules/people/mirror.ts";
import { reconcile } from "../../src/rules/reconcile.ts";
import { replay } from "../../src/rules/replay.ts";
import { statusOf, taskOf } from "../../src/rules/status.ts";
import { aSnapshot } from "../support/builders.ts";
import { type Followed, followed } from "../support/followed-store.ts";
import { aStore, on, taken } from "../support/leaf-store.ts";

const status = (at: Followed, id: string) => statusOf(at.store.state, id);
const open = (at: Followed) =>
  [...at.store.state.questions.values()]
    .filter(({ state }) => state === "open")
    .map(({ id }) => id);
const decide = (at: Followed) => reconcile(aSnapshot(at.store.state), DEFAULT_LIMITS, 0);
const refused = (at: Followed) =>
  at.store.journal.read().filter((event) => event.event_type === "move.refused");

/** root: d and t, which waits for d; a person deleted d. */
async function aLoss(): Promise<Followed> {
  const store = aStore();
  store.record([on("t", { event_type: "task.edited", by: "ann", depends_on: ["d"] })]);
  store.record([on("d", { event_type: "guidance.given", from: "ann", text: "mind", attempts: 0 })]);
  const at = await followed(store);
  await at.tracker.person.delete("d");
  await at.follow();
  await at.write();
  return at;
}

describe("a deleted task", () => {
  it("is one drift; that Beads forgot the edges to it is not another", async () => {
    const at = await aLoss();
    const drifts = at.store.journal.read().filter((event) => event.event_type === "drift.seen");
    expect(drifts).toMatchObject([{ kind: "deleted", task_id: "d" }]);
    expect(await at.see()).toEqual([]);
    expect(open(at)).toEqual(["t.q1"]);
  });

  it("is restored under a new id, with its contract and what was said, and who waited waits for that", async () => {
    const at = await aLoss();
    await at.tracker.person.respond("t.q1", "restore it");
    await at.follow();
    await at.write();
    const restored = taskOf(at.store.state, "root.s1");
    expect(restored).toMatchObject({ parent: "root", shape: "leaf", guidance: [{ text: "mind" }] });
    expect(restored.contract).toEqual(taskOf(at.store.state, "d").contract);
    expect(taskOf(at.store.state, "t").dependsOn).toEqual(["root.s1"]);
    expect(at.tracker.task("t").dependsOn).toEqual(["root.s1", "t.q1"]);
    expect(status(at, "t")).toBe("waiting");
    expect(decide(at)).toContainEqual({ kind: "attempt", task: "root.s1" });
    expect([await at.see(), refused(at), open(at)]).toEqual([[], [], []]);
    expect(() => at.tracker.task("d")).toThrow("no issue");
    expect(replay(at.store.journal.read())).toEqual(at.store.state);
  });

  it("deleted again gets another new id: none is made twice", async () => {
    const at = await aLoss();
    await at.tracker.person.respond("t.q1", "restore it");
    await at.follow();
    await at.write();
    await at.tracker.person.delete("root.s1");
    await at.follow();
    await at.write();
    await at.tracker.person.respond("t.q2", "restore");
    await at.follow();
    await at.write();
    expect(taskOf(at.store.state, "t").dependsOn).toEqual(["root.s2"]);
    expect(refused(at)).toEqual([]);
  });

  it("is gone on without by any other answer, and drops who waited by `drop this task too`", async () => {
    const without = await aLoss();
    await without.tracker.person.respond("t.q1", "use the old one");
    await without.follow();
    expect(status(without, "t")).toBe("queued");
    const dropped = await aLoss();
    await dropped.tracker.person.respond("t.q1", "drop this task too");
    await dropped.follow();
    expect(status(dropped, "t")).toBe("cancelled");
    expect(refused(dropped)).toEqual([]);
  });
});

describe("a cancelled task", () => {
  it("is brought back under its id by `restore it`, and what was asked of the others is withdrawn", async () => {
    const store = aStore();
    store.record([on("t", { event_type: "task.edited", by: "ann", depends_on: ["d"] })]);
    const at = await followed(store);
    await at.tracker.request("d", { kind: "cancel", by: "ann", at: "1" }, "deferred");
    await at.follow();
    await at.write();
    await at.tracker.person.respond("t.q1", "restore it");
    await at.follow();
    expect([status(at, "d"), status(at, "t")]).toEqual(["queued", "waiting"]);
    await at.write();
    expect(at.tracker.task("d").status).toBe("open");
    expect(await at.see()).toEqual([]);
  });

  it("that a person brings back in Beads leaves nothing to ask", async () => {
    const store = aStore();
    store.record([on("t", { event_type: "task.edited", by: "ann", depends_on: ["d"] })]);
    const at = await followed(store);
    await at.tracker.request("d", { kind: "cancel", by: "ann", at: "1" }, "deferred");
    await at.follow();
    await at.write();
    await at.tracker.person.reopen("d");
    await at.follow();
    expect(decide(at)).toContainEqual(
      expect.objectContaining({ kind: "withdraw", question: "t.q1" }),
    );
  });
});

describe("what something keeps writing over", () => {
  /** t is worked on; something sets it to open each time it was written. */
  async function aFight(times: number): Promise<Followed> {
    const store = aStore();
    const at = await followed(store);
    store.record([taken(taskOf(store.state, "t"))]);
    for (let time = 0; time < times; time++) {
      await at.write();
      await at.tracker.mirror([{ id: "t", status: "open", assignee: "" }]);
      await at.follow();
    }
    return at;
  }
  const owed = (at: Followed) =>
    mirrorLines(at.store.state)
      .map(({ id }) => id)
      .filter((id) => at.store.state.tasks.has(id));
  const letGo = (at: Followed) => {
    const { attempt, fence } = taskOf(at.store.state, "t").lease ?? { attempt: 0, fence: 0 };
    at.store.record([on("t", { event_type: "lease.released", attempt, fence, why: "ended" })]);
  };
  async function asked(): Promise<Followed> {
    const at = await aFight(3);
    letGo(at);
    const ask = decide(at).find(({ kind }) => kind === "ask");
    expect(ask).toMatchObject({ task: "t", question: "drift" });
    askPerson({ store: at.store } as World, "t", "drift", "open");
    await at.write();
    return at;
  }

  it("is written again twice, and not after the third time", async () => {
    expect(owed(await aFight(2))).toEqual(["t"]);
    expect(owed(await aFight(3))).toEqual([]);
  });

  it("is asked about once when nothing is under way on it, and nothing is written until then", async () => {
    const at = await asked();
    expect(open(at)).toEqual(["t.q1"]);
    await at.tracker.mirror([{ id: "t", status: "in_progress", assignee: "" }]);
    await at.follow();
    expect(owed(at)).toEqual([]);
    expect(decide(at).filter(({ kind }) => kind === "ask")).toEqual([]);
  });

  it("`write it again`: it is", async () => {
    const at = await asked();
    await at.tracker.person.respond("t.q1", "write it again");
    await at.follow();
    at.store.record([taken(taskOf(at.store.state, "t"))]);
    expect(owed(at)).toEqual(["t"]);
  });

  it("`leave it`: only its end is written", async () => {
    const at = await asked();
    await at.tracker.person.respond("t.q1", "leave it as Beads shows it");
    await at.follow();
    at.store.record([taken(taskOf(at.store.state, "t"))]);
    expect(owed(at)).toEqual([]);
    at.store.record([on("t", { event_type: "task.done", unchecked: false })]);
    expect(owed(at)).toEqual(["t"]);
  });
});
