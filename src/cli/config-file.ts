/** Reads one YAML file of settings, or every problem with it by line and column. */
import { readFile } from "node:fs/promises";
import { isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import type { InputProblem } from "../domain/spec.ts";
import { plainIssue } from "../rules/text/plain-issue.ts";
import { closestName } from "../rules/text/suggest.ts";
import { type ConfigFile, configFile } from "./config-schema.ts";

/** The settings of one file and where each of them stands. */
export interface ReadConfig {
  value: ConfigFile;
  /** `fractal.yaml:3` for a dotted key, as near as the file tells. */
  originOf(key: string): string;
}

/** Reads a settings file; undefined when there is none. `name` is how messages call it. */
export async function readConfigFile(
  path: string,
  name: string,
): Promise<ReadConfig | { problems: InputProblem[] } | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    return { problems: [{ file: name, message: `cannot be read: ${(error as Error).message}` }] };
  }
  return parseConfig(name, text);
}

/** The settings in a YAML text. */
export function parseConfig(name: string, text: string): ReadConfig | { problems: InputProblem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number | undefined) => {
    if (offset === undefined) return {};
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  if (document.errors.length > 0) {
    return {
      problems: document.errors.map((error) => ({
        file: name,
        ...at(error.pos[0]),
        message: `is not valid YAML: ${error.message}`,
      })),
    };
  }
  /** Where a key stands; where it has none, its value. */
  const offsetOf = (path: PropertyKey[]): number | undefined => {
    const holder = document.getIn(path.slice(0, -1), true);
    const key = path.at(-1);
    const pair = isMap(holder)
      ? holder.items.find((item) => isScalar(item.key) && item.key.value === key)
      : undefined;
    if (pair !== undefined && isScalar(pair.key)) return pair.key.range?.[0];
    const node = document.getIn(path, true);
    if (isNode(node)) return node.range?.[0];
    // What was written short stands where the whole does: `budget: 5` for `budget.run`.
    return path.length > 1 ? offsetOf(path.slice(0, -1)) : undefined;
  };
  const parsed = configFile.safeParse(document.toJS() ?? {}, { error: plainIssue });
  if (parsed.success) {
    const originOf = (key: string) => {
      const { line } = at(offsetOf(key.split("."))) as { line?: number };
      return line === undefined ? name : `${name}:${line}`;
    };
    return { value: parsed.data, originOf };
  }
  return {
    problems: parsed.error.issues.flatMap((issue) =>
      problemsOf(issue).map(({ path, message }) => ({
        file: name,
        ...at(offsetOf(path)),
        message,
      })),
    ),
  };
}

/** A zod issue in our words; an unknown key with the one that was probably meant. */
export function problemsOf(issue: z.core.$ZodIssue): { path: PropertyKey[]; message: string }[] {
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(issue.path);
    return issue.keys.map((key) => {
      const meant = closestName(key, known);
      const hint =
        meant === undefined ? `known are ${known.join(", ")}` : `did you mean \`${meant}\`?`;
      const path = [...issue.path, key];
      return { path, message: `unknown key \`${path.join(".")}\`: ${hint}` };
    });
  }
  // A model that is a text alone is read as `{model: text}`: the inner key was not written.
  const isText = issue.path.length > 1 && issue.path.at(-1) === "model";
  const written = isText ? issue.path.slice(0, -1) : issue.path;
  const name = written.length === 0 ? "the file" : `\`${written.join(".")}\``;
  return [{ path: issue.path, message: `${name}: ${issue.message}` }];
}

/** The keys the schema knows at a place. */
function keysAt(path: PropertyKey[]): string[] {
  let schema: unknown = configFile;
  for (const step of path) schema = shapeOf(schema)?.[String(step)];
  return Object.keys(shapeOf(schema) ?? {});
}

/** The fields of an object schema, through `optional` and `preprocess`. */
function shapeOf(schema: unknown): Record<string, unknown> | undefined {
  const seen = schema as {
    shape?: Record<string, unknown>;
    def?: { innerType?: unknown; out?: unknown };
  };
  if (seen?.shape !== undefined) return seen.shape;
  const inner = seen?.def?.innerType ?? seen?.def?.out;
  return inner === undefined ? undefined : shapeOf(inner);
}
