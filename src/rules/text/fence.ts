/** The fenced blocks of a Markdown text as models write them: longer fences, nested ones, cut-off ones. */

export interface Fence {
  /** What stands after the opening marks. */
  info: string;
  /** Between the fences, without the last line break. */
  text: string;
  /** The last line with text before the block; empty where another block stands there. */
  before: string;
  /** First and last line, fences included, from 1. */
  line: number;
  lineEnd: number;
  closed: boolean;
}

const OPENING = /^( {0,3})(`{3,}(?!`)|~{3,}(?!~))([^`]*)$/;

/**
 * All outermost fenced blocks. A fence closes with the same mark, at least as long and with nothing
 * after it. Inside, a fence of that mark *with* an info string opens a nested block, so a Markdown
 * file that holds ` ```sh ` blocks comes through whole even when its own fence is no longer.
 */
export function fencesOf(text: string): Fence[] {
  const lines = text.split("\n");
  const fences: Fence[] = [];
  let open:
    | { mark: string; indent: string; info: string; line: number; before: string }
    | undefined;
  let nested: string[] = [];
  let before = "";
  let body: string[] = [];
  const close = (lineEnd: number, closed: boolean) => {
    if (!open) return;
    const { info, line } = open;
    fences.push({ info, text: body.join("\n"), before: open.before, line, lineEnd, closed });
    open = undefined;
    nested = [];
    body = [];
    before = "";
  };
  for (const [index, line] of lines.entries()) {
    const [, indent = "", mark = "", info = ""] = OPENING.exec(line) ?? [];
    if (!open) {
      if (mark !== "") open = { mark, indent, info: info.trim(), line: index + 1, before };
      else if (line.trim() !== "") before = line;
      continue;
    }
    const innermost = nested.at(-1) ?? open.mark;
    const isMark = mark !== "" && mark[0] === innermost[0] && mark.length >= innermost.length;
    if (isMark && info.trim() === "") {
      if (nested.pop() === undefined) {
        close(index + 1, true);
        continue;
      }
    } else if (isMark) nested.push(mark);
    body.push(
      open.indent !== "" && line.startsWith(open.indent) ? line.slice(open.indent.length) : line,
    );
  }
  close(lines.length, false);
  return fences;
}
