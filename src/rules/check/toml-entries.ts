/** What a TOML file sets, read as far as a judgement of it needs: each key by its whole path. */

/** `[tool.x]` and `y = "z"` make `tool.x`, of no value, and `tool.x.y` with its own as it is written. */
export interface TomlEntry {
  path: string;
  value: string;
}

/** Of a key or a heading: bare parts and plainly quoted ones, joined by dots. */
const PART = String.raw`(?:[\w-]+|"[^"\\\n]*"|'[^'\n]*')`;
const KEY = String.raw`${PART}(?:[ \t]*\.[ \t]*${PART})*`;
const SPACE = /[ \t\n]*/y;
const COMMENT = /#[^\n]*/y;
const HEADING = new RegExp(
  String.raw`(\[\[?)[ \t]*(${KEY})[ \t]*(\]\]?)[ \t]*(?:#[^\n]*)?(?=\n|$)`,
  "y",
);
const SETTING = new RegExp(String.raw`(${KEY})[ \t]*=`, "y");
/** The pieces of a value; whatever is none ends the reading. */
const PIECE = /"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*|[[\]{}\n]|[^"'#[\]{}\n]+/y;

/**
 * The entries in their order, or undefined where it is not sure how a TOML parser reads the text:
 * texts of several lines, escapes in a key, and whatever is no TOML at all.
 */
export function tomlEntries(text: string): TomlEntry[] | undefined {
  const toml = text.replaceAll("\r\n", "\n");
  if (/"""|'''/.test(toml)) return undefined;
  const entries: TomlEntry[] = [];
  let section = "";
  let at = 0;
  const take = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const found = pattern.exec(toml);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  for (;;) {
    take(SPACE);
    if (at >= toml.length) return entries;
    if (take(COMMENT) !== null) continue;
    const [, open, heading, close] = take(HEADING) ?? [];
    if (heading !== undefined) {
      if (open?.length !== close?.length) return undefined;
      section = `${plainKey(heading)}.`;
      // One of a single part says nothing by itself; `[dependencies.x]` names a package.
      if (heading.includes(".")) entries.push({ path: plainKey(heading), value: "" });
      continue;
    }
    const key = take(SETTING)?.[1];
    const value = key === undefined ? undefined : takeValue();
    if (key === undefined || value === undefined) return undefined;
    entries.push({ path: section + plainKey(key), value });
  }

  /** To the end of its line, or of the line on which the last bracket closes. */
  function takeValue(): string | undefined {
    const pieces: string[] = [];
    const open: string[] = [];
    while (at < toml.length) {
      const piece = take(PIECE)?.[0];
      if (piece === undefined) return undefined;
      if (piece === "\n" && open.length === 0) break;
      if (piece === "[" || piece === "{") open.push(piece);
      if (piece === "]" && open.pop() !== "[") return undefined;
      if (piece === "}" && open.pop() !== "{") return undefined;
      if (piece.startsWith("#")) continue;
      // A list in which something is set was never closed.
      if (open.at(-1) === "[" && /^[^"']*=/.test(piece)) return undefined;
      pieces.push(piece);
    }
    return open.length === 0 ? pieces.join("").trim() : undefined;
  }
}

function plainKey(key: string): string {
  return key.replace(/["' \t]/g, "");
}
