/** Diagrams: every line is of the grammar, whatever titles say, and nothing is lost. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { STATUSES, TABLE } from "../../src/rules/lifecycle.ts";
import { type Diagram, renderDot, renderMermaid } from "../../src/view/diagram.ts";
import { movesDiagram, movesJson } from "../../src/view/graph-moves.ts";
import { tasksDiagram, tasksJson } from "../../src/view/graph-tasks.ts";
import { aState, aTask } from "../support/builders.ts";
import { runsOf } from "../support/runs.ts";

/** A quoted string of Mermaid: letters, digits, plain signs, numbered entities, line breaks of ours. */
const M = String.raw`"(?:[\p{L}\p{N} _.,()/·…-]|#\d+;|<br/>)*"`;
const MERMAID = new RegExp(
  String.raw`^(?:%% .*|flowchart (?:LR|TB)| {2,4}n\d+\[${M}\]:::\w+| {2}subgraph box\d+\[${M}\]| {2}end|` +
    String.raw` {2}n\d+ (?:-->|-\.->|---)(?:\|(?!"")${M}\|)? n\d+| {2}classDef \w+ [\w:#,]+)$`,
  "u",
);
/** A quoted string of DOT: no bare quote, no backslash that would take the closing one along. */
const D = String.raw`"(?:[^"\\]|\\.)*"`;
const DOT = new RegExp(
  String.raw`^(?:digraph ${D} \{| *\}| {2}rankdir=(?:LR|TB);| {2}(?:node|edge) \[[^\]]*\];|` +
    String.raw` {2}subgraph cluster_\d+ \{| {4}label=${D};| {2,4}${D} \[label=${D}, fillcolor=${D}\];|` +
    String.raw` {2}${D} -> ${D}(?: \[[^\]"]*(?:label=${D})?[^\]"]*\])?;)$`,
  "u",
);

const HOSTILE = [
  '"]; click n0 call alert()',
  '%%{init: {"theme":"dark"}}%%',
  "end",
  "a\nsubgraph x",
  "style: a#35;",
  "<script>alert(1)</script>",
  "`md`",
  "\\",
  '\\"',
  "]]>\u2028--> n1",
  "---\nconfig: x\n---",
  "日本語 😀",
  "\u001b[31mred",
  "",
];

function ofTitles(titles: string[]): Diagram {
  return tasksDiagram(
    aState({
      tasks: [
        aTask("root", { title: titles[0] ?? "" }),
        ...titles.map((title, at) =>
          aTask(`${title}${at}`, { parent: "root", title, dependsOn: at > 0 ? ["root"] : [] }),
        ),
      ],
    }),
  );
}

const unlike = (text: string, grammar: RegExp) =>
  text.split("\n").filter((line) => !grammar.test(line));

describe("a diagram", () => {
  it("is Mermaid and DOT in every line, whatever is written in it", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 30 }),
      fc.constantFrom(...HOSTILE),
    );
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 8 }), (titles) => {
        const diagram = ofTitles(titles);
        for (const [at, edge] of diagram.edges.entries())
          edge.label = titles[at % titles.length] ?? "";
        expect(unlike(renderMermaid(diagram), MERMAID)).toEqual([]);
        expect(unlike(renderDot(diagram), DOT)).toEqual([]);
      }),
      runsOf(60),
    );
  });

  it("has every task once, every edge once, and none into nothing", () => {
    const state = aState({
      tasks: [
        aTask("r", { title: "All" }),
        aTask("a", { parent: "r", end: "done" }),
        aTask("b", { parent: "r", dependsOn: ["a", "gone"] }),
      ],
    });
    expect(renderMermaid(tasksDiagram(state))).toMatchInlineSnapshot(`
      "%% run k3f9x2#58; A duration tool
      flowchart TB
        n1["#9662; split r<br/>All"]:::dim
        subgraph box0["wave 1"]
          n0["#10003; done a<br/>a"]:::green
        end
        subgraph box1["wave 2"]
          n2["#9676; waiting b<br/>b"]:::dim
        end
        n1 --- n0
        n1 --- n2
        n0 --> n2
        classDef dim fill:#e6e6e6,stroke:#666666,color:#1a1a1a
        classDef yellow fill:#ffe9a8,stroke:#666666,color:#1a1a1a
        classDef red fill:#ffc4bd,stroke:#666666,color:#1a1a1a
        classDef green fill:#c9ecc4,stroke:#666666,color:#1a1a1a
        classDef plain fill:#ffffff,stroke:#666666,color:#1a1a1a"
    `);
    expect(renderDot(tasksDiagram(state))).toMatchInlineSnapshot(`
      "digraph "run k3f9x2: A duration tool" {
        rankdir=TB;
        node [shape=box, style="rounded,filled", fontname="sans-serif"];
        edge [fontname="sans-serif", fontsize=10];
        "r" [label="▾ split r\\nAll", fillcolor="#e6e6e6"];
        subgraph cluster_0 {
          label="wave 1";
          "a" [label="✓ done a\\na", fillcolor="#c9ecc4"];
        }
        subgraph cluster_1 {
          label="wave 2";
          "b" [label="◌ waiting b\\nb", fillcolor="#e6e6e6"];
        }
        "r" -> "a" [arrowhead=none, color=gray];
        "r" -> "b" [arrowhead=none, color=gray];
        "a" -> "b";
      }"
    `);
    expect(tasksJson(state)).toMatchObject({
      waves: 2,
      nodes: [
        { id: "r", status: "split", wave: 2, parent: null },
        { id: "a", status: "done", wave: 1, depends_on: [] },
        { id: "b", status: "waiting", wave: 2, depends_on: ["a", "gone"] },
      ],
    });
  });
});

describe("the diagram of moves", () => {
  it("has every status, and an edge for every pair of the table that changes it", () => {
    const { nodes, edges } = movesDiagram();
    expect(nodes.map(({ id }) => id)).toEqual([...Object.keys(STATUSES), "open"]);
    for (const [move, { to }] of Object.entries(TABLE)) {
      for (const [from, leads] of Object.entries(to)) {
        if (leads === "same") continue;
        const goal = leads === "derived" ? "open" : leads;
        const drawn = edges.filter((edge) => edge.to === goal && edge.label?.includes(move));
        expect(drawn.map((edge) => edge.from)).toEqual(
          expect.arrayContaining([
            drawn.some((edge) => edge.from === "open") && from !== "cancelled" ? "open" : from,
          ]),
        );
      }
    }
    for (const draw of [renderMermaid, renderDot]) {
      expect(unlike(draw(movesDiagram()), draw === renderDot ? DOT : MERMAID)).toEqual([]);
    }
  });

  it("is whole as data: what is legal from where, with its guard", () => {
    const { moves, states } = movesJson() as {
      moves: { move: string; leads: unknown }[];
      states: unknown[];
    };
    expect(states).toHaveLength(Object.keys(STATUSES).length);
    for (const [move, { to }] of Object.entries(TABLE)) {
      expect(moves.find((one) => one.move === move)?.leads).toEqual(to);
    }
  });
});
