/** What a move needs besides its turn: an endpoint that answers, and money for its first call. */
import type { Charge } from "../../domain/budget.ts";
import type { Role } from "../../domain/conversation.ts";
import type { TaskState } from "../../domain/run-state.ts";
import type { TaskId } from "../../domain/task.ts";
import { accessTo, endpointOf } from "../breaker.ts";
import { admissionOf } from "../money/admission.ts";
import type { Move, Scene, Standing } from "../standing.ts";

/** The endpoint a move needs; undefined where it asks no model. */
export function endpointFor(scene: Scene, move: Move): string | undefined {
  const task = scene.state.tasks.get(move.task);
  const role = task === undefined ? undefined : roleOf(scene, task, move);
  return role === undefined ? undefined : endpointOf(scene.state, role);
}

/** What a move waits for while the endpoint it needs is out of reach: at no cost. */
export function keptByEndpoint(scene: Scene, move: Move, now: number): Standing | undefined {
  const { state } = scene;
  const endpoint = endpointFor(scene, move);
  const access = accessTo(state, endpoint, now);
  if (endpoint === undefined || access.kind === "closed") return undefined;
  if (access.kind === "open") return { ...access, kind: "resting", endpoint };
  const by = access.probe ?? proberOf(scene, endpoint);
  return by === undefined ? undefined : { kind: "probed", endpoint, by };
}

/** A task under way on this endpoint, whose next call will show; one just begun may be it. */
function proberOf({ state, busy }: Scene, endpoint: string): TaskId | undefined {
  for (const [id, what] of busy) {
    const role = state.tasks.get(id)?.lease?.role;
    if (what === "roll-up") continue;
    if (role === undefined || endpointOf(state, role) === endpoint) return id;
  }
  return undefined;
}

/** The move, unless a budget has no room for the call it begins with. */
export function afforded(scene: Scene, task: TaskState, move: Move, now: number): Standing {
  const { state } = scene;
  const due: Standing = { kind: "due", move };
  if (state.ledger.limits.size === 0) return due;
  const call = firstCallOf(scene, task, move);
  if (call === undefined) return due;
  const { role, need } = call;
  const admission = admissionOf(state, { task: task.id, role }, need, now);
  if (admission.verdict === "fits") return due;
  return { kind: "denied", by: admission.by, waits: admission.verdict === "waits", move };
}

/** The call a move begins with and the most it may take; undefined when it may need none. */
function firstCallOf(
  scene: Scene,
  task: TaskState,
  move: Move,
): { role: Role; need: Charge } | undefined {
  const role = roleOf(scene, task, move);
  if (role === undefined) return undefined;
  const { denied } = task;
  if (denied !== undefined) {
    const { usd, tokens } = denied;
    return { role: denied.role, need: { usd, tokens, calls: 1 } };
  }
  // What is paid for is replayed first: its next call is judged when it is made.
  const isOpen = task.attempts.some(
    (one) => one.endedAt === undefined && one.role === role && one.episode === task.episode,
  );
  if (isOpen) return undefined;
  return { role, need: scene.needs?.get(role) ?? { usd: 0, tokens: 0, calls: 1 } };
}

/** The role whose model a move asks; undefined when it asks none. */
function roleOf(scene: Scene, task: TaskState, move: Move): Role | undefined {
  switch (move.kind) {
    case "plan": {
      const isPlanned = scene.given?.has(task.key) === true && !move.mustSplit;
      return isPlanned || task.splitStarted !== undefined ? undefined : "planner";
    }
    case "attempt":
      return task.contract.kind === "command" ? undefined : "worker";
    case "fix":
      return "fixer";
    case "route":
      return move.to === "router" ? "router" : undefined;
    case "roll-up":
    case "ask":
    case "give-up":
      return undefined;
  }
}
