/** What a model call may come to at worst, and whether the budgets have room for that. */
import { promptTokensOf } from "../agents/ask.ts";
import type { Charge } from "../domain/budget.ts";
import { type ModelRequest, ROLES, type Role } from "../domain/conversation.ts";
import type { NewEvent } from "../domain/event.ts";
import type { Failure } from "../domain/failure.ts";
import type { ModelProfile } from "../domain/profile.ts";
import type { TaskId } from "../domain/task.ts";
import { worstCostOf } from "../domain/usage.ts";
import { admissionOf, type Denial } from "../rules/money/admission.ts";
import { renderDenial } from "../rules/money/budget-text.ts";
import { ACTOR, type World } from "./world.ts";

/** Tokenizers cut finer than the estimate by up to a third (rules/text/prompt.ts): half is added. */
const PROMPT_MARGIN = 1.5;
/** What providers add of their own: their words on tools and on the answer's form, a few hundred. */
const PROVIDER_TOKENS = 1000;
/** A prompt whose size is not known yet. */
const USUAL_PROMPT_TOKENS = 2500;

/** The most that this request can come to: its prompt generously counted, the longest answer. */
export function worstOf(profile: ModelProfile, request: ModelRequest): Charge {
  return worstFor(profile, promptTokensOf(request), request.outputTokensMax);
}

/** The most that a call of usual length can come to, by role: without room for it no work is begun. */
export function needsOf(world: Pick<World, "profiles">): Map<Role, Charge> {
  const needs = new Map<Role, Charge>();
  for (const role of ROLES) {
    const profile = world.profiles[role];
    if (profile !== undefined) needs.set(role, usualWorstOf(profile));
  }
  return needs;
}

function usualWorstOf(profile: ModelProfile): Charge {
  const room = Math.max(0, profile.contextTokens - USUAL_PROMPT_TOKENS);
  return worstFor(profile, USUAL_PROMPT_TOKENS, Math.min(profile.outputTokensMax, room));
}

function worstFor({ price }: ModelProfile, promptTokens: number, outputTokens: number): Charge {
  const inputTokens = Math.ceil(promptTokens * PROMPT_MARGIN) + PROVIDER_TOKENS;
  const usd = worstCostOf(inputTokens, outputTokens, price);
  return { usd, tokens: inputTokens + outputTokens, calls: 1 };
}

type StartedCall = Omit<Extract<NewEvent, { event_type: "call.started" }>, "reserved"> & {
  task_id: TaskId;
};

/**
 * Journals the intent of a call with what it reserves, as soon as every budget has room for that;
 * what other calls under way come to is awaited where it may help. A failure when the call may not
 * be made: `budget-spent`, which is journaled, `cancelled`, or what `refuse` says.
 */
export async function startCall(
  world: World,
  call: StartedCall,
  worst: Charge,
  refuse: () => Failure | undefined,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const { store, clock } = world;
  const of = { task: call.task_id, role: call.role };
  while (!signal.aborted) {
    // Judged and journaled without an await between: two calls never share what is left.
    const refusal = refuse();
    if (refusal !== undefined) return refusal;
    const admission = admissionOf(store.state, of, worst, clock.now());
    if (admission.verdict === "fits") {
      store.record([{ ...call, reserved: { usd: worst.usd ?? null, tokens: worst.tokens } }]);
      return undefined;
    }
    if (admission.verdict === "denied") return deny(world, call, worst, admission.by);
    await nextSettlement(world, signal);
  }
  return { failure: "cancelled", detail: "stopped", uncharged: true };
}

function deny(world: World, call: StartedCall, worst: Charge, by: Denial): Failure {
  world.store.record([
    {
      task_id: call.task_id,
      actor: ACTOR,
      event_type: "budget.denied",
      attempt: call.attempt,
      turn: call.turn,
      role: call.role,
      needs: { usd: worst.usd ?? null, tokens: worst.tokens },
      scope: by.scope,
      scope_task: by.task,
      unit: by.unit,
    },
  ]);
  return { failure: "budget-spent", detail: renderDenial(by) };
}

/** Until a call under way has come to something, a budget is changed, or a stop is asked for. */
function nextSettlement(world: World, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const unlisten = world.store.listen(({ event_type }) => {
      if (["call.answered", "call.failed", "budget.set"].includes(event_type)) done();
    });
    const done = () => {
      unlisten();
      signal.removeEventListener("abort", done);
      resolve();
    };
    signal.addEventListener("abort", done);
  });
}

/**
 * True when a failed call cannot have been charged: the server refused it as it stands, or it was
 * never reached. After a timeout, a cut stream or an error of the server's own nobody knows.
 */
export function isUncharged(failure: Failure): boolean {
  if (failure.failure === "model-unavailable" || failure.failure === "cancelled") {
    return failure.uncharged === true;
  }
  const byRequest = ["credentials-missing", "config-unusable", "context-overflow", "refused"];
  return byRequest.includes(failure.failure);
}
