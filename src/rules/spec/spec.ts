/** A specification as written, Markdown with optional front matter, to requirements and settings. */
import type { Root } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { frontmatterFromMarkdown } from "mdast-util-frontmatter";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { frontmatter } from "micromark-extension-frontmatter";
import { gfm } from "micromark-extension-gfm";
import type { InputProblem, Requirement, Spec } from "../../domain/spec.ts";
import { type FrontMatter, isShifted, NO_FRONT_MATTER, parseFrontMatter } from "./front-matter.ts";
import { readRequirements } from "./requirements.ts";

/** A longer document is not one specification: 1 MB is ten times a whole standard. */
export const SPEC_CHARS_MAX = 1_000_000;

/**
 * Reads a specification. `path` is only for messages and titles, `hash` is the SHA-256 of the
 * file's bytes. Returns every problem found instead, with line and column in the file, when it is
 * empty, no text, too long, says nothing, numbers two requirements alike, or has front matter that
 * does not parse or does not fit.
 */
export function parseSpec(
  path: string,
  text: string,
  hash: string,
): Spec | { problems: InputProblem[] } {
  const refuse = (message: string, line?: number) => ({
    problems: [{ file: path, ...(line === undefined ? {} : { line }), message }],
  });
  if (text.length > SPEC_CHARS_MAX) {
    const size = (text.length / 1_000_000).toFixed(1);
    return refuse(`is ${size} MB long; a specification may have 1 MB: split it into several`);
  }
  const source = text.replace(/^\uFEFF/, "");
  if (isBinary(source)) return refuse("is not a text file");
  if (source.trim() === "") return refuse("is empty: write down what is wanted");
  if (isUnclosed(source)) return refuse("opens front matter with `---` that is never closed", 1);
  if (/^\+\+\+\s*$/m.exec(source)?.index === 0) {
    return refuse("has front matter in TOML: write it in YAML, between lines of `---`", 1);
  }
  if (isShifted(source))
    return refuse("has front matter below its first line: begin with `---`", 1);

  const tree = treeOf(source);
  if (tree === undefined) return refuse("nests lists or quotations too deeply to be read");
  const yaml = tree.children[0]?.type === "yaml" ? tree.children[0] : undefined;
  const front: FrontMatter | { problems: InputProblem[] } = yaml
    ? parseFrontMatter(path, yaml.value, 2)
    : NO_FRONT_MATTER;
  const { requirements, outline } = readRequirements(tree, source, titleFromPath(path));
  const problems = [
    ...("problems" in front ? front.problems : []),
    ...doubledIds(path, requirements),
    ...(requirements.length === 0
      ? refuse("says nothing that could be carried out: no requirement found").problems
      : []),
  ];
  if ("problems" in front || problems.length > 0) return { problems };
  return {
    path,
    text: source.slice(yaml?.position?.end.offset ?? 0).replace(/^\s*\n/, ""),
    hash,
    title: outline.title,
    ...front,
    requirements,
    outline,
  };
}

/** The Markdown's tree; undefined when it is nested deeper than its reader can follow. */
function treeOf(source: string): Root | undefined {
  try {
    return fromMarkdown(source, {
      extensions: [gfm(), frontmatter(["yaml"])],
      mdastExtensions: [gfmFromMarkdown(), frontmatterFromMarkdown(["yaml"])],
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A NUL never stands in text; replacement characters are what is left of bytes that are no UTF-8. */
function isBinary(text: string): boolean {
  if (text.includes("\0")) return true;
  const strange = text.match(/(?![\t\n\r\f])[\p{Cc}\uFFFD]/gu)?.length ?? 0;
  return strange > Math.max(3, text.length / 50);
}

/** Opens with `---` and a key, as front matter does, and has no second `---`. */
function isUnclosed(text: string): boolean {
  const [first, ...rest] = text.split(/\r?\n/, 500);
  if (first?.trimEnd() !== "---" || !/^[\w-]+:(?:\s|$)/.test(rest[0] ?? "")) return false;
  return !rest.some((line) => line.trimEnd() === "---");
}

function doubledIds(file: string, requirements: Requirement[]): InputProblem[] {
  const firstLine = new Map<string, number>();
  const problems: InputProblem[] = [];
  for (const { id, line } of requirements) {
    const first = firstLine.get(id);
    if (first === undefined) firstLine.set(id, line);
    else {
      const message = `two requirements are called ${id}; the first stands in line ${first}`;
      problems.push({ file, line, message });
    }
  }
  return problems;
}

function titleFromPath(path: string): string {
  const name =
    path
      .split(/[\\/]/)
      .at(-1)
      ?.replace(/\.[^.]*$/, "") ?? "";
  return name === "" || name === "-" ? "Specification" : name;
}
