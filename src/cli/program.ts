/** The commands and flags, nothing else; a command's code is loaded when it runs. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { CostBy } from "../view/cost.ts";
import type { GraphFlags } from "./commands/graph.ts";
import { type Context, contextOf, type GlobalFlags, type World } from "./context.ts";
import { EXIT, type ExitCode } from "./exit.ts";
import { budgetFlag, modelFlags, runFlags, runFlagsOf } from "./flags.ts";
import { examples, helpFooter } from "./help.ts";
import { readVersion } from "./package-folder.ts";
import { refuseLine } from "./refuse-line.ts";

/** Runs one command line; resolves to its exit code. What a user typed never makes it throw. */
export async function runProgram(typed: readonly string[], world: World): Promise<ExitCode> {
  // As in git: `fractal help run` is `fractal run --help`.
  const argv = typed[0] === "help" ? [...typed.slice(1), "--help"] : typed;
  let code: ExitCode = EXIT.done;
  const program = buildProgram(world, (ended) => {
    code = ended;
  });
  if (argv.length === 0) {
    program.outputHelp();
    return EXIT.done;
  }
  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version end with 0, everything else was typed wrongly.
    if (error.exitCode === 0) return EXIT.done;
    const known = program.commands.map((command) => command.name());
    return refuseLine(error, argv, known, world);
  }
}

type End = (code: ExitCode) => void;

function buildProgram(world: World, end: End): Command {
  const program = new Command("fractal")
    .description("Turns a written specification into a finished, checked, merged git branch.")
    .usage("<command> [flags]")
    .version(readVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand(false)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => world.streams.stdout.write(text),
      writeErr: (text) => world.streams.stderr.write(text),
      // The refusal says it, in one shape with all others.
      outputError: () => undefined,
    })
    .option("-C <dir>", "work in this folder (FRACTAL_DIR)", (dir) => {
      const isFolder = statSync(resolve(world.cwd, dir), { throwIfNoEntry: false })?.isDirectory();
      if (isFolder !== true) throw new InvalidArgumentError("There is no such folder.");
      return dir;
    })
    .option("-y, --yes", "agree to what is asked first; never to spending or leaving the sandbox")
    .option("--no-input", "ask nothing, also at a terminal")
    .option("--json", 'print {"schema_version", "data"} on stdout')
    .option("--color", "colours, also when piped")
    .option("--no-color", "no colours")
    .addHelpText("after", helpFooter());

  addRun(program, world, end);
  addPlan(program, world, end);
  addResume(program, world, end);
  addTree(program, world, end);
  addCost(program, world, end);
  addShow(program, world, end);
  addStatus(program, world, end);
  addQuery(program, world, end);
  addGraph(program, world, end);
  addAnswer(program, world, end);
  addCancel(program, world, end);
  addPause(program, world, end);
  addUnpause(program, world, end);
  addWhy(program, world, end);
  addFsck(program, world, end);
  addReplay(program, world, end);
  addConfig(program, world, end);
  addDoctor(program, world, end);
  return program;
}

function addRun(program: Command, world: World, end: End): void {
  runFlags(program.command("run <spec>"))
    .description("carry out a specification, or a plan made with `fractal plan --out`")
    .option("--new", "start a new run though one of this specification is open")
    .addHelpText(
      "after",
      examples([
        ["fractal run spec.md", "start it, or go on with the open run of the same bytes"],
        ["fractal run spec.md --budget 5usd --budget worker=300calls", "asks before it takes more"],
        ["fractal run spec.md --model openai:qwen3-coder --base-url http://localhost:11434/v1", ""],
      ]),
    )
    .action(async (spec: string, _: unknown, command: Command) => {
      const { runCommand } = await import("./commands/run.ts");
      end(await runCommand(contextFor(command, world), spec, runFlagsOf(command, world.env)));
    });
}

function addResume(program: Command, world: World, end: End): void {
  runFlags(program.command("resume [run]"))
    .description("go on with a run that was stopped or waits for an answer")
    .addHelpText(
      "after",
      examples([
        ["fractal resume", "the open run of this repository"],
        ["fractal resume k3f9x2 -j 4", "this run, four attempts at a time"],
        ["fractal resume --budget 8usd", "with another budget than it was started with"],
      ]),
    )
    .action(async (run: string | undefined, _: unknown, command: Command) => {
      const { resumeCommand } = await import("./commands/resume.ts");
      end(await resumeCommand(contextFor(command, world), run, runFlagsOf(command, world.env)));
    });
}

