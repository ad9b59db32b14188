/** The words below a help text: examples, exit codes, environment variables. */
import { EXIT_MEANING } from "./exit.ts";

/** Help is laid out for this many columns. */
const COLUMNS = 80;

/** An `Examples:` section; the explanations stand behind the commands, in one column if it fits. */
export function examples(lines: [command: string, meaning: string][]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  const fits = lines.every(([, meaning]) => width + meaning.length + 6 <= COLUMNS);
  return [
    "\nExamples:",
    ...lines.map(([command, meaning]) =>
      meaning === "" ? `  ${command}` : `  ${command.padEnd(fits ? width : 0)}  # ${meaning}`,
    ),
  ].join("\n");
}

/** What stands below the list of commands: examples, exit codes, environment. */
export function helpFooter(): string {
  const codes = Object.entries(EXIT_MEANING).map(
    ([code, meaning]) => `  ${code.padEnd(4)}${meaning}`,
  );
  return [
    examples([
      ["fractal run spec.md", "build what the specification says"],
      ["fractal tree", "see where it stands"],
      ["fractal doctor", "see what this machine lacks"],
    ]),
    "\nExit codes:",
    ...codes,
    "\nFlags may be given as environment variables: --json is FRACTAL_JSON=1. Not so",
    "--dangerously-no-sandbox: that one must be typed. Settings: fractal config show --origin",
  ].join("\n");
}
