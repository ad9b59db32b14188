/** A run of a few tasks whose model calls are played by hand: what the ledger and its checker are tried on. */
import { memoryJournal } from "../../src/adapters/journal/memory.ts";
import type { Amounts, BudgetScope, Charge } from "../../src/domain/budget.ts";
import type { Role } from "../../src/domain/conversation.ts";
import type { NewEvent } from "../../src/domain/event.ts";
import { renderInstant } from "../../src/domain/instant.ts";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import { NO_USAGE } from "../../src/domain/usage.ts";
import { openStore, type Store } from "../../src/orchestrator/store.ts";
import { createdEvent } from "../../src/orchestrator/tracked.ts";
import { type Admission, admissionOf } from "../../src/rules/money/admission.ts";
import { aContract, STARTED_AT } from "./builders.ts";

/** The tree: `r`, below it `r.a1` with `r.a1.a1` and `r.a1.a2`, and `r.a2`. */
export const PURSE_TASKS = ["r", "r.a1", "r.a1.a1", "r.a1.a2", "r.a2"] as const;

export interface Purse {
  readonly store: Store;
  clock: { nowMs: number };
  /** The verdict on a call that may come to this. */
  judge(task: string, role: Role, need: Partial<Charge>): Admission;
  start(task: string, role: Role, turn: string, need: Partial<Charge>): void;
  answer(task: string, role: Role, turn: string, cost: Partial<Charge>): void;
  fail(task: string, role: Role, turn: string, uncharged?: boolean): void;
  limit(scope: BudgetScope, limit: Amounts, task?: string): void;
  /** The process dies, and another one goes on. */
  crash(): void;
  lease(task: string, role: Role): void;
  release(task: string): void;
  record(event: NewEvent): void;
}

export function aPurse(): Purse {
  const clock = { nowMs: STARTED_AT };
  const journal = memoryJournal("purse");
  const port = { now: () => clock.nowMs, sleep: () => Promise.resolve() };
  const created = PURSE_TASKS.map((id) =>
    createdEvent({
      id,
      key: id,
      parent: id === "r" ? null : id.split(".").slice(0, -1).join("."),
      dependsOn: [],
      priority: 2,
      contract: aContract(id),
      leaf: !["r", "r.a1"].includes(id),
      origin: id === "r" ? "root" : "plan",
    }),
  );
  const store = openStore(journal, port, DEFAULT_LIMITS, [
    {
      task_id: null,
      actor: "fractal",
      event_type: "run.started",
      spec_path: "spec.md",
      spec_hash: "5".repeat(64),
      spec: "5".repeat(64),
      title: "A purse",
      base: "",
      branch: "",
      root_id: "r",
      models: {},
      contained: true,
    },
    ...created,
  ]);
  const record = (event: NewEvent) => store.record([event]);
  const call = (task: string, role: Role, turn: string) =>
    ({
      task_id: task,
      actor: role,
      attempt: 1,
      turn,
      role,
      model: "test:m",
      provider: "test",
    }) as const;
  return {
    store,
    clock,
    record,
    judge: (task, role, need) =>
      admissionOf(
        store.state,
        { task, role },
        { usd: 0, tokens: 0, calls: 1, ...need },
        clock.nowMs,
      ),
    start(task, role, turn, { usd = 0, tokens = 0 }) {
      record({
        ...call(task, role, turn),
        event_type: "call.started",
        request: "",
        prompt: "",
        reserved: { usd, tokens },
      });
    },
    answer(task, role, turn, { usd = 0, tokens = 0 }) {
      record({
        ...call(task, role, turn),
        event_type: "call.answered",
        reply: "",
        usage: { ...NO_USAGE, inputTokens: tokens },
        cost_usd: usd,
        duration_ms: 1,
        answered_by: "m",
        stop_reason: "end",
      });
    },
    fail(task, role, turn, uncharged = false) {
      record({
        ...call(task, role, turn),
        event_type: "call.failed",
        failure: { failure: "model-unavailable", detail: "down" },
        duration_ms: 1,
        ...(uncharged ? { uncharged: true } : {}),
      });
    },
    limit(scope, limit, task) {
      record({ task_id: task ?? null, actor: "ann", event_type: "budget.set", scope, limit });
    },
    crash() {
      const about = { task_id: null, actor: "fractal" } as const;
      record({ ...about, event_type: "run.resumed", pid: 2, models: {}, contained: true });
    },
    lease(task, role) {
      record({
        task_id: task,
        actor: "fractal",
        event_type: "lease.taken",
        attempt: 1,
        role,
        fence: (store.state.tasks.get(task)?.fence ?? 0) + 1,
        holder: `fractal/${role}/here/1/${task}.1`,
        deadline: renderInstant(clock.nowMs + 60_000),
        base: "",
      });
    },
    release(task) {
      const fence = store.state.tasks.get(task)?.fence ?? 0;
      const about = { task_id: task, actor: "fractal" } as const;
      record({ ...about, event_type: "lease.released", attempt: 1, fence, why: "ended" });
    },
  };
}
