/** What ended runs left, as a table: what, whose, how big, how old, and what it takes to remove it. */
import type { Garbage, GarbageKind } from "../rules/work/garbage.ts";
import { durationText } from "./money.ts";
import { paintOf } from "./paint.ts";
import { renderTable } from "./table.ts";
import { count, cut, oneLine } from "./text.ts";

interface Row extends Garbage {
  title: string;
  bytes: number;
  lastMs: number | undefined;
  /** The flag without which it stays. */
  needs: string | undefined;
}

const WHAT: { readonly [K in GarbageKind]: string } = {
  workspaces: "workspace",
  attempts: "merged attempt",
  unmerged: "attempt that was not merged",
  branch: "branch",
  journal: "journal with its blobs",
  packages: "folder of installed packages",
  copies: "copy of a program or its files",
};

/** Where more of them is not said with an `s` at the end. */
const WHAT_MANY: { readonly [K in GarbageKind]?: (n: number) => string } = {
  unmerged: (n) => `${n} attempts that were not merged`,
  packages: (n) => `${n} folders of installed packages`,
  copies: (n) => `${n} copies of programs or their files`,
};

const TITLE_COLUMNS = 30;

/** All that was found, then the runs that keep everything. */
export function renderGarbage(
  rows: readonly Row[],
  kept: readonly { runId: string; why: string }[],
  o: { tables: boolean; colour: boolean; now: number },
): string {
  const paint = paintOf(o.colour);
  const head = ["run", "of", "what", "size", "last touched", "goes"];
  const cells = rows.map(({ runId, title, kind, count: n, bytes, lastMs, needs, onlyCopy }) => [
    runId ?? "cache",
    cut(oneLine(title), TITLE_COLUMNS),
    n > 1 ? (WHAT_MANY[kind]?.(n) ?? count(n, WHAT[kind])) : count(n, WHAT[kind]),
    bytesText(bytes),
    lastMs === undefined ? "unknown" : `${durationText(o.now - lastMs)} ago`,
    [
      needs === undefined ? "yes" : `only with ${needs}`,
      ...(onlyCopy === undefined ? [] : [`the only copy of ${onlyCopy}`]),
    ].join(": "),
  ]);
  const table =
    rows.length === 0 ? [] : renderTable(head, cells, { aligned: o.tables, colour: o.colour });
  const open = kept.map(({ runId, why }) => paint.dim(`${runId} keeps all it has: ${why}`));
  return [...table, ...open].join("\n");
}

/** `12 B`, `3.4 kB`, `1.2 MB`. */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let size = bytes;
  let at = 0;
  for (; size >= 1000 && at < units.length - 1; at++) size /= 1000;
  return `${at === 0 ? size : size.toFixed(1)} ${units[at]}`;
}
