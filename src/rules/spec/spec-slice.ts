/** The part of a specification that one task is shown, within a token budget. */
import type { Requirement, RequirementId, Section, Spec } from "../../domain/spec.ts";
import { tokensOf } from "../text/prompt.ts";
import { mentionedIds } from "./requirement-id.ts";

/** Something a part may own as a whole: one requirement, or a heading with all that is under it. */
export interface Unit {
  /** The requirement's id, or `h2.1` for a heading by its place in the outline. */
  id: string;
  title: string;
  line: number;
  requirements: RequirementId[];
}

/** So many single things can be told apart in one question. */
export const UNITS_MAX = 60;
/** The shortest excerpt that still says what a requirement is about. */
const EXCERPT_CHARS_MIN = 40;
const EXCERPT_CHARS_MAX = 320;
/** In which an entry of a glossary says its term. */
const TERM_CHARS_MAX = 200;
const DEFINITIONS = /^(?:definitions?|terms?(?: and definitions)?|terminology|glossary)\b/i;

interface Node {
  id: string;
  section: Section;
  /** Only those that are asked about. */
  own: RequirementId[];
  below: RequirementId[];
  children: Node[];
}

/**
 * What ownership is asked about: each requirement by itself where there are few, else headings, the
 * largest opened first, as long as there are at most `unitsMax` of them. Together they hold each of
 * the given ids exactly once.
 */
export function unitsOf(
  spec: Spec,
  ids: readonly RequirementId[],
  unitsMax: number = UNITS_MAX,
): Unit[] {
  const byId = new Map(spec.requirements.map((requirement) => [requirement.id, requirement]));
  const known = [...new Set(ids)].filter((id) => byId.has(id));
  const single = (id: RequirementId): Unit => {
    const requirement = byId.get(id);
    return {
      id,
      title: excerpt(requirement?.text ?? "", 120),
      line: requirement?.line ?? 0,
      requirements: [id],
    };
  };
  if (known.length <= unitsMax) return known.map(single);

  const units: (Unit | Node)[] = [nodeOf(spec.outline, [], new Set(known))];
  for (;;) {
    const index = largest(units);
    const node = units[index];
    if (node === undefined || !("below" in node)) break;
    const opened = [
      ...node.own.map(single),
      ...node.children.map((child) =>
        child.below.length === 1 ? single(child.below[0] ?? "") : child,
      ),
    ];
    if (units.length - 1 + opened.length > unitsMax) {
      // Too much at once: it stays closed, and the next largest is tried.
      units[index] = headingUnit(node);
    } else units.splice(index, 1, ...opened);
  }
  return units.map((unit) => ("below" in unit ? headingUnit(unit) : unit));
}

function nodeOf(section: Section, path: number[], wanted: Set<RequirementId>): Node {
  const children = section.sections
    .map((child, index) => nodeOf(child, [...path, index + 1], wanted))
    .filter((child) => child.below.length > 0);
  const own = section.requirements.filter((id) => wanted.has(id));
  const below = [...own, ...children.flatMap((child) => child.below)];
  return { id: `h${path.join(".") || "0"}`, section, own, below, children };
}

function headingUnit(node: Node): Unit {
  const { title, line } = node.section;
  return { id: node.id, title, line, requirements: node.below };
}

/** Where the closed heading with the most under it stands; -1 when none is left. */
function largest(units: (Unit | Node)[]): number {
  let best = -1;
  let most = 0;
  units.forEach((unit, index) => {
    if ("below" in unit && unit.below.length > most) {
      best = index;
      most = unit.below.length;
    }
  });
  return best;
}

/**
 * The given requirements as text for a prompt, under their headings, at most `tokensMax` long.
 * Where their full text is too long, it is the outline with the beginning of each, which says so;
 * `units` are then what it is made of.
 */
