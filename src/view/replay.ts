/** A run as it stood at one event: its tree, what was decided and asked, and the hash of it all. */
import type { RunState } from "../domain/run-state.ts";
import { paintOf } from "./paint.ts";
import { oneLine } from "./text.ts";
import { renderTree, type TreeOptions } from "./tree.ts";

export interface ReplayOptions extends TreeOptions {
  /** When the event was, as the journal has it. */
  timestamp: string;
  /** The number of the journal's last event. */
  last: number;
  /** Of the whole state. */
  hash: string;
}

/** The tree with its money, then a line each for the last decision, every open question, and the state. */
export function renderReplay(state: RunState, options: ReplayOptions): string {
  const paint = paintOf(options.colour);
  const line = (name: string, text: string) => `${paint.dim(name.padEnd(9))} ${oneLine(text)}`;
  const open = [...state.questions.values()].filter((question) => question.state === "open");
  return [
    ...(state.tasks.size === 0 ? [] : [renderTree(state, options)]),
    ...(state.lastDecision === "" ? [] : [line("decision", state.lastDecision)]),
    ...open.map(({ id, title }) => line("question", `${id} ${title}`)),
    line("event", `${state.seq} of ${options.last}, ${options.timestamp}`),
    line("state", options.hash),
  ].join("\n");
}
