/** Takes secrets out of a text: known values in every usual spelling, and keys by their shape. */
import { spellingsOf } from "./encodings.ts";
import type { KnownSecret } from "./known.ts";
import { isPlaceholder, SECRET_PATTERNS, type SecretPattern } from "./patterns.ts";

/** A secret in a text. */
export interface FoundSecret {
  /** The variable or the kind of key, as in the mark. */
  name: string;
  /** As it stands there. Never to be shown. */
  text: string;
  /** Where it begins. */
  at: number;
}

export interface Scrubber {
  /** The text with a mark for every secret. What was scrubbed before stays as it is; JSON stays JSON. */
  scrub(text: string): string;
  /** The secrets in a text, in order. */
  find(text: string): FoundSecret[];
}

/** What stands in the place of a secret: `[secret NAME]`. */
export const SECRET_MARK = /\[secret [\w.-]+\]/g;

function markOf(name: string): string {
  return `[secret ${name.replace(/[^\w.-]/g, "_")}]`;
}

/** Not in the middle of a word; the `n` of a line end written as `\n` is no letter of one. */
const BEGIN = String.raw`(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf]))`;

/** A scrubber of these values and of every pattern. Two passes over a text in which there is none. */
export function compileScrubber(known: readonly KnownSecret[]): Scrubber {
  const findValues = valuesOf(known);
  const find = (text: string): FoundSecret[] => {
    let found = findValues(text);
    for (;;) {
      // What is known is no part of a word that would hide what stands beside it.
      const more = shapesIn(blanked(text, found));
      if (more.length === 0) return found;
      found = apart(text, [...found, ...more]);
    }
  };
  const plain = (text: string) => marked(text, find(text));
  const scrub = (text: string): string => {
    const scrubbed = plain(text);
    if (scrubbed === text || !isJson(text) || isJson(scrubbed)) return scrubbed;
    // A mark stands across a piece of its syntax: each text in it is scrubbed for itself, and beyond
    // them only what begins outside an escape (the `n` of `\n` and `pm_…` on the next line are no key).
    const inside = scrubbedInside(text, plain);
    const left = find(inside).filter(({ at }) => !isEscaped(inside, at));
    const whole = marked(inside, left);
    return isJson(whole) ? whole : inside;
  };
  return { find, scrub };
}

function marked(text: string, found: readonly FoundSecret[]): string {
  let scrubbed = "";
  let end = 0;
  for (const { name, text: secret, at } of found) {
    scrubbed += text.slice(end, at) + markOf(name);
    end = at + secret.length;
  }
  return scrubbed + text.slice(end);
}

/** True for a JSON text of an object, a list or a string. */
function isJson(text: string): boolean {
  if (!/^\s*[{["]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The JSON with every name and text in it scrubbed; a number that is a secret becomes a mark. */
function scrubbedInside(json: string, scrub: (text: string) => string): string {
  const space = json.slice(json.trimEnd().length);
  const scrubbed = JSON.stringify(JSON.parse(json), (_, value: unknown) => {
    if (typeof value === "string") return scrub(value);
    if (typeof value === "number")
      return scrub(`${value}`) === `${value}` ? value : scrub(`${value}`);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [scrub(key), inner]));
  });
  return scrubbed + space;
}

/** True behind an odd number of backslashes: what stands there belongs to the last of them. */
function isEscaped(text: string, at: number): boolean {
  let start = at;
  while (text[start - 1] === "\\") start -= 1;
  return (at - start) % 2 === 1;
}

/** The text with blanks where these are: of the same length, and ends of words. */
function blanked(text: string, found: readonly FoundSecret[]): string {
  let left = "";
  let end = 0;
  for (const { text: secret, at } of found) {
    left += text.slice(end, at) + " ".repeat(secret.length);
    end = at + secret.length;
  }
  return end === 0 ? text : left + text.slice(end);
}

function shapesIn(text: string): FoundSecret[] {
  const found: FoundSecret[] = [];
  let end = 0;
  for (;;) {
    // Right behind a secret another one may begin, which is then no part of its word.
    const last = found.at(-1);
    const isBehind = last !== undefined && last.at + last.text.length === end;
    const match = (isBehind ? at(SHAPES_HERE, end) : null) ?? at(SHAPES, end);
    if (match === null) return found;
    end = match.index + Math.max(match[0].length, 1);
    const group = SHAPE_NAMES.findIndex((_, nth) => match[nth + 1] !== undefined);
    const secret = match[group + 1] ?? "";
    if (isPlaceholder(secret)) continue;
    // What stands before the secret is part of the match, and comes first.
    found.push({ name: SHAPE_NAMES[group] ?? "", text: secret, at: end - secret.length });
  }

  function at(shapes: RegExp, from: number): RegExpExecArray | null {
    shapes.lastIndex = from;
    return shapes.exec(text);
  }
}

/** Finds the known values in a text. */
function valuesOf(known: readonly KnownSecret[]): (text: string) => FoundSecret[] {
  const nameOf = new Map<string, string>();
  const marks = known.map(({ name }) => markOf(name));
  for (const { name, value } of known) {
    for (const spelling of spellingsOf(value)) {
      // A piece of a mark must stay, or what was scrubbed once would change again.
      const isOfMark = marks.some((mark) => mark.includes(spelling));
      if (!isOfMark && !nameOf.has(spelling)) nameOf.set(spelling, name);
    }
  }
  if (nameOf.size === 0) return () => [];
  // The longest first: none hides one that it begins.
  const spellings = [...nameOf.keys()].sort((a, b) => b.length - a.length);
  const source = spellings.map((text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|");
  const values = new RegExp(source, "g");
  return (text) => {
    const found: FoundSecret[] = [];
    values.lastIndex = 0;
    for (let match = values.exec(text); match !== null; match = values.exec(text)) {
      found.push({ name: nameOf.get(match[0]) ?? "", text: match[0], at: match.index });
      // Another one may begin within it.
      values.lastIndex = match.index + 1;
    }
    return apart(text, found);
  };
}

const BEGINNING = SECRET_PATTERNS.filter((one) => one.inWord !== true);
const ANYWHERE = SECRET_PATTERNS.filter((one) => one.inWord === true);
const SHAPE_NAMES = [...BEGINNING, ...ANYWHERE].map(({ name }) => name);
const SHAPES = new RegExp(`${BEGIN}(?:${sourceOf(BEGINNING)})|${sourceOf(ANYWHERE)}`, "g");
const SHAPES_HERE = new RegExp(`${sourceOf(BEGINNING)}|${sourceOf(ANYWHERE)}`, "y");

function sourceOf(patterns: readonly SecretPattern[]): string {
  return patterns.map(({ before = "", secret }) => `${before}(${secret})`).join("|");
}

/** In order; those that overlap are one, under the name of the first and longest. */
function apart(text: string, found: FoundSecret[]): FoundSecret[] {
  const kept: FoundSecret[] = [];
  for (const place of found.sort((a, b) => a.at - b.at || b.text.length - a.text.length)) {
    const last = kept.at(-1);
    const end = place.at + place.text.length;
    if (last === undefined || last.at + last.text.length <= place.at) kept.push({ ...place });
    else if (last.at + last.text.length < end) last.text = text.slice(last.at, end);
  }
  return kept;
}
