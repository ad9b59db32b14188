/** The commands worth typing next, for the state a run is in. */
import type { RunState } from "../domain/run-state.ts";
import { statusOf } from "../rules/status.ts";

/** Exit codes of stops that come again as they were: settings, credentials, budget, environment. */
const NEEDS_HELP: ReadonlySet<number> = new Set([2, 4, 5, 6]);

/** Commands with what they show, the most useful first. */
export function nextCommands(state: RunState): { command: string; why: string }[] {
  const next: { command: string; why: string }[] = [];
  const open = [...state.questions.values()].filter((question) => question.state === "open");
  const failed = [...state.tasks.values()].find((task) => task.end === "failed");
  const end = state.tasks.has(state.rootId) ? statusOf(state, state.rootId) : undefined;
  const isDone = end === "done" || end === "accepted";
  const isOver = isDone || end === "cancelled";
  if (open.length > 0) {
    next.push({ command: "fractal answer", why: "see and answer what is asked" });
  }
  if (!isOver && state.stopped !== undefined) {
    const why = NEEDS_HELP.has(state.stopped.exitCode)
      ? "go on where it stopped, once that is put right"
      : "go on where it stopped";
    next.push({ command: "fractal resume", why });
  }
  if (failed !== undefined) {
    next.push({ command: `fractal show ${failed.id}`, why: "why it failed" });
  }
  next.push({ command: "fractal tree", why: "every task, its attempts and cost" });
  // Before the first commit the branch has nothing to show.
  if ([...state.tasks.values()].every((task) => task.commit === undefined)) return next;
  next.push({
    command: `fractal diff ${state.runId}`,
    why: "all that changed; --stat for the files",
  });
  if (isDone) {
    next.push({ command: `fractal merge ${state.runId}`, why: "takes it into your branch" });
  }
  return next;
}

/** The commands as lines, their meaning behind them. */
export function renderNext(state: RunState): string[] {
  const next = nextCommands(state);
  const width = Math.min(60, Math.max(...next.map(({ command }) => command.length)));
  return next.map(({ command, why }) => `  ${command.padEnd(width)}  # ${why}`);
}
