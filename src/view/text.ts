/** Text for a terminal: cut to a width, wrapped and indented. */
import stringWidth from "string-width";
import wrapAnsi from "wrap-ansi";
import { harmless } from "../domain/harmless.ts";

/** The text as one line. */
export function oneLine(text: string): string {
  return harmless(text).replace(/\s+/g, " ").trim();
}

/** Plain text cut to a number of columns, with an ellipsis where something is missing. */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  if (width < 1) return "";
  let kept = "";
  let used = 0;
  for (const char of text) {
    const columns = stringWidth(char);
    if (used + columns > width - 1) break;
    kept += char;
    used += columns;
  }
  return `${kept.trimEnd()}…`;
}

/** Harmless text, wrapped to a width and indented. A width of Infinity wraps nothing. */
export function block(text: string, width: number, indent = ""): string[] {
  const safe = harmless(text).replaceAll("\t", "  ").trimEnd();
  const wrapped = Number.isFinite(width)
    ? wrapAnsi(safe, Math.max(20, width - indent.length), { hard: true, trim: false })
    : safe;
  return wrapped.split("\n").map((line) => `${indent}${line}`.trimEnd());
}

/** The first lines, and one that says how many were left out and how to see them. */
export function headOf(lines: string[], linesMax: number, lead: string, hint: string): string[] {
  if (lines.length <= linesMax) return lines;
  const more = lines.length - linesMax;
  return [...lines.slice(0, linesMax), `${lead}${count(more, "more line")} (${hint})`];
}

/** `1 task`, `2 tasks`. */
export function count(n: number, noun: string): string {
  return `${n.toLocaleString("en-US")} ${noun}${n === 1 ? "" : "s"}`;
}

/** A model as shown beside a task: of those that answer from a folder, only how they answer. */
export function modelText(name: string): string {
  return /^(?:recorded|mailbox|scripted):/.exec(name)?.[0].slice(0, -1) ?? name;
}
