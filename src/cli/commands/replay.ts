/** `fractal replay`: a run as it stood at any point, from its journal alone. */
import { parseInstant } from "../../domain/instant.ts";
import { replay } from "../../rules/replay.ts";
import { renderReplay } from "../../view/replay.ts";
import { treeJson } from "../../view/tree-json.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, isRefusal, refuse } from "../exit.ts";
import { stateHash } from "../state-hash.ts";

/** Prints the tree after the event numbered `at`, the last one when left out. */
export async function replayCommand(
  context: Context,
  run: string,
  at: number | undefined,
): Promise<ExitCode> {
  const { out, dir } = context;
  const wire = await context.wire();
  const found = await wire.openRunForReading({ dir, run });
  if (isRefusal(found)) return out.refuse(found);
  const { events } = found;
  const last = events.length - 1;
  const event = events[at ?? last];
  if (event === undefined) {
    return out.refuse(
      refuse(EXIT.usage, `run ${run} has no event ${at}`, {
        next: [`fractal replay ${run} --at SEQ   # SEQ from 0 to ${last}`],
      }),
    );
  }
  const state = replay(events.slice(0, event.seq + 1));
  const hash = stateHash(state);
  const { timestamp } = event;
  out.show(
    () => ({
      ...treeJson(state),
      seq: state.seq,
      last_seq: last,
      timestamp,
      last_decision: state.lastDecision || null,
      state_hash: hash,
    }),
    // As it was then: what was running is shown with the time it had taken.
    () => renderReplay(state, { ...out.look, now: parseInstant(timestamp), timestamp, last, hash }),
  );
  return EXIT.done;
}
