/** The commands that show a run, as they are typed. */
import { type Command, Option } from "commander";
import type { CostBy } from "../../view/cost.ts";
import type { GraphFlags } from "../commands/graph.ts";
import { contextOf, type GlobalFlags, type World } from "../context.ts";
import { examples } from "../help.ts";
import { contextFor, type End } from "./end.ts";

export function addTree(program: Command, world: World, end: End): void {
  program
    .command("tree [run]")
    .description("the tree of a run: status, attempts, model, cost, what waits for what")
    .addHelpText(
      "after",
      examples([
        ["fractal tree", "the open run, or the newest one"],
        ["fractal tree k3f9x2 --json | jq .data.by_status", "one run, as data"],
      ]),
    )
    .action(async (run: string | undefined, _: unknown, command: Command) => {
      const { treeCommand } = await import("../commands/tree.ts");
      end(await treeCommand(contextFor(command, world), run));
    });
}

export function addShow(program: Command, world: World, end: End): void {
  program
    .command("show <id>")
    .description("everything about one task or question")
    .option("--full", "whole prompts, replies and outputs")
    .option("--run <run>", "of this run instead of the open or newest one")
    .addHelpText(
      "after",
      examples([
        ["fractal show fr-k3f9x2.a1", "contract, attempts, verdicts, prompts and replies"],
        ["fractal show fr-k3f9x2.a1 --full | less", "nothing cut"],
      ]),
    )
    .action(async (id: string, flags: { full?: boolean; run?: string }, command: Command) => {
      const { showCommand } = await import("../commands/show.ts");
      end(await showCommand(contextFor(command, world), id, flags));
    });
}

export function addWhy(program: Command, world: World, end: End): void {
  program
    .command("why <id>")
    .description("why a task does or does not run now, and what would change that")
    .option("--run <run>", "of this run instead of the open or newest one")
    .addHelpText(
      "after",
      examples([
        ["fractal why fr-k3f9x2.a1.b2", "what it waits for, down to the cause"],
        ["fractal why a1.b2 --json | jq .data.may_start", "as data"],
      ]),
    )
    .action(async (id: string, flags: { run?: string }, command: Command) => {
      const { whyCommand } = await import("../commands/why.ts");
      end(await whyCommand(contextFor(command, world), id, flags));
    });
}

export function addStatus(program: Command, world: World, end: End): void {
  program
    .command("status [run]")
    .description("what is wanted against what there is, task by task, and why not yet")
    .option("--sql", "the query it is, for `fractal query`")
    .addHelpText(
      "after",
      examples([
        ["fractal status", "the open run, or the newest one"],
        ["fractal status --json | jq '.data.rows[] | select(.why)'", "what is not as wanted"],
        ["fractal status --sql | fractal query -", "the same, as a query"],
      ]),
    )
    .action(async (run: string | undefined, flags: { sql?: boolean }, command: Command) => {
      const { statusCommand } = await import("../commands/status.ts");
      end(await statusCommand(contextFor(command, world), run, flags));
    });
}

export function addCost(program: Command, world: World, end: End): void {
  program
    .command("cost [run]")
    .description("what a run spent and has reserved, and what is left of its budgets")
    .addOption(
      new Option("--by <what>", "a row for each role, model, task (with all below it) or level")
        .choices(["role", "model", "task", "level"])
        .default("role"),
    )
    .addHelpText(
      "after",
      examples([
        ["fractal cost", "the open run, or the newest one, by role"],
        ["fractal cost --by task", "where it went: each task with all below it"],
        ["fractal cost k3f9x2 --json | jq .data.total.spent_usd", "null where a price is unknown"],
      ]),
    )
    .action(async (run: string | undefined, flags: { by: CostBy }, command: Command) => {
      const { costCommand } = await import("../commands/cost.ts");
      end(await costCommand(contextFor(command, world), run, flags.by));
    });
}

export function addQuery(program: Command, world: World, end: End): void {
  program
    .command("query [sql...]")
    .description("ask a run in SQL; without a question, list the tables")
    .option("--run <run>", "of this run instead of the open or newest one")
    .option("--csv", "comma-separated values, with a heading")
    .addHelpText(
      "after",
      examples([
        ["fractal query", "the tables and their columns; docs/index.md says more"],
        ['fractal query "SELECT role, sum(cost_usd) FROM model_calls GROUP BY role"', ""],
        ["fractal query - --csv < question.sql > answer.csv", "the question from stdin"],
      ]),
    )
    .action(async (words: string[], flags: { run?: string; csv?: boolean }, command: Command) => {
      const { queryCommand } = await import("../commands/query.ts");
      end(await queryCommand(contextFor(command, world), words, flags));
    });
}

export function addGraph(program: Command, world: World, end: End): void {
  program
    .command("graph [run]")
    .description("the table of moves as a diagram; of a run, its tasks, their edges and waves")
    .addOption(
      new Option(
        "--of <what>",
        "moves, or tasks of the run named, the open or the newest one",
      ).choices(["moves", "tasks"]),
    )
    .addOption(
      new Option("--format <format>", "how it is written")
        .choices(["mermaid", "dot", "json"])
        .default("mermaid"),
    )
    .addHelpText(
      "after",
      examples([
        ["fractal graph", "statuses and moves, for any Mermaid viewer"],
        ["fractal graph --of tasks --format dot | dot -Tsvg > tasks.svg", "the open run"],
        ["fractal graph k3f9x2 --json", "the tasks of this run, as data"],
      ]),
    )
    .action(async (run: string | undefined, flags: GraphFlags, command: Command) => {
      const { graphCommand } = await import("../commands/graph.ts");
      // Data comes in the envelope that all commands have.
      const json = flags.format === "json" ? { json: true } : {};
      const globals = { ...command.optsWithGlobals<GlobalFlags>(), ...json };
      end(await graphCommand(contextOf(globals, world), run, flags));
    });
}
