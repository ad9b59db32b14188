/** Rows under headings: aligned columns at a terminal, tab-separated lines when piped. */
import Table from "cli-table3";
import { type Paint, paintOf } from "./paint.ts";
import { oneLine } from "./text.ts";

const NO_LINES = Object.fromEntries(
  [
    ["top", "top-mid", "top-left", "top-right"],
    ["bottom", "bottom-mid", "bottom-left", "bottom-right"],
    ["left", "left-mid", "mid", "mid-mid", "right", "right-mid"],
  ]
    .flat()
    .map((place) => [place, ""]),
);

/**
 * Renders rows; `aligned` is for terminals, programs read the tab-separated form. `tint` colours a
 * cell once it is harmless.
 */
export function renderTable(
  head: string[],
  rows: string[][],
  options: {
    aligned: boolean;
    colour: boolean;
    tint?: (text: string, row: number, column: number) => string;
  },
): string[] {
  const clean = rows.map((row) => row.map(oneLine));
  if (!options.aligned) return clean.map((row) => row.join("\t"));
  const paint: Paint = paintOf(options.colour);
  const table = new Table({
    head: head.map((title) => paint.dim(title)),
    chars: { ...NO_LINES, middle: "  " },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  const { tint = (text) => text } = options;
  table.push(...clean.map((row, at) => row.map((text, column) => tint(text, at, column))));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
}
