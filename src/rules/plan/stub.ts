/** Stubs: the signatures a plan fixes, as files whose bodies throw until their owner writes them. */
import type { FileWrite } from "../../domain/ports.ts";
import type { Signature } from "../../domain/task.ts";
import { bodyAt, type Declaration, endOf, readDeclaration } from "./declaration.ts";
import { hasStubs, isTyped } from "./source-file.ts";

/** What is wrong with a signature that shall become a stub; undefined where none is made of it. */
export function signatureProblem({ file, name, declaration }: Signature): string | undefined {
  if (!hasStubs(file)) return undefined;
  const read = readDeclaration(declaration, name);
  if (typeof read === "string") return read;
  return read.kind === "type" && !isTyped(file)
    ? "is a type, and its file is JavaScript"
    : undefined;
}

/**
 * One file per module that these signatures name. `owners` gives the key of the task that will
 * write each file, for the message; `known` are all signatures of the tree, so that a stub imports
 * the types it names.
 */
export function renderStubs(
  signatures: readonly Signature[],
  owners: ReadonlyMap<string, string>,
  known: readonly Signature[] = signatures,
): FileWrite[] {
  const files = [...new Set(signatures.map(({ file }) => file))].filter(hasStubs);
  return files.flatMap((file) => {
    const own = signatures.filter((signature) => signature.file === file);
    const bodies = own.flatMap((signature) => {
      const read = readDeclaration(signature.declaration, signature.name);
      if (typeof read === "string") return [];
      const stub = renderOne(read, `not implemented: ${owners.get(file) ?? file}`, isTyped(file));
      return [renderDoc(signature.doc) + stub];
    });
    if (bodies.length === 0) return [];
    const imports = isTyped(file) ? renderImports(file, own, known) : "";
    return [{ path: file, text: `${imports}${bodies.join("\n\n")}\n` }];
  });
}

function renderOne(read: Declaration, message: string, typed: boolean): string {
  const body = `{\n  throw new Error(${JSON.stringify(message)});\n}`;
  switch (read.kind) {
    case "type":
      return `${read.text}${/^export\s+(?:default\s+)?(?:declare\s+)?type\b/.test(read.text) ? ";" : ""}`;
    case "function":
      return `${read.head.replace(/\bdeclare\s+/, "")} ${body}`;
    case "class":
      return `${read.head.replace(/\bdeclare\s+/, "")} {\n${renderMembers(read.members, message)}}`;
    case "value":
      return `${renderValue(read, body, typed)};`;
  }
}

function renderValue(
  { head, type, value }: { head: string; type: string; value: string },
  body: string,
  typed: boolean,
): string {
  const start = `${head.replace(/\bdeclare\s+/, "")}${typed && type !== "" ? `: ${type}` : ""}`;
  const arrow = arrowHead(value);
  if (arrow !== undefined) return `${start} = ${arrow} => ${body}`;
  // A value that the plan itself gives is no secret of the worker's.
  if (value !== "") return `${start} = ${value}`;
  if (/=>|^\(/.test(type)) return `${start} = () => ${body}`;
  return `${start} = undefined${typed ? ` as unknown as ${type === "" ? "never" : type}` : ""}`;
}

/** `async (a, b)` of an arrow function; undefined for any other value. */
function arrowHead(value: string): string | undefined {
  const start = /^(?:async\s+)?/.exec(value)?.[0].length ?? 0;
  if (value[start] !== "(") return /^((?:async\s+)?[\w$]+)\s*=>/.exec(value)?.[1];
  const behind = endOf(value, start);
  const arrow = value.indexOf("=>", behind);
  const between = arrow < 0 ? "no" : value.slice(behind, arrow).trim();
  return between === "" || between.startsWith(":") ? value.slice(0, arrow).trim() : undefined;
}

function renderMembers(members: string, message: string): string {
  return splitMembers(members)
    .map((member) => {
      const isMethod = beginsMethod(member);
      if (!isMethod || /^abstract\b/.test(member)) return `  ${member};\n`;
      const parameters = member.indexOf("(");
      const head = member.slice(0, bodyAt(member, endOf(member, parameters))).trim();
      return `  ${head} {\n    throw new Error(${JSON.stringify(message)});\n  }\n`;
    })
    .join("");
}

/** A name with brackets behind it, and type parameters between the two. */
function beginsMethod(member: string): boolean {
  const end = member.indexOf("(");
  const head = member.slice(0, end);
  const [from, to] = [head.indexOf("<"), head.lastIndexOf(">")];
  const name = from < 0 || to < from ? head : head.slice(0, from) + head.slice(to + 1);
  return end >= 0 && /^[\w$#*\s[\].]*$/.test(name);
}

/** The members of a class body: ended by `;`, by a line, or by the brace of a body. */
function splitMembers(text: string): string[] {
  const members: string[] = [];
  let member = "";
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i] ?? "";
    if ("([{".includes(char)) {
      const end = endOf(text, i);
      member += text.slice(i, end);
      i = end - 1;
    } else if (char === ";" || (char === "\n" && !/[|&:,=(]\s*$/.test(member))) {
      members.push(member);
      member = "";
    } else member += char;
  }
  return [...members, member].map((one) => one.trim()).filter((one) => one !== "");
}

function renderDoc(doc: string): string {
  const text = doc.trim().replaceAll("*/", "* /");
  if (text === "") return "";
  const lines = text.split(/\r?\n/);
  return lines.length === 1 ? `/** ${text} */\n` : `/**\n * ${lines.join("\n * ")}\n */\n`;
}

/** `import type` lines for the types of other files that these signatures name. */
function renderImports(
  file: string,
  own: readonly Signature[],
  known: readonly Signature[],
): string {
  const words = new Set(own.flatMap(({ declaration }) => declaration.match(/[\w$]+/g) ?? []));
  const here = new Set(own.map(({ name }) => name));
  const byFile = new Map<string, string[]>();
  for (const { file: home, name, declaration } of known) {
    const isType =
      /^\s*export\s+(?:declare\s+)?(?:abstract\s+)?(?:interface|type|class|(?:const\s+)?enum)\b/;
    if (home === file || here.has(name) || !words.has(name) || !isType.test(declaration)) continue;
    if (!isTyped(home)) continue;
    const names = byFile.get(home) ?? [];
    if (!names.includes(name)) byFile.set(home, [...names, name]);
  }
  const lines = [...byFile].map(
    ([home, names]) =>
      `import type { ${names.sort().join(", ")} } from "${relativePath(file, home)}";\n`,
  );
  return lines.length === 0 ? "" : `${lines.sort().join("")}\n`;
}

/** How one file imports another, both relative to the same folder. */
export function relativePath(from: string, to: string): string {
  const folders = from.split("/").slice(0, -1);
  const target = to.split("/");
  while (folders.length > 0 && target.length > 1 && folders[0] === target[0]) {
    folders.shift();
    target.shift();
  }
  return `${folders.length === 0 ? "./" : "../".repeat(folders.length)}${target.join("/")}`;
}
