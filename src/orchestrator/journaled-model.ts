/** A model whose every call is in the journal before and after, and is never paid for twice. */
import type { ModelReply, ModelRequest, Role } from "../domain/conversation.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { Clock, Model } from "../domain/ports.ts";
import type { ModelProfile } from "../domain/profile.ts";
import type { TaskId } from "../domain/task.ts";
import { costOf } from "../domain/usage.ts";
import { accessTo, endpointOf } from "../rules/breaker.ts";
import type { Lease } from "./lease.ts";
import { promptName } from "./prompt-name.ts";
import { isUncharged, startCall, worstOf } from "./reserve.ts";
import type { World } from "./world.ts";

/**
 * A role's profile for work under this lease, its model journaled. Undefined when the role is not
 * configured.
 */
export function profileFor(
  world: World,
  lease: Lease,
  role: Role = lease.role,
): ModelProfile | undefined {
  const profile = world.profiles[role];
  return profile && { ...profile, model: journaled(world, lease, role, profile) };
}

function journaled(world: World, lease: Lease, role: Role, profile: ModelProfile): Model {
  const { store, clock, limits } = world;
  const { model, price } = profile;
  const provider = model.name.split(":")[0] ?? "";
  return {
    name: model.name,
    async ask(request, signal) {
      const stored = store.state.replies.get(keyOf(lease, request));
      const text = stored && store.journal.getBlob(stored.reply);
      if (text !== undefined) return JSON.parse(text) as ModelReply;
      const about = { task_id: lease.taskId, actor: role } as const;
      const call = { attempt: lease.attempt, turn: request.turn, role } as const;
      const via = { model: model.name, provider } as const;
      const hash = store.journal.putBlob(JSON.stringify(request));
      const prompt = promptName(world, role);
      const worst = worstOf(profile, request);
      const started = { ...about, event_type: "call.started", ...call, ...via } as const;
      const refusal = await startCall(
        world,
        { ...started, task_id: lease.taskId, request: hash, prompt },
        worst,
        () => refuseCall(world, lease.taskId, endpointOf(store.state, role) ?? model.name),
        signal,
      );
      if (refusal !== undefined) return refusal;
      const startedAt = clock.now();
      const answer = await askInTime(
        model,
        request,
        { clock, timeoutMs: limits.callTimeoutMs },
        signal,
      );
      const duration_ms = clock.now() - startedAt;
      if (isFailure(answer)) {
        const event_type = "call.failed";
        const free = isUncharged(answer) ? { uncharged: true as const } : {};
        store.record([
          { ...about, event_type, ...call, ...via, failure: answer, duration_ms, ...free },
        ]);
        return answer;
      }
      store.record([
        {
          ...about,
          event_type: "call.answered",
          ...call,
          ...via,
          reply: store.journal.putBlob(JSON.stringify(answer)),
          usage: answer.usage,
          cost_usd: costOf(answer.usage, price) ?? null,
          duration_ms,
          answered_by: answer.answeredBy,
          stop_reason: answer.stopReason,
          ...(answer.mismatch === true ? { mismatch: true } : {}),
        },
      ]);
      return answer;
    },
  };
}

/** Nobody asks an endpoint that is left alone, nor beside the one who finds out whether it is back. */
function refuseCall(world: World, taskId: TaskId, endpoint: string): Failure | undefined {
  const now = world.clock.now();
  const access = accessTo(world.store.state, endpoint, now);
  if (access.kind === "closed") return undefined;
  if (access.kind === "half-open" && (access.probe ?? taskId) === taskId) return undefined;
  const retryAfterMs = access.kind === "open" ? access.untilMs - now : 0;
  const detail = `${endpoint} is left alone after trouble`;
  return { failure: "model-unavailable", detail, retryAfterMs };
}

function keyOf(lease: Lease, request: ModelRequest): string {
  return `${lease.taskId}.${lease.attempt}.${request.turn}`;
}

async function askInTime(
  model: Model,
  request: ModelRequest,
  { clock, timeoutMs }: { clock: Clock; timeoutMs: number },
  signal: AbortSignal,
): Promise<ModelReply | Failure> {
  const limit = new AbortController();
  const answered = new AbortController();
  void clock.sleep(timeoutMs, answered.signal).then(() => limit.abort());
  const answer = await model.ask(request, AbortSignal.any([signal, limit.signal]));
  const isLate = limit.signal.aborted;
  answered.abort();
  if (signal.aborted && isFailure(answer)) {
    const free = isUncharged(answer) ? { uncharged: true as const } : {};
    return { failure: "cancelled", detail: "stopped", ...free };
  }
  if (isLate && isFailure(answer)) {
    const detail = `${model.name} gave no answer in ${Math.round(timeoutMs / 1000)} s`;
    return { failure: "model-unavailable", detail };
  }
  return answer;
}
