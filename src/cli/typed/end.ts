/** What every command's declaration shares: where its exit code goes, and what it is given. */
import type { Command } from "commander";
import { type Context, contextOf, type GlobalFlags, type World } from "../context.ts";
import type { ExitCode } from "../exit.ts";

/** Takes the exit code of the command that ran. */
export type End = (code: ExitCode) => void;

/** What a command is given: the flags that all have, and the world. */
export function contextFor(command: Command, world: World): Context {
  return contextOf(command.optsWithGlobals<GlobalFlags>(), world);
}
