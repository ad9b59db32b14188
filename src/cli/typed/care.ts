/** The commands that look after settings, the machine and what a run left, as they are typed. */
import { Argument, type Command, InvalidArgumentError } from "commander";
import type { World } from "../context.ts";
import { budgetFlag, modelFlags } from "../flags.ts";
import { examples } from "../help.ts";
import { contextFor, type End } from "./end.ts";

export function addFsck(program: Command, world: World, end: End): void {
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
      const { fsckCommand } = await import("../commands/fsck.ts");
      end(await fsckCommand(contextFor(command, world), run));
    });
}

export function addReplay(program: Command, world: World, end: End): void {
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
      const { replayCommand } = await import("../commands/replay.ts");
      end(await replayCommand(contextFor(command, world), run, flags.at));
    });
}

export function addConfig(program: Command, world: World, end: End): void {
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
      const { configShowCommand } = await import("../commands/config.ts");
      end(await configShowCommand(contextFor(command, world), flags));
    });
}

export function addDoctor(program: Command, world: World, end: End): void {
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
      const { doctorCommand } = await import("../commands/doctor.ts");
      end(await doctorCommand(contextFor(command, world)));
    });
}
