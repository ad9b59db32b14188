/** The refusal of a command line that cannot be understood. */
import type { CommanderError } from "commander";
import { closestName } from "../rules/text/suggest.ts";
import { contextOf, type World } from "./context.ts";
import { EXIT, type ExitCode, refuse } from "./exit.ts";

/** Says what every refusal says: what, what next, the code. `commands` are the names there are. */
export function refuseLine(
  error: CommanderError,
  argv: readonly string[],
  commands: string[],
  world: World,
): ExitCode {
  // Help that was not asked for has been shown; there is nothing to add.
  if (error.code === "commander.help") return EXIT.usage;
  const [what = "", ...hints] = error.message.replace(/^error: /, "").split("\n");
  const command = argv.find((word) => commands.includes(word));
  const unknown = /^unknown command '(.*)'/.exec(what)?.[1];
  const meant = unknown === undefined ? undefined : closestName(unknown, commands);
  // Our own guess at a command: commander's takes `list` for `cost`.
  const guesses =
    unknown === undefined
      ? hints.map((hint) => hint.replace(/^\(Did (.+)\)$/, "did $1"))
      : [meant].flatMap((name) => (name === undefined ? [] : [`did you mean ${name}?`]));
  const flags = {
    ...(argv.includes("--json") ? { json: true } : {}),
    ...(argv.includes("--no-color") ? { color: false } : {}),
  };
  return contextOf(flags, world).out.refuse(
    refuse(EXIT.usage, what.replace(/\.$/, ""), {
      next: [...guesses, command === undefined ? "fractal --help" : `fractal ${command} --help`],
    }),
  );
}
