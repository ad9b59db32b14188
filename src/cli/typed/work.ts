/** The commands that plan and carry out a specification, as they are typed. */
import type { Command } from "commander";
import type { World } from "../context.ts";
import { budgetFlag, modelFlags, runFlags, runFlagsOf } from "../flags.ts";
import { examples } from "../help.ts";
import { contextFor, type End } from "./end.ts";

export function addRun(program: Command, world: World, end: End): void {
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
      const { runCommand } = await import("../commands/run.ts");
      end(await runCommand(contextFor(command, world), spec, runFlagsOf(command, world.env)));
    });
}

export function addPlan(program: Command, world: World, end: End): void {
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
      const { planCommand } = await import("../commands/plan.ts");
      const { record, strict } = runFlagsOf(command, world.env);
      const more = { strict, ...(record === undefined ? {} : { record }) };
      end(await planCommand(contextFor(command, world), spec, { ...flags, ...more }));
    });
}

export function addResume(program: Command, world: World, end: End): void {
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
      const { resumeCommand } = await import("../commands/resume.ts");
      end(await resumeCommand(contextFor(command, world), run, runFlagsOf(command, world.env)));
    });
}
