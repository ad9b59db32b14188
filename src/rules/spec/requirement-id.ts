/** Requirement ids that a specification gives itself: `R1`, `R2.3`, `REQ-7`. */
import type { ListItem, RootContent, TableRow } from "mdast";
import { toString as textOf } from "mdast-util-to-string";

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
function explicitId(text: string, loose: boolean): string | undefined {
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

/** Whether a block, or something inside it, begins with an explicit id. */
export function isNumbered(node: RootContent | ListItem): boolean {
  if (idOf(node) !== undefined) return true;
  if (node.type === "table") return node.children.some((row) => rowId(row) !== undefined);
  if (node.type === "list") return node.children.some(isNumbered);
  if (node.type === "listItem") return node.children.some((child) => isNumbered(child));
  return false;
}

/** The id a block begins with, a list item by its first paragraph. */
export function idOf(node: RootContent | ListItem): string | undefined {
  if (node.type === "listItem") return node.children[0] && idOf(node.children[0]);
  if (node.type === "heading") return explicitId(textOf(node), true);
  if (node.type !== "paragraph") return undefined;
  return explicitId(textOf(node), node.children[0]?.type === "strong");
}

/** The id in the first cell of a table row. */
export function rowId(row: TableRow): string | undefined {
  return row.children[0] && explicitId(textOf(row.children[0]), false);
}
