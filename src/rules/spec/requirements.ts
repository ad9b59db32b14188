/** The requirements in a specification's Markdown, with their ids, lines and place in the outline. */
import type { Heading, ListItem, Root, RootContent, TableRow } from "mdast";
import { toString as textOf } from "mdast-util-to-string";
import type { Requirement, Section } from "../../domain/spec.ts";
import { idOf, isNumbered, rowId, withoutId } from "./requirement-id.ts";

interface OpenSection {
  section: Section;
  /** Its place among its siblings, from the title down: `[2, 1]`. */
  path: number[];
  headings: string[];
  /** How many requirements got their id from their position here. */
  counted: number;
  /** Whether anything but sub-sections stands under it. */
  hasText: boolean;
}

interface Draft extends Requirement {
  explicit: boolean;
}

/**
 * Reads the requirements, in the order of the file:
 * - A heading, list item, paragraph or table row that begins with an id (`R1:`) is a requirement,
 *   with all that follows up to the next one or the next heading.
 * - Every other list item is one, by its position; an introducing line (`It must not:`) joins it.
 * - Paragraphs are requirements only where the document numbers none itself; then those under the
 *   title, before the first section, are introduction, unless there is nothing else.
 * - Code, tables and quotations belong to the requirement before them.
 */
export function readRequirements(
  tree: Root,
  source: string,
  fallbackTitle: string,
): { requirements: Requirement[]; outline: Section } {
  const nodes = tree.children.filter(
    (node) => !["yaml", "html", "definition", "thematicBreak"].includes(node.type),
  );
  const numbered = nodes.some(isNumbered);
  const first = new Reader(source, numbered, nodes, fallbackTitle);
  first.read(false);
  if (first.drafts.length > 0) return first.result();
  const again = new Reader(source, numbered, nodes, fallbackTitle);
  again.read(true);
  return again.result();
}

/** One pass over the blocks of a document; guards where in the outline the pass stands. */
class Reader {
  readonly drafts: Draft[] = [];
  private readonly source: string;
  private readonly numbered: boolean;
  private readonly nodes: RootContent[];
  private readonly title: Heading | undefined;
  private readonly stack: OpenSection[];
  /** The explicit requirement that takes what follows, until a heading of this depth or less. */
  private open: { draft: Draft; depth: number } | undefined;
  /** A line that ends in a colon, waiting for the list it introduces. */
  private intro = "";
  private last: Draft | undefined;

  constructor(source: string, numbered: boolean, nodes: RootContent[], fallbackTitle: string) {
    this.source = source;
    this.numbered = numbered;
    this.nodes = nodes;
    const headings = nodes.filter((node) => node.type === "heading");
    const tops = headings.filter((node) => node.depth === 1);
    // The title is the first heading when it alone stands on the first level.
    this.title = tops.length === 1 && headings[0] === tops[0] ? tops[0] : undefined;
    const title = textOf(this.title ?? headings[0] ?? []).trim() || fallbackTitle;
    const section = {
      title,
      depth: this.title ? 1 : 0,
      line: this.title?.position?.start.line ?? 1,
      requirements: [],
      sections: [],
    };
    this.stack = [{ section, path: [], headings: [title], counted: 0, hasText: false }];
  }

  /** `all`: paragraphs under the title count too. */
  read(all: boolean): void {
    this.nodes.forEach((node, index) => {
      if (node === this.title) this.heading(node, this.top());
      else if (node.type === "heading") {
        this.leave(node.depth);
        this.heading(node, this.enter(node));
      } else this.block(node, this.nodes[index + 1], all);
    });
    this.leave(0);
    if (this.stack[0]) this.closeSection(this.stack[0], all);
  }

  result(): { requirements: Requirement[]; outline: Section } {
    const requirements = this.drafts
      .sort((a, b) => a.line - b.line)
      .map(({ explicit: _, ...requirement }) => ({
        ...requirement,
        text: requirement.text.trim(),
      }));
    const outline = this.stack[0]?.section;
    if (!outline) throw new Error("the title's section is never left");
    return { requirements, outline };
  }

  private top(): OpenSection {
    const top = this.stack.at(-1);
    if (!top) throw new Error("the title's section is never left");
    return top;
  }

  private leave(depth: number): void {
    while (this.stack.length > 1 && this.top().section.depth >= depth) {
      this.closeSection(this.top(), false);
      this.stack.pop();
    }
    if (this.open && depth <= this.open.depth) this.open = undefined;
    this.intro = "";
    this.last = undefined;
  }

  private enter(node: Heading): OpenSection {
    const parent = this.top();
    const title = textOf(node).trim();
    const section: Section = {
      title,
      depth: node.depth,
      line: node.position?.start.line ?? 1,
      requirements: [],
      sections: [],
    };
    parent.section.sections.push(section);
    const opened = {
      section,
      path: [...parent.path, parent.section.sections.length],
      headings: [...parent.headings, title],
      counted: 0,
      hasText: false,
    };
    this.stack.push(opened);
    return opened;
  }

