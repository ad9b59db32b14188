/** What deciding alone costs: the passes of a run, with the events of each leaf folded between them. */
import { performance } from "node:perf_hooks";
import { memoryJournal } from "../src/adapters/journal/memory.ts";
import type { NewEvent } from "../src/domain/event.ts";
import { DEFAULT_LIMITS } from "../src/domain/limits.ts";
import { openStore, type Store } from "../src/orchestrator/store.ts";
import { createdEvent } from "../src/orchestrator/tracked.ts";
import { reconcile } from "../src/rules/reconcile.ts";
import { aContract, aSnapshot } from "../test/support/builders.ts";

const ROOT = "fr-r1";
const NOW = Date.UTC(2026, 0, 5, 12);

/** Milliseconds a leaf spent in deciding, with all of them ready from the start and 8 slots. */
export function costOfDeciding(leaves: number): number {
  const store = aStore(leaves);
  const limits = { ...DEFAULT_LIMITS, jobs: 8 };
  const busy = new Map<string, "leaf">();
  let spentMs = 0;
  // Nothing is owed to the tracker: deciding alone is measured.
  const snapshot = aSnapshot(store.state, { busy, mirroring: true, publishing: true });
  const pass = () => {
    const startedAt = performance.now();
    const actions = reconcile(snapshot, limits, NOW);
    spentMs += performance.now() - startedAt;
    for (const action of actions) if (action.kind === "attempt") busy.set(action.task, "leaf");
  };
  for (pass(); busy.size > 0; pass()) {
    const id = busy.keys().next().value ?? "";
    busy.delete(id);
    store.record([
      { task_id: id, actor: "bench", event_type: "lease.taken", ...LEASE },
      { task_id: id, actor: "bench", event_type: "task.done", unchecked: false },
      { task_id: id, actor: "bench", event_type: "lease.released", ...LEASE, why: "ended" },
    ]);
  }
  return spentMs / leaves;
}

const LEASE = {
  attempt: 1,
  role: "worker",
  fence: 1,
  holder: "fractal/worker/bench",
  deadline: "2026-01-05T13:00:00.000Z",
  base: "base",
} as const;

function aStore(leaves: number): Store {
  const journal = memoryJournal("r1");
  const about = { task_id: ROOT, actor: "bench" } as const;
  const started: NewEvent = {
    task_id: null,
    actor: "bench",
    event_type: "run.started",
    spec_path: "spec.md",
    spec_hash: "",
    spec: "",
    title: "Many",
    base: "",
    branch: "fractal/r1/main",
    root_id: ROOT,
    models: {},
    contained: true,
  };
  const task = { parent: null, dependsOn: [], priority: 2, origin: "plan" } as const;
  const root = { ...task, dependsOn: [], id: ROOT, key: "root", leaf: false };
  const children = Array.from({ length: leaves }, (_, index) => ({
    ...root,
    id: `${ROOT}.a${index + 1}`,
    key: `w${index + 1}`,
    parent: ROOT,
    leaf: true,
    contract: aContract(`Word ${index + 1}`),
  }));
  const clock = { now: () => NOW, sleep: async () => undefined };
  const store = openStore(journal, clock, DEFAULT_LIMITS, [
    started,
    createdEvent({ ...root, contract: aContract("Many") }),
  ]);
  store.record([
    { ...about, event_type: "lease.taken", ...LEASE },
    ...children.map(createdEvent),
    { ...about, event_type: "task.split", children: [], checks: [], assumptions: [] },
    { ...about, event_type: "lease.released", ...LEASE, why: "ended" },
  ]);
  return store;
}
