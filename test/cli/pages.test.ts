/** The pages that are made from code say what the code says: `npx vitest run test/cli/pages.test.ts -u` writes them. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { INDEX_TABLES } from "../../src/domain/index-tables.ts";
import { STATUSES } from "../../src/rules/lifecycle.ts";
import { renderMermaid } from "../../src/view/diagram.ts";
import { movesDiagram, movesJson } from "../../src/view/graph-moves.ts";
import { STATUS_SQL } from "../../src/view/status.ts";
import { asked, indexOf } from "../support/index-hash.ts";
import { journalOf } from "../support/toy-journal.ts";

const DOCS = join(import.meta.dirname, "..", "..", "docs");

/** The page with what stands between the two marks made anew. */
function pageWith(name: string, mark: string, made: string): string {
  const page = readFileSync(join(DOCS, name), "utf8");
  const [before, rest = ""] = page.split(`<!-- ${mark} -->`);
  return `${before}<!-- ${mark} -->\n\n${made}\n\n<!-- /${mark} -->${rest.split(`<!-- /${mark} -->`)[1]}`;
}

function table(head: string[], rows: string[][]): string {
  const all = [head, head.map(() => "---"), ...rows];
  return all
    .map((row) => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
}

describe("docs/index.md", () => {
  it("lists every table with every column", async () => {
    const tables = Object.entries(INDEX_TABLES).map(([name, { row, columns }]) =>
      [
        `### ${name}`,
        `A row is ${row}.`,
        table(
          ["column", "type", "says"],
          Object.entries(columns).map(([column, [type, says]]) => [
            `\`${column}\``,
            type.toLowerCase(),
            says,
          ]),
        ),
      ].join("\n\n"),
    );
    await expect(pageWith("index.md", "tables", tables.join("\n\n"))).toMatchFileSnapshot(
      join(DOCS, "index.md"),
    );
  });

  it("asks only what can be asked, and each question has an answer in some run", async () => {
    const page = readFileSync(join(DOCS, "index.md"), "utf8");
    const questions = [...page.matchAll(/```sql\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
    expect(questions.length).toBeGreaterThanOrEqual(6);
    const folder = mkdtempSync(join(tmpdir(), "fractal-pages-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const runs = await Promise.all([1, 2, 3, 4].map((seed) => journalOf(seed)));
    for (const question of [...questions, STATUS_SQL]) {
      const rows = runs.flatMap((events, at) =>
        asked(indexOf(join(folder, `${at}.db`), events), question),
      );
      expect(rows.length, question).toBeGreaterThan(0);
    }
  });
});

describe("docs/moves.md", () => {
  it("shows the table of moves as it is", async () => {
    const { moves } = movesJson() as {
      moves: {
        move: string;
        event: string;
        says: string;
        guard: { fence: string | null } | null;
        leads: Record<string, string>;
      }[];
    };
    const rows = moves.map(({ move, event, says, guard, leads }) => [
      `**${move}**`,
      `\`${event}\``,
      says,
      Object.entries(leads)
        .map(([from, to]) => (to === "same" ? from : `${from} → ${to === "derived" ? "open" : to}`))
        .join(", "),
      guard === null ? "follows" : (guard.fence ?? ""),
    ]);
    const made = [
      `\`\`\`mermaid\n${renderMermaid(movesDiagram())}\n\`\`\``,
      "_open_ stands for every status but done, accepted and cancelled; a move to it leads to the one\nthat the facts amount to. A status without an arrow is left as it is. What _follows_ is not guarded:\nit comes with an event about a question, an edge or another task.",
      table(
        ["status", "means", "colour"],
        Object.entries(STATUSES).map(([status, { says, colour }]) => [
          `**${status}**`,
          says,
          colour,
        ]),
      ),
      table(["move", "event", "says", "from → to", "guard"], rows),
    ];
    await expect(pageWith("moves.md", "moves", made.join("\n\n"))).toMatchFileSnapshot(
      join(DOCS, "moves.md"),
    );
  });
});