export function renderSlice(
  spec: Spec,
  ids: readonly RequirementId[],
  units: readonly Unit[],
  tokensMax: number,
): string {
  const wanted = new Set(ids);
  const requirements = spec.requirements.filter(({ id }) => wanted.has(id));
  const unitOf = new Map(units.flatMap((unit) => unit.requirements.map((id) => [id, unit.id])));
  const whole = renderRequirements(requirements, unitOf, (text) => text);
  if (tokensOf(whole) <= tokensMax) return whole;
  const note =
    "(The text is long: this is its outline, with the beginning of each part. Whoever owns a part is shown all of it.)\n\n";
  for (let chars = EXCERPT_CHARS_MAX; chars >= EXCERPT_CHARS_MIN; chars = Math.floor(chars / 2)) {
    const text = renderRequirements(requirements, unitOf, (full) => excerpt(full, chars));
    if (tokensOf(note + text) <= tokensMax) return note + text;
  }
  const lines = units.map(
    ({ id, title, line, requirements: { length } }) =>
      `- ${id} (line ${line}, ${length} requirement${length === 1 ? "" : "s"}): ${excerpt(title, 80)}`,
  );
  return cutToTokens(note + lines.join("\n"), tokensMax);
}

function renderRequirements(
  requirements: readonly Requirement[],
  unitOf: Map<RequirementId, string>,
  textOf: (full: string) => string,
): string {
  const blocks: string[] = [];
  let heading = "";
  let unit = "";
  for (const { id, headings, line, text } of requirements) {
    const here = headings.slice(1).join(" › ");
    if (here !== heading) blocks.push(`## ${here === "" ? (headings[0] ?? "") : here}`);
    heading = here;
    const owner = unitOf.get(id) ?? id;
    if (owner !== unit && owner !== id) blocks.push(`[${owner}]`);
    unit = owner;
    blocks.push(`${id} (line ${line}): ${textOf(text)}`);
  }
  return blocks.join("\n\n");
}

/**
 * What a task needs of the specification besides its own requirements: the title with its
 * introduction, the requirements its text mentions by id, and the definitions of terms it uses.
 */
export function contextOf(spec: Spec, ids: readonly RequirementId[], tokensMax: number): string {
  const own = new Set(ids);
  const text = spec.requirements
    .filter(({ id }) => own.has(id))
    .map((requirement) => requirement.text)
    .join("\n");
  const mentioned = new Set(mentionedIds(text));
  const lower = text.toLowerCase();
  const needed = spec.requirements.filter(
    (requirement) =>
      !own.has(requirement.id) &&
      (mentioned.has(requirement.id) || definesTermOf(requirement, lower)),
  );
  const pieces = [
    `# ${spec.title}`,
    excerpt(introduction(spec), 1200),
    ...needed.map((requirement) => `${requirement.id}: ${requirement.text}`),
  ];
  return cutToTokens(pieces.filter((piece) => piece !== "").join("\n\n"), tokensMax);
}

/** What stands between the title and the first section, list or requirement. */
function introduction(spec: Spec): string {
  const lines = spec.text.split(/\r?\n/);
  const from = lines.findIndex((line) => /^#\s/.test(line));
  const rest = lines.slice(from + 1);
  const end = rest.findIndex((line) => /^(?:#{1,6}\s|\s*(?:[-*+]|\d+[.)])\s)/.test(line));
  const isTitled = from >= 0 && end >= 0;
  return isTitled ? rest.slice(0, end).join("\n").trim() : "";
}

/** An entry of a glossary whose term, its bold or code start, the text uses. */
function definesTermOf(requirement: Requirement, lowerText: string): boolean {
  if (!requirement.headings.some((heading) => DEFINITIONS.test(heading))) return false;
  const start = requirement.text.slice(0, TERM_CHARS_MAX);
  const found = /^\W*(?:\*\*([^*]+)\*\*|`([^`]+)`|([\p{L} -]{2,40}?)\s*[:–—])/u.exec(start);
  const term = (found?.[1] ?? found?.[2] ?? found?.[3] ?? "").trim().toLowerCase();
  return term.length > 1 && lowerText.includes(term.replace(/:$/, ""));
}

function excerpt(text: string, chars: number): string {
  const flat = text.length <= chars ? text : text.replace(/\s+/g, " ");
  if (flat.length <= chars) return flat;
  return `${flat.slice(0, chars).replace(/\s+\S*$/, "")} …`;
}

/** The beginning of a text, cut at a line, that takes at most so many tokens. */
export function cutToTokens(text: string, tokensMax: number): string {
  if (tokensOf(text) <= tokensMax) return text;
  const note = "\n[…]";
  const lines: string[] = [];
  let left = tokensMax - tokensOf(note);
  for (const line of text.split("\n")) {
    left -= tokensOf(`${line}\n`);
    if (left < 0) break;
    lines.push(line);
  }
  return lines.join("\n") + note;
}
