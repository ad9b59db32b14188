/** What changed, as a patch or as a list of files. */
import { harmless } from "../domain/harmless.ts";
import type { Change } from "../domain/ports.ts";
import { type Paint, paintOf } from "./paint.ts";
import { count, oneLine } from "./text.ts";

/** A patch as git wrote it; for a screen nothing in it is obeyed, and its lines are coloured. */
export function renderPatch(patch: string, look: { colour: boolean; tables: boolean }): string {
  const safe = look.tables || look.colour ? harmless(patch) : patch;
  if (!look.colour) return safe;
  const paint = paintOf(true);
  return safe
    .split("\n")
    .map((line) => painted(line, paint))
    .join("\n");
}

function painted(line: string, paint: Paint): string {
  if (/^(diff --git|index|---|\+\+\+|new file|deleted file|old mode|new mode|# )/.test(line)) {
    return paint.bold(line);
  }
  if (line.startsWith("@@")) return paint.cyan(line);
  if (line.startsWith("+")) return paint.green(line);
  return line.startsWith("-") ? paint.red(line) : line;
}

/** A line for each file, and what they come to. */
export function renderStat(changes: readonly Change[], colour: boolean): string {
  const paint = paintOf(colour);
  const paths = changes.map(({ path }) => oneLine(path));
  const width = Math.min(72, Math.max(0, ...paths.map((path) => path.length)));
  const lines = changes.map(({ kind, linesAdded, linesDeleted }, at) => {
    const lines = `${paint.green(`+${linesAdded}`)} ${paint.red(`-${linesDeleted}`)}`;
    return `${(paths[at] ?? "").padEnd(width)}  ${lines}${kind === "changed" ? "" : ` ${kind}`}`;
  });
  return [...lines, totalText(changes)].join("\n");
}

/** `3 files, +20 -4`. */
export function totalText(changes: readonly Change[]): string {
  const added = changes.reduce((sum, one) => sum + one.linesAdded, 0);
  const deleted = changes.reduce((sum, one) => sum + one.linesDeleted, 0);
  return `${count(changes.length, "file")}, +${added} -${deleted}`;
}
