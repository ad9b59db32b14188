/** Nodes, edges and boxes as Mermaid or as DOT: valid whatever is written in them. */
import { cut, oneLine } from "./text.ts";

export interface DiagramNode {
  id: string;
  /** The label, a line each. */
  lines: string[];
  colour: DiagramColour;
  /** The box it stands in. */
  box?: string;
}

export interface DiagramEdge {
  from: string;
  to: string;
  label?: string;
  /** `tree` for what belongs together, `dashed` for what follows by itself. */
  kind: "arrow" | "dashed" | "tree";
}

export interface Diagram {
  title: string;
  direction: "LR" | "TB";
  nodes: DiagramNode[];
  edges: DiagramEdge[];
}

export type DiagramColour = "dim" | "yellow" | "red" | "green" | "plain";

const FILL: { readonly [C in DiagramColour]: string } = {
  dim: "#e6e6e6",
  yellow: "#ffe9a8",
  red: "#ffc4bd",
  green: "#c9ecc4",
  plain: "#ffffff",
};

/** The longest line of a label. */
const LABEL_COLUMNS_MAX = 60;

/** A Mermaid flowchart. Names of nodes are made up: an id of Beads may hold what Mermaid obeys. */
export function renderMermaid(diagram: Diagram): string {
  const names = new Map(diagram.nodes.map((node, at) => [node.id, `n${at}`]));
  const nodeLine = (node: DiagramNode) =>
    `  ${names.get(node.id)}["${node.lines.map(mermaidText).join("<br/>")}"]:::${node.colour}`;
  const edgeLine = ({ from, to, label, kind }: DiagramEdge) => {
    const line = { arrow: "-->", dashed: "-.->", tree: "---" }[kind];
    // Mermaid takes no empty label.
    const text = mermaidText(label ?? "");
    const said = text === "" ? "" : `|"${text}"|`;
    return `  ${names.get(from)} ${line}${said} ${names.get(to)}`;
  };
  return [
    `%% ${mermaidText(diagram.title)}`,
    `flowchart ${diagram.direction}`,
    ...diagram.nodes.filter(({ box }) => box === undefined).map(nodeLine),
    ...boxesOf(diagram).flatMap(([box, nodes], at) => [
      `  subgraph box${at}["${mermaidText(box)}"]`,
      ...nodes.map((node) => `  ${nodeLine(node)}`),
      "  end",
    ]),
    ...known(diagram, names).map(edgeLine),
    ...Object.entries(FILL).map(
      ([colour, fill]) => `  classDef ${colour} fill:${fill},stroke:#666666,color:#1a1a1a`,
    ),
  ].join("\n");
}

/** A DOT digraph for Graphviz. */
export function renderDot(diagram: Diagram): string {
  const ids = new Map(diagram.nodes.map((node) => [node.id, dotText(node.id)]));
  const nodeLine = (node: DiagramNode) => {
    const label = node.lines.map(dotText).join("\\n");
    return `  "${ids.get(node.id)}" [label="${label}", fillcolor="${FILL[node.colour]}"];`;
  };
  const edgeLine = ({ from, to, label, kind }: DiagramEdge) => {
    const style = { arrow: "", dashed: "style=dashed", tree: "arrowhead=none, color=gray" }[kind];
    const said = label === undefined ? "" : `label="${dotText(label)}"`;
    const facts = [said, style].filter((fact) => fact !== "").join(", ");
    return `  "${ids.get(from)}" -> "${ids.get(to)}"${facts === "" ? "" : ` [${facts}]`};`;
  };
  return [
    `digraph "${dotText(diagram.title)}" {`,
    `  rankdir=${diagram.direction};`,
    '  node [shape=box, style="rounded,filled", fontname="sans-serif"];',
    '  edge [fontname="sans-serif", fontsize=10];',
    ...diagram.nodes.filter(({ box }) => box === undefined).map(nodeLine),
    ...boxesOf(diagram).flatMap(([box, nodes], at) => [
      `  subgraph cluster_${at} {`,
      `    label="${dotText(box)}";`,
      ...nodes.map((node) => `  ${nodeLine(node)}`),
      "  }",
    ]),
    ...known(diagram, ids).map(edgeLine),
    "}",
  ].join("\n");
}

function boxesOf(diagram: Diagram): [string, DiagramNode[]][] {
  const boxes = new Map<string, DiagramNode[]>();
  for (const node of diagram.nodes) {
    if (node.box === undefined) continue;
    boxes.set(node.box, [...(boxes.get(node.box) ?? []), node]);
  }
  return [...boxes];
}

/** Edges between nodes there are: one into nothing would draw a node of its own. */
function known(diagram: Diagram, names: ReadonlyMap<string, string>): DiagramEdge[] {
  return diagram.edges.filter(({ from, to }) => names.has(from) && names.has(to));
}

/** Everything but letters, digits and the plainest signs as a numbered entity: nothing is obeyed. */
function mermaidText(text: string): string {
  return [...cut(oneLine(text), LABEL_COLUMNS_MAX)]
    .map((char) => (/[\p{L}\p{N} _.,()/·…-]/u.test(char) ? char : `#${char.codePointAt(0) ?? 63};`))
    .join("");
}

function dotText(text: string): string {
  return cut(oneLine(text), LABEL_COLUMNS_MAX).replaceAll("\\", "\\\\").replaceAll('"', '\\"');
}