function addPlan(program: Command, world: World, end: End): void {
  budgetFlag(modelFlags(program.command("plan <spec>")))
    .description("show the tree, the coverage and a forecast; no issue and no branch is made")
    .option("--out <file>", "write the plan, for `fractal run FILE`")
    .option("--record <dir>", "keep every model answer (FRACTAL_RECORD)")
    .option("--strict", "a recording of another question fails the call (FRACTAL_STRICT)")
    .addHelpText(
      "after",
      examples([
        ["fractal plan spec.md", "what would be done, and for how much"],
        ["fractal plan spec.md --out plan.json && fractal run plan.json", "exactly that plan"],
      ]),
    )
    .action(async (spec: string, flags: { out?: string }, command: Command) => {
      const { planCommand } = await import("./commands/plan.ts");
      const { record, strict } = runFlagsOf(command, world.env);
      const more = { strict, ...(record === undefined ? {} : { record }) };
      end(await planCommand(contextFor(command, world), spec, { ...flags, ...more }));
    });
}

function addTree(program: Command, world: World, end: End): void {
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
      const { treeCommand } = await import("./commands/tree.ts");
      end(await treeCommand(contextFor(command, world), run));
    });
}

function addCost(program: Command, world: World, end: End): void {
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
      const { costCommand } = await import("./commands/cost.ts");
      end(await costCommand(contextFor(command, world), run, flags.by));
    });
}

function addShow(program: Command, world: World, end: End): void {
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
      const { showCommand } = await import("./commands/show.ts");
      end(await showCommand(contextFor(command, world), id, flags));
    });
}

function addStatus(program: Command, world: World, end: End): void {
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
      const { statusCommand } = await import("./commands/status.ts");
      end(await statusCommand(contextFor(command, world), run, flags));
    });
}

function addQuery(program: Command, world: World, end: End): void {
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
      const { queryCommand } = await import("./commands/query.ts");
      end(await queryCommand(contextFor(command, world), words, flags));
    });
}

function addGraph(program: Command, world: World, end: End): void {
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
      const { graphCommand } = await import("./commands/graph.ts");
      // Data comes in the envelope that all commands have.
      const json = flags.format === "json" ? { json: true } : {};
      const globals = { ...command.optsWithGlobals<GlobalFlags>(), ...json };
      end(await graphCommand(contextOf(globals, world), run, flags));
    });
}

function addAnswer(program: Command, world: World, end: End): void {
  program
    .command("answer [id] [text...]")
    .description("list open questions, or answer one")
    .option("--run <run>", "of this run instead of the open or newest one")
    .addHelpText(
      "after",
      examples([
        ["fractal answer", "list what is asked; at a terminal, answer it"],
        ['fractal answer fr-k3f9x2.a1.q1 "Use ISO 8601."', "the id of the question or of its task"],
      ]),
    )
    .action(
      async (
        id: string | undefined,
        words: string[],
        flags: { run?: string },
        command: Command,
      ) => {
        const { answerCommand } = await import("./commands/answer.ts");
        end(await answerCommand(contextFor(command, world), id, words.join(" "), flags));
      },
    );
}

function addCancel(program: Command, world: World, end: End): void {
  program
    .command("cancel <id> [reason...]")
    .description("drop a task and everything below it")
    .option("--run <run>", "of this run instead of the open or newest one")
    .addHelpText(
      "after",
      examples([
        ["fractal cancel fr-k3f9x2.a3", "asks first at a terminal"],
        ["fractal cancel fr-k3f9x2.a3 -y no longer wanted", "with a reason, asking nothing"],
      ]),
    )
    .action(async (id: string, words: string[], flags: { run?: string }, command: Command) => {
      const { cancelCommand } = await import("./commands/cancel.ts");
      end(await cancelCommand(contextFor(command, world), id, words.join(" "), flags));
    });
}

