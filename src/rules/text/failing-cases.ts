/** Finds the failing cases in what test runners print: node:test, TAP, Vitest, Jest, pytest, Go, Rust. */
import { ownFrame } from "./plain-output.ts";

/** One failing case: what it is called, and in lines what it got and what was expected. */
export interface FailingCase {
  title: string;
  said: string[];
}

/** Longer values, and those of several lines, are better shown as a difference. */
const VALUE_CHARS_MAX = 200;
const DIAGNOSIS_LINES_MAX = 200;

/** The cases in the order they were printed; empty when no runner is recognised. */
export function failingCases(text: string): FailingCase[] {
  for (const read of [nodeSpec, tap, jest, vitest, pytest, unittest, go, rust]) {
    const cases = read(text);
    if (cases.length > 0) return cases;
  }
  return [];
}

function nodeSpec(text: string): FailingCase[] {
  const list = text.split(/^✖ failing tests:$/m)[1];
  if (list === undefined) return [];
  return list
    .split(/^test at .*$/m)
    .slice(1)
    .map((block) => {
      const [title = "", ...body] = block.trim().split("\n");
      const error = body.map((line) => line.replace(/^ {2}/, ""));
      const stackAt = error.findIndex(
        (line) => /^ {4}at |^.*\{$/.test(line) && / at |\{$/.test(line),
      );
      const message = (stackAt < 0 ? error : error.slice(0, stackAt)).join("\n");
      const fields = inspectedFields(error);
      return {
        title: title.replace(/^✖ /, "").trim(),
        said: explain(message, fields, ownFrame(error.join("\n"))),
      };
    });
}

/** `actual: 60,` and its like in an inspected error, values of several lines included. */
function inspectedFields(lines: string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  let key = "";
  for (const line of lines) {
    const start = /^ {2}(\w+): (.*)$/.exec(line);
    if (start) {
      key = start[1] ?? "";
      fields[key] = start[2] ?? "";
    } else if (key !== "" && line.startsWith("    ")) fields[key] += ` ${line.trim()}`;
    else key = "";
  }
  return mapValues(fields, (value) => value.replace(/,$/, ""));
}

function tap(text: string): FailingCase[] {
  const lines = text.split("\n");
  return lines.flatMap((line, at): FailingCase[] => {
    const [, indent = "", title = ""] = /^(\s*)not ok \d+ (?:- )?(.*)$/.exec(line) ?? [];
    if (title === "" || / # (?:TODO|SKIP)\b/i.test(title)) return [];
    const rest = lines.slice(at + 1, at + 1 + DIAGNOSIS_LINES_MAX);
    const end = rest.indexOf(`${indent}  ...`);
    const body = end < 0 ? [] : rest.slice(0, end).map((each) => each.slice(indent.length));
    const fields = yamlFields(body);
    if (fields["failureType"] === "subtestsFailed") return [];
    const message = [fields["name"], fields["error"] ?? fields["message"]].filter(Boolean);
    return [{ title, said: explain(message.join(": "), fields, ownFrame(fields["stack"] ?? "")) }];
  });
}

/** The one-level YAML of a TAP diagnosis: plain, quoted and block values. */
function yamlFields(lines: string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  let key = "";
  for (const line of lines) {
    const start = /^ {2}(\w+):\s?(.*)$/.exec(line);
    if (start) {
      key = start[1] ?? "";
      const value = start[2] ?? "";
      fields[key] = value === "|-" || value === "|" ? "" : value.replace(/^(['"])(.*)\1$/, "$2");
    } else if (key !== "") {
      const before = fields[key];
      fields[key] = before ? `${before}\n${line.slice(4)}` : line.slice(4);
    }
  }
  // Frames stand bare in a stack here.
  const stack = fields["stack"];
  if (stack !== undefined) fields["stack"] = stack.replace(/^(?=\S+$)/gm, "at ");
  return mapValues(fields, (value) => value.trim());
}

/** What an error says: got and expected where a comparison failed, else its message. */
function explain(
  message: string,
  fields: Record<string, string>,
  frame: string | undefined,
): string[] {
  const isAssertion = /^(?:Assertion(?:Error)?\b)/.test(message);
  const said = message
    .replace(/^AssertionError(?: \[\w+\])?: /, "")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => line.trimEnd());
  const { actual, expected, operator = "" } = fields;
  const compares = /equal/i.test(operator) && actual !== undefined && expected !== undefined;
  const isPlain = (value = "") => value.length <= VALUE_CHARS_MAX && !value.includes("\n");
  if (compares && isPlain(actual) && isPlain(expected) && !/^not/i.test(operator)) {
    const isOwn = fields["generatedMessage"] === "false" ? said.slice(0, 1) : [];
    return [...isOwn, `got ${actual}`, `expected ${expected}`];
  }
  if (isAssertion || said.length === 0) return said;
  return [...said, ...(frame === undefined ? [] : [`at ${frame}`])];
}

function jest(text: string): FailingCase[] {
  return text
    .split(/^ {2}● /m)
    .slice(1)
    .map((block) => {
      const [title = "", ...body] = block.split("\n");
      const end = body.findIndex((line) => /^\s+(?:>\s*)?(?:\d+ \||at )|^Test Suites:/.test(line));
      const said = (end < 0 ? body : body.slice(0, end)).map((line) => line.trim());
      const value = (name: string) =>
        said.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const expected = value("Expected");
      const received = value("Received");
      const frame = ownFrame(body.join("\n"));
      if (expected !== undefined && received !== undefined) {
        return { title, said: [`got ${received}`, `expected ${expected}`] };
      }
      const lines = said.filter((line) => line !== "").slice(0, 8);
      return { title, said: [...lines, ...(frame === undefined ? [] : [`at ${frame}`])] };
    });
}

function vitest(text: string): FailingCase[] {
  return text
    .split(/^ *FAIL {1,2}(?=\S)/m)
    .slice(1)
    .flatMap((block) => {
      const [heading = "", ...body] = block.split("\n");
      const end = body.findIndex((line) => /^\s*(?:❯ |⎯)/.test(line));
      const said = (end < 0 ? body : body.slice(0, end)).filter((line) => line.trim() !== "");
      const first = said[0];
      if (first === undefined) return [];
      const [file = "", ...names] = heading.split(" > ");
      const title = names.length > 0 ? names.join(" > ") : withoutProject(file);
      const message = first
        .replace(/^AssertionError: /, "")
        .replace(/ \/\/ Object\.is equality$/, "");
      if (message !== first) return [{ title, said: [message] }];
      const frame = ownFrame(body.join("\n"));
      return [{ title, said: [first, ...(frame === undefined ? [] : [`at ${frame}`])] }];
    });
}

function pytest(text: string): FailingCase[] {
  const blocks = text.split(/^_{3,} (.+?) _{3,}$/m);
  const cases: FailingCase[] = [];
  for (let at = 1; at < blocks.length; at += 2) {
    const body = (blocks[at + 1] ?? "").split(/^=+ .* =+$/m)[0] ?? "";
    const said = [...body.matchAll(/^E {2,3}(.*)$/gm)].map(([, line = ""]) => line.trimEnd());
    const frame = [...body.matchAll(/^([^/\s:][^\s:]*\.py):(\d+): /gm)].at(-1);
    cases.push({
      title: blocks[at] ?? "",
      said: [...said.slice(0, 8), ...(frame ? [`at ${frame[1]}:${frame[2]}`] : [])],
    });
  }
  if (cases.length > 0) return cases;
  return [...text.matchAll(/^(?:FAILED|ERROR) (\S+)(?: - (.*))?$/gm)]
    .filter(([, title = ""]) => /\.py(?:::|$)/.test(title))
    .map(([, title = "", said = ""]) => ({ title, said: said === "" ? [] : [said] }));
}

function unittest(text: string): FailingCase[] {
  const found = text.matchAll(
    /^(?:FAIL|ERROR): (\S+) .*\n-{10,}\n([\s\S]*?)(?=\n\n|\n[=-]{10,}|(?![\s\S]))/gm,
  );
  return [...found].map(([, title = "", body = ""]) => ({
    title,
    said: body.trim().split("\n").slice(-1),
  }));
}

function go(text: string): FailingCase[] {
  const found = text.matchAll(
    /^[ \t]*--- FAIL: (\S+).*\n((?: +\S+\.go:\d+: .*\n?(?: {8,}.*\n)*)+)/gm,
  );
  return [...found].map(([, title = "", body = ""]) => ({
    title,
    said: body
      .trim()
      .split("\n")
      .map((line) => line.trim()),
  }));
}

function rust(text: string): FailingCase[] {
  const found = text.matchAll(
    /^---- (\S+) stdout ----\n\n?thread .* panicked at (\S+?):\d+:\n((?:.+\n)*)/gm,
  );
  return [...found].map(([, title = "", place = "", body = ""]) => ({
    title,
    said: [
      ...body
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== "" && !line.startsWith("note: ")),
      `at ${place}`,
    ],
  }));
}

/** Without the name of the part of the tests that Vitest puts behind a file: `a.test.ts [ a.test.ts ]`. */
function withoutProject(file: string): string {
  const at = file.indexOf(" [");
  return at < 0 || !file.endsWith("]") ? file : file.slice(0, at);
}

function mapValues(
  fields: Record<string, string>,
  change: (value: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, change(value)]));
}
