/** The output of a program without what differs from run to run: colours, times, places, numbers. */

/** Escape sequences of terminals: a control character, `[` or `]`, and what belongs to it. */
const COLOURS = /\p{Cc}\[[\d;?]*[ -/]*[A-Za-z]|\p{Cc}\][^\p{Cc}]*(?:\p{Cc}\\?)/gu;

/** Whole lines that say how long something took, or when. */
const TIMING_LINE =
  /^[ \t]*(?:[#ℹ][ \t]*)?(?:duration_ms\b.*|Duration\b.*|Start at\b.*|Time:\s.*|Ran \d+ tests? in .*|Finished in .*)$/gim;

const VARYING: [pattern: RegExp, instead: string][] = [
  // `(1.2ms)` or ` 6ms` at the end of a line, as reporters write it.
  [/(?<![ \t])[ \t]*[([]\d+(?:\.\d+)?\s?(?:ms|µs|s|m)[)\]](?=[ \t]*$)/gm, ""],
  [/ in \d+(?:\.\d+)?\s?m?s(?=\b)/g, ""],
  [/(\bat )0x[0-9a-f]{6,}/gi, "$10x…"],
  [/\(node:\d+\)/g, "(node)"],
  [/\b(localhost|127\.0\.0\.1|\[::1\]):\d{4,5}\b/g, "$1:PORT"],
  [/(\/(?:private\/)?(?:var\/)?tmp)\/[^\s'"`:)\],]+/g, "$1/…"],
];

/**
 * The text as it would be in any run and on any machine. `place` is the folder the program ran in:
 * paths in it become relative.
 */
export function plainOutput(text: string, place?: string): string {
  // To a pattern these end a line as well, and to nobody else.
  let plain = text.replace(/\r\n|[\u2028\u2029]/g, "\n").replace(COLOURS, "");
  // A progress line is what it was last.
  plain = plain.replace(/^.*\r(?!\n)/gm, "");
  if (place !== undefined && place !== "/") {
    const escaped = place.replace(/[\\^$.|?*+()[\]{}]/g, "\\$&");
    plain = plain
      .replace(new RegExp(`(?:\\bfile://|(?<![\\w./-]))${escaped}/`, "g"), "")
      .replace(new RegExp(`(?<![\\w./-])${escaped}(?![\\w.-])`, "g"), ".");
  }
  plain = plain.replace(TIMING_LINE, "");
  for (const [pattern, instead] of VARYING) plain = plain.replace(pattern, instead);
  return plain;
}

/** The first place in a stack that belongs to the work, such as `src/parse.ts:12`. */
export function ownFrame(text: string): string | undefined {
  for (const [, path, line] of text.matchAll(/(?:\(|\bat |❯ )([^\s():]+):(\d+):\d+/g)) {
    if (path === undefined || /^(?:\/|node:|file:)|node_modules\//.test(path)) continue;
    return `${path}:${line}`;
  }
  return undefined;
}