function addFsck(program: Command, world: World, end: End): void {
  program
    .command("fsck [run]")
    .description("whether journal, branch, Beads and this machine agree; nothing is changed")
    .addHelpText(
      "after",
      "\nExit codes: 0 nothing found, 1 findings, 2 no such run, 6 something could not\nbe looked at. What a killed run left is `unfinished`: fractal resume puts it\nright. What is `broken` is not put right by itself.",
    )
    .addHelpText(
      "after",
      examples([
        ["fractal fsck", "every run of this repository"],
        ["fractal fsck k3f9x2 --json | jq .data.findings", "one run, as data"],
      ]),
    )
    .action(async (run: string | undefined, _: unknown, command: Command) => {
      const { fsckCommand } = await import("./commands/fsck.ts");
      end(await fsckCommand(contextFor(command, world), run));
    });
}

function addReplay(program: Command, world: World, end: End): void {
  program
    .command("replay <run>")
    .description("the tree, states and money of a run at any point, from its journal alone")
    .option("--at <seq>", "after the event of this number; the last one when left out", (text) => {
      if (!/^\d+$/.test(text)) throw new InvalidArgumentError("It is the number of an event.");
      return Number(text);
    })
    .addHelpText(
      "after",
      examples([
        ["fractal replay k3f9x2", "as it stands; the last line is a hash of the whole state"],
        ["fractal replay k3f9x2 --at 120", "as it stood after event 120"],
      ]),
    )
    .action(async (run: string, flags: { at?: number }, command: Command) => {
      const { replayCommand } = await import("./commands/replay.ts");
      end(await replayCommand(contextFor(command, world), run, flags.at));
    });
}

function addPause(program: Command, world: World, end: End): void {
  program
    .command("pause <id>")
    .description("hold a task and everything below it back")
    .option("--run <run>", "of this run instead of the open or newest one")
    .addHelpText(
      "after",
      examples([
        ["fractal pause a3", "the part of an id after its run is enough"],
        ["fractal pause fr-k3f9x2", "the whole run: nothing is begun until it is unpaused"],
      ]),
    )
    .action(async (id: string, flags: { run?: string }, command: Command) => {
      const { pauseCommand } = await import("./commands/pause.ts");
      end(await pauseCommand(contextFor(command, world), "pause", id, flags));
    });
}

function addUnpause(program: Command, world: World, end: End): void {
  program
    .command("unpause <id>")
    .description("let a paused task go on")
    .option("--run <run>", "of this run instead of the open or newest one")
    .addHelpText(
      "after",
      examples([
        ["fractal unpause a3", "and everything below it"],
        ["fractal unpause a3 && fractal resume", "where no run is at work"],
      ]),
    )
    .action(async (id: string, flags: { run?: string }, command: Command) => {
      const { pauseCommand } = await import("./commands/pause.ts");
      end(await pauseCommand(contextFor(command, world), "unpause", id, flags));
    });
}

function addWhy(program: Command, world: World, end: End): void {
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
      const { whyCommand } = await import("./commands/why.ts");
      end(await whyCommand(contextFor(command, world), id, flags));
    });
}

function addConfig(program: Command, world: World, end: End): void {
  budgetFlag(modelFlags(program.command("config")))
    .description("every setting that holds, and the model of each role")
    .addArgument(new Argument("[show]", "may be left out").choices(["show"]))
    .option("--origin", "and where it is from")
    .addHelpText(
      "after",
      examples([
        ["fractal config show --origin", "flag, environment, fractal.yaml, your own file, default"],
        [
          "fractal config show --json --models worker=openai:qwen3-coder",
          "what a flag would change",
        ],
      ]),
    )
    .action(async (_: unknown, flags: { origin?: boolean }, command: Command) => {
      const { configShowCommand } = await import("./commands/config.ts");
      end(await configShowCommand(contextFor(command, world), flags));
    });
}

function addDoctor(program: Command, world: World, end: End): void {
  modelFlags(program.command("doctor"))
    .description("check git, node, bd, sandbox, models and journal; say what to install")
    .addHelpText(
      "after",
      examples([
        ["fractal doctor", "exit 6 when something is missing"],
        ["fractal doctor --json | jq '.data.probes[] | select(.state != \"ok\")'", ""],
      ]),
    )
    .action(async (_: unknown, command: Command) => {
      const { doctorCommand } = await import("./commands/doctor.ts");
      end(await doctorCommand(contextFor(command, world)));
    });
}

function contextFor(command: Command, world: World): Context {
  return contextOf(command.optsWithGlobals<GlobalFlags>(), world);
}
