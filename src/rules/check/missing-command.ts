/** A check whose own tool is not installed: that is a lack, and nobody's failure. */
import type { Check, CheckResult } from "../../domain/check.ts";
import type { Failure } from "../../domain/failure.ts";

/** As sh, dash and bash say it: `sh: 1: pytest: not found`, `sh: line 1: pytest: command not found`. */
const NOT_FOUND =
  /(?:^|\n)[^\n]{0,80}?\b(?:ba|da)?sh: (?:line )?(?:\d+: )?([\w.+-]{1,60}): (?:command )?not found/;
/** Exit code of a shell that did not find a command (POSIX, 2.8.2). */
const EXIT_NOT_FOUND = 127;

/**
 * The lack that a red gating check shows: its shell did not find a command that the check itself
 * names. A command by its path is a file, which the work may have to bring. Undefined where none does.
 */
export function missingCommand(
  results: readonly CheckResult[],
  checks: readonly Check[],
): Failure | undefined {
  for (const result of results) {
    if (result.passed || !result.gates || result.exitCode !== EXIT_NOT_FOUND) continue;
    const name = NOT_FOUND.exec(result.detail)?.[1];
    const check = checks.find((one) => one.name === result.name);
    if (name === undefined || check === undefined || !isNamedIn(check.run, name)) continue;
    const detail = `the check "${check.name}" needs \`${name}\`, which is not installed where it runs: ${check.run.slice(0, 200)}`;
    return { failure: "capability-missing", detail };
  }
  return undefined;
}

/** Whether a command line calls this command by its bare name. */
function isNamedIn(line: string, name: string): boolean {
  return line.split(/[\s;&|()`$]+/).includes(name);
}
