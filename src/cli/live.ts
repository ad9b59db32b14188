/** What is shown while a run is under way: a live tree on a terminal, plain lines when piped. */
import { createLogUpdate } from "log-update";
import type { Store } from "../orchestrator/store.ts";
import { renderProgress } from "../view/progress.ts";
import { oneLine } from "../view/text.ts";
import { renderTree } from "../view/tree.ts";
import type { Context } from "./context.ts";

export interface Live {
  /** Makes room for a prompt. */
  pause(): void;
  resume(): void;
  /** Leaves the last picture standing. */
  end(): void;
}

/** Redraws at most this often: a terminal cannot show more, and drawing is not the work. */
const FRAME_MS = 100;
/** Running times tick though nothing happens. */
const TICK_MS = 1_000;

/** Shows the run's events as they happen. Under --json each event is a line on stdout. */
export function showLive(context: Context, store: Store): Live {
  const { out, streams } = context;
  if (out.json) {
    store.listen((event) => streams.stdout.write(`${JSON.stringify(event)}\n`));
    return QUIET;
  }
  if (!out.noteLook.tables) {
    store.listen((event) => {
      const line = renderProgress(event, store.state);
      if (line !== undefined) out.note(line);
    });
    context.signal.addEventListener("abort", () => out.note(STOPPING), { once: true });
    return QUIET;
  }
  return showTree(context, store);
}

const STOPPING = "Stopping in order; a second Ctrl-C ends it at once.";

/** What the run waits for while nothing can be done: a tree alone would look stuck. */
function restText(decision: string): string {
  const reason = /^pause: (.*)/.exec(decision)?.[1];
  return reason === undefined ? "" : `${oneLine(reason)} (Ctrl-C ends it)`;
}

const QUIET: Live = { pause: () => undefined, resume: () => undefined, end: () => undefined };

function showTree(context: Context, store: Store): Live {
  const { out, streams } = context;
  const stderr = streams.stderr as NodeJS.WriteStream;
  const update = createLogUpdate(stderr, { showCursor: true });
  let paused = false;
  let ended = false;
  let frame: NodeJS.Timeout | undefined;
  const draw = () => {
    frame = undefined;
    if (paused) return;
    const rows = Math.max(5, (stderr.rows ?? 24) - 3);
    const tree = renderTree(store.state, { ...out.noteLook, rows, now: context.now() });
    const note = context.signal.aborted ? STOPPING : restText(store.state.lastDecision);
    update(note === "" || ended ? tree : `${tree}\n${note}`);
  };
  context.signal.addEventListener("abort", draw, { once: true });
  store.listen(() => {
    frame ??= setTimeout(draw, FRAME_MS);
  });
  const tick = setInterval(draw, TICK_MS);
  tick.unref();
  draw();
  return {
    pause() {
      paused = true;
      update.clear();
    },
    resume() {
      paused = false;
      draw();
    },
    end() {
      clearInterval(tick);
      clearTimeout(frame);
      ended = true;
      draw();
      update.done();
      // Later events are for whoever reads the journal: the picture stands.
      paused = true;
    },
  };
}
