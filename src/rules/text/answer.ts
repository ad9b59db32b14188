/** Messy model text to values: the JSON answer or the whole files in it, or a failure saying why not. */
import { jsonrepair } from "jsonrepair";
import type { Failure } from "../../domain/failure.ts";
import type { FileWrite } from "../../domain/ports.ts";
import { type Fence, fencesOf } from "./fence.ts";
import { declaredFor, nameOf, normalPath } from "./fence-name.ts";
import { isTooDeep, spansOf } from "./json-span.ts";

/** Longer answers are not read: no answer of ours comes near it. */
const ANSWER_CHARS_MAX = 4_000_000;
/** Broken JSON is mended only up to here; the mending is slower than the reading. */
const REPAIR_CHARS_MAX = 500_000;

const unusable = (detail: string): Failure => ({ failure: "answer-unusable", detail });

/**
 * The text without the model's reasoning: a `<think>` block it opens with, or everything before a
 * lone `</think>`. Undefined when the reasoning never ends, because then there is no answer.
 */
export function withoutReasoning(text: string): string | undefined {
  const opening = /\s*<(think|thinking|reasoning)>/iy;
  let end = 0;
  for (;;) {
    opening.lastIndex = end;
    const tag = opening.exec(text)?.[1];
    if (tag === undefined) break;
    const closing = new RegExp(`</${tag}>`, "gi");
    closing.lastIndex = opening.lastIndex;
    if (closing.exec(text) === null) return undefined;
    end = closing.lastIndex;
  }
  let rest = text.slice(end);
  const lone = /^[ \t]*<\/(?:think|thinking|reasoning)>[ \t]*$/im.exec(rest);
  if (lone && !/<(?:think|thinking|reasoning)>/i.test(rest.slice(0, lone.index))) {
    rest = rest.slice(lone.index + lone[0].length);
  }
  return rest;
}

/**
 * The JSON value in an answer. The rules, in order: reasoning is dropped; text that is JSON as a
 * whole is the answer; else JSON inside fences counts before JSON in prose; an object counts before
 * an array; of several, the last one. Only when none of them parses is the last one mended
 * (trailing commas, single quotes, comments), which `repaired` tells. JSON that was begun and not
 * ended is a failure: what is missing is never guessed. Keys named `__proto__` are dropped.
 */
