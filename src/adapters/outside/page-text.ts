/** The words of a page without its markup: what a model is shown of HTML. */

/** What stands in these is not for readers. */
const UNREAD = new Set([
  "script",
  "style",
  "noscript",
  "template",
  "svg",
  "head",
  "iframe",
  "object",
]);
/** These begin a line of their own. */
const BLOCKS = new Set(
  "address article aside blockquote br dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tbody td tfoot th thead title tr ul".split(
    " ",
  ),
);
const NAMED: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
  mdash: "—",
  ndash: "–",
  hellip: "…",
  copy: "©",
};

/**
 * Reads through the markup once, from front to back: comments and what is not for readers are left
 * out, blocks become lines. A careful stripper and no browser: what only a script or a style sheet
 * would show or hide is not known. Its time grows with the length of the page alone.
 */
export function textOfHtml(html: string): string {
  const parts: string[] = [];
  let unread = "";
  for (let at = 0; at < html.length; ) {
    const open = html.indexOf("<", at);
    const end = open < 0 ? html.length : open;
    if (unread === "") parts.push(decoded(html.slice(at, end)));
    if (open < 0) break;
    if (html.startsWith("<!--", open)) {
      const close = html.indexOf("-->", open + 4);
      at = close < 0 ? html.length : close + 3;
      continue;
    }
    const tag = /^<(\/?)([a-zA-Z][a-zA-Z0-9-]{0,30})/.exec(html.slice(open, open + 40));
    if (tag === null && html[open + 1] !== "!" && html[open + 1] !== "?") {
      if (unread === "") parts.push("<");
      at = open + 1;
      continue;
    }
    const close = endOfTag(html, open + 1);
    const name = (tag?.[2] ?? "").toLowerCase();
    const isEnd = tag?.[1] === "/";
    if (unread === "") {
      if (BLOCKS.has(name)) parts.push(name === "li" && !isEnd ? "\n- " : "\n");
      if (!isEnd && UNREAD.has(name) && html[close - 2] !== "/") unread = name;
    } else if (isEnd && name === unread) unread = "";
    at = close;
  }
  return parts
    .join("")
    .replace(/[^\S\n]+/g, " ")
    .replace(/ ?\n ?/g, "\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

/** Behind the `>` that ends a tag; one within quotation marks does not. */
function endOfTag(html: string, from: number): number {
  let quote = "";
  for (let at = from; at < html.length; at += 1) {
    const char = html[at] ?? "";
    if (quote !== "") {
      if (char === quote) quote = "";
    } else if (char === '"' || char === "'") quote = char;
    else if (char === ">") return at + 1;
  }
  return html.length;
}

function decoded(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|([a-zA-Z]{2,8}));/g,
    (whole, ...found) => {
      const [decimal, hex, name] = found as (string | undefined)[];
      if (name !== undefined) return NAMED[name] ?? whole;
      const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
      return code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)
        ? ""
        : String.fromCodePoint(code);
    },
  );
}
