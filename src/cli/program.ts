/** The commands and flags, nothing else; a command's code is loaded when it runs. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import type { World } from "./context.ts";
import { EXIT, type ExitCode } from "./exit.ts";
import { helpFooter } from "./help.ts";
import { readVersion } from "./package-folder.ts";
import { refuseLine } from "./refuse-line.ts";
import { guardStreams, openSecrets } from "./secrets.ts";
import { addConfig, addDoctor, addFsck, addReplay } from "./typed/care.ts";
import type { End } from "./typed/end.ts";
import { addDiff, addGc, addMerge } from "./typed/keep.ts";
import { addCost, addGraph, addQuery, addShow, addStatus, addTree, addWhy } from "./typed/see.ts";
import { addAnswer, addCancel, addPause, addUnpause } from "./typed/steer.ts";
import { addPlan, addResume, addRun } from "./typed/work.ts";

/** Runs one command line; resolves to its exit code. What a user typed never makes it throw. */
export async function runProgram(
  typed: readonly string[],
  given: Omit<World, "secrets">,
): Promise<ExitCode> {
  const world = { ...given, secrets: openSecrets(given.env) };
  guardStreams(world.streams, world.secrets);
  const argv = asFlags(typed);
  let code: ExitCode = EXIT.done;
  const program = buildProgram(world, (ended) => {
    code = ended;
  });
  if (argv.length === 0) {
    program.outputHelp();
    return EXIT.done;
  }
  const known = program.commands.map((command) => command.name());
  try {
    const [name = ""] = program.parseOptions([...argv]).operands;
    // Of a command that is none there is no help.
    const isHelpless = name !== "" && !known.includes(name);
    const asked = isHelpless ? argv.filter((arg) => !["--help", "-h"].includes(arg)) : argv;
    await program.parseAsync(asked, { from: "user" });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version end with 0, everything else was typed wrongly.
    if (error.exitCode === 0) return EXIT.done;
    return refuseLine(error, argv, known, world);
  }
}

/** As in git: `fractal help run` is `fractal run --help`, `fractal version` and `-v` are `--version`. */
function asFlags(typed: readonly string[]): readonly string[] {
  if (typed[0] === "help") return [...typed.filter((word) => word !== "help"), "--help"];
  const asksVersion = typed.length === 1 && ["version", "-v"].includes(typed[0] ?? "");
  return asksVersion ? ["--version"] : typed;
}

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

  // In the order in which help lists them.
  for (const add of [addRun, addPlan, addResume]) add(program, world, end);
  for (const add of [addTree, addShow, addWhy, addStatus, addCost, addQuery, addGraph]) {
    add(program, world, end);
  }
  for (const add of [addDiff, addMerge]) add(program, world, end);
  for (const add of [addAnswer, addCancel, addPause, addUnpause]) add(program, world, end);
  for (const add of [addFsck, addReplay, addGc, addConfig, addDoctor]) add(program, world, end);
  return program;
}
