/** The table of moves as a diagram and as data: the same rows that guard the journal. */
import { isSettled, type TaskStatus } from "../domain/task.ts";
import { FOLLOWS, fenceRuleOf, type Leads, MOVES, STATUSES, TABLE } from "../rules/lifecycle.ts";
import type { Diagram, DiagramEdge } from "./diagram.ts";

/** Stands for every status that is not settled. */
const OPEN = "open";

interface Row {
  name: string;
  event: string;
  says: string;
  /** Only these pairs are legal; what follows is not guarded. */
  guarded: boolean;
  fence: string | null;
  to: { readonly [From in TaskStatus]?: Leads };
}

function rows(): Row[] {
  return [
    ...MOVES.map((name) => ({
      ...TABLE[name],
      name,
      guarded: true,
      fence: fenceRuleOf(TABLE[name].event) ?? null,
    })),
    ...Object.entries(FOLLOWS).map(([name, row]) => ({
      ...row,
      name,
      guarded: false,
      fence: null,
    })),
  ];
}

/** Statuses and moves. What leaves a status as it is is not drawn; the data has it. */
export function movesDiagram(): Diagram {
  const edges = new Map<string, DiagramEdge>();
  for (const { name, to, guarded, fence } of rows()) {
    const label = fence === null ? name : `${name} (${fence})`;
    const kind = guarded ? "arrow" : "dashed";
    for (const [from, leads] of drawn(to)) {
      const key = `${from} ${leads} ${kind}`;
      const known = edges.get(key)?.label;
      const all = known === undefined ? label : `${known}, ${label}`;
      edges.set(key, { from, to: leads, kind, label: all });
    }
  }
  return {
    title: "statuses and moves of a task",
    direction: "LR",
    nodes: [
      ...Object.entries(STATUSES).map(([status, { says, colour }]) => ({
        id: status,
        lines: [status, says],
        colour: colour === "of its children" ? ("yellow" as const) : colour,
      })),
      {
        id: OPEN,
        lines: ["open: not done, accepted or cancelled", "to it: the one that the facts amount to"],
        colour: "plain",
      },
    ],
    edges: [...edges.values()],
  };
}

/** What changes a status; from every open status alike it is one line from all of them. */
function drawn(to: Row["to"]): [from: string, leads: string][] {
  const changes = Object.entries(to).filter(([from, leads]) => leads !== "same" && leads !== from);
  const lines = changes.map(([from, leads]): [string, string] => [
    from,
    leads === "derived" ? OPEN : leads,
  ]);
  const open = lines.filter(([from]) => !isSettled(from as TaskStatus));
  const goal = open[0]?.[1];
  const others = (Object.keys(STATUSES) as TaskStatus[]).filter(
    (status) => !isSettled(status) && status !== goal,
  );
  const isAlike = open.length === others.length && open.every(([, leads]) => leads === goal);
  if (!isAlike || goal === undefined) return lines;
  return [[OPEN, goal], ...lines.filter(([from]) => isSettled(from as TaskStatus))];
}

/** Every status, and every move with the statuses it is legal from and where it leads. */
export function movesJson(): Record<string, unknown> {
  return {
    states: Object.entries(STATUSES).map(([status, row]) => ({ status, ...row })),
    moves: rows().map(({ name, event, says, guarded, fence, to }) => ({
      move: name,
      event,
      says,
      guard: guarded ? { from: Object.keys(to), fence } : null,
      leads: to,
    })),
  };
}
