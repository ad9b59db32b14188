/** Renders a pack as the facts of a prompt, and trims it to a token budget in a fixed order. */
import type { AttemptStyle } from "../../domain/limits.ts";
import type { Pack, PackFile } from "../../domain/pack.ts";
import { tokensOf } from "./prompt.ts";
import { fenced, oneLine } from "./quote.ts";

/**
 * The facts every role's prompt is filled with. Each is empty or a whole section with its heading
 * and a blank line after it, so that a template can name them one after the other.
 */
export interface PackFacts {
  task: string;
  context: string;
  dependencies: string;
  files: string;
  guidance: string;
  last: string;
  [name: string]: string;
}

export interface PackRules {
  /** How this attempt starts; without `last` in the pack it makes no difference. */
  style: AttemptStyle;
  /** What all facts together may take; what must not be cut may still exceed it. */
  tokensMax: number;
  /** The reader has tools to look into files, so their text may be left out. */
  canRead: boolean;
}

/** The file a text task's result is. */
export function resultPathOf(key: string): string {
  return `.results/${key}.md`;
}

/** The files a task hands in; of a text task its result, whatever the contract leaves open. */
export function declaredFilesOf(pack: Pack): string[] {
  const { kind, files } = pack.contract;
  return kind === "text" && files.length === 0 ? [resultPathOf(pack.key)] : files;
}

/**
 * The pack as text. Over the budget, the spec's context goes first, then results of dependencies,
 * then (where they can be read) the files; guidance, the last verdict and the task itself stay.
 */
export function renderPack(pack: Pack, rules: PackRules): PackFacts {
  const facts: PackFacts = {
    task: renderTask(pack),
    context: renderContext(pack.context),
    dependencies: renderDependencies(pack, true),
    files: renderFiles(pack, rules.style),
    guidance: section("Advice and answers so far, the newest last", renderGuidance(pack)),
    last: renderLast(pack, rules.style),
  };
  const over = () =>
    Object.values(facts).reduce((sum, fact) => sum + tokensOf(fact), -rules.tokensMax);
  if (over() > 0) facts.context = renderContext(shorten(pack.context, over()));
  if (over() > 0) facts.dependencies = renderDependencies(pack, false);
  if (over() > 0 && rules.canRead) facts.files = listFiles(pack);
  return facts;
}

/** All failed attempts, a line each, for the fixer and the router. */
export function renderTried(pack: Pack): string {
  return section("What was tried", pack.tried.map((line) => `- ${oneLine(line)}`).join("\n"));
}

/** The last attempt's files and verdict in full, whatever style it had: for the fixer. */
export function renderLastTry(pack: Pack): string {
  return renderLast(pack, "repair");
}

function renderContext(context: string): string {
  return section("From the specification", material(context, "md"));
}

function renderTask(pack: Pack): string {
  const { contract } = pack;
  const parts = [
    contract.purpose.trim(),
    list(
      "Requirements",
      pack.requirements.map(({ id, text }) => `${id}: ${text.replaceAll("\n", "\n  ")}`),
    ),
    contract.kind === "text" ? renderResult(pack) : list("Files you may write", contract.files),
    renderInterfaces(pack),
    list("Must be true", contract.examples),
    contract.kind === "code" ? renderPackages(pack) : "",
  ];
  return section(oneLine(contract.title), parts.filter((part) => part !== "").join("\n\n"));
}

function renderResult(pack: Pack): string {
  const headings = pack.requirements.map(({ id }) => `\`## ${id}\``).join(", ");
  const rule = headings === "" ? "" : ` It has a heading for each requirement: ${headings}.`;
  return `### Result\n\nOne Markdown file, \`${declaredFilesOf(pack)[0]}\`, of at most 64 KB.${rule}`;
}

