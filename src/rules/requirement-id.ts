/** Requirement ids that a specification gives itself: `R1`, `R2.3`, `REQ-7`. */

const ID = String.raw`(?:R|REQ|FR|NFR|US|AC)-?\d+(?:\.\d+)*`;
/** At the start of a text and set off from it: `R1: …`, `R1. …`, `[R1] …`, `R1 - …`. */
const SET_OFF = new RegExp(String.raw`^\s*[[(]?(${ID})(?:[\])]|\s*[:)]|\.(?!\d)|\s+[-–—]\s|\s*$)`);
/** A heading or a bold start needs no mark after the id. */
const AT_START = new RegExp(String.raw`^\s*[[(]?(${ID})(?![\w-]|\.\d)`);
const PREFIX = new RegExp(
  String.raw`^(\*\*|__)?[[(]?${ID}[\])]?[:.)]?(\*\*|__)?\s*(?:[:.—–-]\s)?\s*`,
);
const MENTIONED = new RegExp(String.raw`\b${ID}(?![\w-]|\.\d)`, "g");

/** The id a text begins with; `loose` for headings and bold starts, which need no mark after it. */
export function explicitId(text: string, loose: boolean): string | undefined {
  return (loose ? AT_START : SET_OFF).exec(text)?.[1];
}

/** The Markdown without the id it begins with. */
export function withoutId(markdown: string): string {
  const found = PREFIX.exec(markdown);
  // A bold start that goes on after the id is left whole: half of a `**` pair would stay behind.
  if (!found || (found[1] === undefined) !== (found[2] === undefined)) return markdown;
  return markdown.slice(found[0].length) || markdown;
}

/** The ids a text mentions, each once, in order. */
export function mentionedIds(text: string): string[] {
  return [...new Set(text.match(MENTIONED) ?? [])];
}
