/** The colour, glyph and word of every status, so that colour is never the only sign. */
import pc from "picocolors";
import type { Colour, TaskStatus } from "../domain/task.ts";

export type Paint = ReturnType<typeof pc.createColors>;

/** Colours that are really written, or functions that leave text as it is. */
export function paintOf(colour: boolean): Paint {
  return pc.createColors(colour);
}

const SPLIT_GLYPH: { readonly [C in Colour]: string } = {
  dim: "▾",
  yellow: "◐",
  red: "!",
  green: "✓",
};

const GLYPH: { readonly [S in Exclude<TaskStatus, "split">]: string } = {
  queued: "○",
  waiting: "◌",
  running: "●",
  escalated: "▲",
  needs_human: "?",
  failed: "✗",
  done: "✓",
  accepted: "✓",
  paused: "‖",
  cancelled: "–",
};

/** A status as a person reads it: glyph and word, in its colour. */
export function signOf(status: TaskStatus, colour: Colour, paint: Paint): string {
  const glyph = status === "split" ? SPLIT_GLYPH[colour] : GLYPH[status];
  return inColour(`${glyph} ${status}`, colour, paint);
}

/** Text in the colour of a task. */
export function inColour(text: string, colour: Colour, paint: Paint): string {
  return paint[colour](text);
}
