/** Patterns of paths: `*` is any part of a name, `**` any folders. */
import { foldedPath } from "../../domain/path.ts";

/** True for a path that one of these patterns matches; one without wildcard also matches what is below. */
export function isUnder(path: string, patterns: readonly string[]): boolean {
  return patternOf(path, patterns) !== undefined;
}

/** The first of the patterns that matches a path. */
export function patternOf(path: string, patterns: readonly string[]): string | undefined {
  const folded = foldedPath(plainPath(path));
  return patterns.find((pattern) => matcherOf(pattern).test(folded));
}

/** A path as trees have it: without `./` before and `/` behind. */
export function plainPath(path: string): string {
  let end = path.length;
  while (path[end - 1] === "/") end -= 1;
  return path.slice(0, end).replace(/^(?:\.\/)+/, "");
}

const matchers = new Map<string, RegExp>();

function matcherOf(pattern: string): RegExp {
  const known = matchers.get(pattern);
  if (known) return known;
  const matcher = anyOf([pattern]);
  matchers.set(pattern, matcher);
  return matcher;
}

/** All of them at once, for folded paths. */
export function anyOf(patterns: readonly string[]): RegExp {
  return new RegExp(patterns.map(sourceOf).join("|"), "su");
}

function sourceOf(pattern: string): string {
  const source = foldedPath(plainPath(pattern))
    .split(/(\*\*\/|\*\*|\*|\?)/)
    .map((part) => WILDCARDS[part] ?? part.replace(/[\\^$.|+()[\]{}]/g, "\\$&"))
    .join("");
  const below = /[*?]/.test(pattern) ? "" : "(?:/.*)?";
  return `^${source}${below}$`;
}

const WILDCARDS: Record<string, string> = {
  "**/": "(?:.*/)?",
  "**": ".*",
  "*": "[^/]*",
  "?": "[^/]",
};
