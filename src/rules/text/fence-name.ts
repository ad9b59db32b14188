/** Which file a fenced block is meant to be, and whether a path is one of the workspace. */
import { pathProblem } from "../../domain/path.ts";
import type { Fence } from "./fence.ts";

/** Longer lines name no file; the patterns below are only for short ones. */
const short = (line: string) => (line.length > 500 ? "" : line);
const QUOTES = /^["'`]|["'`]$/g;
const looksLikePath = (text: string) =>
  /^[^\s"'`<>|*?:]{1,400}$/.test(text) && (/\.[A-Za-z]\w{0,11}$/.test(text) || text.includes("/"));

/**
 * The file a fenced block names, in this order of trust: its info string (`ts path=src/a.ts`,
 * `ts src/a.ts`, `src/a.ts`, `ts:src/a.ts`), the line before it (a heading, a bold or quoted path),
 * a comment on its first line. Undefined when it names none.
 */
export function nameOf(fence: Fence, declared: string[]): string | undefined {
  return (
    nameInInfo(short(fence.info), declared) ??
    nameBefore(short(fence.before), declared) ??
    nameInComment(short(fence.text.split("\n", 1)[0] ?? ""), declared)
  );
}

function nameInInfo(info: string, declared: string[]): string | undefined {
  const named =
    /(?:^|[\s{,:])(?:path|file|filename|title|name)\s*[=:]\s*("[^"]+"|'[^']+'|[^\s}]+)/i.exec(info);
  if (named?.[1]) return named[1].replace(QUOTES, "");
  const [first = "", ...others] = info
    .trim()
    .split(/\s+/)
    .map((word) => word.replace(QUOTES, ""));
  const afterColon = /^[A-Za-z0-9+#-]{1,20}:(?!\/\/)(.+)$/.exec(first)?.[1];
  if (afterColon && isName(afterColon, declared)) return afterColon;
  // A language alone (`ts`, `c++`) is no path, so a first word needs a folder or to be declared.
  if (declared.includes(first) || (first.includes("/") && looksLikePath(first))) return first;
  return others.find((word) => isName(word, declared));
}

function nameBefore(line: string, declared: string[]): string | undefined {
  const bare = line
    .trim()
    .replace(/^(?:#{1,6}|[-*+]|\d+[.)])\s+/, "")
    .replace(/^(?:\*\*|__)?(?:file|path|filename)(?:\*\*|__)?\s*:(?:\*\*|__)?\s*/i, "")
    .replace(/^[*_`"']+|(?<![*_`"':])[*_`"':]+$/g, "")
    .replace(/(?<![*_`"'])[*_`"']+$/, "");
  return isPlainName(bare, declared) ? bare : undefined;
}

function nameInComment(text: string, declared: string[]): string | undefined {
  const first = text.trim();
  const comment =
    /^(?:\/\/+(?!\/)|#|--|;+(?!;)|\/\*+(?!\*)|<!--)\s*(?:(?:file|path|filename)\s*:\s*)?(\S+?)\s*(?:\*+\/|-->)?$/i.exec(
      first,
    );
  return comment?.[1] && isPlainName(comment[1], declared) ? comment[1] : undefined;
}

/** Outside an info string `Node.js` is a word, so a name there is declared or has folder and ending. */
function isPlainName(text: string, declared: string[]): boolean {
  if (declared.includes(declaredFor(text, declared))) return true;
  return text.includes("/") && looksLikePath(text) && /\.[A-Za-z]\w{0,11}$/.test(text);
}

function isName(text: string, declared: string[]): boolean {
  return declared.includes(text) || looksLikePath(text);
}

/**
 * A path as the repository spells it: forward slashes, no `.` segments. Undefined when it leaves
 * the workspace, reaches into `.git` or is no harmless path.
 */
export function normalPath(path: string): string | undefined {
  const slashed = path.trim().replaceAll("\\", "/");
  if (/^(?:\/|~)/.test(slashed) || slashed.endsWith("/")) return undefined;
  const parts = slashed.split("/").filter((part) => part !== "" && part !== ".");
  const normal = parts.join("/");
  return pathProblem(normal) === undefined ? normal : undefined;
}

/** The declared file a path means: itself, or the only one a bare file name fits. */
export function declaredFor(path: string, declared: string[]): string {
  if (declared.includes(path) || path.includes("/")) return path;
  const same = declared.filter((one) => one.split("/").at(-1) === path);
  return same.length === 1 && same[0] !== undefined ? same[0] : path;
}