function renderInterfaces(pack: Pack): string {
  const files = [...new Set(pack.contract.interfaces.map(({ file }) => file))];
  const blocks = files.map((file) => {
    const lines = pack.contract.interfaces
      .filter((one) => one.file === file)
      .map(({ doc, declaration }) => (doc === "" ? declaration : `/** ${doc} */\n${declaration}`));
    return `In \`${file}\`:\n${fenced(lines.join("\n\n"), endingOf(file))}`;
  });
  return blocks.length === 0 ? "" : `### Export exactly this\n\n${blocks.join("\n\n")}`;
}

function renderPackages(pack: Pack): string {
  const names = [...pack.packages].sort();
  const allowed =
    names.length === 0
      ? "no other package is installed"
      : `and ${names.join(", ")}; nothing else is installed`;
  return `### Imports\n\nThe standard library, the files named here, ${allowed}.`;
}

function renderDependencies(pack: Pack, withResults: boolean): string {
  // Sorted here too: nothing a model sees may depend on the order siblings finished in.
  const parts = [...pack.dependencies]
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ title, declarations, result }) =>
      [
        `### ${oneLine(title)}`,
        declarations.length > 0 ? fenced(declarations.join("\n"), pack.language ?? "") : "",
        withResults && result !== undefined ? fenced(result.trim(), "md") : "",
      ]
        .filter((text) => text !== "")
        .join("\n\n"),
    );
  return section("What you can build on; it exists and works", parts.join("\n\n"));
}

function renderFiles(pack: Pack, style: AttemptStyle): string {
  const rewritten = new Set(style === "repair" ? pack.last?.files.map(({ path }) => path) : []);
  const shown = pack.files.filter(({ path, text }) => text !== undefined && !rewritten.has(path));
  return section("Files as they are now", shown.map(renderFile).join("\n\n"));
}

function listFiles(pack: Pack): string {
  const paths = pack.files.filter(({ text }) => text !== undefined).map(({ path }) => `- ${path}`);
  return section("Files that exist; read them", paths.join("\n"));
}

function renderFile({ path, text }: PackFile): string {
  return fenced((text ?? "").replace(/\n$/, ""), `${endingOf(path)} ${path}`.trim());
}

function renderGuidance(pack: Pack): string {
  return pack.guidance
    .map(({ from, text }) => `From ${oneLine(from)}:\n${fenced(text.trim(), "")}`)
    .join("\n\n");
}

function renderLast(pack: Pack, style: AttemptStyle): string {
  const { last } = pack;
  if (last?.conflict !== undefined) {
    const body = `${last.reason.trim()}\n\n${fenced(last.conflict, "")}\n\nKeep what is there now, and do your task on top of it. No such marks may stay.`;
    return section("The last try met with the work of others", body);
  }
  if (!last || style === "fresh") return "";
  // What checks and tools printed is whatever the work made them print.
  const reason = material(last.reason, "");
  if (style === "cases") return section("An earlier try was rejected; yours must not be", reason);
  const files = last.files.filter(({ text }) => text !== undefined).map(renderFile);
  const wrote = files.length > 0 ? `${files.join("\n\n")}\n\n` : "";
  return section("The last try", `${wrote}It was rejected:\n\n${reason}`);
}

/** Text from elsewhere, in a block it cannot close; nothing where there is none. */
function material(text: string, info: string): string {
  return text.trim() === "" ? "" : fenced(text.trim(), info);
}

function section(heading: string, body: string): string {
  const text = body.trim();
  return text === "" ? "" : `## ${heading}\n\n${text}\n\n`;
}

function list(heading: string, lines: string[]): string {
  return lines.length === 0
    ? ""
    : `### ${heading}\n\n${lines.map((line) => `- ${line}`).join("\n")}`;
}

function endingOf(path: string): string {
  return /\.([A-Za-z0-9]+)$/.exec(path)?.[1] ?? "";
}

/** Cuts at least `tokens` from the end of a section, at a line; all of it when little would remain. */
function shorten(text: string, tokens: number): string {
  const keep = text.length - Math.ceil(tokens * 3.3) - 40;
  if (keep < 200) return "";
  const cut = text.lastIndexOf("\n", keep);
  return `${text.slice(0, cut < 0 ? keep : cut)}\n[… cut]\n\n`;
}