export function parseJsonAnswer(text: string): { value: unknown; repaired: boolean } | Failure {
  if (text.length > ANSWER_CHARS_MAX) return unusable("The answer is far too long.");
  const answer = withoutReasoning(text)?.trim();
  if (answer === undefined) return unusable("The answer ends inside its reasoning.");
  if (answer === "") return unusable("The answer is empty.");
  const whole = /^[[{]/.test(answer) ? parseStrictly(answer) : undefined;
  if (whole) return { ...whole, repaired: false };

  const fenced = fencesOf(answer)
    .filter((fence) => fence.closed && /^(?:json[5c]?)?$/i.test(fence.info.trim()))
    .map((fence) => fence.text);
  const spans = fenced.length > 0 ? fenced.flatMap((part) => spansOf(part).spans) : [];
  const all = spans.length > 0 ? { spans, cutOff: false } : spansOf(answer);
  if (all.cutOff) return unusable("The answer is cut off: its JSON is not closed.");
  if (all.spans.length === 0) return unusable("There is no JSON object in the answer.");
  // Objects first, and the last one first: an answer stands after its drafts.
  const ordered = all.spans
    .reverse()
    .sort((a, b) => Number(b.startsWith("{")) - Number(a.startsWith("{")));
  for (const span of ordered) {
    const parsed = parseStrictly(span);
    if (parsed) return { ...parsed, repaired: false };
  }
  for (const span of ordered.slice(0, 3)) {
    const parsed = parseMended(span);
    if (parsed) return { ...parsed, repaired: true };
  }
  return unusable("The JSON in the answer does not parse.");
}

function parseStrictly(text: string): { value: unknown } | undefined {
  if (isTooDeep(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text, (key, inner) =>
      key === "__proto__" ? undefined : inner,
    );
    return typeof value === "object" && value !== null ? { value } : undefined;
  } catch {
    return undefined;
  }
}

function parseMended(text: string): { value: unknown } | undefined {
  if (text.length > REPAIR_CHARS_MAX || isTooDeep(text)) return undefined;
  try {
    return parseStrictly(jsonrepair(text));
  } catch {
    return undefined;
  }
}

// ── Files ──────────────────────────────────────────────────────────────────

/** Blocks by which a worker speaks of its task instead of handing in a file. */
const SPOKEN = new Set(["question", "capability", "request"]);
/** An unnamed block of these is an illustration, never the one declared file (unless it has that ending). */
const ILLUSTRATION = /^(?:sh|bash|zsh|shell|console|shell-session|terminal|text|txt|output|diff)$/i;

/**
 * The whole files in an answer, and the rest of its text. Each block names its file (fence-name.ts).
 * With exactly one declared file, exactly one block and no name, the block is that file. A bare
 * file name means the one declared file of that name. A file given twice: the last one counts.
 * Other blocks without a name are illustrations. A path that leaves the workspace is
 * `out-of-scope`; a block that never closes, or no file at all, is `answer-unusable`.
 */
export function parseFileBlocks(
  text: string,
  declared: string[],
): { files: FileWrite[]; rest: string } | Failure {
  if (text.length > ANSWER_CHARS_MAX) return unusable("The answer is far too long.");
  const answer = withoutReasoning(text.replaceAll("\r\n", "\n"));
  if (answer === undefined) return unusable("The answer ends inside its reasoning.");
  if (answer.trim() === "") return unusable("The answer is empty.");

  const fences = fencesOf(answer);
  const blocks = fences.filter((fence) => !SPOKEN.has(spokenOf(fence)));
  const cut = blocks.find((fence) => !fence.closed);
  if (cut) {
    const name = nameOf(cut, declared) ?? "the last block";
    return unusable(`The answer is cut off: ${name} has no closing fence.`);
  }
  const named = blocks.flatMap((fence) => {
    const name = nameOf(fence, declared);
    return name === undefined ? [] : [{ fence, name }];
  });
  const only = declared.length === 1 ? declared[0] : undefined;
  if (named.length === 0 && only !== undefined) {
    const ending = only.split(".").at(-1) ?? "";
    const able = blocks.filter(
      (fence) => fence.info.trim() === ending || !ILLUSTRATION.test(fence.info.trim()),
    );
    const [block] = able;
    if (block && able.length === 1) named.push({ fence: block, name: only });
  }
  if (named.length === 0) {
    return unusable(
      blocks.length === 0
        ? "There is no fenced block in the answer; give each file whole, in a block that names it."
        : "No fenced block names its file; write the path after the language: ```ts src/a.ts",
    );
  }
  return writesOf(named, declared, restOf(answer, new Set(named.map(({ fence }) => fence))));
}

/**
 * The one Markdown file of a text task. It is the block that names it; without such a block the
 * whole answer, since prose is often handed in unfenced.
 */
export function parseTextResult(
  text: string,
  path: string,
): { files: FileWrite[]; rest: string } | Failure {
  const whole = withoutReasoning(text.replaceAll("\r\n", "\n"))?.trim();
  if (whole === undefined) return unusable("The answer ends inside its reasoning.");
  if (whole === "") return unusable("The answer is empty.");
  const named = fencesOf(whole).filter((fence) => nameOf(fence, [path]) === path);
  if (named.length > 0) return parseFileBlocks(text, [path]);
  const blocks = fencesOf(whole);
  const isWrapped = blocks.length === 1 && /^(?:md|markdown)$/i.test(blocks[0]?.info ?? "");
  if (isWrapped) return parseFileBlocks(text, [path]);
  return { files: [{ path, text: `${whole}\n` }], rest: "" };
}

/**
 * A worker that speaks of its task instead of doing it: a block ` ```question ` (list items in it
 * are the options) is `worker-asks`, a block ` ```capability ` is `capability-missing`.
 */
export function parseAsking(text: string): Failure | undefined {
  const answer = withoutReasoning(text.replaceAll("\r\n", "\n"));
  if (answer === undefined || answer.length > ANSWER_CHARS_MAX) return undefined;
  const spoken = fencesOf(answer).find(
    (fence) => SPOKEN.has(spokenOf(fence)) && spokenOf(fence) !== "request",
  );
  if (!spoken || spoken.text.trim() === "") return undefined;
  const lines = spoken.text.slice(0, 8000).split("\n");
  if (spokenOf(spoken) === "capability") {
    return { failure: "capability-missing", detail: lines.join("\n").trim() };
  }
  const item = /^\s*[-*]\s+(.+)$/s;
  const options = lines.flatMap((line) => item.exec(line)?.[1]?.trim().slice(0, 500) ?? []);
  const words = lines
    .filter((line) => !item.test(line))
    .join("\n")
    .trim();
  return {
    failure: "worker-asks",
    detail: words || spoken.text.trim(),
    options: options.slice(0, 6),
  };
}

const spokenOf = (fence: Fence) => fence.info.trim().toLowerCase();

/** What a worker asks for at most in one answer. */
const REQUESTS_MAX = 3;

/** The files a worker asks for in blocks ` ```request `, a line each: `src/b.ts: why it must change`. */
export function parseRequests(text: string): { path: string; why: string }[] {
  const answer = withoutReasoning(text.replaceAll("\r\n", "\n"));
  if (answer === undefined || answer.length > ANSWER_CHARS_MAX) return [];
  return fencesOf(answer)
    .filter((fence) => spokenOf(fence) === "request")
    .flatMap((fence) => fence.text.slice(0, 4000).split("\n"))
    .flatMap((line) => {
      const [, path = "", why = ""] = /^\s*(?:[-*]\s+)?`?([^\s:`]+)`?\s*:?(.*)$/s.exec(line) ?? [];
      return path === "" ? [] : [{ path, why: why.trim().slice(0, 1000) || "no reason given" }];
    })
    .slice(0, REQUESTS_MAX);
}

function writesOf(
  named: { fence: Fence; name: string }[],
  declared: string[],
  rest: string,
): { files: FileWrite[]; rest: string } | Failure {
  const files = new Map<string, string>();
  const escaping: string[] = [];
  for (const { fence, name } of named) {
    const path = normalPath(name);
    if (path === undefined) escaping.push(name);
    else files.set(declaredFor(path, declared), fence.text === "" ? "" : `${fence.text}\n`);
  }
  if (escaping.length > 0) {
    const detail = `A file must stay inside the workspace: ${escaping.join(", ")}`;
    return { failure: "out-of-scope", detail, paths: escaping };
  }
  return { files: [...files].map(([path, text]) => ({ path, text })), rest };
}

/** The text outside the given blocks. */
function restOf(text: string, taken: Set<Fence>): string {
  const lines = text.split("\n");
  const drop = new Set<number>();
  for (const { line, lineEnd } of taken) for (let n = line; n <= lineEnd; n += 1) drop.add(n);
  return lines
    .filter((_, index) => !drop.has(index + 1))
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}
