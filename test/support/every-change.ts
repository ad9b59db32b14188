/** Every state one task can get into, with all that can happen to it there: a small model checker. */
import { JOURNAL_VERSION, type NewEvent, type RunEvent } from "../../src/domain/event.ts";
import { renderInstant } from "../../src/domain/instant.ts";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import type { RunState } from "../../src/domain/run-state.ts";
import type { TaskStatus } from "../../src/domain/task.ts";
import { refusalOf } from "../../src/rules/guard.ts";
import { type FOLLOWS, MOVES, type Move } from "../../src/rules/lifecycle.ts";
import { applyEvent } from "../../src/rules/replay.ts";
import { statusOf, taskOf } from "../../src/rules/status.ts";
import { STARTED_AT } from "./builders.ts";
import { aStore, created, ended, eventOf, on, opened } from "./leaf-store.ts";

export interface Change {
  row: Move | keyof typeof FOLLOWS;
  from: TaskStatus;
  to: TaskStatus;
}

/** One attempt and one more after help: more of them lead to no other kind of state. */
const LIMITS = { ...DEFAULT_LIMITS, attemptsMax: 1, attemptsAfterGuidance: 1 };

/** What can happen to `t`, to `d` which it may depend on, to its child, and to its question. */
function happenings(state: RunState): [Change["row"], ...NewEvent[]][] {
  const [t, d] = [taskOf(state, "t"), taskOf(state, "d")];
  const asks = { failure: { failure: "worker-asks", detail: "", options: [] } } as const;
  const routed = (to: "split" | "person") =>
    on("t", { event_type: "escalation.routed", to, by: "rules", reason: "" });
  const linked = (depends_on: string[]) =>
    on("t", { event_type: "task.edited", by: "ann", depends_on });
  const root = taskOf(state, "root");
  const review = `root.q${root.questions.length + 1}`;
  const answer = { question: review, by: "ann", text: "so" };
  const found: [Change["row"], ...NewEvent[]][] = [
    ...MOVES.map((move): [Move, NewEvent] => [move, eventOf(move, t)]),
    ["rejected", ended(t, { ...asks, failure: { ...asks.failure, options: [] } })],
    ["guided", on("t", { event_type: "guidance.given", from: "fixer", text: "", attempts: 1 })],
    ["routed", routed("split")],
    ["routed", routed("person")],
    ["linked", linked(["d"])],
    ["linked", linked([])],
    ["unblocked", eventOf("accepted", d)],
    ["blocked", eventOf("reopened", d)],
    [
      "revised",
      opened("root", review, { kind: "review", blocks: [] }),
      on("root", { event_type: "question.answered", ...answer }),
    ],
  ];
  if (t.question !== undefined) {
    const about = { question: t.question, by: "ann" };
    found.push(
      ["answered", on("t", { event_type: "question.answered", ...about, text: "so" })],
      ["dismissed", on("t", { event_type: "question.closed", ...about, how: "dismissed" })],
      ["dismissed", on("t", { event_type: "question.closed", ...about, how: "moot" })],
    );
  }
  const child = state.tasks.get("t.1");
  if (child === undefined) {
    found.push(["has a child", created("t.1", "t", { origin: "person" })]);
  } else {
    found.push(["child reopened", eventOf(child.end ? "reopened" : "accepted", child)]);
  }
  return found;
}

/** What the status of `t`, now or later, can depend on. */
function essenceOf(state: RunState): string {
  const t = taskOf(state, "t");
  const left = Math.min(1, t.attemptsLeft);
  const flags = [
    t.paused,
    t.question === undefined,
    // Only of what is done it matters which question it is.
    t.end === "done" && state.questions.get(t.question ?? "")?.kind === "edited",
    t.lease === undefined,
    t.pending === undefined,
  ];
  const others = ["d", "t.1"].map((id) => state.tasks.get(id)?.end ?? state.tasks.has(id));
  return JSON.stringify([flags, t.end, t.shape, t.route, left, t.dependsOn, others]);
}

/** All changes, and in how many essentially different states they were tried. */
export function everyChange(): { changes: Change[]; states: number } {
  const start = { ...aStore().state, limits: LIMITS };
  const known = new Set([essenceOf(start)]);
  const changes = new Map<string, Change>();
  const open = [start];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const from = statusOf(state, "t");
    for (const [row, ...events] of happenings(state)) {
      const [first] = events;
      if (first === undefined || refusalOf(state, first) !== undefined) continue;
      const next = structuredClone(state);
      const isLegal = events.every((event) => {
        if (refusalOf(next, event) !== undefined) return false;
        applyEvent(next, stamped(next, event));
        return true;
      });
      if (!isLegal) continue;
      const change = { row, from, to: statusOf(next, "t") };
      changes.set(Object.values(change).join(), change);
      const essence = essenceOf(next);
      if (known.has(essence)) continue;
      known.add(essence);
      open.push(next);
    }
  }
  return { changes: [...changes.values()], states: known.size };
}

function stamped(state: RunState, event: NewEvent): RunEvent {
  const timestamp = renderInstant(STARTED_AT);
  const envelope = { v: JOURNAL_VERSION, seq: state.seq + 1, run_id: "r", timestamp, prev: "" };
  return { ...envelope, ...event } as RunEvent;
}
