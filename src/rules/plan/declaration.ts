/** An exported declaration without body, read just far enough to give it one. */

/** What kind of thing a declaration exports, and the pieces a stub is made of. */
export type Declaration =
  /** `head` is everything up to where the body starts. */
  | { kind: "function"; head: string }
  /** `type` is the annotation; `value` what it is set to, where the plan says so. */
  | { kind: "value"; head: string; type: string; value: string }
  /** `members` are the lines between the braces. */
  | { kind: "class"; head: string; members: string }
  /** An interface, type or enum: whole as it is. */
  | { kind: "type"; text: string };

const MODIFIERS = String.raw`export\s+(?:default\s+)?(?:declare\s+)?`;
const FUNCTION = new RegExp(String.raw`^${MODIFIERS}(?:async\s+)?function\b\s*\*?\s*([\w$]*)`);
const VALUE = new RegExp(String.raw`^${MODIFIERS}(?:const|let|var)\s+([\w$]+)`);
const CLASS = new RegExp(String.raw`^${MODIFIERS}(?:abstract\s+)?class\b\s*([\w$]*)`);
const TYPE = new RegExp(String.raw`^${MODIFIERS}(?:interface|type|(?:const\s+)?enum)\s+([\w$]+)`);
/** After one of these a brace opens a type, not a body. */
const EXPECTS_TYPE = /(?:^|[|&:?,(<=]|=>|\b(?:is|keyof|typeof|extends|infer|readonly))$/;

/**
 * Reads one `export …`. Returns what is wrong with it, in words, when it exports nothing of that
 * name or its brackets do not match.
 */
export function readDeclaration(text: string, name: string): Declaration | string {
  const source = text
    .trim()
    .replace(/(?<!;);+$/, "")
    .trim();
  if (!source.startsWith("export")) return "must begin with `export`";
  if (!isBalanced(source)) return "has brackets that do not match";
  const found = [FUNCTION, VALUE, CLASS, TYPE]
    .map((pattern) => pattern.exec(source))
    .find((match) => match !== null);
  if (!found) return "must be an exported function, const, class, interface or type";
  const isDefault = /^export\s+default\b/.test(source);
  if (name === "default" ? !isDefault : found[1] !== name || isDefault) {
    return `must export \`${name}\``;
  }
  if (FUNCTION.test(source)) return readFunction(source, found[0].length);
  if (VALUE.test(source)) return readValue(source, found[0].length);
  if (CLASS.test(source)) return readClass(source);
  return { kind: "type", text: source };
}

function readFunction(source: string, from: number): Declaration | string {
  const open = source.indexOf("(", from);
  if (open < 0) return "has no parameter list";
  return { kind: "function", head: source.slice(0, bodyAt(source, endOf(source, open))).trim() };
}

/** Where a body starts behind a parameter list; the end of the text where there is none. */
export function bodyAt(source: string, from: number): number {
  let isType = false;
  for (let i = from; i < source.length; i += 1) {
    const char = source[i] ?? "";
    if (char === ":" && !isType) isType = true;
    else if (char === "{") {
      const before = source.slice(from, i).trimEnd();
      if (!isType || !EXPECTS_TYPE.test(before)) return i;
      i = endOf(source, i) - 1;
    } else if (char === "(" || char === "[") i = endOf(source, i) - 1;
  }
  return source.length;
}

function readValue(source: string, from: number): Declaration {
  const rest = source.slice(from);
  const equals = assignmentAt(rest);
  const type = (equals < 0 ? rest : rest.slice(0, equals)).replace(/^\s*:/, "").trim();
  const value = equals < 0 ? "" : rest.slice(equals + 1).trim();
  return { kind: "value", head: source.slice(0, from), type, value };
}

/** The `=` of an assignment, outside brackets; not that of `=>`, `==`, `<=`. */
function assignmentAt(text: string): number {
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i] ?? "";
    if ("([{".includes(char)) i = endOf(text, i) - 1;
    else if (char === "=" && text[i + 1] !== ">" && text[i + 1] !== "=") return i;
  }
  return -1;
}

function readClass(source: string): Declaration {
  const open = source.indexOf("{");
  if (open < 0) return { kind: "class", head: source, members: "" };
  return {
    kind: "class",
    head: source.slice(0, open).trim(),
    members: source.slice(open + 1, endOf(source, open) - 1),
  };
}

/** The index behind the bracket that closes the one at `open`; the end of the text if none does. */
export function endOf(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i += 1) {
    const char = text[i] ?? "";
    if (`"'\``.includes(char)) i = endOfString(text, i);
    else if ("([{".includes(char)) depth += 1;
    else if (")]}".includes(char)) {
      depth -= 1;
      if (depth === 0) return i + 1;
    }
  }
  return text.length;
}

function endOfString(text: string, open: number): number {
  for (let i = open + 1; i < text.length; i += 1) {
    if (text[i] === "\\") i += 1;
    else if (text[i] === text[open]) return i;
  }
  return text.length;
}

function isBalanced(text: string): boolean {
  const stack: string[] = [];
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i] ?? "";
    if (`"'\``.includes(char)) {
      i = endOfString(text, i);
      if (i >= text.length) return false;
    } else if ("([{".includes(char)) stack.push(char);
    else if (")]}".includes(char) && stack.pop() !== "([{"[")]}".indexOf(char)]) return false;
  }
  return stack.length === 0;
}
