/**
 * What only has to fail, with nothing that shows it could succeed: whatever is broken or does not
 * even start satisfies it as well.
 */
import type { Check, CheckResult } from "../../domain/check.ts";
import type { Runnable } from "../../domain/example.ts";
import { describeExample } from "../plan/example.ts";
import { programsIn } from "../plan/judge.ts";
import { judgesFromOutside } from "../plan/oracle.ts";
import { onlyFails } from "./crash.ts";

/** One thing that a check asks of the work. */
interface Claim {
  check: string;
  words: string;
  /** What of the work it is about. */
  about: string[];
  /** Nothing more is asked than that it fails. */
  onlyFails: boolean;
}

/** From this exit code on it is the shell that speaks: nothing to run, or ended by a signal. */
const EXIT_OF_SHELL = 126;

/**
 * The claims of these checks that any failure would satisfy: no other claim asks the same program,
 * function or server for a success or a certain output.
 */
export function unbackedIn(checks: readonly Check[]): { check: string; words: string }[] {
  const claims = checks.flatMap(claimsOf);
  const shown = new Set(claims.filter((one) => !one.onlyFails).flatMap(({ about }) => about));
  return claims.filter((one) => one.onlyFails && !one.about.every((program) => shown.has(program)));
}

/** The names of the checks that prove nothing: all they ask for is a failure, and any would do. */
export function feeble(
  checks: readonly Check[],
  results: readonly Pick<CheckResult, "name" | "crashed">[] = [],
): Set<string> {
  const unbacked = unbackedIn(checks);
  const names = checks.flatMap((check) => {
    const claims = claimsOf(check);
    const weak = unbacked.filter((one) => one.check === check.name).length;
    const crashed = results.find((one) => one.name === check.name)?.crashed?.length ?? 0;
    const isFeeble = claims.length > 0 && Math.max(weak, crashed) >= claims.length;
    return isFeeble ? [check.name] : [];
  });
  return new Set(names);
}

function claimsOf(check: Check): Claim[] {
  const { name, run, examples } = check;
  if (examples !== undefined)
    return examples.map((example) => ({ check: name, ...claimOf(example) }));
  // What a rendered file of old asks for cannot be told from its command.
  if (judgesFromOutside(check)) return [];
  return [{ check: name, words: run, ...claimOfCommand(check) }];
}

function claimOf(example: Runnable): Omit<Claim, "check"> {
  const words = describeExample(example);
  switch (example.kind) {
    case "call": {
      return { words, about: [`${example.file} ${example.name}`], onlyFails: example.error === "" };
    }
    case "command":
      return { words, ...claimOfCommand(example) };
    case "http": {
      const isWeak = example.status >= 400 && example.contains === undefined;
      return { words, about: [example.start], onlyFails: isWeak };
    }
  }
}

function claimOfCommand(asked: Pick<Check, "run" | "exit" | "stdout">) {
  const about = programsIn(asked.run);
  const isWeak = onlyFails(asked) && about.length > 0;
  // Nothing that the work says of itself: no success of it backs this.
  const isShells = isWeak && (asked.exit ?? 0) >= EXIT_OF_SHELL;
  return { about: isShells ? ["the shell"] : about, onlyFails: isWeak };
}