  private heading(node: Heading, section: OpenSection): void {
    const id = idOf(node);
    if (id !== undefined) {
      const draft = this.add(section, node, { id, text: withoutId(this.slice(node)) });
      this.open = { draft, depth: node.depth };
    } else if (this.open) this.attach(this.open.draft, node);
  }

  /** A heading that nothing stands under says what is wanted by itself. */
  private closeSection({ section, path, headings, hasText }: OpenSection, all: boolean): void {
    const isBare = !hasText && section.requirements.length === 0 && section.sections.length === 0;
    if (!isBare || this.numbered || this.open || (path.length === 0 && !all)) return;
    if (section.title === "" || (path.length === 0 && !this.title)) return;
    const id = `s${[...path, 1].join(".")}`;
    section.requirements.push(id);
    const { line, title } = section;
    this.drafts.push({ id, text: title, headings, line, lineEnd: line, explicit: false });
  }

  private block(node: RootContent, next: RootContent | undefined, all: boolean): void {
    const section = this.top();
    section.hasText = true;
    if (node.type === "list") {
      for (const item of node.children) this.item(item, section);
      this.intro = "";
      return;
    }
    if (node.type === "table" && isNumbered(node)) {
      for (const row of node.children) this.row(row, section);
      return;
    }
    const id = idOf(node);
    if (id !== undefined) {
      const draft = this.add(section, node, { id, text: withoutId(this.slice(node)) });
      // Any heading ends it.
      this.open = { draft, depth: Number.POSITIVE_INFINITY };
    } else if (this.open) this.attach(this.open.draft, node);
    else if (node.type === "paragraph") this.paragraph(node, next, section, all);
    else if (this.last) this.attach(this.last, node);
    else if (this.counts(section, all)) this.add(section, node, { text: this.slice(node) });
  }

  /** Whether unnumbered text here is a requirement. */
  private counts(section: OpenSection, all: boolean): boolean {
    return !this.numbered && (all || section.path.length > 0 || this.title === undefined);
  }

  private paragraph(
    node: RootContent,
    next: RootContent | undefined,
    section: OpenSection,
    all: boolean,
  ): void {
    const text = this.slice(node);
    if (next?.type === "list" && /:\W*$/.test(text.slice(-20))) this.intro = text;
    else if (this.counts(section, all)) this.add(section, node, { text });
  }

  private item(item: ListItem, section: OpenSection): void {
    const id = idOf(item);
    const parts = item.children.filter((child) => child.type !== "list" || !isNumbered(child));
    const text = parts.map((child) => this.slice(child)).join("\n");
    if (id !== undefined) {
      const draft = this.add(section, item, { id, text: withoutId(text) });
      draft.lineEnd = parts.at(-1)?.position?.end.line ?? draft.lineEnd;
      this.open = { draft, depth: Number.POSITIVE_INFINITY };
    } else if (this.open && parts.length > 0) this.attach(this.open.draft, item, text);
    else if (text.trim() !== "") {
      this.add(section, item, { text: this.intro === "" ? text : `${this.intro} ${text}` });
    }
    for (const child of item.children) {
      if (parts.includes(child) || child.type !== "list") continue;
      for (const inner of child.children) this.item(inner, section);
    }
  }

  private row(row: TableRow, section: OpenSection): void {
    const id = rowId(row);
    if (id === undefined) return;
    const text = row.children.slice(1).map((cell) =>
      this.slice(cell)
        .replace(/^\||\|$/g, "")
        .trim(),
    );
    this.add(section, row, { id, text: text.join(" | ") });
  }

  private add(
    section: OpenSection,
    node: RootContent | ListItem,
    given: { id?: string; text: string },
  ): Draft {
    if (given.id === undefined) section.counted += 1;
    const draft: Draft = {
      id: given.id ?? `s${[...section.path, section.counted].join(".")}`,
      text: given.text,
      headings: section.headings,
      line: node.position?.start.line ?? 1,
      lineEnd: node.position?.end.line ?? 1,
      explicit: given.id !== undefined,
    };
    section.section.requirements.push(draft.id);
    this.drafts.push(draft);
    this.last = draft;
    return draft;
  }

  private attach(draft: Draft, node: RootContent | ListItem, text = this.slice(node)): void {
    draft.text += `\n\n${text}`;
    draft.lineEnd = node.position?.end.line ?? draft.lineEnd;
  }

  /** The block as it stands in the file, less the white space it is indented by. */
  private slice(node: { position?: RootContent["position"] }): string {
    if (!node.position) return "";
    const { start, end } = node.position;
    const text = this.source.slice(start.offset, end.offset);
    const indent = new RegExp(`\n[ \t]{1,${Math.max(1, start.column - 1)}}`, "g");
    return start.column > 1 ? text.replace(indent, "\n") : text;
  }
}
