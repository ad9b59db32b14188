/** `fractal query`: one question in SQL to the index of a run. */
import { text as textOf } from "node:stream/consumers";
import { INDEX_TABLES } from "../../domain/index-tables.ts";
import { renderAnswer, renderCsv, rowObjects } from "../../view/answer-table.ts";
import { renderTable } from "../../view/table.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, isRefusal, refuse } from "../exit.ts";

/** Prints the rows; without a question, the tables there are. `-` reads the question from stdin. */
export async function queryCommand(
  context: Context,
  words: string[],
  flags: { run?: string; csv?: boolean },
): Promise<ExitCode> {
  const { out, dir, streams } = context;
  if (flags.csv === true && out.json) {
    return out.refuse(refuse(EXIT.usage, "--csv and --json are two forms of one answer"));
  }
  if (words.length === 0) return listTables(context);
  const sql = words.join(" ") === "-" ? await textOf(streams.stdin) : words.join(" ");
  if (sql.trim() === "") {
    return out.refuse(refuse(EXIT.usage, "there is no SQL", { next: NEXT }));
  }
  const wire = await context.wire();
  const found = await wire.openRunIndex({ dir, run: flags.run });
  if (isRefusal(found)) return out.refuse(found);
  const answer = found.ask(sql);
  if ("trouble" in answer) {
    return out.refuse(
      refuse(EXIT.usage, answer.trouble, { where: Object.keys(INDEX_TABLES), next: NEXT }),
    );
  }
  if (answer.rows.length === 0 && !out.json && flags.csv !== true) {
    out.note("no rows");
    return EXIT.done;
  }
  out.show(
    () => {
      const { runId, seq } = found.state;
      return { run_id: runId, seq, columns: answer.columns, rows: rowObjects(answer) };
    },
    () => (flags.csv === true ? renderCsv(answer) : renderAnswer(answer, out.look)),
  );
  return EXIT.done;
}

const NEXT = ["fractal query   # lists the tables and their columns"];

function listTables(context: Context): ExitCode {
  const { out } = context;
  const tables = Object.entries(INDEX_TABLES);
  out.show(
    () => ({
      tables: tables.map(([name, { row, columns }]) => ({
        name,
        row,
        columns: Object.entries(columns).map(([column, [type, says]]) => ({
          name: column,
          type,
          says,
        })),
      })),
    }),
    () =>
      out.look.tables
        ? tables
            .map(([name, { row, columns }]) =>
              [`${name}: ${row}`, `  ${Object.keys(columns).join(", ")}`].join("\n"),
            )
            .join("\n\n")
        : renderTable(
            [],
            tables.flatMap(([name, { columns }]) =>
              Object.entries(columns).map(([column, [type, says]]) => [name, column, type, says]),
            ),
            { aligned: false, colour: false },
          ).join("\n"),
  );
  return EXIT.done;
}
