/** The commands by which a person steers a run, as they are typed. */
import type { Command } from "commander";
import type { World } from "../context.ts";
import { examples } from "../help.ts";
import { contextFor, type End } from "./end.ts";

export function addAnswer(program: Command, world: World, end: End): void {
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
        const { answerCommand } = await import("../commands/answer.ts");
        end(await answerCommand(contextFor(command, world), id, words.join(" "), flags));
      },
    );
}

export function addCancel(program: Command, world: World, end: End): void {
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
      const { cancelCommand } = await import("../commands/cancel.ts");
      end(await cancelCommand(contextFor(command, world), id, words.join(" "), flags));
    });
}

export function addPause(program: Command, world: World, end: End): void {
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
      const { pauseCommand } = await import("../commands/pause.ts");
      end(await pauseCommand(contextFor(command, world), "pause", id, flags));
    });
}

export function addUnpause(program: Command, world: World, end: End): void {
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
      const { pauseCommand } = await import("../commands/pause.ts");
      end(await pauseCommand(contextFor(command, world), "unpause", id, flags));
    });
}
