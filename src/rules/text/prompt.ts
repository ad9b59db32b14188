/** Prompt files as data: reads their sections, fills their placeholders strictly, counts tokens. */

/** A prompt file: its version, and its sections by the text of their heading. */
export interface PromptFile {
  version: string;
  sections: Record<string, string>;
}

const FRONT_MATTER = /^---\n([\s\S]*?)\n---(?:\n|$)/;
const HEADING = /^# (.+)$/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;
const NAME = /^[A-Za-z][A-Za-z0-9_]*$/;

/**
 * Reads a prompt file: front matter with `version: N`, then sections that each begin with a
 * first-level heading, `# Name`. A `#` line inside a code fence is text. Throws when there is no
 * version, no section, text before the first one, or a name twice: prompts are part of the program.
 */
export function parsePrompt(text: string): PromptFile {
  const clean = text.replaceAll("\r\n", "\n").replace(/^\uFEFF/, "");
  const front = FRONT_MATTER.exec(clean);
  const version = /^version:[ \t]*(\S+)[ \t]*$/m.exec(front?.[1] ?? "")?.[1];
  if (!front || !version) throw new Error("A prompt file opens with front matter: `version: N`.");

  const sections = new Map<string, string[]>();
  let current: string[] | undefined;
  let fence = "";
  for (const line of clean.slice(front[0].length).split("\n")) {
    const mark = FENCE.exec(line)?.[1] ?? "";
    if (fence === "") fence = mark;
    else if (mark.startsWith(fence) && line.trim() === mark) fence = "";
    const name = fence === "" ? HEADING.exec(line)?.[1]?.trim() : undefined;
    if (name !== undefined) {
      if (sections.has(name))
        throw new Error(`The section "${name}" stands twice in a prompt file.`);
      current = [];
      sections.set(name, current);
    } else if (current) current.push(line);
    else if (line.trim() !== "")
      throw new Error(`A prompt file has text before its first section: ${line}`);
  }
  if (sections.size === 0) throw new Error("A prompt file has at least one section: `# Name`.");
  const entries = [...sections].map(([name, lines]) => [name, lines.join("\n").trim()] as const);
  return { version, sections: Object.fromEntries(entries) };
}

/** The text of a section; throws when the prompt file has none of that name. */
export function sectionOf(prompt: PromptFile, name: string): string {
  const text = Object.hasOwn(prompt.sections, name) ? prompt.sections[name] : undefined;
  if (text === undefined) throw new Error(`The prompt file has no section "# ${name}".`);
  return text;
}

/**
 * Replaces each `{{name}}` by its fact, in one pass: a fact that holds `{{…}}` stays as it is.
 * Throws when a placeholder has no fact or a fact no placeholder, so that neither a prompt nor the
 * code can silently lose what the other one offers.
 */
export function fillPrompt(template: string, facts: Record<string, string>): string {
  const used = new Set<string>();
  const filled = template.replace(PLACEHOLDER, (whole, inner: string) => {
    const name = inner.trim();
    const fact = NAME.test(name) && Object.hasOwn(facts, name) ? facts[name] : undefined;
    if (fact === undefined) throw new Error(`A prompt asks for an unknown fact: ${whole}`);
    used.add(name);
    return fact;
  });
  const unused = Object.keys(facts).filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`A prompt leaves facts unused: ${unused.join(", ")}`);
  return filled;
}

/**
 * An estimate of how many tokens a text takes: 3.3 UTF-8 bytes each. With most tokenizers English
 * takes about 4.5 and code about 3.5 bytes a token, so this counts a little too many; the newest
 * ones cut finer by up to a third, so whoever must never go over adds a margin.
 */
export function tokensOf(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 0x80) bytes += 1;
    else if (code < 0x800) bytes += 2;
    // Each half of a surrogate pair counts two: the pair takes four bytes.
    else bytes += code >= 0xd800 && code <= 0xdfff ? 2 : 3;
  }
  return Math.ceil(bytes / 3.3);
}
