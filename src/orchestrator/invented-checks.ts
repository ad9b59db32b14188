/** Which of the checks a planner invented may gate: asked once, of whoever there is to ask. */
import { reviewChecks } from "../agents/reviewer.ts";
import type { JudgedCheck } from "../domain/event/task.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { Acceptance } from "../domain/plan.ts";
import type { TaskState } from "../domain/run-state.ts";
import { inventedId } from "../rules/plan/split.ts";
import { profileFor } from "./journaled-model.ts";
import type { Lease } from "./lease.ts";
import { ACTOR, type World } from "./world.ts";

interface InventedCheck {
  id: string;
  text: string;
  requirement: string;
}

/**
 * Which of the planner's own checks may gate: those the reviewer accepts, or else the person at the
 * terminal, or `-y`. With none of them they advise. What was said is journaled before anything is
 * made of it, so that the same split after a crash asks nobody again.
 */
export async function acceptInvented(
  world: World,
  lease: Lease,
  task: TaskState,
  invented: InventedCheck[],
  signal: AbortSignal,
): Promise<((acceptance: Acceptance) => boolean) | Failure> {
  if (invented.length === 0) return () => false;
  const known = gatingIn(task.judged ?? [], invented);
  const gating = known ?? (await judgeInvented(world, lease, task, invented, signal));
  if (isFailure(gating)) return gating;
  return (acceptance) => gating.has(inventedId(acceptance, invented));
}

/** The ids of those that may gate, where all of them were judged before; undefined where not. */
function gatingIn(judged: JudgedCheck[], invented: InventedCheck[]): Set<string> | undefined {
  const found = invented.map(({ requirement, text }) =>
    judged.find((one) => one.requirement === requirement && one.text === text),
  );
  if (found.includes(undefined)) return undefined;
  return new Set(invented.filter((_, at) => found[at]?.gates).map(({ id }) => id));
}

async function judgeInvented(
  world: World,
  lease: Lease,
  task: TaskState,
  invented: InventedCheck[],
  signal: AbortSignal,
): Promise<Set<string> | Failure> {
  const said = await askAboutInvented(world, lease, task, invented, signal);
  if (isFailure(said)) return said;
  const checks = invented.map(({ id, requirement, text }) => {
    return { requirement, text, gates: said.gating.has(id) };
  });
  // Who was interrupted has not answered.
  if (signal.aborted) return { failure: "cancelled", detail: "stopped" };
  const about = { task_id: task.id, actor: ACTOR } as const;
  world.store.record([{ ...about, event_type: "checks.judged", by: said.by, checks }]);
  return said.gating;
}

/** The ids of the checks that may gate, and who says so. */
async function askAboutInvented(
  world: World,
  lease: Lease,
  task: TaskState,
  invented: InventedCheck[],
  signal: AbortSignal,
): Promise<{ by: string; gating: Set<string> } | Failure> {
  const all = new Set(invented.map(({ id }) => id));
  if (world.acceptsInvented) return { by: "-y", gating: all };
  const profile = profileFor(world, lease, "reviewer");
  if (profile !== undefined) {
    const opinions = await reviewChecks(
      {
        profile,
        prompt: world.prompts.reviewer,
        identity: { taskId: task.id, attempt: lease.attempt },
        taskKey: task.key,
        checks: invented.map((one) => ({
          ...one,
          requirement: textOf(world, one.requirement),
        })),
      },
      signal,
    );
    if (isFailure(opinions)) return opinions;
    const gating = new Set([...all].filter((id) => opinions[id]?.accept === true));
    return { by: "reviewer", gating };
  }
  const list = invented.map((one) => `  ${one.requirement}: ${one.text}`).join("\n");
  const yes = await world.human.confirm(
    `The planner invented ${invented.length} checks for "${task.contract.title}":\n${list}\nMay they gate the work?`,
    signal,
  );
  const by = yes === undefined ? "nobody" : "a person at the terminal";
  return { by, gating: yes === true ? all : new Set() };
}

function textOf(world: World, requirement: string): string {
  return world.spec.requirements.find((one) => one.id === requirement)?.text ?? requirement;
}
